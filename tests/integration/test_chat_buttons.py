"""Buttons below incidents: nobody vouches for a click but the signature of what it carries."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoctrl.model.actor import Actor
from autoctrl.model.names import workflow_lease
from autoctrl.model.status import TaskStatus
from tests.fakes.mattermost import mentions
from tests.integration.chat import KEY, PROMPT, Chat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.mattermost import Post


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    """Two tasks have failed."""
    pytest.importorskip("mattermostdriver")
    made = Chat(tmp_path)
    made.fails(1, 2)
    yield made
    made.close()


def context_of(post: Post, button: str) -> dict[str, Any]:
    found = next(action for action in post.actions if action["id"] == button)
    return dict(found["integration"]["context"])


def test_why_explains_as_often_as_one_likes(chat: Chat) -> None:
    """To whoever pressed it alone, and to whoever may read."""
    post = chat.told()
    for person in (chat.people.viewer, chat.people.admin, chat.people.viewer):
        answer = chat.press(post, "why", person)
        assert "reason: no pedestal" in answer.text
        assert "run 1 / reco" in answer.text
        assert answer.posts[0].ephemeral_for == person.id
    assert "does not know you" in chat.press(post, "why", chat.people.nobody).text


def test_all_are_tried_again_with_a_reason(chat: Chat) -> None:
    """The dialog says what will be done; what came of it is said in the thread."""
    post = chat.told()
    assert chat.press(post, "retry").text == ""
    dialog = chat.mattermost.dialogs[-1].content
    assert dialog["title"] == "Retry all"
    assert dialog["introduction_text"] == "To be tried again: 2 tasks of reco: 1-2"
    assert chat.fill_in("the @all node was down").is_done
    (said,) = chat.thread(post)
    assert "shifter, retry: the" in said
    assert "run 1 / reco went from failed to new." in said
    assert mentions(said) == frozenset()
    task = chat.task(2)
    assert (task.status, task.reason) == (TaskStatus.NEW, "the @all node was down")
    assert task.actor == Actor(f"shifter ({chat.people.shifter.id})", "mattermost")


def test_an_incident_is_muted_for_two_hours(chat: Chat) -> None:
    """By the same way; a second time it is muted already."""
    post = chat.told()
    chat.press(post, "mute")
    assert chat.mattermost.dialogs[-1].content["title"] == "Mute for 2 h"
    assert chat.fill_in("access to the pit").is_done
    muted = chat.incident.muted
    assert muted is not None
    assert muted.until is not None
    assert timedelta(0) <= muted.time + timedelta(hours=2) - muted.until < timedelta(seconds=60)
    assert "is muted" in chat.thread(post)[0]
    assert "is muted already, by shifter" in chat.press(post, "mute").text


def test_who_may_not_opens_no_dialog(chat: Chat) -> None:
    """A viewer, and somebody whom nobody knows."""
    post = chat.told()
    assert "retry takes a shifter" in chat.press(post, "retry", chat.people.viewer).text
    assert "does not know you" in chat.press(post, "retry", chat.people.nobody).text
    assert chat.mattermost.dialogs == []


def test_a_dialog_is_for_whoever_opened_it(chat: Chat) -> None:
    """Nobody else can fill it in, and nobody without a role any more."""
    post = chat.told()
    chat.press(post, "retry")
    answer = chat.fill_in(user_id=chat.people.admin.id)
    assert "opened for somebody else" in answer.message
    assert chat.retries(1) == 0


def test_a_button_moves_tasks_once(chat: Chat) -> None:
    """Two dialogs of one button: the second is refused, for the trouble is over."""
    post = chat.told()
    chat.press(post, "retry")
    first = chat.mattermost.dialogs[-1]
    chat.press(post, "retry", chat.people.admin)
    assert chat.fill_in().is_done
    assert chat.workers.finish()
    assert "is over" in chat.mattermost.submit(first, {"reason": "me too"}).message
    assert "is over" in chat.press(post, "retry").text
    assert chat.retries(1) == 1


def test_a_button_is_used_once(chat: Chat) -> None:
    """Also after a restart, and though nothing else speaks against it."""
    post = chat.told()
    chat.press(post, "mute")
    first = chat.mattermost.dialogs[-1]
    chat.press(post, "mute", chat.people.admin)
    assert chat.fill_in("I look").is_done
    chat.open()
    late = chat.mattermost.submit(first, {"reason": "me too"})
    assert "used before" in late.message
    assert chat.incident.muted is not None
    assert chat.incident.muted.reason == "I look"


def test_a_verb_that_could_not_begin_may_be_tried_again(chat: Chat) -> None:
    """A cycle was at work for longer than a verb waits: dialog and button are good still."""
    chat.changes("[cycle]\nverb_wait_s = 0.01")
    post = chat.told()
    chat.press(post, "retry")
    held = chat.store.lease(workflow_lease(PROMPT, "reco"), "a cycle", 60)
    assert "Nothing was done: The lease prompt/reco is held" in chat.fill_in().message
    assert chat.retries(1) == 0
    chat.store.lease(held.name, "a cycle", 0)
    assert chat.fill_in().is_done
    assert "run 1 / reco went from failed to new." in chat.thread(post)[0]


def test_tasks_that_moved_by_themselves_are_left_alone(chat: Chat) -> None:
    """An incident may lag behind: then the verb itself says so, before anybody gives a reason."""
    post = chat.told()
    for run in (1, 2):
        chat.store.append([chat.task(run).moved(TaskStatus.NEW, chat.project.clock.now())])
    again = chat.press(post, "retry")
    assert "run 1 / reco is new; retry takes tasks that are failed" in again.text
    assert chat.mattermost.dialogs == []


def test_a_click_counts_once(chat: Chat) -> None:
    """What was sent once does nothing when it is sent again."""
    click = chat.press(chat.told(), "why")
    assert b"answered before" in chat.mattermost.replay(click).body


def test_an_edit_makes_new_buttons(chat: Chat) -> None:
    """The old ones do nothing once the tasks have changed; nor do the new ones afterwards."""
    post = chat.told()
    old = context_of(post, "retry")
    chat.fails(3)
    before = chat.press(post, "retry")
    assert "not about the same tasks any more" in before.text
    assert chat.told() is post
    assert context_of(post, "retry")["nonce"] != old["nonce"]
    assert "same tasks" in chat.press(post, "retry", context=old).text
    chat.press(post, "retry")
    chat.moves(3, TaskStatus.NEW)
    assert "same tasks" in chat.fill_in().message
    assert [chat.retries(run) for run in (1, 2, 3)] == [0, 0, 0]


def test_an_incident_that_is_over_has_no_buttons(chat: Chat) -> None:
    """They are taken away, and those of yesterday do nothing."""
    post = chat.told()
    old = post.versions[0].props["attachments"][0]["actions"]
    chat.press(post, "retry")
    for run in (1, 2):
        chat.moves(run, TaskStatus.NEW)
    assert "is over" in chat.fill_in().message
    assert "is over" in chat.press(post, "why").text
    chat.told()
    assert post.actions == []
    assert old


def test_a_button_ends(chat: Chat) -> None:
    """After a week, also why."""
    post = chat.told()
    chat.listener.shift = timedelta(days=7, minutes=1)
    assert "That was good until" in chat.press(post, "why").text
    chat.listener.shift = timedelta(0)
    chat.press(post, "retry")
    chat.listener.shift = timedelta(hours=1, minutes=1)
    assert "That was good until" in chat.fill_in().message
    assert chat.retries(1) == 0


def test_a_button_belongs_to_its_post(chat: Chat) -> None:
    """Copied elsewhere it does nothing."""
    post = chat.told()
    other = chat.mattermost.say(chat.people.shifter, chat.scene.channel, "hello")
    answer = chat.press(post, "retry", post_id=other.id)
    assert "not the message about incident" in answer.text
    assert chat.mattermost.dialogs == []


def test_a_button_belongs_to_its_store(chat: Chat, tmp_path: Path) -> None:
    """One that another autoctrl has signed with the same key does nothing here."""
    folder = tmp_path / "other"
    folder.mkdir()
    other = Chat(folder)
    other.fails(1)
    theirs = context_of(other.told(), "retry")
    other.close()
    assert "another store" in chat.press(chat.told(), "retry", context=theirs).text


def test_keys_are_changed_without_a_pause(chat: Chat) -> None:
    """What the second key has signed is good; once it is gone, it is not."""
    post = chat.told()
    chat.write_secret("key", f"{'n' * 40}\n{KEY}\n")
    assert "reason: no pedestal" in chat.press(post, "why").text
    chat.write_secret("key", "n" * 40)
    assert "not signed here" in chat.press(post, "why").text
    chat.told()
    assert "reason: no pedestal" in chat.press(post, "why").text


def test_a_reason_must_be_given(chat: Chat) -> None:
    """Blanks are none; the button is good still."""
    post = chat.told()
    chat.press(post, "retry")
    assert "reason" in chat.fill_in("   ").errors
    assert chat.fill_in("now I \ud83d know").is_done
    assert chat.workers.finish()
    assert chat.task(1).reason == "now I ? know"
    assert chat.thread(post)


def test_a_server_without_dialogs_is_said(chat: Chat) -> None:
    """Whoever pressed the button learns that nothing was done."""
    post = chat.told()
    chat.mattermost.be_hidden(where="POST /api/v4/actions")
    assert "or a proxy before it is at fault" in chat.press(post, "retry").text


def test_a_long_wait_is_announced_in_the_thread(chat: Chat) -> None:
    """The dialog closes in time; what came of it follows, also a refusal."""
    post = chat.told()
    chat.press(post, "retry")
    chat.workers.patience_s = 0.1
    held = chat.store.lease(workflow_lease(PROMPT, "reco"), "a cycle", 60)
    assert chat.fill_in().is_done
    chat.store.lease(held.name, "a cycle", 0)
    assert "run 1 / reco went from failed to new." in chat.thread(post)[0]


def test_what_is_no_click_is_refused(chat: Chat) -> None:
    """Whatever somebody sends who knows the address."""
    post = chat.told()
    refused: dict[str, list[dict[str, Any]]] = {
        "no click as Mattermost": [{"user_id": 7}, {"user_id": "ada"}, {"context": "x"}],
        "not signed here": [{"context": {}}, {"context": {"incident": "x"}}],
    }
    for words, forgeries in refused.items():
        for forged in forgeries:
            assert words in chat.press(post, "why", **forged).text
    for body in (b"", b"[]", b"[" * 50_000, b"\xff"):
        for what in ("action", "dialog"):
            assert chat.post(what, body) == 400
    chat.press(post, "retry")
    for state in ("", "[]", "{}", '{"mac": "x"}'):
        assert "not signed here" in chat.fill_in(state=state).message
    assert chat.retries(1) == 0


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.data())
def test_no_byte_can_be_changed(chat: Chat, data: st.DataObject) -> None:
    """Of what a button or a dialog carries; whatever is changed, nothing is done."""
    post = next(iter(chat.mattermost.posts_with()), None) or chat.told()
    context = context_of(post, "retry")
    name = data.draw(st.sampled_from(sorted(context)))
    text = str(context[name])
    position = data.draw(st.integers(0, max(len(text) - 1, 0)))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda one: one != text[position:][:1]))
    changed: str | int = text[:position] + letter + text[position + 1 :]
    if isinstance(context[name], int) and str(changed).isascii() and str(changed).isdecimal():
        changed = int(changed)
    answer = chat.press(post, "retry", context=context | {name: changed})
    assert "not signed here" in answer.text
    assert json.loads(answer.received.body)["skip_slack_parsing"]  # type: ignore[union-attr]
    assert chat.mattermost.dialogs == []
