"""One broken workflow never stops the others, and says itself what is wrong."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.acceptance.project import Said, ask

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
[cycle]
patience_s = 0.5
module_limit_s = 2
lock_limit_s = 0.5
[defaults]
back_off_s = 0
"""
GOOD = {
    "reco": """
from autoctrl import BatchHandler
from names import WORKFLOW
handler = BatchHandler(WORKFLOW, "true")
""",
    "plots": """
from autoctrl import After, InlineHandler
from names import WORKFLOW
handler = InlineHandler(WORKFLOW, lambda task: {"pages": 2}, locks=After("reco"))
""",
}
LOADING = {
    "import-error": (
        "import nothing_there",
        "ModuleNotFoundError in line 1: No module named 'nothing_there'",
    ),
    "exits": ("raise SystemExit(3)", "SystemExit in line 1: 3"),
    "exits-hard": ("import os; os._exit(0)", "exits-hard/handler.py exited early"),
    "crashes": ("import ctypes; ctypes.string_at(0)", "was ended by signal SIGSEGV"),
    "loops": (
        "while True: pass",
        "gave no sign of life for 2 s while it was being loaded and was ended",
    ),
    "syntax": ("def f(:", "SyntaxError"),
    "empty": ("", "declares no handler"),
    "second-reco": (
        "from autoctrl import InlineHandler; h = InlineHandler('reco', print)",
        "Workflow 'reco' is already declared in reco/handler.py",
    ),
}
INLINE = "from autoctrl import InlineHandler\nhandler = InlineHandler({name!r}, {argument})"
BATCH = "from autoctrl import BatchHandler\nhandler = BatchHandler({name!r}, {argument})"
HEAD = "import ctypes, os, sys, time\n"
FAILING = {
    "f-raises": ("lambda task: 1 / 0", "ZeroDivisionError: division by zero"),
    "f-exits": ("lambda task: sys.exit(0)", "SystemExit: 0"),
    "f-exits-hard": ("lambda task: os._exit(0)", "the function ended its process: exit code 0"),
    "f-crashes": (
        "lambda task: ctypes.string_at(0)",
        "the function ended its process: signal SIGSEGV",
    ),
    "f-loops": (
        "lambda task: [0 for _ in iter(int, 1)], deadline_s=1",
        "the function took more than 2 s",
    ),
    "f-answers-nonsense": ("lambda task: 42", "it returned int"),
}
WAITING = {
    "l-raises": (
        INLINE,
        "print, locks=lambda task: 1 / 0",
        "lock <lambda> raised ZeroDivisionError",
    ),
    "l-exits": (
        INLINE,
        "print, locks=lambda task: sys.exit(1)",
        "lock <lambda> raised SystemExit: 1",
    ),
    "l-hangs": (
        INLINE,
        "print, locks=lambda task: time.sleep(1000)",
        "lock <lambda> gave no answer within 0.5 s",
    ),
    "l-answers-nonsense": (INLINE, "print, locks=lambda task: 42", "a lock answers None, a reason"),
    "j-raises": (BATCH, "jobs=lambda task: 1 / 0", "ZeroDivisionError: division by zero"),
    "i-raises": (
        BATCH,
        "'true', inputs={{'x': lambda task: 1 / 0}}",
        "input x raised ZeroDivisionError",
    ),
}
CRASHING = {
    "j-crashes": ("jobs=lambda task: ctypes.string_at(0)", "was ended by signal SIGSEGV"),
    "j-hangs": (
        "jobs=lambda task: time.sleep(1000)",
        "gave no sign of life for 2 s in its cycle and was ended",
    ),
    "l-crashes": (
        "'true', locks=lambda task: ctypes.string_at(0)",
        "was ended by signal SIGSEGV",
    ),
}


class Worked(NamedTuple):
    """What a loop over a project with every broken workflow left behind."""

    folder: Path
    loop: Said
    status: dict[int, dict[str, dict[str, str] | None]]


def make_project(folder: Path, handlers: dict[str, str]) -> Path:
    """Write a project with these handlers, each with a helper module of the same name beside it,
    and a run.
    """
    folder.mkdir(exist_ok=True)
    (folder / "autoctrl.toml").write_text(SETTINGS)
    for name, text in handlers.items():
        home = folder / "workflows" / name
        home.mkdir(parents=True)
        (home / "handler.py").write_text(text)
        (home / "names.py").write_text(f"WORKFLOW = {name!r}\n")
    assert ask(folder, "runs", "add", "1-2").code == 0
    return folder


def broken() -> dict[str, str]:
    """Return the source of every broken handler."""
    found = {name: text for name, (text, _) in LOADING.items()}
    for name, (argument, _) in FAILING.items():
        found[name] = HEAD + INLINE.format(name=name, argument=argument)
    for name, (text, argument, _) in WAITING.items():
        found[name] = HEAD + text.format(
            name=name, argument=argument.replace("{{", "{").replace("}}", "}")
        )
    for name, (argument, _) in CRASHING.items():
        found[name] = HEAD + BATCH.format(name=name, argument=argument)
    return found


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Worked:
    folder = make_project(tmp_path_factory.mktemp("broken"), {**GOOD, **broken()})
    loop = ask(folder, "loop", "--until-idle", "--every", "0.1s")
    answer = json.loads(ask(folder, "status", "--format", "json").out)
    return Worked(folder, loop, {row["run"]: row["tasks"] for row in answer["runs"]})


@pytest.mark.parametrize("name", GOOD)
def test_the_others_are_done(worked: Worked, name: str) -> None:
    """Every other workflow reaches done for every run, with a helper module whose name another one
    has too.
    """
    for tasks in worked.status.values():
        task = tasks[name]
        assert task is not None
        assert task["status"] == "done"


def test_the_loop_says_that_it_could_not_do_all(worked: Worked) -> None:
    """The loop ends by itself, with exit code 2, and shows no traceback."""
    assert worked.loop.code == 2
    assert "Traceback" not in worked.loop.err + worked.loop.out


@pytest.mark.parametrize("name", [*LOADING, *CRASHING])
def test_a_module_that_cannot_work_is_named(worked: Worked, name: str) -> None:
    """What cannot be loaded, crashes or hangs is said once, with the module's name and what
    happened to it.
    """
    said = [
        line
        for line in worked.loop.err.splitlines()
        if re.search(rf"(?<![\w-]){name}/handler\.py", line)
    ]
    expected = {**LOADING, **CRASHING}[name][1]
    assert [line for line in said if expected in line], worked.loop.err
    assert len(said) == 1


@pytest.mark.parametrize("name", FAILING)
def test_a_function_that_breaks_fails_its_task(worked: Worked, name: str) -> None:
    """A function that raises, exits, crashes, loops or answers nonsense fails its tasks, with the
    reason.
    """
    for tasks in worked.status.values():
        task = tasks[name]
        assert task is not None
        assert task["status"] == "failed"
        assert FAILING[name][1] in task["reason"]


@pytest.mark.parametrize("name", WAITING)
def test_a_gate_that_breaks_holds_its_task(worked: Worked, name: str) -> None:
    """A lock, input or list of jobs that raises, hangs or answers nonsense makes tasks wait, with
    the reason.
    """
    for tasks in worked.status.values():
        task = tasks[name]
        assert task is not None
        assert task["status"] == "new"
        assert WAITING[name][2] in task["reason"]


def test_repaired_modules_go_on(worked: Worked) -> None:
    """What was broken is done once its file is repaired, with nothing else to be told than that."""
    repaired = [*CRASHING, *WAITING, *LOADING.keys() - {"second-reco"}]
    for name in repaired:
        text = INLINE.format(name=name, argument="lambda task: None")
        (worked.folder / "workflows" / name / "handler.py").write_text(text)
    (worked.folder / "workflows/second-reco/handler.py").unlink()
    assert ask(worked.folder, "loop", "--until-idle", "--every", "0.1s").code == 0
    answer = json.loads(ask(worked.folder, "status", "--format", "json").out)
    for row in answer["runs"]:
        assert {row["tasks"][name]["status"] for name in [*repaired, *GOOD]} == {"done"}


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (INLINE.format(name="w", argument="lambda task: 1 / 0"), 1),
        (INLINE.format(name="w", argument="print, locks=lambda task: 1 / 0"), 0),
        ("import nothing_there", 2),
        (INLINE.format(name="w", argument="lambda task: None"), 0),
    ],
    ids=["fails", "waits", "cannot be loaded", "works"],
)
def test_exit_codes_of_a_cycle(tmp_path: Path, handler: str, code: int) -> None:
    """A cycle exits with 1 if something failed for good in it, with 2 if it could not work, else
    with 0.
    """
    folder = make_project(tmp_path, {"w": handler})
    assert ask(folder, "cycle").code == code
    if code == 1:
        assert ask(folder, "cycle").code == 0, "it failed in the cycle before, not in this one"


def test_modules_that_are_never_ready_in_time_let_a_loop_end(tmp_path: Path) -> None:
    """Without any patience each round begins with modules that are still being loaded."""
    folder = make_project(tmp_path, {"a": INLINE.format(name="a", argument="lambda task: None")})
    (folder / "autoctrl.toml").write_text("[cycle]\npatience_s = 0\n")
    said = ask(folder, "loop", "--until-idle", "--every", "0.3s")
    assert said.code == 0, said.err
    assert json.loads(ask(folder, "plan", "--format", "json").out)["planned"] == []
    shown = json.loads(ask(folder, "status", "--format", "json").out)["runs"]
    assert [run["tasks"]["a"]["status"] for run in shown] == ["done"] * 2
