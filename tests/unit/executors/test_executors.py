"""Opening executors, naming jobs, and what the wrapper is made of."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from autoctrl.errors import SubmitRefused
from autoctrl.executors import Surroundings, open_executor
from autoctrl.executors.local import LocalExecutorSettings
from autoctrl.executors.local.executor import LocalExecutor, handle_of
from autoctrl.executors.local.pool import mark
from autoctrl.node import wrapper
from autoctrl.ports import JobOrder
from tests.unit.given import job

STATE = Path("/nowhere")


def test_settings_make_a_local_executor() -> None:
    """The settings' slots and time of grace reach the executor, whose jobs lie under its own name
    and its store's.
    """
    section = LocalExecutorSettings(type="local", slots=3, grace_s=1.5)
    executor = open_executor("fast", section, Surroundings(STATE, "id", STATE.parent))
    assert isinstance(executor, LocalExecutor)
    assert (executor.name, executor.pool.slots, executor.grace_s) == ("fast", 3, 1.5)
    assert executor.jobs == STATE / "jobs" / "fast"
    assert executor.pool.jobs == STATE / "jobs" / "fast" / "id"
    assert executor.has_safe_resubmit
    assert not executor.is_immediate


def test_without_slots_all_usable_cores_are_taken() -> None:
    """No number of slots means one for each usable core."""
    assert LocalExecutor("local", STATE, "id").pool.slots >= 1


def test_a_handle_is_the_tag() -> None:
    """The handle names the attempt's folder and the store whose attempt it is."""
    assert handle_of("id/prompt/reco/fill-8222/v1/merge.2") == "id/prompt/reco/fill-8222/v1/merge.2"


@pytest.mark.parametrize(
    "tag",
    ["", "id", "id/", "id//x", "id/../x", "id/a/../x", "id/.pool/x", "id//etc", ".id/x", "/etc/x"],
)
def test_a_tag_that_leads_elsewhere_is_refused(tag: str) -> None:
    """No tag can name a folder outside that of the jobs, or the pool's own."""
    with pytest.raises(SubmitRefused):
        handle_of(tag)


def test_a_job_that_cannot_have_a_folder_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that the file system does not take fails its job alone, with the reason."""
    monkeypatch.setattr("autoctrl.executors.local.pool.Pool.start", lambda _: None)
    executor = LocalExecutor("local", tmp_path, "id")
    unfit, fit = (
        JobOrder(f"id/prompt/reco/{unit}/v1/0.1", job().spec, str(tmp_path))
        for unit in ("a" * 300, "7")
    )
    assert list(executor.submit([unfit, fit])) == [fit.tag]
    with pytest.raises(SubmitRefused, match=r"File name too long\. Shorten the name of its"):
        executor.submit([unfit])


def test_marks_tell_jobs_apart() -> None:
    """Two jobs have different marks, one job always the same, short enough for a file name."""
    assert mark("a/1") == mark("a/1") != mark("a/2")
    assert len(mark("x" * 500)) == 24


def test_the_wrapper_runs_anywhere() -> None:
    """The wrapper is Python 3.9 and imports the standard library only."""
    tree = ast.parse(Path(wrapper.__file__).read_text(), feature_version=(3, 9))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])
    assert imported <= sys.stdlib_module_names
