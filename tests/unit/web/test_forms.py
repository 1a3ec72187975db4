"""The operator's verbs on the web page."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.model.actor import Actor
from autoctrl.model.campaign import Campaign
from autoctrl.model.role import Role
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.model.unit import TaskKey
from autoctrl.web.entry.csrf import Guard
from autoctrl.web.entry.visitor import Visitor
from autoctrl.web.exchange.posted import clean
from autoctrl.web.pages.verbs import BUTTONS
from autoctrl.web.site.notes import Notes
from tests.unit.web.desk import HERE, Desk, text_of

if TYPE_CHECKING:
    from autoctrl.ports import Lease

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
OTHERS = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": HERE, "Sec-Fetch-Site": "cross-site"},
    {"Origin": HERE, "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {},
]


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.scene.runs(*range(1, 6))
    made.scene.workflow("reco")
    made.scene.workflow("friends", after=["reco"])
    for run, status in enumerate(TaskStatus, start=1):
        made.scene.task(run, "reco", status)
    return made


def key(run: int) -> TaskKey:
    """Return the key of a run's task."""
    return TaskKey("prompt", "reco", str(run))


def is_untouched(desk: Desk) -> bool:
    """Say whether every task still stands where the fixture put it."""
    return [desk.scene.newest(key(run)).status for run in range(1, 6)] == list(TaskStatus)


@pytest.mark.parametrize(
    ("verb", "run", "after", "version"),
    [
        ("retry", 4, NEW, 1),
        ("retry", 5, NEW, 1),
        ("reprocess", 3, NEW, 2),
        ("skip", 1, SKIPPED, 1),
        ("fail", 2, PROCESSING, 1),
        ("complete", 4, DONE, 1),
    ],
)
def test_a_verb_moves_a_task_in_the_persons_name(
    desk: Desk, verb: str, run: int, after: TaskStatus, version: int
) -> None:
    """The form does what the verb does, and history keeps who said it, where and why."""
    answer = desk.send(verb, run)
    assert answer.status_code == 303
    task = desk.scene.newest(key(run))
    assert (task.status, task.version) == (after, version)
    assert (task.actor, task.reason) == (Actor("Anna Ärger", "web"), "the node was down")
    assert task.environment == "mirror"
    assert task.stopping == (verb == "fail")


def test_after_a_form_the_task_is_shown_with_what_came_of_it(desk: Desk) -> None:
    """The browser is led to the task; what was done is said once, so that reloading repeats
    neither.
    """
    address = desk.send("retry", 4).headers["location"]
    assert address.startswith("/campaigns/prompt/tasks/reco/4?note=")
    assert "run 4 / reco went from failed to new." in desk.get(address)
    assert "went from" not in desk.get(address)
    assert "its jobs are being removed" in desk.get(desk.send("fail", 2).headers["location"])


def test_the_name_is_filled_in_next_time(desk: Desk) -> None:
    """Who has said a verb once need not write the name again."""
    assert 'name="name" value=""' in desk.get("/campaigns/prompt/tasks/reco/4")
    desk.send("retry", 4)
    assert 'name="name" value="Anna Ärger"' in desk.get("/campaigns/prompt/tasks/reco/5")


def test_a_page_offers_only_what_its_task_permits(desk: Desk) -> None:
    """Each status has its own buttons, and each button works from every status that it is shown
    for.
    """
    for run, status in enumerate(TaskStatus, start=1):
        page = desk.get(f"/campaigns/prompt/tasks/reco/{run}")
        offered = [verb.name for verb in BUTTONS if f'value="{verb.name}"' in page]
        assert offered == [verb.name for verb in BUTTONS if status in verb.takes]
        for verb in offered:
            other = desk.scene.task(100 + 10 * run + len(verb), "reco", status)
            desk.scene.runs(int(other.unit))
            assert desk.send(verb, other.unit).status_code == 303


@pytest.mark.parametrize(
    ("verb", "run", "says"),
    [
        ("retry", 3, "run 3 / reco is done; retry takes tasks that are failed or skipped"),
        (
            "skip",
            2,
            (
                "run 2 / reco is processing; it cannot become skipped: "
                "it is at work; fail ends it, or it ends by itself."
            ),
        ),
        ("reprocess", 1, "run 1 / reco is new; reprocess takes"),
        ("fail", 4, "run 4 / reco is failed; fail takes tasks that are processing."),
        ("retry", 77, "run 77 has no task in reco: it is not registered."),
    ],
)
def test_a_refusal_is_said_and_the_form_stays_filled_in(
    desk: Desk, verb: str, run: int, says: str
) -> None:
    """What the table of transitions does not permit is refused in the verbs' own words."""
    answer = desk.send(verb, run)
    page = unescape(answer.text)
    assert answer.status_code == 409
    assert "Nothing was done." in page
    assert says in page
    assert run == 77 or 'value="the node was down"' in page
    assert is_untouched(desk)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reason": " \n "}, "Give a reason"),
        ({"name": "\x00\x1b"}, "Say who you are"),
        ({"verb": "resume"}, "There is no verb 'resume' here"),
        ({"verb": ""}, "There is no verb '' here"),
    ],
)
def test_a_form_without_name_reason_or_verb_is_refused(
    desk: Desk, change: dict[str, str], says: str
) -> None:
    """Nothing moves without a person and a reason, and only by a verb that the page has."""
    given: dict[str, Any] = {"verb": "retry", **change}
    answer = desk.send(given.pop("verb"), 4, **given)
    assert answer.status_code == 400
    assert says in unescape(answer.text)
    assert is_untouched(desk)


@pytest.mark.parametrize("headers", OTHERS)
def test_a_form_from_elsewhere_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    """Another site cannot use a person's browser to move tasks, even if it knew the token."""
    answer = desk.send("retry", 4, headers=headers)
    assert answer.status_code == 403
    assert "not sent from a page of this server" in answer.text
    assert is_untouched(desk)


@pytest.mark.parametrize("token", ["", "0" * 64, Guard(b"another server").token("0" * 32), "ä"])
def test_a_form_with_a_foreign_token_is_refused(desk: Desk, token: str) -> None:
    """The token belongs to one browser and one life of the server."""
    answer = desk.send("retry", 4, token=token)
    assert answer.status_code == 403
    assert "Open the page again" in answer.text
    assert is_untouched(desk)


def test_a_form_without_its_cookie_is_refused(desk: Desk) -> None:
    """A token alone proves nothing; and a cookie that could not be ours is replaced."""
    desk.get("/campaigns/prompt/tasks/reco/4")
    token = desk.token()
    desk.browser.cookies.clear()
    path = "/campaigns/prompt/verbs/reco"
    form = {"verb": "retry", "runs": "4", "name": "a", "reason": "b", "token": token}
    assert desk.browser.post(path, data=form, headers={"Origin": HERE}).status_code == 403
    desk.browser.cookies.clear()
    desk.browser.cookies.set("autoctrl_form", "x")
    assert desk.browser.get(path + "?runs=4").headers["set-cookie"].startswith("autoctrl_form=")
    assert is_untouched(desk)


def test_a_browser_that_names_the_site_needs_no_origin(desk: Desk) -> None:
    """A browser's own word that the form is of the same origin is enough, also behind a proxy that
    changes the host.
    """
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "https://autoctrl.example"}
    assert desk.send("retry", 4, headers=headers).status_code == 303


def test_only_forms_of_a_page_are_read(desk: Desk) -> None:
    """What is too long, has too many fields or is no form is refused before anything is done."""
    path, origin = "/campaigns/prompt/verbs/reco", {"Origin": HERE}
    assert desk.browser.post(path, json={"verb": "retry"}, headers=origin).status_code == 415
    assert desk.browser.post(path, data={"reason": "x" * 70_000}, headers=origin).status_code == 413
    assert (
        desk.browser.post(path, data={f"f{n}": "x" for n in range(30)}, headers=origin).status_code
        == 413
    )
    assert desk.browser.post("/campaigns/prompt", data={}, headers=origin).status_code == 405
    assert is_untouched(desk)


def test_several_tasks_are_moved_at_once(desk: Desk) -> None:
    """What is possible is done, the rest is refused, and all of it is said above the runs that are
    meant.
    """
    desk.scene.runs(6)
    desk.scene.task(6, "reco", FAILED)
    page = desk.get("/campaigns/prompt/verbs/reco?runs=3-6")
    assert "4 tasks" in page
    address = desk.send("retry", "3-6").headers["location"]
    assert address.startswith("/campaigns/prompt?runs=3%2C4%2C5%2C6&note=")
    page = desk.get(address)
    assert "run 3 / reco is done; retry takes" in page
    assert page.count("went from") == 3


def test_reprocess_takes_what_was_made_from_it(desk: Desk) -> None:
    """With the box ticked, everything downstream is sent through again."""
    friends = desk.scene.task(3, "friends", DONE, reads=[(key(3), 1)])
    page = desk.get(desk.send("reprocess", 3, downstream="1").headers["location"])
    assert "run 3 / reco went from done to new (version 2)." in page
    assert "run 3 / friends went from done to new (version 2)." in page
    assert desk.scene.newest(friends).version == 2


def test_a_verb_shows_what_it_would_move_before_it_moves_it(desk: Desk) -> None:
    """Each task is named with where it stands and where it would go, those made from it and those
    left alone too; nothing has moved.
    """
    friends = desk.scene.task(3, "friends", DONE, reads=[(key(3), 1)])
    answer = desk.preview("reprocess", "1,3", downstream="1")
    page = text_of(unescape(answer.text))
    assert answer.status_code == 200
    assert "reprocess 2 tasks?" in page
    assert "run 3 / reco done new 2" in page
    assert "1 made from it" in page
    assert "run 3 / friends done new 2" in page
    assert "Left alone run 1 / reco is new; reprocess takes" in page
    assert is_untouched(desk)
    assert desk.scene.newest(friends).version == 1


def test_nobody_agrees_to_what_has_changed_meanwhile(desk: Desk) -> None:
    """A task that moved between the look and the word is shown again before anything is done."""
    desk.scene.task(3, "friends", DONE, reads=[(key(3), 1)])
    seen = re.search(r'name="seen" value="([^"]+)"', desk.preview("reprocess", 3).text)
    assert seen is not None
    desk.scene.move(key(3), NEW, version=2)
    desk.scene.move(key(3), PROCESSING, DONE)
    answer = desk.preview("reprocess", 3, seen=seen[1])
    assert answer.status_code == 200
    assert "Since you looked, something has changed." in answer.text
    assert desk.scene.newest(key(3)).version == 2
    assert desk.send("reprocess", 3).status_code == 303
    assert desk.scene.newest(key(3)).version == 3


def test_nobody_agrees_to_what_changes_while_the_lease_is_awaited(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a cycle moves before the verb holds the lease is shown again, and not moved."""
    shown = re.search(r'name="seen" value="([^"]+)"', desk.preview("skip", 4).text)
    assert shown is not None
    lease = desk.scene.store.lease

    def be_late(name: str, owner: str, seconds: float) -> Lease:
        monkeypatch.undo()
        desk.scene.move(key(4), NEW, PROCESSING, FAILED)
        return lease(name, owner, seconds)

    monkeypatch.setattr(desk.scene.store, "lease", be_late)
    answer = desk.preview("skip", 4, seen=shown[1])
    assert "Since you looked, something has changed." in answer.text
    assert desk.scene.newest(key(4)).status is FAILED


def test_only_who_may_say_a_verb_sees_its_button_and_is_obeyed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shifter may try again, not process again, whatever form is sent."""
    shifter = Visitor(Role.SHIFTER, "Grace")
    monkeypatch.setattr("autoctrl.web.entry.gate.Gate.visitor", lambda *_: shifter)
    page = desk.get("/campaigns/prompt/verbs/reco?runs=1-5")
    assert re.findall(r'name="verb" value="(\w+)"', page) == ["retry", "skip"]
    assert desk.send("reprocess", 3).status_code == 403
    assert is_untouched(desk)
    assert desk.send("retry", 4).status_code == 303
    assert desk.scene.newest(key(4)).actor == Actor("Grace", "web")


def test_a_lease_that_is_held_is_said(desk: Desk) -> None:
    """While a cycle works the form waits its time, and then says who holds the lease."""
    desk.project.settings = desk.project.settings.__class__(
        **{
            **desk.project.settings.__dict__,
            "cycle": desk.project.settings.cycle.__class__(verb_wait_s=0),
        }
    )
    desk.scene.store.lease("prompt/reco", "somebody:else", 60)
    answer = desk.send("retry", 4)
    assert answer.status_code == 409
    assert "is held by somebody:else" in answer.text
    assert is_untouched(desk)


def test_a_closed_campaign_refuses(desk: Desk) -> None:
    """Nothing starts in a closed campaign, from the page neither."""
    desk.scene.campaign(Campaign("prompt", follow=True, closed=True))
    assert "Campaign prompt is closed" in unescape(desk.send("retry", 4).text)
    assert is_untouched(desk)


def test_too_many_tasks_are_refused(desk: Desk) -> None:
    """The page takes at most 2000 runs at once, however they are written."""
    assert "more than 2000 runs" in desk.get("/campaigns/prompt/verbs/reco?runs=1-9999999", 404)
    assert "more than 2000 runs" in unescape(desk.send("retry", "1-1500,1-1500").text)
    assert is_untouched(desk)


def test_a_group_is_moved_by_its_name(desk: Desk) -> None:
    """A group's unit stands for itself in a form."""
    desk.scene.workflow("sums", group_by="fill", late={})
    desk.scene.task("fill:7", "sums", FAILED, members=(1, 2))
    address = desk.send("retry", "fill:7", "sums").headers["location"]
    assert "fill 7 / sums went from failed to new." in desk.get(address)


def test_all_that_a_form_did_is_in_the_history(desk: Desk) -> None:
    """The history page shows the person, the page and the reason."""
    desk.send("retry", 4)
    page = desk.get("/campaigns/prompt/tasks/reco/4")
    assert "Anna Ärger <small>web</small>" in page
    assert isinstance(desk.scene.store.history(key(4))[-1], TaskRecord)


def test_texts_are_cleaned() -> None:
    """Control characters and line breaks become blanks, and what is too long is cut."""
    assert clean(" a\tb\n\x1b[31mc\u202e ", 20) == "a b [31mc"
    assert clean("abcdef", 3) == "abc"


def test_notes_are_forgotten_in_the_end() -> None:
    """Notes that nobody took do not fill the memory."""
    notes = Notes()
    names = [notes.keep([str(number)]) for number in range(501)]
    assert notes.take(names[0]) == ()
    assert notes.take(names[500]) == ("500",)
    assert notes.take("unknown") == ()
