"""Room on disks: of dead mounts nothing is known, and nobody waits for them for ever."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from autoctrl.config import Settings, parse_settings
from autoctrl.machine import disks as asking
from autoctrl.machine.disks import STILL, Disk, DiskRounds, judge_disks, list_disks
from autoctrl.model.condition import ConditionKind, Verdict

if TYPE_CHECKING:
    from pathlib import Path

DISK = ConditionKind.DISK
PATIENCE_S = 60.0


def settings_of(folder: Path, text: str = "") -> Settings:
    """Return the settings of a project with outputs elsewhere."""
    return parse_settings(f"outputs.root = 'none/yet'\n{text}", folder, environ={})


@pytest.fixture
def dead_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever touches the folder of outputs hang."""
    free_bytes = asking.free_bytes

    def hang(folder: Path) -> int:
        if "none" in folder.parts:
            Event().wait(2 * PATIENCE_S)
        return free_bytes(folder)

    monkeypatch.setattr(asking, "free_bytes", hang)


def test_a_disk_is_short_below_the_limit(tmp_path: Path) -> None:
    """A folder that is not there yet will lie on the disk of the one above it."""
    found = list_disks(settings_of(tmp_path, "cycle.least_free_mb = 0"), PATIENCE_S)
    assert [disk.what for disk in found] == ["state", "outputs"]
    assert all(disk.free for disk in found)
    assert list(judge_disks(found)) == [Verdict(DISK, "state"), Verdict(DISK, "outputs")]
    found = list_disks(settings_of(tmp_path, f"cycle.least_free_mb = {10**15}"), PATIENCE_S)
    short, _ = judge_disks(found)
    assert short.name == "disk/state"
    assert f"the disk of {tmp_path}/.autoctrl has " in short.reason


@pytest.mark.usefixtures("dead_mount")
def test_of_a_dead_mount_nothing_is_known(tmp_path: Path) -> None:
    """It is no full disk and no free one; what is known of the other folder is told."""
    state, outputs = list_disks(settings_of(tmp_path), 0.5)
    assert state.free is not None or state.problem  # the other child may be slow as well
    assert (outputs.free, outputs.short) == (None, "")
    assert outputs.problem == "It gave no answer within 0.5 s."
    verdict = [*judge_disks([outputs])]
    reason = f"nobody knows how much room {outputs.folder} has: {outputs.problem}"
    assert verdict == [Verdict(DISK, "outputs", reason)]


@pytest.mark.usefixtures("dead_mount")
def test_a_question_that_hangs_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round that is not patient goes on without it; once it could not be ended it is left."""
    rounds = DiskRounds(settings_of(tmp_path, "cycle.patience_s = 0"), PATIENCE_S)
    rounds.start()
    pending = rounds.take(is_patient=False)[1]
    assert pending == Disk("outputs", pending.folder, None)
    assert list(judge_disks([pending])) == []
    asked = rounds._questions["outputs"]
    rounds.start()
    assert rounds._questions["outputs"] is asked
    asked._deadline = 0.0
    with monkeypatch.context() as patch:
        patch.setattr(type(asked), "has_gone", lambda *_: False)
        assert "gave no answer" in rounds.take(is_patient=False)[1].problem
        rounds.start()
        assert rounds.take(is_patient=False)[1].problem == STILL
    assert asked.has_gone(PATIENCE_S)
    rounds.start()
    assert "outputs" in rounds._questions
    rounds.close()


def test_what_cannot_be_looked_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the system's own words."""

    def refuse(folder: Path) -> int:
        raise OSError(107, "Transport endpoint is not connected", str(folder))

    monkeypatch.setattr(asking, "free_bytes", refuse)
    state, _ = list_disks(settings_of(tmp_path), PATIENCE_S)
    assert "Transport endpoint is not connected" in state.problem
