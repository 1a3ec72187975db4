"""Two checkouts of one project with one state folder: what one has begun the other one ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.acceptance.project import Said, ask, call
from tests.integration.deployed import write
from tests.integration.jobs import until

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
[state]
folder = "{0}/state"

[outputs]
root = "{0}/outputs"

[cycle]
patience_s = 0.1
"""
HANDLER = """
from autoctrl import BatchHandler

handler = BatchHandler(
    "reco",
    argv=["sh", "{folder}/job.sh", "{run}", "{output}"],
    outputs={"output": "reco{run}.txt"},
)
"""
JOB = """
echo "start $AUTOCTRL_TAG" >> {0}/ledger
until [ -e {0}/go ]; do sleep 0.1; done
echo "$0 $1" > "$2"
echo "end $AUTOCTRL_TAG" >> {0}/ledger
"""


def check_out(folder: Path, shared: Path) -> Path:
    """Write one checkout of the project."""
    files = {
        "autoctrl.toml": SETTINGS.format(shared),
        "workflows/reco/handler.py": HANDLER,
        "workflows/reco/job.sh": JOB.format(shared),
    }
    return write(folder, files)


def fine(said: Said) -> str:
    """Return what was printed by a call that went well."""
    assert said.code == 0, said
    return said.out


def test_a_job_submitted_in_one_checkout_is_collected_in_the_other(tmp_path: Path) -> None:
    """Store and jobs stay where they are when the checkout changes; nothing runs twice."""
    old, new = (check_out(tmp_path / name, tmp_path) for name in ("old", "new"))
    ledger = tmp_path / "ledger"
    fine(ask(old, "runs", "add", "1-2"))
    fine(call(old, "cycle"))
    until(lambda: ledger.exists() and len(ledger.read_text().splitlines()) == 2, "two jobs")
    fine(call(new, "cycle"))
    assert "processing" in fine(ask(new, "status"))
    (tmp_path / "go").touch()
    fine(call(new, "loop", "--until-idle", "--every", "0.1s"))
    lines = ledger.read_text().splitlines()
    tags = {line.split()[1] for line in lines}
    assert sorted(lines) == sorted(f"{word} {tag}" for word in ("start", "end") for tag in tags)
    assert len(tags) == 2
    status = fine(ask(old, "status"))
    assert status == fine(ask(new, "status"))
    assert "processing" not in status
    made = {path.read_text().split()[0] for path in (tmp_path / "outputs").rglob("reco*.txt")}
    assert made == {f"{old}/workflows/reco/job.sh"}
    assert not [*old.glob(".autoctrl"), *new.glob(".autoctrl")]
    assert {path.name for path in (tmp_path / "state").iterdir()} >= {"state.sqlite", "jobs"}
