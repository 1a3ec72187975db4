"""A project whose conditions are looked at, and what is waited for there."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from autoctrl.stores import open_store
from autoctrl.views import list_conditions
from tests.acceptance.project import LIMIT_S, ask, call, make_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from autoctrl.ports import Lease

STATE = ".autoctrl/state.sqlite"
CLEAN = "Nothing is known to be wrong.\n"


def make_processed(folder: Path) -> Path:
    """Write a project and process a run of it."""
    make_project(folder)
    assert ask(folder, "runs", "add", "1", "--set", "kind=physics").code == 0
    assert call(folder, "loop", "--until-idle").code == 0
    assert ask(folder, "health") == (0, CLEAN, "")
    return folder


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def conditions(folder: Path, verb: str = "health") -> list[dict[str, Any]]:
    """Return what a verb says in JSON about what is wrong."""
    found: list[dict[str, Any]] = json.loads(ask(folder, *verb.split(), "--format", "json").out)[
        "conditions"
    ]
    return found


def read_leases(folder: Path) -> dict[str, Lease]:
    with closing(open_store(f"sqlite:{folder / STATE}")) as store:
        return store.leases()


def read_conditions(folder: Path) -> list[str]:
    with closing(open_store(f"sqlite:{folder / STATE}")) as store:
        return [f"{one.kind} {one.about}" for one in list_conditions(store, "prompt")]


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
