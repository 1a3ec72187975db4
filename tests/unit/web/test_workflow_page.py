"""The page of one workflow."""

from __future__ import annotations

import re
from html import unescape

import pytest

from autoctrl.model.campaign import Campaign
from autoctrl.model.condition import ConditionKind, Verdict, judge
from autoctrl.model.output import FieldsRecord
from autoctrl.model.role import Role
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.web.entry.visitor import Visitor
from tests.unit.web.desk import Desk, text_of

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
PAGE = "/campaigns/prompt/workflows/reco"


def test_a_workflow_says_how_its_tasks_stand_and_why_some_failed(desk: Desk) -> None:
    """Counts, reasons with since when and the tasks that share them, each a link to the verbs."""
    desk.scene.runs(*range(1, 6))
    for run in (1, 2):
        desk.scene.task(run, "reco", FAILED, reason=f"exit code {run}")
    desk.scene.task(3, "reco", DONE)
    text = text_of(desk.get(PAGE))
    assert "new 0 processing 0 done 1 failed 2 skipped 0 of 3 tasks" in text
    assert "exit code … since 2026-01-01 01:00:00 CET" in text
    assert "2 tasks : 1-2" in text
    assert "/campaigns/prompt/verbs/reco?runs=1-2" in desk.links(PAGE)
    assert PAGE in desk.links("/campaigns/prompt")


def test_a_workflow_whose_module_is_broken_says_so(desk: Desk) -> None:
    """Beside its tasks, with what to do; also one that has never made a cycle."""
    broken = [Verdict(ConditionKind.MODULE, name, "a parenthesis") for name in ("reco", "calib")]
    desk.scene.store.append(judge([], broken, "prompt", desk.scene.clock.now()))
    page = desk.get(PAGE).partition("<h1>")[2]
    assert "module reco a parenthesis since" in text_of(page)
    assert "Repair it" in page
    assert "module calib" not in page
    never = desk.get("/campaigns/prompt/workflows/calib", 404)
    assert "Workflow 'calib' has not made a cycle yet: a parenthesis" in never


def test_numbers_are_plotted_over_the_runs_and_listed_beneath(desk: Desk) -> None:
    """Each number has axes with labels, a point per task that leads to it, and stands in the
    table.
    """
    desk.scene.runs(*range(1, 6))
    for run in range(1, 6):
        key = desk.scene.task(run, "reco", PROCESSING)
        desk.scene.job(key, JobStatus.RUNNING, JobStatus.DONE, wall_s=10.0 * run)
        now = desk.scene.clock.now()
        desk.scene.store.append([FieldsRecord(key, 1, {"rms": 0.5 * run, "name": "x"}, now)])
        desk.scene.move(key, DONE)
    page = desk.get(PAGE)
    plots = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(plots) == 2
    assert "wall time / s, 1 to 5: 5 values from 10 to 50" in plots[0]
    assert "3 = 1.5" in text_of(plots[1])
    assert plots[1].count('href="/campaigns/prompt/tasks/reco/') == 5
    assert "run 5 1 50.0 s 2.5" in text_of(page)
    assert "running → ended 5" in text_of(page)


def test_a_workflow_is_paused_and_resumed_with_a_reason(desk: Desk) -> None:
    """The page says that it is paused, by whom and why, and offers what is possible then."""
    assert 'value="pause"' in desk.get(PAGE)
    address = desk.post(PAGE, verb="pause", reason="storage is full").headers["location"]
    page = desk.get(address)
    assert "reco is paused now." in page
    assert "by Anna Ärger (web): storage is full" in text_of(page)
    assert 'value="pause"' not in page
    assert "reco is resumed." in desk.get(desk.post(PAGE, verb="resume").headers["location"])


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"verb": "pause", "reason": " "}, 400, "Give a reason"),
        ({"verb": "pause", "name": ""}, 400, "Say who you are"),
        ({"verb": "retry"}, 400, "There is no verb 'retry' here"),
        ({"verb": "pause", "token": "0"}, 403, "Open the page again"),
    ],
)
def test_a_pause_without_what_it_needs_is_refused(
    desk: Desk, fields: dict[str, str], code: int, says: str
) -> None:
    """Nothing is written, and the page says what is missing."""
    desk.get(PAGE)
    answer = desk.post(PAGE, **fields)
    assert answer.status_code == code
    assert says in unescape(answer.text)
    assert desk.scene.store.marks("pause") == []


def test_a_pause_is_asked_for_once_more(desk: Desk) -> None:
    """With how the workflow stands; who agrees to what is not so any more is asked again."""
    desk.scene.task(1, "reco", NEW)
    desk.get(PAGE)
    page = desk.ask(PAGE, verb="pause").text
    assert "pause reco?" in page
    assert "Nothing is done yet." in page
    assert "reco has 1 new; it is not paused now." in page
    assert desk.scene.store.marks("pause") == []
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen is not None
    desk.post(PAGE, verb="pause")
    desk.post(PAGE, verb="resume")
    desk.post(PAGE, verb="pause")
    assert "something has changed" in desk.ask(PAGE, verb="pause", seen=seen[1]).text
    desk.post(PAGE, verb="resume")
    assert desk.ask(PAGE, verb="pause", seen=seen[1]).status_code == 303


def test_only_an_operator_pauses(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shifter sees no button, and is not obeyed."""
    shifter = Visitor(Role.SHIFTER, "Grace")
    monkeypatch.setattr("autoctrl.web.entry.gate.Gate.visitor", lambda *_: shifter)
    assert 'value="pause"' not in desk.get(PAGE)
    assert desk.post(PAGE, verb="pause").status_code == 403


def test_a_workflow_of_the_parent_is_shown_and_steered_there(desk: Desk) -> None:
    """Its page in the child leads to the one in the parent; it cannot be paused from the child."""
    desk.scene.task(1, "reco", DONE)
    desk.scene.campaign(Campaign("redo", parent="prompt", workflows=("friends",), follow=True))
    page = desk.get("/campaigns/redo/workflows/reco")
    assert "kept in campaign prompt , where it is steered" in text_of(page)
    assert 'value="pause"' not in page
    desk.get(PAGE)
    assert desk.post("/campaigns/redo/workflows/reco", verb="pause").status_code == 409
    assert "no workflow 'nowhere'" in desk.get("/campaigns/prompt/workflows/nowhere", 404)
