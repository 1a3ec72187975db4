"""Killed in the middle of what a button is for: done once or not at all, and said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.model.status import TaskStatus
from tests.integration.chat import Chat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    """Two tasks have failed."""
    pytest.importorskip("mattermostdriver")
    made = Chat(tmp_path)
    made.fails(1, 2)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("where", "done"),
    [
        ("before lease", 0),
        ("after lease", 0),
        ("before append", 0),
        ("after append", 1),
    ],
)
def test_a_verb_that_is_cut_off_is_done_once_or_not_at_all(
    chat: Chat, where: str, done: int
) -> None:
    """The person sees that it failed; whoever presses again learns how things stand."""
    post = chat.told()
    chat.open_elsewhere(where)
    chat.press(post, "retry")
    assert "no answer" in chat.fill_in().message
    assert chat.retries(1) == chat.retries(2) == done
    chat.open_elsewhere()
    again = chat.press(post, "retry")
    if done:
        assert "is over" in again.text
    else:
        assert "used before" in chat.fill_in().message
        assert chat.retries(1) == 0
        assert "went from failed to new" in chat.say("retry 1-2 reco once more").text
    assert chat.retries(1) == chat.retries(2) == 1
    assert chat.task(1).status is TaskStatus.NEW
