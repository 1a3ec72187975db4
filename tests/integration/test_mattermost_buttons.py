"""Buttons below what the bot posts, and what else a server is asked for those who press them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import NotifierError
from autoctrl.mattermost.address import Place, read_server
from autoctrl.mattermost.buttons import read_button
from autoctrl.model.severity import Severity
from autoctrl.notifiers.mattermost.panel import Panel
from autoctrl.notifiers.mattermost.service import MattermostServer
from autoctrl.ports import Action, Message, Subject
from tests.fakes.mattermost import Mattermost, furnish
from tests.integration.mattermost import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.mattermost import Post

OFFERS = (Action("why", "why"), Action("retry", "retry all"))
FAILED = Message("3fa2c1", Severity.ALARM, "run 7 failed", "@all the disk is full", "logs/7")
OVER = FAILED._replace(title="over: run 7", revision=3, is_over=True)


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    pytest.importorskip("mattermostdriver")
    with Mattermost() as server:
        scene = furnish(server)
        (tmp_path / "token").write_text(scene.bot.token)
        (tmp_path / "key").write_text("k" * 32)
        (tmp_path / "key").chmod(0o600)
        yield Channel(server, scene, tmp_path, [])


def buttons_of(post: Post) -> list[str]:
    return [action["name"] for action in post.actions]


def test_buttons_are_signed_anew_with_each_change(channel: Channel) -> None:
    """They are below the post, not below its reminders, and gone when the trouble is over."""
    offered = FAILED._replace(actions=OFFERS, subject=Subject("s1", "prompt", "d1"))
    bot = channel.bot(panel=Panel("https://host:8443", channel.folder / "key", "mirror"))
    told = bot.tell(offered) or ""
    bot.tell(offered._replace(below=told))
    root, reminder = channel.alive
    assert (buttons_of(root), buttons_of(reminder)) == (["why", "retry all"], [])
    contexts = [root.actions[1]["integration"]["context"]]
    assert bot.change(told, offered._replace(revision=2, subject=Subject("s1", "prompt", "d2")))
    contexts.append(root.actions[1]["integration"]["context"])
    pressed = [read_button(["k" * 32], one, datetime.now(UTC)) for one in contexts]
    assert [one.button.tasks for one in pressed] == ["d1", "d2"]
    assert pressed[0].nonce != pressed[1].nonce
    assert pressed[0].button == ("s1", "mirror", "prompt", "3fa2c1", "retry", "d1")
    assert bot.change(told, OVER)
    assert buttons_of(root) == []
    assert root.props["autoctrl"] == {"incident": "3fa2c1", "change": 3}


def test_people_are_told_without_a_key(channel: Channel) -> None:
    """A key that everybody may read makes no buttons, and doctor says why."""
    (channel.folder / "key").chmod(0o644)
    bot = channel.bot(panel=Panel("https://host:8443", channel.folder / "key"))
    assert bot.tell(FAILED._replace(actions=OFFERS, subject=Subject("s1", "prompt", "d1")))
    assert buttons_of(channel.alive[0]) == []
    with pytest.raises(NotifierError, match="everybody may read it"):
        bot.ping()
    (channel.folder / "key").chmod(0o600)
    assert "a bot posts" in bot.ping()


def test_a_server_opens_dialogs_and_answers(channel: Channel) -> None:
    """As the bot, to whoever pulled the trigger; what goes wrong is said without secrets."""
    server, scene = channel.server, channel.scene
    ours = MattermostServer(
        Place("shift", read_server("shift", server.url), "experiment", "shift"),
        channel.folder / "token",
    )
    root = server.say(scene.ada, scene.channel, "hello")
    ours.answer(scene.channel.id, root.id, "well")
    assert [post.root_id for post in channel.alive if post.user_id == scene.bot.id] == [root.id]
    trigger = server.new_trigger(scene.ada, scene.channel, scene.team.id).id
    dialog = {"title": "Retry", "callback_id": "x", "elements": [], "state": "s"}
    ours.open_dialog(trigger, "https://host/x", dialog)
    assert server.dialogs[0].content["title"] == "Retry"
    with pytest.raises(NotifierError, match="400"):
        ours.open_dialog("forged", "https://host/x", dialog)
    assert (ours.address, ours.team) == (server.url, "experiment")
