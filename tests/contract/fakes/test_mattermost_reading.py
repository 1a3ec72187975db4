"""How the fake shows threads, channels, people, and keeps reactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.mattermost.state import new_id

if TYPE_CHECKING:
    from tests.contract.fakes.caller import Caller
    from tests.fakes.mattermost import ManualClock, Mattermost, Scene

INVALID = (400, "api.context.invalid_body_param.app_error")
FORBIDDEN = (403, "api.context.permissions.app_error")
NO_CHANNEL = (404, "app.channel.get_by_name.missing.app_error")


@pytest.fixture
def ids(server: Mattermost, scene: Scene, clock: ManualClock) -> list[str]:
    """Three posts, a second between them, the last a reply to the first."""
    posts = []
    for message in ("one", "two"):
        posts.append(server.say(scene.ada, scene.channel, message))
        clock.advance(1)
    posts.append(server.say(scene.ada, scene.channel, "three", posts[0].id))
    return [post.id for post in posts]


def test_a_thread_is_shown_whole(bot: Caller, ids: list[str]) -> None:
    """The thread of a root and that of its reply are the same, with the order and the posts."""
    thread = bot.api("GET", f"/posts/{ids[0]}/thread").json
    assert thread["order"] == [ids[2], ids[0]]
    assert thread["posts"].keys() == {ids[0], ids[2]}
    assert bot.api("GET", f"/posts/{ids[2]}/thread").json == thread


def test_a_thread_needs_membership(bot: Caller, server: Mattermost, scene: Scene) -> None:
    """A thread in a channel of others is refused."""
    server.join(scene.ada, scene.other)
    post = server.say(scene.ada, scene.other, "secret")
    assert bot.api("GET", f"/posts/{post.id}/thread").error == FORBIDDEN


def test_a_channel_is_shown_in_pages(bot: Caller, scene: Scene, ids: list[str]) -> None:
    """Pages run from the newest post to the oldest; the root of a reply comes along."""
    path = f"/channels/{scene.channel.id}/posts"
    assert bot.api("GET", path).json["order"] == ids[::-1]
    page = bot.api("GET", f"{path}?page=0&per_page=1").json
    assert page["order"] == [ids[2]]
    assert page["posts"].keys() == {ids[0], ids[2]}
    assert bot.api("GET", f"{path}?page=1&per_page=2").json["order"] == [ids[0]]


def test_a_channel_tells_what_changed(
    bot: Caller, server: Mattermost, scene: Scene, ids: list[str]
) -> None:
    """Since a time come the posts that were made, edited, answered or deleted after it."""
    path = f"/channels/{scene.channel.id}/posts"
    second = server.posts[1].create_at
    listed = bot.api("GET", f"{path}?since={second}").json
    assert listed["order"] == [ids[2], ids[0]]
    assert bot.api("GET", f"{path}?since={second + 5000}").json["order"] == []


def test_what_was_deleted_is_told_as_deleted(
    bot: Caller, server: Mattermost, scene: Scene, clock: ManualClock
) -> None:
    """A deleted post is left out of pages, and comes since a time with the time of its end."""
    body = {"channel_id": scene.channel.id, "message": "x"}
    post = bot.api("POST", "/posts", body).json
    clock.advance(1)
    bot.api("DELETE", f"/posts/{post['id']}")
    path = f"/channels/{scene.channel.id}/posts"
    assert bot.api("GET", path).json["order"] == []
    listed = bot.api("GET", f"{path}?since={post['create_at']}").json
    assert listed["posts"][post["id"]]["delete_at"] == server.now_ms()


def test_a_page_has_at_most_200_posts(bot: Caller, server: Mattermost, scene: Scene) -> None:
    """A larger page fails the test, and so do a page and a time at once."""
    path = f"/channels/{scene.channel.id}/posts"
    assert bot.api("GET", f"{path}?per_page=200").status == 200
    with server.violation("per_page is above 200"):
        bot.api("GET", f"{path}?per_page=201")
    with server.violation("since and pages exclude each other"):
        bot.api("GET", f"{path}?since=1&page=1")
    malformed = (400, "api.context.invalid_url_param.app_error")
    assert bot.api("GET", f"{path}?since=yesterday").error == malformed


def test_a_channel_needs_membership(bot: Caller, scene: Scene) -> None:
    """The posts of a channel of others are refused with 403, of an unknown one with 404."""
    assert bot.api("GET", f"/channels/{scene.other.id}/posts").error == FORBIDDEN
    missing = (404, "app.channel.get.existing.app_error")
    assert bot.api("GET", f"/channels/{new_id()}/posts").error == missing


def test_a_channel_is_found_by_name(bot: Caller, server: Mattermost, scene: Scene) -> None:
    """A channel is found by the names of team and channel, unless it is not visible."""
    path = "/teams/name/experiment/channels/name"
    assert bot.api("GET", f"{path}/shift").json["id"] == scene.channel.id
    assert bot.api("GET", f"{path}/nothing").error == NO_CHANNEL
    assert bot.api("GET", "/teams/name/nobody/channels/name/shift").error == NO_CHANNEL
    assert bot.api("GET", f"{path}/expert").error == NO_CHANNEL
    server.join(scene.bot, scene.other)
    assert bot.api("GET", f"{path}/expert").json["type"] == "P"


def test_a_direct_channel_is_made_once(bot: Caller, scene: Scene) -> None:
    """Two users have one channel between them, whoever asks and however often."""
    ids = [scene.bot.id, scene.ada.id]
    made = bot.api("POST", "/channels/direct", ids)
    assert (made.status, made.json["type"]) == (201, "D")
    assert bot.api("POST", "/channels/direct", ids[::-1]).json["id"] == made.json["id"]
    body = {"channel_id": made.json["id"], "message": "hello"}
    assert bot.api("POST", "/posts", body).status == 201


def test_a_direct_channel_is_of_two(bot: Caller, scene: Scene) -> None:
    """Not two ids are refused with 400, a pair of others with 403, an unknown one with 404."""
    wrongs: list[Any] = [{}, [scene.bot.id], [scene.bot.id, "x"], b"["]
    for wrong in wrongs:
        assert bot.api("POST", "/channels/direct", wrong).error == INVALID
    others = [scene.owner.id, scene.ada.id]
    assert bot.api("POST", "/channels/direct", others).error == FORBIDDEN
    missing = (404, "app.user.missing_account.const")
    assert bot.api("POST", "/channels/direct", [scene.bot.id, new_id()]).error == missing


def reaction(scene: Scene, post_id: str, **more: Any) -> dict[str, Any]:
    return {"user_id": scene.bot.id, "post_id": post_id, "emoji_name": "eyes", **more}


def test_a_reaction_comes_and_goes(
    bot: Caller, server: Mattermost, scene: Scene, ids: list[str]
) -> None:
    """A bot reacts to a post and takes the reaction back."""
    assert bot.api("POST", "/reactions", reaction(scene, ids[0])).status == 201
    assert server.posts[0].reactions == {("autoctrl", "eyes")}
    path = f"/users/me/posts/{ids[0]}/reactions/eyes"
    assert bot.api("DELETE", path).json == {"status": "OK"}
    assert server.posts[0].reactions == set()


def test_a_reaction_is_checked(bot: Caller, scene: Scene, ids: list[str]) -> None:
    """A name with colons and a malformed id are refused with 400, other people with 403."""
    invalid = (400, "api.reaction.save_reaction.invalid.app_error")
    for wrong in ({"emoji_name": ":eyes:"}, {"emoji_name": ""}, {"post_id": "x"}):
        body = reaction(scene, ids[0]) | wrong
        assert bot.api("POST", "/reactions", body).error == invalid
    body = reaction(scene, ids[0], user_id=scene.ada.id)
    other = (403, "api.reaction.save_reaction.user_id.app_error")
    assert bot.api("POST", "/reactions", body).error == other
    assert bot.api("POST", "/reactions", reaction(scene, new_id())).error == FORBIDDEN
    path = f"/users/{scene.ada.id}/posts/{ids[0]}/reactions/eyes"
    assert bot.api("DELETE", path).error == FORBIDDEN
    path = f"/users/me/posts/{new_id()}/reactions/eyes"
    assert bot.api("DELETE", path).error == FORBIDDEN
