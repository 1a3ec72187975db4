"""What a file source remembers between two looks, so that each raw file is inspected once."""

from __future__ import annotations

import json
from collections.abc import Mapping  # noqa: TC003 - the named tuple is made at run time
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import UsageError
from autoctrl.files import write_whole
from autoctrl.sources.values import typed_value

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.sources.files.inspection import FileFacts
    from autoctrl.sources.files.pattern import FoundFile

NANO = 1e-9


class KnownFile(NamedTuple):
    """One raw file as it was at the last look.

    bytes, mtime_ns  as listed
    since            when these two were first seen, seconds since 1970 by our clock
    asked            when it was last inspected, seconds since 1970, 0 for never
    is_current       the answer is about these bytes
    attributes       declared attributes as JSON values
    is_closed        the end of the run was seen
    problem          why the file cannot be used, empty if it can
    remarks          sentences about attributes that were left out
    """

    bytes: int
    mtime_ns: int
    since: float
    asked: float = 0.0
    is_current: bool = False
    attributes: Mapping[str, Any] = {}
    is_closed: bool = False
    problem: str = ""
    remarks: tuple[str, ...] = ()

    def age_s(self, now: float) -> float:
        """Seconds for which it is known not to have changed, by its own time or by ours: the two
        clocks may differ.
        """
        return max(now - self.mtime_ns * NANO, now - self.since)


def look_again(file: FoundFile, before: KnownFile | None, now: float) -> KnownFile:
    """Return what is known of a listed file; if it has changed, what its older bytes said."""
    if before is None:
        return KnownFile(file.bytes, file.mtime_ns, now)
    if (file.bytes, file.mtime_ns) == (before.bytes, before.mtime_ns):
        return before
    return before._replace(bytes=file.bytes, mtime_ns=file.mtime_ns, since=now, is_current=False)


def learn(
    known: KnownFile, file: FoundFile, answer: FileFacts, types: Mapping[str, str], now: float
) -> KnownFile:
    """Return what is known of a file after it was inspected; attributes that are not declared are
    left out.
    """
    attributes, remarks = _take_attributes(answer, types)
    problem = answer.problem
    if answer.run is not None and answer.run != file.run:
        problem = f"its name says run {file.run}, its content run {answer.run}"
    return known._replace(
        asked=now,
        is_current=True,
        attributes=attributes,
        is_closed=answer.is_closed,
        problem=problem,
        remarks=tuple(f"{file.path}: {remark}" for remark in remarks),
    )


def _take_attributes(
    answer: FileFacts, types: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """Return the declared attributes that have the right type, and what is wrong with others."""
    attributes: dict[str, Any] = {}
    remarks: list[str] = []
    for name in types:
        value = answer.attributes.get(name)
        try:
            found = typed_value(name, value, types)
        except UsageError as error:
            remarks.append(error.message)
            continue
        if found is not None:
            # A time is kept as it came, because JSON has no times.
            attributes[name] = value if isinstance(found, datetime) else found
    return attributes, remarks


class Memory:
    """A small JSON file. It may be deleted at any time: the files are then inspected again."""

    def __init__(self, path: Path, meaning: str) -> None:
        """Keep files in ``path``; what was written with another ``meaning`` (command, types) is
        forgotten.
        """
        self.path, self.meaning = path, meaning

    def load(self) -> dict[str, KnownFile]:
        """Return the known files by path; none if the memory is missing or cannot be used."""
        try:
            content = json.loads(self.path.read_bytes())
            if content["schema"] != 1 or content["meaning"] != self.meaning:
                return {}
            return {path: KnownFile(*values) for path, values in content["files"].items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return {}

    def save(self, files: dict[str, KnownFile]) -> str:
        """Write the known files in one step; return a sentence if that is not possible."""
        content = {"schema": 1, "meaning": self.meaning, "files": files}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, json.dumps(content).encode())
        except OSError as error:
            return f"what raw files said cannot be kept in {self.path}: {error.strerror}"
        return ""
