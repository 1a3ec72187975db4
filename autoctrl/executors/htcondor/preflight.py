"""What the settings of a pool name: files that have to be there, and what a refusal is about."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from autoctrl.errors import SubmitRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from autoctrl.executors.htcondor.settings import HTCondorExecutorSettings

SIGNS: Mapping[str, re.Pattern[str]] = {
    "requirements": re.compile(r"\brequirements\b", re.IGNORECASE),
    "x509_proxy": re.compile(r"proxy", re.IGNORECASE),
    "accounting_group": re.compile(r"acc(oun)?t(ing)?_?group", re.IGNORECASE),
    "container_image": re.compile(r"container|image|universe", re.IGNORECASE),
    "transfer_input": re.compile(r"transfer_?input|reading from file|no such file", re.IGNORECASE),
}


def locate_files(settings: HTCondorExecutorSettings, folder: Path) -> HTCondorExecutorSettings:
    """Return settings whose paths on this machine count from ``folder``; addresses stay."""
    return replace(
        settings,
        config=_from(settings.config, folder),
        x509_proxy=_from(settings.x509_proxy, folder),
        container_image=_from(settings.container_image, folder),
        transfer_input=",".join(_from(path, folder) for path in split_files(settings)),
    )


def split_files(settings: HTCondorExecutorSettings) -> list[str]:
    """Return the files that travel with every job."""
    return [path for path in map(str.strip, settings.transfer_input.split(",")) if path]


def check_files(settings: HTCondorExecutorSettings, name: str) -> None:
    """Raise ``SubmitRefused`` if a file that the settings name is not there."""
    wanted = [("config", settings.config), ("x509_proxy", settings.x509_proxy)]
    wanted += (
        [("transfer_input", path) for path in split_files(settings)]
        if settings.mode == "spool"
        else []
    )
    for key, path in wanted:
        if path and "://" not in path and not os.path.exists(path):  # noqa: PTH110 - kept as it is
            message = f"Executor {name} needs {path}, which does not exist."
            raise SubmitRefused(message, hint=f"Create it, or change {key} in [executors.{name}].")


def blame(words: str, settings: HTCondorExecutorSettings, name: str) -> str:
    """Return a hint at the setting that a refusal in these words is about, else the template."""
    guilty = [key for key, sign in SIGNS.items() if getattr(settings, key) and sign.search(words)]
    if guilty:
        return f"Look at {' and '.join(guilty)} in [executors.{name}]."
    return "Look at the template job.sub.j2."


def _from(path: str, folder: Path) -> str:
    if not path or "://" in path:
        return path
    return os.path.join(folder, os.path.expanduser(path))  # noqa: PTH111, PTH118 - a slash at its end means something
