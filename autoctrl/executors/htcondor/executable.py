"""The executable of HTCondor jobs: a few lines of shell, then ``node`` and the wrapper, zipped.

One file, so that it travels once with a cluster and there is nothing to install on a node. A
program for a row that was removed before it started ends with ``NEVER_STARTED``.
"""

from __future__ import annotations

import io
import shlex
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile, ZipInfo

from autoctrl.executors.htcondor import node
from autoctrl.files import write_whole
from autoctrl.node import hint, wrapper

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

NEVER_STARTED = 75
MEMBERS: Mapping[str, ModuleType] = {"__main__.py": node, "wrapper.py": wrapper, "hint.py": hint}
HEAD = """#!/bin/sh
PATH={path}; export PATH
[ -e "$1.remove" ] && exit {never}
mkdir -p "$1" || exit 73
exec {python} -I -X utf8 "$0" "$@" 2>>"$1/node.log"
"""


def build_program(python: str, path: str) -> bytes:
    """Return the executable for nodes that find ``python`` in ``path``, which is the jobs' PATH."""
    archive = io.BytesIO()
    with ZipFile(archive, "w") as file:
        for name, module in MEMBERS.items():
            file.writestr(ZipInfo(name), Path(str(module.__file__)).read_bytes())
    head = HEAD.format(path=shlex.quote(path), python=shlex.quote(python), never=NEVER_STARTED)
    return head.encode() + archive.getvalue()


def write_program(path: Path, content: bytes) -> None:
    """Write the executable, once. Raises ``OSError``."""
    if not path.exists():
        write_whole(path, content, mode=0o755)
