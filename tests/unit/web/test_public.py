"""What a stranger may see where the page is public: of every place of the project, walked through
all addresses.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from starlette.routing import Route

from autoctrl.compose import HintsOfTask
from autoctrl.model.actor import Actor
from autoctrl.model.campaign import Campaign
from autoctrl.model.condition import ConditionKind, Verdict, judge
from autoctrl.model.incident import Incident, Remark, write_down
from autoctrl.model.job import JobRecord
from autoctrl.model.output import FieldsRecord, OutputRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.severity import Severity
from autoctrl.model.status import Failure, JobStatus, TaskStatus
from autoctrl.model.task import InputRef, TaskRecord
from autoctrl.ports import Heartbeat, Hint, Lease
from autoctrl.views.public import PUBLIC, TOLD, hide_reason
from autoctrl.web.app import ROUTES
from autoctrl.web.site.public import PublicStore
from tests.unit.scene import SPEC, Scene
from tests.unit.web.desk import Desk, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from httpx2 import Response

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
CANARY = re.compile(r"canary-[a-z]+")
LAST_LINE = "RuntimeError: canary-stderr in /secret/canary-path.py"
WHO = Actor("canary-person", "web", "https://issuer.example canary-subject")
QUOTA = """
[web]
{public}
[quotas.scratch]
type = "local"
path = "/scratch"
"""
PLACES = frozenset(
    {
        "stderr",
        "path",
        "person",
        "subject",
        "argv",
        "host",
        "handle",
        "log",
        "output",
        "raw",
        "field",
        "number",
        "setting",
        "pause",
        "condition",
        "node",
        "quota",
        "owner",
        "incident",
        "ack",
        "alarm",
        "skip",
        "hint",
    }
)


def fill(scene: Scene) -> None:
    """Put a canary into every place that is not for everybody."""
    now = scene.clock.now()
    scene.campaign(Campaign("prompt", follow=True, settings={"threshold": "canary-setting"}))
    for name in ("reco", "friends"):
        scene.workflow(name)
    scene.store.append([RunRecord(1, {"kind": "physics"}, is_closed=True, time=now, actor=WHO)])
    scene.runs(2, 3, 4, kind="physics")
    reason = f"job 0.1 failed (user code): {LAST_LINE}"
    log = "/jobs/canary-log"
    failed = scene.task(1, "reco", FAILED, reason=reason, actor=WHO, log=log, provenance="ab12")
    spec = SPEC._replace(argv=("canary-argv", "--run"))
    scene.job(
        failed,
        JobStatus.RUNNING,
        JobStatus.FAILED,
        reason=LAST_LINE,
        failure=Failure.USER,
        host="canary-host",
        handle="canary-handle",
        spec=spec,
        log=log,
        actor=WHO,
    )
    raw = (InputRef("raw", "/data/canary-raw", 7, "sha256:00"),)
    done = scene.task(2, "reco", DONE, reason="alarm: canary-alarm = 7", inputs=raw, actor=WHO)
    scene.output(done, name="canary-output", url="/outputs/canary-path.root")
    fields: dict[str, float | str] = {"canary-field": 1.0, "note": "canary-number"}
    scene.store.append([FieldsRecord(done, 1, fields, now)])
    fill_troubles(scene, reason, log)


def fill_troubles(scene: Scene, reason: str, log: str) -> None:
    """Put canaries into what is wrong, and into what people said of it."""
    now = scene.clock.now()
    scene.task(3, "reco", SKIPPED, reason="canary-skip", actor=WHO)
    scene.task(3, "friends", NEW, reason="waits for /data/canary-path", until=now)
    scene.mark("pause", "prompt", "friends", {"paused": True}, reason="canary-pause")
    values = {"level": "hold", "answered": None, "unanswered": 2, "used_bytes": 5}
    scene.mark("quota", "prompt", "scratch", values, reason="canary-quota does not answer")
    verdicts = [
        Verdict(ConditionKind.SOURCE, "raw", "canary-condition cannot be read"),
        Verdict(ConditionKind.NODE, "canary-node", "canary-condition is offline"),
    ]
    said = Remark("canary-person", "canary-ack", now, None)
    strike = Incident(
        "1a2b3c", "reco", "failed", "canary-incident", Severity.ALARM, reason, log, now
    )
    strike = strike._replace(units=("1",), struck=1, acked=said)
    over = strike._replace(id="4d5e6f", units=(), closed=now, ended_by=said, closings=1)
    nodes = strike._replace(id="7a8b9c", workflow="", kind="node", gist="canary-node", units=())
    scene.store.append(
        [
            *judge([], verdicts, "prompt", now),
            *write_down(None, [strike, over], ("prompt", "reco"), now),
            *write_down(None, [nodes], ("prompt", ""), now),
        ]
    )
    scene.store.beat(Heartbeat("prompt", now - timedelta(days=1), "canary-owner"))


def make(folder: Path, public: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(folder=folder, more=QUOTA.format(public=public))
    fill(desk.scene)
    hint = Hint(1, "0", 1, desk.scene.clock.now(), "canary-hint", {})
    monkeypatch.setattr("autoctrl.web.site.state.read_hints", lambda *_: HintsOfTask([hint]))
    return desk


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return make(tmp_path, "public = true", monkeypatch)


@pytest.fixture
def member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return make(tmp_path, "", monkeypatch)


def addresses() -> list[str]:
    """Return every address that the server has, of every task and incident."""
    parts = {
        "campaign": ["prompt"],
        "run": ["1", "2", "3"],
        "workflow": ["reco", "friends"],
        "unit": ["1", "2", "3"],
        "incident": ["1a2b", "4d5e", "7a8b"],
    }
    found = [
        "/metrics?x=1",
        "/campaigns/prompt/incidents?all=1",
        "/api/incidents?all=1",
        "/api/status?limit=all",
        "/api/status?status=failed&alarm=1",
        "/campaigns/prompt?status=failed",
        "/campaigns/prompt/verbs/reco?runs=1-3",
        "/campaigns/nobody",
        "/campaigns/prompt/tasks/nothing/1",
    ]
    for route in ROUTES:
        if not isinstance(route, Route) or "GET" not in (route.methods or ()):
            continue
        paths = [re.sub(r":\w+}", "}", route.path)]
        for name, values in parts.items():
            paths = [
                path.replace(f"{{{name}}}", value)
                for path in paths
                for value in (values if f"{{{name}}}" in path else [""])
            ]
        found += paths
    return found


def walk(desk: Desk) -> dict[str, Response]:
    """Ask for every address, and for all that the pages link to, but outside."""
    answers: dict[str, Response] = {}
    left = addresses()
    while left:
        path = left.pop()
        if path in answers or "logout" in path:
            continue
        answers[path] = desk.browser.get(path)
        left += [unescape(link) for link in re.findall(r'href="(/[^"#]*)', answers[path].text)]
    return answers


def canaries(answers: dict[str, Response]) -> set[str]:
    """Return what was seen of what is not for everybody."""
    texts = [f"{answer.headers} {unescape(answer.text)}" for answer in answers.values()]
    return {found for text in texts for found in CANARY.findall(text)}


def test_a_stranger_finds_nothing_that_is_not_public(stranger: Desk) -> None:
    """On no page, in no answer, number or header, whatever the address."""
    answers = walk(stranger)
    seen = {path: canaries({path: answer}) for path, answer in answers.items()}
    assert {path: found for path, found in seen.items() if found} == {}
    assert {answer.status_code for answer in answers.values()} <= {200, 303, 400, 403, 404}


def test_a_member_finds_all_of_it(member: Desk) -> None:
    """So that what the stranger does not find was there to be found."""
    assert canaries(walk(member)) == {f"canary-{place}" for place in PLACES}


def test_a_stranger_still_sees_how_all_stands(stranger: Desk) -> None:
    """Statuses, classes of failures, since when; and is told where there is more."""
    page = text_of(stranger.get("/campaigns/prompt"))
    assert f"failed reco failed (user code); {TOLD}" in page
    assert f"alarm: {TOLD}" in page
    assert "last cycle 1 day ago by somebody" in page
    why = stranger.browser.get("/api/why/3/friends").json()
    assert (why["status"], why["reason"]) == ("new", TOLD)
    page = text_of(stranger.get("/campaigns/prompt/tasks/reco/1"))
    assert "What it has printed and made is shown to those who log in." in page
    assert "acknowledged" in stranger.get("/campaigns/prompt/incidents")
    assert 'autoctrl_tasks{campaign="prompt",workflow="reco",status="failed"} 1' in stranger.get(
        "/metrics"
    )


@pytest.mark.parametrize("path", ["/api/outputs", "/api/fields/reco", "/api/provenance/1/reco"])
def test_what_has_no_public_part_takes_a_login(stranger: Desk, path: str) -> None:
    """And says so, instead of an empty answer."""
    assert "log in" in stranger.get(path, 403)


def test_a_store_that_fails_tells_strangers_nothing(
    stranger: Desk, member: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message has an address."""
    for desk, is_told in ((stranger, False), (member, True)):
        for name in ("marks", "heartbeats", "tasks"):
            monkeypatch.setattr(desk.scene.store, name, fail)
        for path in ("/health", "/api/status", "/campaigns/prompt"):
            answer = desk.browser.get(path)
            assert answer.status_code == 503
            assert ("canary" in answer.text) is is_told


def fail(*_: object, **__: object) -> None:
    from autoctrl.errors import StoreError

    message = "The store at https://canary-store does not answer."
    raise StoreError(message)


@pytest.mark.parametrize("kind", PUBLIC)
def test_the_list_names_what_there_is(kind: Any) -> None:
    """Each field that is public is one, so that none is hidden by a new name alone."""
    assert PUBLIC[kind] <= set(kind._fields)


def test_every_kind_of_record_is_in_the_list() -> None:
    """What is not in it would not be hidden but lost."""
    kinds = {TaskRecord, JobRecord, OutputRecord, FieldsRecord, RunRecord, Lease, Heartbeat}
    assert kinds <= set(PUBLIC)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("", ""),
        (f"3 jobs failed, the first: job 0.1 failed (time limit): {LAST_LINE}", "time limit"),
        ("waits for /data/1", TOLD),
        ("failed (by hand): x", TOLD),
    ],
)
def test_of_a_reason_the_class_of_a_failure_is_public(reason: str, said: str) -> None:
    """And nothing else."""
    assert hide_reason(reason) in {said, f"failed ({said}); {TOLD}"}


def test_the_public_store_reads_and_does_not_write(stranger: Desk) -> None:
    """Whatever asks it."""
    from autoctrl.errors import StoreError

    store = stranger.scene.store
    public = PublicStore(store)
    assert len(list(public.records())) < len(list(store.records()))
    assert [one.task.actor.name for one in public.open_tasks("prompt")] == ["autoctrl"]
    stranger.scene.mark("outbox", "prompt", "mattermost", {"post": "canary-post"})
    assert public.marks("outbox") == []
    store.lease("prompt/reco", "canary-owner", 9)
    assert "canary" not in f"{public.leases()}{public.remarks}{public.ping()}"
    assert public.revision() == store.revision()
    with public.moment():
        pass
    public.close()
    beat = Heartbeat("prompt", datetime.now().astimezone(), "x")
    writes: list[Any] = [
        lambda: public.append([]),
        lambda: public.lease("a", "b", 1),
        lambda: public.beat(beat),
        public.check_writing,
    ]
    for write in writes:
        with pytest.raises(StoreError, match="Nobody writes"):
            write()
