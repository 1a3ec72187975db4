"""Every verb prints what it always printed: text and JSON are compared with golden files.

After a wanted change, ``UPDATE_GOLDEN=1 scripts/test acceptance`` writes them anew; look at the
difference afterwards.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.project import Said, ask, make_project

GOLDEN = Path(__file__).parent / "golden"
IS_UPDATING = bool(os.environ.get("UPDATE_GOLDEN"))

# One call after the other in one project: name of the golden file, words, exit code.
STEPS: list[tuple[str, str, int]] = [
    ("status-empty.txt", "status", 0),
    ("runs-list-empty.txt", "runs list", 0),
    ("outputs-empty.txt", "outputs", 0),
    ("runs-add.json", "runs add 1-2 --set fill=7 --set kind=physics --format json", 0),
    ("runs-add.txt", "runs add 1-3 --set fill=7 --set kind=physics", 0),
    ("runs-add-more.txt", "runs add 3-4 --set fill=8 --set kind=physics", 0),
    ("runs-list.txt", "runs list", 0),
    ("runs-list.json", "runs list --runs 1,4 --format json", 0),
    ("discover.txt", "discover", 0),
    ("discover.json", "discover --format json", 0),
    ("status-new.txt", "status", 0),
    ("store-copy.txt", "store copy sqlite:.autoctrl/state.sqlite sqlite:copied.sqlite", 0),
    (
        "store-copy.json",
        "store copy sqlite:.autoctrl/state.sqlite sqlite:copied.sqlite --format json",
        0,
    ),
    ("plan.txt", "plan --exit-code", 1),
    ("plan.json", "plan --workflow reco --format json", 0),
    ("loop.json", "loop --until-idle --workflow reco --format json", 1),
    ("cycle.json", "cycle --workflow plots --format json", 0),
    ("cycle.txt", "cycle --workflow sums --workflow plots", 0),
    ("loop.txt", "loop --until-idle --every 1s", 0),
    ("status.txt", "status", 0),
    ("status.json", "status --format json", 0),
    ("status.csv", "status --format csv", 0),
    ("status-limit.txt", "status --limit 2", 0),
    ("why.txt", "why 3 reco", 0),
    ("why.json", "why 3 reco --format json", 0),
    ("why-now.txt", "why 3 plots --now", 0),
    ("why-now.json", "why 3 plots --now --format json", 0),
    ("why-open-group.txt", "why 4 sums", 0),
    ("why-none.txt", "why 9 reco", 0),
    ("history.txt", "history 3 reco", 0),
    ("history.json", "history 3 reco --limit 2 --format json", 0),
    ("jobs.txt", "jobs 3 reco", 0),
    ("jobs.json", "jobs 3 reco --format json", 0),
    ("log.txt", "log 3 reco", 0),
    ("log.json", "log 3 reco --format json", 0),
    ("provenance.txt", "provenance 1 plots", 0),
    ("provenance.json", "provenance 1 plots --format json", 0),
    ("latency.json", "latency --workflow reco --format json", 0),
    ("outputs.txt", "outputs", 0),
    ("outputs.json", "outputs --runs 2 --format json", 0),
    ("outputs.csv", "outputs --where fill=7 --quality good --format csv", 0),
    ("outputs-paths.txt", "outputs --workflow reco --where fill=8 --format paths", 0),
    ("fields.txt", "fields reco", 0),
    ("fields.csv", "fields sums --format csv", 0),
    ("fields.json", "fields reco --runs 1 --format json", 0),
    ("retry.json", "retry 1-3 reco --reason again --dry-run --format json", 1),
    ("retry.txt", "retry 1-3,9 reco --reason again", 1),
    ("skip.json", "skip 3 reco --reason off --dry-run --format json", 0),
    ("skip.txt", "skip 3 plots --reason off", 0),
    ("fail.txt", "fail 3 reco --reason rubbish", 2),
    ("fail.json", "fail 3 reco --reason rubbish --format json", 2),
    ("complete.json", "complete 3 reco --output made.txt --reason mine --dry-run --format json", 0),
    ("complete.txt", "complete 3 reco --output output=made.txt --reason mine", 0),
    ("reprocess.json", "reprocess 1 reco --reason better --dry-run --format json", 0),
    ("reprocess.txt", "reprocess 1 reco --downstream --reason better", 0),
    ("reprocess-stale.txt", "reprocess --stale plots --reason better", 0),
    ("status-moved.txt", "status", 0),
    ("pause.txt", "pause reco --reason full", 0),
    ("pause.json", "pause reco --reason full --format json", 0),
    ("health.txt", "health", 1),
    ("health.json", "health --format json", 1),
    ("resume.txt", "resume reco --reason empty", 0),
    ("resume.json", "resume reco --format json", 0),
    (
        "campaign-create.json",
        "campaign create again --workflows reco --runs 1-2 --set tag=v7 --dry-run --format json",
        0,
    ),
    ("campaign-create.txt", "campaign create again --workflows reco --runs 1-2 --set tag=v7", 0),
    ("campaign-list.txt", "campaign list", 0),
    ("campaign-list.json", "campaign list --format json", 0),
    ("campaign-edit.json", "campaign edit again --set tag=v8 --format json", 0),
    ("campaign-edit.txt", "campaign edit again --set tag=v8", 0),
    ("status-inherited.txt", "status --campaign again", 0),
    ("outputs-inherited.json", "outputs --campaign again --workflow plots --format json", 0),
    ("campaign-close.txt", "campaign close again", 0),
    ("campaign-close.json", "campaign close again --format json", 0),
    ("doctor.txt", "doctor", 0),
    ("doctor.json", "doctor --format json", 0),
    ("new-workflow.txt", "new-workflow mine", 0),
    ("new-workflow.json", "new-workflow other --kind batch --format json", 0),
    ("init.txt", "init made", 0),
    ("init.json", "init made-too --format json", 0),
]
VARYING = {
    "wall_s",
    "cpu_s",
    "peak_memory_mb",
    "elapsed_s",
    "rounds",
    "epoch",
    "handle",
    "records",
    "median_s",
    "p95_s",
}
TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC)"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Said]:
    """Make all calls once, in their order."""
    folder = make_project(tmp_path_factory.mktemp("golden") / "project")
    (folder / "made.txt").write_text("made by hand\n")
    answers = {}
    for name, words, _ in STEPS:
        answer = ask(folder, *words.split())
        answers[name] = Said(
            answer.code, *(settled(text, folder) for text in (answer.out, answer.err))
        )
    return answers


def settled(text: str, folder: Path) -> str:
    """Return a text with everything replaced that differs between machines, people and days."""
    for value, word in {
        str(folder): "PROJECT",
        f"{Path(sys.executable).parent}:/usr/bin:/bin": "PATH",
        sys.executable: "PYTHON",
        socket.gethostname(): "HOST",
        ".".join(map(str, sys.version_info[:3])): "3.x.y",
    }.items():
        text = text.replace(value, word)
    text = re.sub(TIME, "TIME", text)
    text = re.sub(rf"\b{re.escape(getpass.getuser())}\b", "USER", text)
    text = re.sub(r"(?m)^\d\d:\d\d:\d\d ", "TIME ", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", text)
    text = re.sub(r"\b[0-9a-f]{16}\b", "STORE", text)
    text = re.sub(r"(?m)^TIME +job .* (idle|running) .*\n", "", text)
    text = re.sub(r"of \d+ slots", "of N slots", text)
    text = re.sub(r"(described by +)[0-9a-f]{12}", r"\1DIGEST", text)
    return re.sub(r"\b[\d.]+ (s|MB|GB|TB)\b", r"N \1", text)


def comparable(name: str, text: str) -> Any:
    """Return what is compared: JSON as values, text without the widths of its columns."""
    if not name.endswith(".json"):
        return re.sub(r"  +", "  ", text)
    return blank(json.loads(text))


def blank(value: Any) -> Any:
    """Replace measured numbers in JSON."""
    if isinstance(value, dict):
        if value.get("kind") == "job":
            value = {**value, "sequence": "VARYING"}
        return {
            key: "VARYING" if key in VARYING and item is not None else blank(item)
            for key, item in value.items()
        }
    return (
        [blank(item) for item in value if not is_sample(item)] if isinstance(value, list) else value
    )


def is_sample(item: Any) -> bool:
    """Say whether this is a record of a job's status on its way, which is sampled or missed by
    chance.
    """
    return (
        isinstance(item, dict)
        and item.get("kind") == "job"
        and item.get("status") in {"idle", "running"}
    )


@pytest.mark.parametrize(("name", "words", "code"), STEPS, ids=[step[0] for step in STEPS])
def test_a_verb_prints_what_it_always_printed(
    said: dict[str, Said], name: str, words: str, code: int
) -> None:
    """Output and exit code of each call are those of the golden file; refusals go to stderr."""
    answer = said[name]
    assert answer.code == code, f"autoctrl {words}\n{answer.out}{answer.err}"
    shown = (
        answer.out
        if name.endswith((".json", ".csv"))
        else f"{answer.out}{answer.err and '--- stderr ---'}\n{answer.err}"
    )
    seen = comparable(name, shown)
    path = GOLDEN / name
    if IS_UPDATING:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(seen, indent=2) + "\n" if name.endswith(".json") else str(seen))
    golden = path.read_text()
    assert seen == (json.loads(golden) if name.endswith(".json") else golden)


def test_every_json_object_names_its_schema(said: dict[str, Said]) -> None:
    """JSON is an object that begins with the schema's number, or the list of outputs."""
    for name, answer in said.items():
        if name.endswith(".json"):
            value = json.loads(answer.out)
            assert isinstance(value, list) if name.startswith("outputs") else value["schema"] == 1


def test_every_golden_file_is_compared() -> None:
    """No golden file is left over from a verb that is gone."""
    assert {path.name for path in GOLDEN.iterdir()} == {name for name, _, _ in STEPS}
