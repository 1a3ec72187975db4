"""What machines ask of the web page: JSON, health, metrics."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from autoctrl.errors import StoreError
from autoctrl.incidents import join_failures, list_incidents, relieve_tasks
from autoctrl.model.campaign import Campaign
from autoctrl.model.condition import ConditionKind, Verdict, judge
from autoctrl.model.incident import INCIDENTS, settle, write_down
from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.ports import Heartbeat, Selection
from autoctrl.views import explain, read_overview, to_plain
from tests.unit.web.desk import Desk

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.scene.runs(1, 2, kind="physics")
    made.scene.workflow("reco")
    made.scene.task(1, "reco", NEW, reason="wait")
    key = made.scene.task(2, "reco", FAILED)
    made.scene.job(key, JobStatus.FAILED)
    made.scene.output(key)
    return made


def ask(desk: Desk, path: str, code: int = 200) -> Any:
    """Return what an address answers, as JSON."""
    answer = desk.browser.get(path)
    assert answer.status_code == code, answer.text
    return json.loads(answer.text)


def test_status_is_the_overview(desk: Desk) -> None:
    """The overview in JSON is the one of the command line, chosen by runs and limit."""
    whole = read_overview(desk.scene.store, "prompt").values()
    answer = ask(desk, "/api/status")
    assert {name: answer[name] for name in whole} == whole
    assert answer["totals"]["runs"]["failed"] == 1
    assert [one["status"] for one in answer["reasons"]] == ["new"]
    assert ask(desk, "/api/status?runs=2-7")["runs"] == whole["runs"][1:]
    assert ask(desk, "/api/status?limit=1")["runs"] == whole["runs"][1:]
    assert "no campaign 'x'" in ask(desk, "/api/status?campaign=x", 404)["error"]


@pytest.mark.parametrize(
    ("query", "runs"),
    [
        ("status=failed", [2]),
        ("status=new&workflow=reco", [1]),
        ("where=kind%3Dphysics&where=kind%3Dcosmics&limit=1", [2]),
        ("where=kind%3Dcosmics", []),
        ("alarm=1", []),
        ("stale=1", []),
        ("since=2h", [1, 2]),
    ],
)
def test_status_is_filtered_as_on_the_command_line(desk: Desk, query: str, runs: list[int]) -> None:
    """By the same parameters as the overview of the page."""
    found = ask(desk, f"/api/status?{query}")["runs"]
    assert [row["run"] for row in found] == runs


@pytest.mark.parametrize("query", ["status=faild", "where=x", "since=noon", "workflow=rico"])
def test_a_filter_that_means_nothing_is_refused(desk: Desk, query: str) -> None:
    """With what is wrong."""
    assert ask(desk, f"/api/status?{query}", 400)["error"]


def test_why_is_the_same_as_on_the_command_line(desk: Desk) -> None:
    """The answer to why is the view, and nothing is asked afresh."""
    seen = to_plain(explain(desk.scene.store, "prompt", "1", "reco"))
    assert ask(desk, "/api/why/1/reco") == {"schema": 1, **seen, "now": None}


def test_a_task_can_be_asked_about_in_every_way(desk: Desk) -> None:
    """History, jobs, log and provenance name campaign, workflow and unit."""
    about = {"schema": 1, "campaign": "prompt", "workflow": "reco", "unit": "2"}
    for path, name in (("history", "steps"), ("jobs", "jobs"), ("provenance", "versions")):
        answer = ask(desk, f"/api/{path}/2/reco")
        hints: dict[str, list[str]] = {"hints": []} if name == "jobs" else {}
        assert {**answer, name: 0} == {**about, **hints, name: 0}
        assert len(ask(desk, f"/api/{path}/2/reco?limit=1")[name]) == 1
    log = ask(desk, "/api/log/2/reco?stream=stderr")
    assert (log["job"], log["attempt"], log["stderr"]) == ("0", 1, "stderr of 7.0\n")
    assert "stdout" not in log
    assert "has no such job" in ask(desk, "/api/log/2/reco?attempt=7", 404)["error"]
    assert "has no task" in ask(desk, "/api/log/77/reco", 404)["error"]


def test_runs_outputs_and_campaigns_are_listed(desk: Desk) -> None:
    """Each list is the one of the command line."""
    assert [line["run"] for line in ask(desk, "/api/runs?runs=2")["runs"]] == [2]
    assert [output["unit"] for output in ask(desk, "/api/outputs")] == ["2"]
    assert ask(desk, "/api/outputs?workflow=reco&runs=1&superseded=1") == []
    assert [campaign["name"] for campaign in ask(desk, "/api/campaigns")["campaigns"]] == ["prompt"]


def test_incidents_are_listed(desk: Desk) -> None:
    """Those that are open, or all; a campaign must exist."""
    (failed,) = [
        task for task in desk.scene.store.tasks(Selection("prompt")) if task.status is FAILED
    ]
    marks = join_failures(desk.scene.store, "prompt", "reco", [failed], failed.time)
    desk.scene.store.append(marks)
    (found,) = ask(desk, "/api/incidents")["incidents"]
    assert (found["workflow"], found["units"], found["closed"]) == ("reco", ["2"], None)
    over = settle(list_incidents(desk.scene.store, "prompt"), [], failed.time)
    mark = desk.scene.store.marks(INCIDENTS)[0]
    desk.scene.store.append(write_down(mark, over, ("prompt", "reco"), failed.time))
    assert ask(desk, "/api/incidents?all=0")["incidents"] == []
    assert len(ask(desk, "/api/incidents?all=1")["incidents"]) == 1
    assert "no campaign 'x'" in ask(desk, "/api/incidents?campaign=x", 404)["error"]


def test_a_wrong_question_is_answered_in_json(desk: Desk) -> None:
    """Whoever asks in JSON gets errors in JSON, with a hint."""
    assert "is not a whole number" in ask(desk, "/api/status?limit=x", 400)["error"]
    assert ask(desk, "/api/nothing", 404)["error"] == "There is no such page."


def test_health_is_good_while_the_store_answers(desk: Desk) -> None:
    """Without a limit the store alone decides, whether there was a cycle or not."""
    answer = ask(desk, "/health")
    assert (answer["status"], answer["cycle_age_s"], answer["cycle_by"]) == ("ok", None, None)
    assert answer["environment"] == "mirror"
    assert "no cycle yet" in desk.get("/campaigns/prompt")


def test_health_tells_when_the_last_cycle_was(desk: Desk) -> None:
    """A server that was only just started knows it; if it is longer ago than the limit, the answer
    is 503.
    """
    desk.scene.store.beat(Heartbeat("prompt", desk.scene.clock.now(), "node7:4711:123:456"))
    desk.scene.clock.advance(30)
    late = Desk(desk.scene)
    answer = ask(late, "/health?max_age_s=60")
    assert (answer["cycle_age_s"], answer["cycle_by"]) == (30, "process 4711 on node7")
    assert "last cycle 30 s ago by process 4711 on node7" in late.get("/campaigns/prompt")
    late.scene.clock.advance(31)
    assert ask(late, "/health?max_age_s=60", 503)["status"] == "stalled"
    assert ask(late, "/health")["status"] == "ok"


def test_health_looks_at_campaigns_that_are_open(desk: Desk) -> None:
    """The newest cycle of any of them counts; one whose clock is ahead was made just now."""
    now = desk.scene.clock.now()
    desk.scene.campaign(Campaign("old", closed=True))
    desk.scene.campaign(Campaign("again"))
    desk.scene.store.beat(Heartbeat("prompt", now - timedelta(seconds=50), "a"))
    desk.scene.store.beat(Heartbeat("old", now, "b"))
    assert ask(desk, "/health")["cycle_by"] == "a"
    desk.scene.store.beat(Heartbeat("again", now + timedelta(seconds=50), "c"))
    answer = ask(desk, "/health?max_age_s=10")
    assert (answer["cycle_age_s"], answer["cycle_by"]) == (0, "c")


def test_health_gives_a_new_project_time_to_make_a_cycle(desk: Desk) -> None:
    """Where no cycle was made yet, the limit counts from the start of the server."""
    desk.scene.clock.advance(50)
    assert ask(desk, "/health?max_age_s=60")["status"] == "ok"
    desk.scene.clock.advance(20)
    assert ask(desk, "/health?max_age_s=60", 503)["cycle_age_s"] is None


def test_a_campaign_without_cycles_is_seen_everywhere(desk: Desk) -> None:
    """On every page, among the numbers, and in the JSON of status, why and health."""
    desk.scene.store.beat(Heartbeat("prompt", desk.scene.clock.now(), "node7:4711:123:456"))
    desk.scene.clock.advance(7201)
    for path in ("", "/runs/1", "/tasks/reco/1"):
        assert "nobody has made a cycle; the last" in desk.get(f"/campaigns/prompt{path}")
    (found,) = ask(desk, "/api/health")["conditions"]
    assert (found["kind"], found["about"]) == ("cycles", "prompt")
    assert ask(desk, "/api/status")["conditions"] == [found]
    assert ask(desk, "/api/why/1/reco")["conditions"] == [found]
    seen = metrics(desk)
    assert 'autoctrl_condition{campaign="prompt",kind="cycles",about="prompt"}' in seen
    assert seen['autoctrl_heartbeat_age_seconds{campaign="prompt"}'] == pytest.approx(7201, abs=1)


def test_looking_takes_no_lease_from_anybody(desk: Desk) -> None:
    """Whoever holds a lease keeps it while the page looks."""
    held = desk.scene.store.lease("prompt/reco", "cycle", 60)
    desk.scene.clock.advance(10)
    ask(desk, "/health")
    assert desk.scene.store.lease("prompt/reco", "cycle", 60).epoch == held.epoch


def test_health_is_bad_when_the_store_does_not_answer(desk: Desk) -> None:
    """The store's own words are in the answer."""

    def refuse(*_: object) -> None:
        message = "The store is locked."
        raise StoreError(message)

    desk.scene.clock.advance(10)
    desk.scene.store.marks = refuse  # type: ignore[method-assign, assignment]
    assert ask(desk, "/health", 503)["store"] == "The store is locked."


def metrics(desk: Desk) -> dict[str, float]:
    """Return every sample by its name and labels."""
    answer = desk.browser.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = [
        line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")
    ]
    return {name: float(number) for name, _, number in samples}


def test_metrics_count_tasks_by_workflow_and_status(desk: Desk) -> None:
    """Prometheus sees how many tasks stand where, how old the oldest open one is, and what is
    paused.
    """
    desk.scene.clock.advance(90)
    desk.scene.mark("pause", "prompt", "reco", {"paused": True})
    desk.scene.campaign(Campaign("old", closed=True))
    desk.scene.workflow("reco", "old")
    seen = metrics(desk)
    place = 'campaign="prompt",workflow="reco"'
    assert seen["autoctrl_runs"] == 2
    assert seen[f'autoctrl_tasks{{{place},status="new"}}'] == 1
    assert seen[f'autoctrl_tasks{{{place},status="failed"}}'] == 1
    assert seen[f'autoctrl_tasks{{{place},status="done"}}'] == 0
    assert seen[f"autoctrl_oldest_open_task_seconds{{{place}}}"] == pytest.approx(90, abs=0.001)
    assert seen[f"autoctrl_workflow_paused{{{place}}}"] == 1
    assert seen['autoctrl_leases_taken_total{lease="prompt/reco"}'] == 0
    assert not [name for name in seen if "old" in name.replace("oldest", "")]


def test_conditions_are_numbers_and_json(desk: Desk) -> None:
    """What cannot be done is a sample each, and the JSON of the verb ``health``."""
    source = Verdict(ConditionKind.SOURCE, "table", "runs.csv is gone")
    desk.scene.store.append(judge([], [source], "prompt", desk.scene.clock.now()))
    desk.scene.mark("pause", "prompt", "reco", {"paused": True}, "HV trip")
    seen = {name for name in metrics(desk) if "condition" in name}
    assert seen == {
        f'autoctrl_condition{{campaign="prompt",kind="{kind}",about="{about}"}}'
        for kind, about in (("source", "table"), ("pause", "reco"))
    }
    found = ask(desk, "/api/health")["conditions"]
    assert {one["reason"] for one in found} == {"runs.csv is gone", "paused by anna: HV trip"}
    assert ask(desk, "/api/status")["conditions"] == found


def test_done_tasks_are_counted_once_a_minute(desk: Desk) -> None:
    """Counting what is done costs as much as there is, so it is not done at each question."""
    name = 'autoctrl_tasks{campaign="prompt",workflow="reco",status="done"}'
    assert metrics(desk)[name] == 0
    desk.scene.task(3, "reco", DONE)
    desk.scene.clock.advance(59)
    assert metrics(desk)[name] == 0
    desk.scene.clock.advance(2)
    assert metrics(desk)[name] == 1


def test_labels_are_escaped(desk: Desk) -> None:
    """A strange name cannot break the format."""
    desk.scene.workflow('a"\\\nb')
    assert 'workflow="a\\"\\\\\\nb"' in desk.browser.get("/metrics").text


def test_the_status_comes_in_pages(desk: Desk) -> None:
    """A page holds the newest runs; the header Link leads to those before them, until there are
    none.
    """
    desk.scene.runs(*range(3, 8))
    seen: list[list[int]] = []
    path = "/api/status?limit=3&runs=2-7"
    while path:
        answer = desk.browser.get(path)
        seen.append([row["run"] for row in answer.json()["runs"]])
        path = answer.links.get("next", {}).get("url", "")
    assert seen == [[5, 6, 7], [2, 3, 4]]
    assert [row["run"] for row in ask(desk, "/api/status?before=3")["runs"]] == [1, 2]


def test_a_campaign_with_runs_of_its_own_has_pages_of_these(desk: Desk) -> None:
    """What a page of a campaign holds is counted among the campaign's runs."""
    desk.scene.runs(*range(3, 8))
    desk.scene.campaign(Campaign("tight", parent="prompt", runs="2,4"))
    answer = desk.browser.get("/api/status?campaign=tight&limit=1")
    assert [row["run"] for row in answer.json()["runs"]] == [4]
    assert "before=4" in answer.headers["Link"]


@pytest.mark.parametrize("count", [0, 1, 7])
def test_all_of_the_status_is_streamed_letter_by_letter(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """``limit=all`` is the same text as one page of everything, read a few runs at a time."""
    monkeypatch.setattr("autoctrl.views.standing.RUNS_AT_ONCE", 3)
    desk = Desk()
    desk.scene.workflow("reco")
    desk.scene.runs(*range(1, 1 + count), kind="physics")
    for run in range(1, 1 + count):
        desk.scene.task(run)
    assert desk.get("/api/status?limit=all") == desk.get("/api/status")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/runs", "runs"),
        ("/api/runs?runs=1-2", "runs"),
        ("/api/outputs?superseded=1", ""),
        ("/api/fields/reco", "fields"),
        ("/api/incidents?all=1", "incidents"),
        ("/api/history/2/reco", "steps"),
        ("/api/jobs/2/reco", "jobs"),
    ],
)
def test_every_list_comes_in_pages(desk: Desk, path: str, name: str) -> None:
    """The last ones first; the pages together are the whole, in its order."""
    scene = desk.scene
    for run in (5, 6, 7):
        scene.runs(run)
        key = scene.task(run, "reco", DONE)
        scene.output(key)
        scene.store.append([FieldsRecord(key, 1, {"light": float(run)}, scene.clock.now())])
        failed = scene.newest(key)._replace(status=FAILED, reason=f"{'x' * run} is broken")
        scene.store.append(join_failures(scene.store, "prompt", "reco", [failed], failed.time))
        if run == 5:
            over = relieve_tasks(scene.store, "prompt", "reco", [failed], failed.time)
            scene.store.append(over)
        scene.clock.advance(60)
    whole = ask(desk, path)
    expected = whole[name] if name else whole
    assert expected
    found: list[Any] = []
    address, pages = f"{path}{'&' if '?' in path else '?'}limit=1", 0
    while address:
        answer = desk.browser.get(address)
        lines = answer.json()[name] if name else answer.json()
        assert len(lines) == 1
        found = [*lines, *found]
        address, pages = answer.links.get("next", {}).get("url", ""), pages + 1
    assert found == expected
    assert pages == len(expected)
    wrong = f"{path}{'&' if '?' in path else '?'}before=no"
    assert desk.browser.get(wrong).status_code in {400, 404}
