"""The notifier for Mattermost and a server that goes wrong: nothing is told twice, lost, leaked."""

from __future__ import annotations

import logging
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import NotifierError, PerhapsTold
from autoctrl.model.severity import Severity
from autoctrl.ports import Message
from tests.fakes.mattermost import Mattermost, furnish
from tests.integration.mattermost import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from autoctrl.notifiers.mattermost.bot import MattermostBot
    from autoctrl.notifiers.mattermost.webhook import MattermostWebhook

FAILED = Message("3fa2c1", Severity.ALARM, "run 7 failed", "@all the disk is full", "logs/7")
MORE = FAILED._replace(title="runs 7-9 failed", revision=2)
OVER = FAILED._replace(title="over: run 7", revision=3, is_over=True)


@pytest.fixture
def channel(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Channel]:
    """Whatever a test does, no secret may have come into a log."""
    pytest.importorskip("mattermostdriver")
    caplog.set_level(logging.DEBUG)
    with Mattermost() as server:
        scene = furnish(server)
        (tmp_path / "token").write_text(f"{scene.bot.token}\n")
        hook = server.add_hook(scene.owner, scene.channel)
        (tmp_path / "hook").write_text(server.hook_url(hook))
        yield Channel(server, scene, tmp_path, [])
        server.check_text(caplog.text, "the log")
    assert not [record for record in caplog.records if record.name.startswith("mattermostdriver")]


def complaint_of(notifier: MattermostBot | MattermostWebhook) -> str:
    """Return what a notifier says that told nobody."""
    with pytest.raises(NotifierError) as refusal:
        notifier.ping()
    assert refusal.value.hint
    return refusal.value.message


def test_a_post_is_edited_and_answered(channel: Channel) -> None:
    """One trouble is one post, whose text changes, with the reminders in its thread; nobody is
    mentioned.
    """
    told = channel.bot().tell(FAILED)
    assert told is not None
    assert channel.bot().change(told, MORE)
    reminder = channel.bot().tell(MORE._replace(below=told))
    assert channel.bot().change(told, OVER)
    root, reply = channel.alive
    assert [version.message.split("\n")[0] for version in root.versions] == [
        "🔴 **run 7 failed**",
        "🔴 **runs 7-9 failed**",
        "🟢 **over: run 7**",
    ]
    assert (root.id, reply.id, reply.root_id) == (told, reminder, told)
    assert root.props["autoctrl"] == {"incident": "3fa2c1", "change": 3}
    assert root.notified == reply.notified == frozenset()


def test_a_lost_answer_leaves_one_post(channel: Channel) -> None:
    """A message whose answer was lost is found by whoever tells it again, and is as it is now."""
    channel.server.lose_answer()
    with pytest.raises(PerhapsTold):
        channel.bot().tell(FAILED)
    told = channel.bot().tell(FAILED._replace(is_again=True))
    assert channel.bot().tell(MORE._replace(is_again=True)) == told
    (post,) = channel.alive
    assert (post.id, len(post.versions)) == (told, 2)
    assert "runs 7-9 failed" in post.message


def test_a_lost_reminder_leaves_one_answer(channel: Channel) -> None:
    """The root is not taken for the reminder, and the reminder is found."""
    told = channel.bot().tell(FAILED) or ""
    again = FAILED._replace(below=told, is_again=True)
    first = channel.bot().tell(again)
    assert first not in (None, told)
    channel.server.restart()
    assert channel.bot().tell(again) == first
    assert len(channel.alive) == 2


def test_posts_of_others_are_not_ours(channel: Channel) -> None:
    """What people say between, and whoever copies our mark, hides nothing and is no message."""
    told = channel.bot().tell(FAILED)
    mark = {"autoctrl": {"incident": "3fa2c1", "change": 1}}
    with channel.server.lock:
        api = channel.server.posts_api
        api.save(channel.scene.ada, channel.scene.channel.id, "copied", mark)
    for number in range(210):
        channel.server.say(channel.scene.ada, channel.scene.channel, f"no {number}")
    assert channel.bot().tell(FAILED._replace(is_again=True)) == told
    before = len(channel.alive)
    assert channel.bot().tell(FAILED._replace(key="other", is_again=True))
    assert len(channel.alive) == before + 1


def test_what_may_be_posted_stays_unknown_without_an_answer(channel: Channel) -> None:
    """While nobody can look for the message it is not posted again."""
    told = channel.bot().tell(FAILED)
    channel.server.be_hidden(times=1, where="GET /api/v4/channels")
    with pytest.raises(PerhapsTold, match="a proxy"):
        channel.bot().tell(FAILED._replace(is_again=True))
    channel.server.stop()
    with pytest.raises(PerhapsTold, match="refused"):
        channel.bot().tell(FAILED._replace(is_again=True))
    channel.server.start()
    assert channel.bot().tell(FAILED._replace(is_again=True)) == told
    assert len(channel.alive) == 1


def test_a_slow_server_is_given_up(channel: Channel) -> None:
    """A post may have been made then, and is found; a question without an answer posts nothing."""
    channel.server.be_slow(60.0, where="GET /api/v4/teams")
    bot = channel.bot(0.3)
    assert bot.tell(FAILED) is None
    assert "no answer in time" in complaint_of(bot)
    channel.server.be_slow(1.0, where="POST /api/v4/posts")
    with pytest.raises(PerhapsTold, match="no answer in time"):
        channel.bot(0.3).tell(FAILED)
    channel.server.wait_until(lambda: len(channel.server.posts) == 1)
    assert channel.bot().tell(FAILED._replace(is_again=True)) == channel.server.posts[0].id


def test_a_post_that_people_deleted_stays_away(channel: Channel) -> None:
    """It is not posted anew with each change; a reminder stands in the channel then."""
    told = channel.bot().tell(FAILED) or ""
    channel.server.posts[0].delete_at = 1
    assert channel.bot().change(told, MORE)
    assert channel.bot().change(told, OVER)
    assert channel.alive == []
    assert channel.bot().tell(MORE._replace(below=told))
    assert [post.root_id for post in channel.alive] == [""]


@pytest.mark.parametrize("status", [400, 403])
def test_where_posts_cannot_be_edited_the_end_is_an_answer(channel: Channel, status: int) -> None:
    """If the time for edits is over, changes are left out and the end stands in the thread."""
    told = channel.bot().tell(FAILED) or ""
    channel.server.site.edit_seconds, channel.server.site.edit_status = 0, status
    channel.server.posts[0].versions[:] = [
        version.__class__(1, version.message, version.props)
        for version in channel.server.posts[0].versions
    ]
    assert channel.bot().change(told, MORE)
    assert len(channel.alive) == 1
    assert channel.bot().change(told, OVER)
    assert [post.root_id for post in channel.alive] == ["", told]


def test_what_a_webhook_has_told_a_bot_cannot_change(channel: Channel) -> None:
    """Where a bot takes the place of a webhook, the ids that are no posts are no trouble."""
    assert channel.bot().change("prompt/reco?x#7", MORE)
    assert channel.alive == []
    assert channel.bot().change("prompt/reco?x#7", OVER)
    assert len(channel.alive) == 1


def break_token(channel: Channel) -> None:
    channel.scene.bot.is_active = False


def remove_bot(channel: Channel) -> None:
    channel.server.leave(channel.scene.bot, channel.scene.channel)


def hide_server(channel: Channel) -> None:
    channel.server.be_hidden(times=20)


def be_busy(channel: Channel) -> None:
    channel.server.be_busy(times=20, seconds=100)


def stop_server(channel: Channel) -> None:
    channel.server.stop()


@pytest.mark.parametrize(
    ("happen", "said"),
    [
        (break_token, "refuses the token: 401"),
        (remove_bot, "does not let the bot into 'shift': 403"),
        (hide_server, "a proxy before it is at fault: 502, a page of HTML"),
        (be_busy, "is asked too often: 429, limit exceeded"),
        (stop_server, "does not answer: Connection refused"),
    ],
)
def test_a_bot_says_why_nobody_was_told(
    channel: Channel, happen: Callable[[Channel], None], said: str
) -> None:
    """Nothing is raised, and ping says why, as it does for doctor; all is well afterwards."""
    told = channel.bot().tell(FAILED) or ""
    assert channel.bot().ping().startswith("a bot posts to 'shift' of 'experiment' at http://")
    happen(channel)
    bot = channel.bot()
    assert bot.tell(MORE) is None
    assert said in complaint_of(bot)
    assert not bot.change(told, MORE)
    assert said.partition(":")[0] in complaint_of(bot)
    assert said in complaint_of(channel.bot())
    assert len(channel.alive) == 1


def test_a_channel_that_is_not_there_is_named(channel: Channel) -> None:
    """A misspelt name, or a channel that the bot may not see."""
    for name in ("night", "expert"):
        bot = channel.bot(channel=name)
        assert bot.tell(FAILED) is None
        said = f"shows the bot no channel '{name}' of a team 'experiment': 404"
        assert said in complaint_of(bot)


def test_a_proxy_that_loses_the_server_may_have_posted(channel: Channel) -> None:
    """After 502 a post is looked for before it is made again."""
    channel.server.be_hidden(where="POST /api/v4/posts")
    with pytest.raises(PerhapsTold):
        channel.bot().tell(FAILED)
    assert channel.bot().tell(FAILED._replace(is_again=True))
    assert len(channel.alive) == 1


def test_a_busy_server_is_asked_again_when_it_says(channel: Channel) -> None:
    """Within the time that is left, by bot and webhook."""
    channel.server.be_busy(seconds=3)
    assert channel.bot().tell(FAILED)
    channel.server.be_busy(seconds=4)
    assert channel.webhook().tell(FAILED)
    assert channel.slept == [3, 4]
    channel.server.be_busy(seconds=100)
    assert channel.bot().tell(FAILED) is None
    assert len(channel.alive) == 2


def test_a_message_without_a_token_is_not_told(channel: Channel) -> None:
    """The file of the token is read when it is needed, so a new token needs no new start."""
    bot = channel.bot()
    (channel.folder / "token").rename(channel.folder / "away")
    assert bot.tell(FAILED) is None
    assert "No such file" in complaint_of(bot)
    (channel.folder / "away").rename(channel.folder / "token")
    assert bot.tell(FAILED)


def test_a_webhook_tells_the_beginning_and_the_end(channel: Channel) -> None:
    """What changes between would be one more post each time, so it is left out; a reminder is a
    post like any other.
    """
    told = channel.webhook().tell(FAILED)
    assert told == "3fa2c1"
    assert channel.webhook().change(told, MORE)
    assert channel.webhook().tell(FAILED._replace(below=told))
    assert channel.webhook().change(told, OVER)
    titles = [post.message.split("\n")[0] for post in channel.alive]
    assert titles == ["🔴 **run 7 failed**"] * 2 + ["🟢 **over: run 7**"]
    assert all(post.notified == frozenset() for post in channel.alive)
    (request, *_) = channel.server.requests("POST /hooks/")
    assert not request.header("Authorization")


def test_a_webhook_says_when_nobody_can_know(channel: Channel) -> None:
    """A connection that is cut after the message was sent, or a server that is silent then."""
    channel.server.lose_answer(where="POST /hooks/")
    with pytest.raises(PerhapsTold):
        channel.webhook().tell(FAILED)
    channel.server.be_slow(0.6, where="POST /hooks/")
    with pytest.raises(PerhapsTold, match="no answer in time"):
        channel.webhook(0.2).tell(FAILED)
    channel.server.wait_until(lambda: len(channel.server.posts) == 2)


def switch_off(channel: Channel) -> None:
    channel.server.site.are_webhooks_on = False


def remove_hook(channel: Channel) -> None:
    channel.server.state.hooks.clear()


def write_no_address(channel: Channel) -> None:
    (channel.folder / "hook").write_text("hooks/abc")


@pytest.mark.parametrize(
    ("happen", "said"),
    [
        (remove_hook, "refuses the webhook: 400, Invalid webhook"),
        (switch_off, "has incoming webhooks switched off: 501"),
        (hide_server, "a proxy before it is at fault: 502, a page of HTML"),
        (be_busy, "is asked too often: 429"),
        (stop_server, "does not answer: Connection refused"),
        (write_no_address, "holds no address of a webhook"),
    ],
)
def test_a_webhook_says_why_nobody_was_told(
    channel: Channel, happen: Callable[[Channel], None], said: str
) -> None:
    """Nothing is raised, and ping says why."""
    happen(channel)
    webhook = channel.webhook()
    assert webhook.tell(FAILED) is None
    assert said in complaint_of(webhook)


def contexts_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, and all that it follows from."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__context__


def errors_of(channel: Channel, happen: Callable[[Channel], None]) -> Iterator[BaseException]:
    """Yield what both notifiers raise after something has happened."""
    for notifier in (channel.bot(), channel.webhook()):
        happen(channel)
        notifier.tell(FAILED)
        with pytest.raises(NotifierError) as refusal:
            notifier.ping()
        yield refusal.value
        channel.server.faults.clear()
        channel.server.restart()
        channel.server.lose_answer(where="POST ")
        with pytest.raises(PerhapsTold) as unknown:
            notifier.tell(FAILED)
        yield unknown.value


@pytest.mark.parametrize("happen", [stop_server, hide_server, be_busy])
def test_no_error_holds_a_secret(channel: Channel, happen: Callable[[Channel], None]) -> None:
    """Neither its text, nor how it shows itself, nor what a traceback tells of it and of all that
    it follows from.
    """
    for error in errors_of(channel, happen):
        channel.server.check_text(repr(error), "an error")
        channel.server.check_text("".join(traceback.format_exception(error)), "a traceback")
        assert all(isinstance(one, NotifierError) for one in contexts_of(error))


def test_an_entry_of_netrc_does_not_go_before_the_token(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else somebody has written down for this server is not shown to it."""
    netrc = channel.folder / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert channel.bot().tell(FAILED)


def test_opening_a_notifier_imports_no_driver(tmp_path: Path) -> None:
    """A cycle that has nothing to tell pays for no library."""
    file = tmp_path / "settings.toml"
    file.write_text(
        "[notifiers.a]\ntype = 'mattermost'\nurl = 'http://chat'\ntoken_file = 'token'\n"
        "team = 'experiment'\nchannel = 'shift'\n"
    )
    code = (
        "import sys; from pathlib import Path; from autoctrl.config import parse_settings; "
        "from autoctrl.notifiers import open_listener; path = Path(sys.argv[1]); "
        "settings = parse_settings(path.read_text(), path.parent, environ={}); "
        "open_listener(settings, 'a'); "
        "print({'mattermostdriver', 'requests', 'http', 'ssl'} & sys.modules.keys())"
    )
    command = [sys.executable, "-c", code, str(file)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"
