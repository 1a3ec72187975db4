"""The slash command: who may say what, and what comes of it."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from autoctrl.chat.grammar import SHAPES
from autoctrl.model.actor import Actor
from autoctrl.model.names import workflow_lease
from autoctrl.model.role import Role
from autoctrl.model.status import TaskStatus
from tests.fakes.mattermost import mentions
from tests.integration.chat import PROMPT, ROLES, Chat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORDS = {
    "why": "1 reco",
    "ack": "{incident}",
    "mute": "{incident} 2h access",
    "pause": "reco storage is full",
    "resume": "reco",
    "deploy": "mirror",
    **dict.fromkeys(("retry", "skip", "reprocess", "fail", "complete"), "1 reco the node was down"),
}


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    """Two tasks have failed."""
    pytest.importorskip("mattermostdriver")
    made = Chat(tmp_path)
    made.fails(1, 2)
    yield made
    made.close()


@pytest.mark.parametrize("verb", [*SHAPES])
def test_each_role_may_say_its_verbs_and_no_others(chat: Chat, verb: str) -> None:
    """Whoever may not is told so and nothing is done; whoever nobody knows learns only their id."""
    text = f"{verb} {WORDS.get(verb, '')}".format(incident=chat.incident.id)
    before = sum(1 for _ in chat.store.records())
    least = SHAPES[verb].role
    for name in (*ROLES, "nobody"):
        person = getattr(chat.people, name)
        role = Role[name.upper()]
        if role >= least:
            continue
        answer = chat.say(text, person)
        assert answer.is_done
        assert person.id in answer.text
        assert f"{verb} takes a" in answer.text or "does not know you" in answer.text
    assert sum(1 for _ in chat.store.records()) == before
    least_person = chat.people.nobody if not least else getattr(chat.people, str(least))
    allowed = chat.say(text, least_person)
    assert allowed.is_done
    assert "takes a" not in allowed.text
    assert "does not know" not in allowed.text


def test_a_verb_does_what_it_does_on_the_command_line(chat: Chat) -> None:
    """It is written down with the person's name and id, and why."""
    answer = chat.say("retry 1\u20132 reco “the node” was down", chat.people.shifter)
    assert "run 1 / reco went from failed to new." in answer.text
    task = chat.task(2)
    assert (task.status, task.reason) == (TaskStatus.NEW, "the node was down")
    assert task.actor == Actor(f"shifter ({chat.people.shifter.id})", "mattermost")
    assert [post.ephemeral_for for post in answer.posts] == [chat.people.shifter.id]


def test_what_is_refused_is_said(chat: Chat) -> None:
    """The verb's own sentence, or what is wrong with the words."""
    assert "no workflow 'rec'" in chat.say("retry 1 rec why not").text
    assert "retry has no option --project" in chat.say("retry 1 reco x --project /tmp").text
    assert "Did you mean 'status'?" in chat.say("statsu").text
    assert "more than 2000 runs" in chat.say("retry 1-9000000 reco why not").text
    assert "retry needs a reason" in chat.say("retry 1 reco").text
    assert "has no task" in chat.say("skip 7 reco x").text
    assert "its number is too long" in chat.say(f"why {'9' * 5000} reco").text


def test_everything_can_be_read(chat: Chat) -> None:
    """Status, why, failed, incidents, quota, help: quoted, for the caller alone."""
    status = chat.say("status").text
    assert "prompt: the newest 2 of 2 runs" in status
    assert "1    failed  failed" in status
    assert "1    failed  failed" not in chat.say("status --runs 2").text
    assert "1 of 2 runs" in chat.say("status --limit 1").text
    for limit in ("0", "101", "0000000000101", "9" * 5000):
        assert "from 1 to 100" in chat.say(f"status --limit {limit}").text
    assert "no pedestal" in chat.say("why 1 reco").text
    assert "reco      2      1-2    no pedestal" in chat.say("failed").text
    assert chat.incident.id in chat.say("incidents").text
    assert "reason: no pedestal" in chat.say(f"incidents {chat.incident.id[:5]}").text
    assert "outputs: " in chat.say("quota").text
    assert "retry RUNS WORKFLOW reason" in chat.say("help").text
    assert "reprocess" not in chat.say("", chat.people.shifter).text
    assert "There is no campaign" in chat.say("failed --campaign none").text


def test_incidents_are_looked_after(chat: Chat) -> None:
    """Acknowledged without a reason, muted with one, as on the command line."""
    incident = chat.incident.id
    assert "is acknowledged" in chat.say(f"ack {incident}").text
    assert "is muted" in chat.say(f"mute {incident} 2h access to the pit").text
    assert chat.incident.muted is not None
    assert chat.incident.muted.reason == "access to the pit"
    assert "muted" in chat.say("incidents").text
    assert "two times" in chat.say(f"mute {incident} 2h --for 1h why").text
    assert "is muted" in chat.say(f"mute {incident} --for 90min why").text
    for words in ("99999999999h why", f"--for {'9' * 400} why"):
        assert "longer than ten years" in chat.say(f"mute {incident} {words}").text


def test_workflows_are_paused_and_resumed(chat: Chat) -> None:
    """As on the command line."""
    assert "reco is paused now." in chat.say("pause reco storage is full").text
    assert "reco is paused already." in chat.say("pause reco storage is full").text
    assert "paused by operator" in chat.say("status").text
    assert "reco is resumed." in chat.say("resume reco").text


def test_a_dry_run_writes_nothing(chat: Chat) -> None:
    """It says what would happen."""
    assert "would go from failed to new" in chat.say("retry 1 reco x —dry-run").text
    assert chat.retries(1) == 0


@pytest.mark.parametrize("field", ["token", "header"])
def test_a_wrong_token_is_all_that_is_not_answered(chat: Chat, field: str) -> None:
    """In the form or in the header: 401 and nothing else; no secret is said."""
    forged = {"token": "x" * 26} if field == "token" else None
    headers = {"Authorization": f"Token {'x' * 26}"} if field == "header" else None
    answer = chat.mattermost.slash(
        chat.people.admin, chat.scene.channel, "/autoctrl status", forge=forged, headers=headers
    )
    assert answer.received is not None
    assert (answer.received.status, answer.posts) == (401, [])


def test_an_oauth_header_is_not_ours_to_check(chat: Chat) -> None:
    """Where an OAuth connection matches, the field alone counts."""
    chat.mattermost.site.oauth_token = "other"  # noqa: S105 - it opens nothing
    assert "prompt: the newest" in chat.say("status").text


def test_two_tokens_are_good_while_one_is_changed(chat: Chat) -> None:
    """The file is read each time; without it nobody has the token."""
    chat.write_secret("slash", f"{'n' * 26}\n{chat.command.token}\n")
    assert chat.say("status").is_done
    chat.write_secret("slash", "n" * 26)
    assert chat.say("status").received.status == 401  # type: ignore[union-attr]
    (chat.folder / "slash").unlink()
    assert not chat.say("status").is_done
    assert "[chat] token_file" in chat.complaints[0]


def test_a_request_counts_once(chat: Chat) -> None:
    """Whoever sends it again does nothing, also after a restart."""
    first = chat.say("retry 1 reco x")
    assert chat.retries(1) == 1
    assert b"answered before" in chat.mattermost.replay(first).body
    chat.open()
    assert b"answered before" in chat.mattermost.replay(first).body
    assert chat.retries(1) == 1


def trigger(*parts: object) -> str:
    return base64.b64encode(":".join(map(str, parts)).encode()).decode()


def test_a_trigger_agrees_with_the_request(chat: Chat) -> None:
    """Of another person, another time, or none: nothing is done."""
    now, admin = chat.mattermost.now_ms(), chat.people.admin.id
    forged = {
        trigger("c" * 26, admin, now, "mac"): "somebody else",
        trigger("c" * 26, chat.people.operator.id, now - 400_000, "mac"): "last 5 minutes",
        trigger("c" * 26, chat.people.operator.id, now + 400_000, "mac"): "last 5 minutes",
        trigger("c" * 26, chat.people.operator.id, "x", "mac"): "does not say when",
        trigger("c" * 26, chat.people.operator.id, 10**30, "mac"): "does not say when",
        "no base64!": "does not say when",
        "": "does not say when",
    }
    for text, words in forged.items():
        assert words in chat.say("retry 1 reco x", trigger_id=text).text
    assert "does not say who" in chat.say("retry 1 reco x", user_id="ada").text
    assert chat.retries(1) == 0


def test_later_answers_go_to_our_server_only(chat: Chat) -> None:
    """A forged address is refused before anything is done, and not said."""
    good = f"{chat.mattermost.url}/hooks/commands/{'a' * 26}"
    forged = [
        f"http://10.0.0.1/hooks/commands/{'a' * 26}",
        good.replace("http:", "https:"),
        good.replace("127.0.0.1", "127.0.0.1.example.org"),
        good.replace("127.0.0.1", "127.0.0.1@example.org"),
        good.replace("/hooks/commands/", "/hooks/"),
        good.replace("/hooks/commands/", "/x/../hooks/commands/"),
        f"{good}?x=1",
        f"{good}/../../x",
        good.replace("http://", "http://user@"),
        "file:///etc/passwd",
        "",
    ]
    for url in forged:
        answer = chat.say("retry 1 reco x", response_url=url).text
        assert "not one of the Mattermost in the settings" in answer
        assert "10.0.0.1" not in answer
    assert chat.retries(1) == 0


def test_what_takes_longer_is_answered_later(chat: Chat) -> None:
    """A verb that waits for a cycle is answered in time that it does, and then what came of it."""
    chat.workers.patience_s = 0.1
    held = chat.store.lease(workflow_lease(PROMPT, "reco"), "a cycle", 60)
    answer = chat.say("retry 1 reco x", chat.people.shifter)
    assert "Working on it" in answer.text
    chat.store.lease(held.name, "a cycle", 0)
    assert chat.workers.finish()
    assert "run 1 / reco went from failed to new." in chat.mattermost.posts[-1].message
    assert chat.mattermost.posts[-1].ephemeral_for == chat.people.shifter.id


def test_a_slow_disk_does_not_delay_the_answer(chat: Chat) -> None:
    """Where it takes long to remember that a request was used, the answer comes in time, and later
    what came of it.
    """
    chat.say("help")
    chat.workers.patience_s = 0.1
    with closing(sqlite3.connect(chat.ledger, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "Working on it" in chat.say("retry 1 reco x").text
    assert chat.workers.finish()
    assert "run 1 / reco went from failed to new." in chat.mattermost.posts[-1].message


def test_a_later_answer_that_is_lost_is_complained_of(chat: Chat) -> None:
    """Without the address; what was asked for is done."""
    held = chat.store.lease(workflow_lease(PROMPT, "reco"), "a cycle", 60)
    chat.mattermost.be_hidden(where="POST /hooks/commands")
    chat.workers.patience_s = 0.1
    answer = chat.say("retry 1 reco x")
    chat.store.lease(held.name, "a cycle", 0)
    assert chat.workers.finish()
    assert chat.retries(1) == 1
    (complaint,) = chat.complaints
    assert "status 502" in complaint
    assert answer.fields["response_url"].rpartition("/")[2] not in complaint


def test_what_jobs_say_calls_nobody(chat: Chat) -> None:
    """In whatever is answered."""
    chat.fails(3, workflow="dq", reason="@all @channel ``` <!here> [x](http://y) | @ada")
    for text in ("status", "failed", "why 3 dq", "incidents", "retry 3 dq @all ```", "@channel"):
        answer = chat.say(text)
        assert answer.is_done
        for post in answer.posts:
            assert mentions(post.message) == frozenset()


def test_long_answers_end_with_a_link(tmp_path: Path) -> None:
    """Fifty lines, and where the rest is to be seen."""
    made = Chat(tmp_path, more='page_url = "https://page.example.org/"')
    for run in range(1, 61):
        made.fails(run, workflow=f"w{run:02d}")
    text = made.say("failed").text
    made.close()
    assert text.count("no pedestal") == 48
    assert "and 12 more lines: https://page.example.org/campaigns/prompt" in text
