"""How the fake takes what is sent to incoming webhooks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.fakes.mattermost.state import new_id

if TYPE_CHECKING:
    from tests.contract.fakes.caller import Caller, Reply
    from tests.fakes.mattermost import Hook, Mattermost, Scene

PREFIX = "web.incoming_webhook"
BOUNDARY = "frontier"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture
def hook(server: Mattermost, scene: Scene) -> Hook:
    return server.add_hook(scene.owner, scene.channel)


def send(nobody: Caller, hook: Hook, **body: Any) -> Reply:
    return nobody("POST", f"/hooks/{hook.id}", body)


def part(name: str, value: str) -> str:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


def test_a_text_is_posted(nobody: Caller, server: Mattermost, scene: Scene, hook: Hook) -> None:
    """A text becomes a post of the hook's owner; the answer is ok, in plain text, without an id."""
    reply = send(nobody, hook, text="hello")
    assert (reply.status, reply.body) == (200, b"ok")
    assert reply.headers["Content-Type"] == "text/plain"
    (post,) = server.posts
    assert (post.message, post.user_id) == ("hello", scene.owner.id)
    assert post.props == {"from_webhook": "true"}


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json; charset=utf-8", json.dumps({"text": "hello"})),
        ("application/x-www-form-urlencoded", urlencode({"payload": '{"text": "hello"}'})),
        (MULTIPART, part("text", "hello") + f"--{BOUNDARY}--\r\n"),
        ("text/whatever", '{"text": "hello"}'),
        ("", '{"text": "hello"}'),
    ],
)
def test_every_media_type_is_read(
    nobody: Caller, server: Mattermost, hook: Hook, media_type: str, body: str
) -> None:
    """JSON, a form's payload and parts are read; an unknown media type is read as JSON."""
    headers = {"Content-Type": media_type} if media_type else {}
    assert nobody("POST", f"/hooks/{hook.id}", body.encode(), headers).status == 200
    assert [post.message for post in server.posts] == ["hello"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"", b"payload=1"])
def test_what_cannot_be_read_is_refused(nobody: Caller, hook: Hook, body: bytes) -> None:
    """A body that is no object is refused with 400."""
    reply = nobody("POST", f"/hooks/{hook.id}", body)
    assert reply.error == (400, f"{PREFIX}.parse.app_error")
    assert reply.json["message"] == "Unable to parse incoming data."


def test_text_or_attachments_are_needed(nobody: Caller, server: Mattermost, hook: Hook) -> None:
    """Without text and attachments it is refused; attachments alone are posted."""
    assert send(nobody, hook, username="x").error == (400, f"{PREFIX}.text.app_error")
    assert send(nobody, hook, attachments=[{"text": "why"}]).status == 200
    assert server.posts[0].props["attachments"] == [{"text": "why"}]


def test_an_unknown_key_of_a_hook_is_400(nobody: Caller, server: Mattermost) -> None:
    """An unknown hook is refused with 400, not with 404."""
    reply = nobody("POST", f"/hooks/{new_id()}", {"text": "hello"})
    assert reply.error == (400, f"{PREFIX}.invalid.app_error")
    server.site.are_webhooks_on = False
    reply = nobody("POST", f"/hooks/{new_id()}", {"text": "hello"})
    assert reply.error == (501, f"{PREFIX}.disabled.app_error")


def test_another_channel_may_be_named(
    nobody: Caller, server: Mattermost, scene: Scene, hook: Hook
) -> None:
    """A hook posts to the channel or the person that is named, if it may."""
    expert = server.add_channel(scene.team, "second")
    assert send(nobody, hook, text="1", channel="second").status == 200
    assert send(nobody, hook, text="2", channel="#second").status == 200
    assert send(nobody, hook, text="3", channel="@ada").status == 200
    assert [post.channel_id == expert.id for post in server.posts] == [True, True, False]
    assert server.state.channels[server.posts[-1].channel_id].type == "D"


def test_a_wrong_channel_is_refused(
    nobody: Caller, server: Mattermost, scene: Scene, hook: Hook
) -> None:
    """An unknown channel gives 404, an unknown person 400, what is not permitted 403."""
    unknown = send(nobody, hook, text="x", channel="nothing")
    assert unknown.error == (404, f"{PREFIX}.channel.app_error")
    assert send(nobody, hook, text="x", channel="@no").error == (400, f"{PREFIX}.user.app_error")
    private = send(nobody, hook, text="x", channel="expert")
    assert private.error == (403, f"{PREFIX}.permissions.app_error")
    locked = server.add_hook(scene.owner, scene.channel, is_locked=True)
    assert send(nobody, locked, text="x", channel="shift").status == 200
    elsewhere = send(nobody, locked, text="x", channel="@ada")
    assert elsewhere.error == (403, f"{PREFIX}.channel_locked.app_error")


def test_a_long_text_is_split(nobody: Caller, server: Mattermost, hook: Hook) -> None:
    """A text that is too long becomes several posts, the attachments are with the last."""
    text = "ä" * 16_383 + "rest"
    assert send(nobody, hook, text=text, attachments=[{"text": "why"}]).status == 200
    first, last = server.posts
    assert first.message + last.message == text
    assert len(first.message) == 16_383
    assert "attachments" not in first.props
    assert last.props["attachments"] == [{"text": "why"}]


def test_overrides_are_ignored_unless_allowed(
    nobody: Caller, server: Mattermost, hook: Hook
) -> None:
    """A name and an icon change nothing, and nothing is said, unless the site allows them."""
    given = {"username": "shift bot", "icon_url": "http://x/i.png", "icon_emoji": "eyes"}
    assert send(nobody, hook, text="x", **given).status == 200
    server.site.can_override = True
    assert send(nobody, hook, text="x", **given).status == 200
    ignored, taken = (post.props for post in server.posts)
    assert ignored == {"from_webhook": "true"}
    assert taken["override_username"] == "shift bot"
    assert taken["override_icon_url"] == "http://x/i.png"


def test_type_priority_and_silence(nobody: Caller, server: Mattermost, hook: Hook) -> None:
    """A type must begin with custom_, a priority is kept, a silent post notifies nobody."""
    body = {"text": "@ada", "type": "custom_x", "priority": {"priority": "urgent"}}
    assert send(nobody, hook, **body).status == 200
    assert send(nobody, hook, **body, silent=True, props={"a": 1}).status == 200
    loud, silent = server.posts
    assert (loud.type, loud.priority) == ("custom_x", {"priority": "urgent"})
    assert loud.notified == {"ada"}
    assert not silent.notified
    assert silent.props["a"] == 1
    refused = (400, "api.context.invalid_body_param.app_error")
    assert send(nobody, hook, text="x", type="system_x").error == refused


def test_a_hook_knows_its_keys(nobody: Caller, server: Mattermost, hook: Hook) -> None:
    """A key that the contract does not name fails the test."""
    with server.violation("the key root_id is unknown"):
        send(nobody, hook, text="x", root_id=new_id())


def test_slack_notation_is_translated(nobody: Caller, server: Mattermost, hook: Hook) -> None:
    """Links and calls in Slack's notation become Mattermost's, and notify."""
    text = "<http://x/|run 7> <!channel> <http://y/> <@someone> <!everyone>"
    send(nobody, hook, text=text, attachments=[{"text": "<!here>", "color": "red"}])
    (post,) = server.posts
    assert post.message == "[run 7](http://x/) @channel http://y/ <@someone> @all"
    assert post.props["attachments"] == [{"text": "@here", "color": "red"}]
    assert post.notified == {"channel", "all", "here"}


def test_the_token_is_not_for_hooks(bot: Caller, server: Mattermost, hook: Hook) -> None:
    """Whoever sends the token of the API to a webhook fails the test."""
    with server.violation("the token of the API was sent to a webhook"):
        assert send(bot, hook, text="x").status == 200


def test_the_address_of_a_hook_is_a_secret(
    bot: Caller, server: Mattermost, scene: Scene, hook: Hook
) -> None:
    """A post that tells the address of a webhook fails the test."""
    with server.violation("a token appears"):
        body = {"channel_id": scene.channel.id, "message": server.hook_url(hook)}
        bot.api("POST", "/posts", body)
