"""From a failure to the next attempt, by the real teller and the real listener."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from autoctrl.hooks.server import answering
from autoctrl.machine.teller import Teller
from tests.fakes.mattermost import mentions
from tests.integration.chat import PROMPT, Chat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    pytest.importorskip("mattermostdriver")
    pytest.importorskip("h11")
    made = Chat(tmp_path)
    yield made
    made.close()


@contextmanager
def listening(chat: Chat) -> Iterator[list[str]]:
    """Let the real listener take the place of the tests' own; gives what it complains of."""
    chat.listener.stop()
    complaints: list[str] = []
    listener = socket.create_server(("127.0.0.1", chat.listener.port))
    with answering(chat.listener.hooks, listener, complaints.append):
        yield complaints
    for line in complaints:
        chat.mattermost.check_text(line, "the log")


def test_a_failure_is_told_and_tried_again_from_the_message(chat: Chat) -> None:
    """One post, whose button opens a dialog; the next time that people are told it is over, and
    has no buttons any more.
    """
    chat.fails(1, 2, 3, reason="@all the disk is full")
    Teller(chat.project, PROMPT).finish()
    (post,) = chat.mattermost.posts_with()
    assert post.message.startswith(
        "🔴 **\\[reco\\]: runs 1-3 permanently marked as failed. Please check the logs: /logs/1**"
    )
    assert [action["name"] for action in post.actions] == ["why", "retry all", "mute 2 h"]
    with listening(chat) as refused:
        chat.press(post, "retry")
        assert chat.fill_in("the disk is empty again").is_done
        assert "went from failed to new" in chat.thread(post)[0]
        assert "prompt: the newest 3 of 3 runs" in chat.say("status").text
        chat.say("status", token="x" * 26)
    assert [line for line in refused if "401" in line] == refused != []
    incident = chat.incident
    assert not incident.is_open
    chat.told()
    assert post.message.startswith("🟢 **\\[reco\\]: over")
    assert post.actions == []
    assert all(mentions(one.message) == frozenset() for one in chat.mattermost.posts)
