"""Programs that run what a ref says: their time, what they print, what they leave behind."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from autoctrl.errors import DeploymentError
from autoctrl.operations.deployment import limited
from autoctrl.operations.deployment.limited import last_words, run_limited

LONG_S = 60.0


def test_what_a_program_says_is_returned_whole() -> None:
    """Exit code, both outputs, and its last words."""
    said = run_limited(["sh", "-c", "echo out; echo one >&2; echo two >&2; exit 3"], {}, LONG_S)
    assert said == (3, "out\n", "one\ntwo\n")
    assert last_words(said) == "two"
    assert last_words(said._replace(err="")) == "it said nothing"


def test_of_a_program_that_prints_without_end_the_end_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Our memory does not grow with it; what it said last is there."""
    monkeypatch.setattr(limited, "MOST_KEPT", 1000)
    said = run_limited(["sh", "-c", "yes | head -c 3000000; echo last"], dict(os.environ), LONG_S)
    assert said.code == 0
    assert len(said.out) <= 2000
    assert said.out.endswith("y\nlast\n")


def test_who_inherits_an_output_is_not_waited_for(tmp_path: Path) -> None:
    """A daemon that a handler leaves behind holds nothing up."""
    daemon = (
        "import os, time\n"
        "if os.fork() == 0:\n    os.setsid()\n"
        f"    open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n    time.sleep(600)\n"
        f"while not os.path.exists({str(tmp_path / 'pid')!r}): time.sleep(0.01)\n"
        "print('done')\n"
    )
    began = time.monotonic()
    said = run_limited([sys.executable, "-c", daemon], dict(os.environ), LONG_S)
    assert said[:2] == (0, "done\n")
    assert time.monotonic() - began < LONG_S
    os.kill(int((tmp_path / "pid").read_text()), 9)


def test_a_program_is_ended_after_its_time_with_its_group(tmp_path: Path) -> None:
    """What it started goes with it."""
    script = f"sleep 600 & echo $! >{tmp_path}/pid; wait"
    with pytest.raises(DeploymentError, match=r"gave no answer within 0.5 s and was ended"):
        run_limited(["sh", "-c", script], dict(os.environ), 0.5)
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + LONG_S
    while _is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def test_a_program_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    """The sentence names it."""
    with pytest.raises(DeploymentError, match="nothing cannot be run: No such file"):
        run_limited([str(tmp_path / "nothing")], {}, LONG_S)
