"""What settings may say of raw files that are runs."""

from __future__ import annotations

from dataclasses import dataclass

from autoctrl.config import SourceSettings, setting


@dataclass(frozen=True)
class FilesSourceSettings(SourceSettings):
    """``[sources.<name>]`` with ``type = "files"``: runs appear as their raw files do."""

    pattern: str = setting(
        "Path of a raw file below `inputs.root`: `{run}` or `{run:05d}` is the run number, "
        "`{name}` a declared "
        "attribute, `*` and `?` stand for any characters of one name.",
    )
    quiet_s: float = setting(
        "A run is closed once its files have not changed for this time, seconds.", 300.0, least=0
    )
    inspect: str = setting(
        "Command that reads `{path}`, or many `{paths}` at once, and prints attributes and "
        "the end of run as JSON; "
        "empty looks at names and times only.",
        "",
    )
    inspect_every_s: float = setting(
        "A file that keeps growing is read again after this time, seconds.", 60.0, least=1
    )
    inspect_limit_s: float = setting(
        "Time limit of one call of the command, seconds.", 120.0, least=1
    )
