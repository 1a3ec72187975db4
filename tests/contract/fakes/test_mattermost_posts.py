"""How the fake makes, edits and deletes posts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.mattermost.state import is_id, new_id

if TYPE_CHECKING:
    from tests.contract.fakes.caller import Caller
    from tests.fakes.mattermost import ManualClock, Mattermost, Scene

INVALID = "api.context.invalid_body_param.app_error"
FORBIDDEN = (403, "api.context.permissions.app_error")
ROOT = (400, "api.post.create_post.root_id.app_error")
MISSING = (404, "app.post.get.app_error")


@pytest.fixture
def made(bot: Caller, scene: Scene) -> dict[str, Any]:
    body = {"channel_id": scene.channel.id, "message": "run 7 failed"}
    props = {"autoctrl": {"incident": 7, "change": 1}, "attachments": [{"text": "why"}]}
    post: dict[str, Any] = bot.api("POST", "/posts", {**body, "props": props}).json
    return post


def create(bot: Caller, scene: Scene, **more: Any) -> Any:
    return bot.api("POST", "/posts", {"channel_id": scene.channel.id, "message": "x"} | more)


def test_a_post_is_kept(made: dict[str, Any], server: Mattermost, scene: Scene) -> None:
    """A post is answered whole, belongs to the bot, and is found by its props."""
    assert is_id(made["id"])
    assert made["user_id"] == scene.bot.id
    assert made["root_id"] == ""
    assert made["props"]["from_bot"] == "true"
    (found,) = server.posts_with(autoctrl={"incident": 7, "change": 1})
    assert found.id == made["id"]
    assert server.posts_with(autoctrl={"incident": 8}) == []


@pytest.mark.parametrize("priority", ["important", "urgent", ""])
def test_a_priority_is_kept(bot: Caller, scene: Scene, priority: str) -> None:
    """Metadata may say that a post is important or urgent and asks for an acknowledgement."""
    metadata = {"priority": {"priority": priority, "requested_ack": True}}
    assert create(bot, scene, metadata=metadata).json["metadata"] == metadata


@pytest.mark.parametrize(
    "wrong",
    [
        {"metadata": {"priority": {"priority": "high"}}},
        {"message": ""},
        {"message": "", "props": {"attachments": []}},
        {"message": 7},
        {"props": "none"},
        {"props": {"attachments": {}}},
        {"channel_id": ""},
    ],
)
def test_a_bad_body_is_refused(bot: Caller, scene: Scene, wrong: dict[str, Any]) -> None:
    """What is empty, of a wrong type or no priority is refused with 400."""
    assert create(bot, scene, **wrong).error == (400, INVALID)


def test_what_is_no_json_is_refused(bot: Caller) -> None:
    """A body that is no object is refused with 400."""
    assert bot.api("POST", "/posts", b"{").error == (400, INVALID)
    assert bot.api("POST", "/posts", []).error == (400, INVALID)


def test_attachments_need_no_message(bot: Caller, scene: Scene) -> None:
    """A post with attachments and no message is made."""
    assert create(bot, scene, message="", props={"attachments": [{"text": "a"}]}).status == 201


def test_the_message_is_limited(bot: Caller, scene: Scene) -> None:
    """16,383 runes are a message, one more is refused with an id of its own."""
    assert create(bot, scene, message="ä" * 16_383).status == 201
    too_long = (400, "model.post.is_valid.message_length.app_error")
    assert create(bot, scene, message="ä" * 16_384).error == too_long


def test_the_props_are_limited(bot: Caller, scene: Scene) -> None:
    """Props of 800,000 characters are kept, more are refused."""
    room = 800_000 - len('{"a":"","from_bot":"true"}')
    assert create(bot, scene, props={"a": "x" * room}).status == 201
    refused = create(bot, scene, props={"a": "x" * (room + 1)})
    assert refused.error == (400, "model.post.is_valid.props.app_error")


def test_the_files_are_limited(bot: Caller, server: Mattermost, scene: Scene) -> None:
    """Ten files belong to a post, five on an older server; what is no id is no file."""
    files = [new_id() for _ in range(10)]
    refused = (400, "model.post.is_valid.file_ids.app_error")
    assert create(bot, scene, file_ids=files).status == 201
    assert create(bot, scene, file_ids=[*files, new_id()]).error == refused
    assert create(bot, scene, file_ids=["x"]).error == refused
    server.site.files = 5
    assert create(bot, scene, file_ids=files).error == refused


def test_a_thread_has_one_level(
    bot: Caller, server: Mattermost, scene: Scene, made: dict[str, Any]
) -> None:
    """A reply goes to a root of the same channel: not to a reply, nor to what is unknown."""
    reply = create(bot, scene, root_id=made["id"])
    assert reply.json["root_id"] == made["id"]
    assert create(bot, scene, root_id=reply.json["id"]).error == ROOT
    assert create(bot, scene, root_id=new_id()).error == ROOT
    server.join(scene.bot, scene.other)
    elsewhere = create(bot, scene, root_id=made["id"], channel_id=scene.other.id)
    assert elsewhere.error == (500, "api.post.create_post.channel_root_id.app_error")


def test_a_reply_has_no_priority(bot: Caller, scene: Scene, made: dict[str, Any]) -> None:
    """Only the root of a thread may be important or urgent."""
    metadata = {"priority": {"priority": "urgent"}}
    status, error_id = create(bot, scene, root_id=made["id"], metadata=metadata).error
    assert status == 400
    assert "only_allowed_for_root_post" in error_id


def test_a_patch_changes_what_it_names(
    bot: Caller, server: Mattermost, made: dict[str, Any]
) -> None:
    """A patch leaves what it does not name, and replaces props whole; every version is kept."""
    path = f"/posts/{made['id']}/patch"
    patched = bot.api("PUT", path, {"message": "run 7 is done"}).json
    assert patched["props"] == made["props"]
    assert patched["edit_at"] > made["create_at"]
    patched = bot.api("PUT", path, {"props": {"a": 1}, "is_pinned": True}).json
    assert patched["props"] == {"a": 1}
    assert patched["is_pinned"]
    (post,) = server.posts
    said = [version.message for version in post.versions]
    assert said == ["run 7 failed", "run 7 is done", "run 7 is done"]


def test_a_patch_knows_three_keys(bot: Caller, server: Mattermost, made: dict[str, Any]) -> None:
    """A patch of anything else than message, props and is_pinned fails the test."""
    with server.violation("the key root_id is unknown"):
        bot.api("PUT", f"/posts/{made['id']}/patch", {"root_id": new_id()})


def test_a_patch_is_checked_like_a_post(bot: Caller, made: dict[str, Any]) -> None:
    """A patch can make a post neither too long nor empty."""
    path = f"/posts/{made['id']}/patch"
    too_long = bot.api("PUT", path, {"message": "x" * 16_384})
    assert too_long.error == (400, "model.post.is_valid.message_length.app_error")
    assert bot.api("PUT", path, {"message": "", "props": {}}).error == (400, INVALID)


def test_an_update_replaces_the_post(bot: Caller, made: dict[str, Any]) -> None:
    """An update sends the whole post, under its own id; another id is refused with 400."""
    path = f"/posts/{made['id']}"
    updated = bot.api("PUT", path, {**made, "message": "better"}).json
    assert (updated["message"], updated["props"]) == ("better", made["props"])
    bare = bot.api("PUT", path, {"id": made["id"], "message": "bare"}).json
    assert bare["props"] == {}
    assert bot.api("PUT", path, {**made, "id": new_id()}).error == (400, INVALID)


@pytest.mark.parametrize("status", [400, 403])
def test_old_posts_cannot_be_edited(
    bot: Caller, server: Mattermost, clock: ManualClock, made: dict[str, Any], status: int
) -> None:
    """After PostEditTimeLimit a post can be edited no more, by a patch or by an update."""
    server.site.edit_seconds, server.site.edit_status = 60, status
    clock.advance(60)
    path = f"/posts/{made['id']}"
    assert bot.api("PUT", f"{path}/patch", {"message": "in time"}).status == 200
    clock.advance(1)
    refused = (status, "api.post.update_post.permissions_time_limit.app_error")
    assert bot.api("PUT", f"{path}/patch", {"message": "late"}).error == refused
    assert bot.api("PUT", path, made).error == refused


def test_posts_of_others_are_theirs(bot: Caller, server: Mattermost, scene: Scene) -> None:
    """Nobody edits or deletes a post of somebody else."""
    post = server.say(scene.ada, scene.channel, "hello")
    assert bot.api("PUT", f"/posts/{post.id}/patch", {"message": "x"}).error == FORBIDDEN
    assert bot.api("DELETE", f"/posts/{post.id}").error == FORBIDDEN


def test_a_post_that_is_not_there(bot: Caller, made: dict[str, Any]) -> None:
    """An unknown or deleted post gives 404, a malformed id 400."""
    assert bot.api("PUT", f"/posts/{new_id()}/patch", {}).error == MISSING
    malformed = (400, "api.context.invalid_url_param.app_error")
    assert bot.api("PUT", "/posts/x/patch", {}).error == malformed
    assert bot.api("DELETE", f"/posts/{made['id']}").json == {"status": "OK"}
    assert bot.api("DELETE", f"/posts/{made['id']}").error == MISSING


def test_a_deleted_root_takes_its_replies_along(
    bot: Caller, server: Mattermost, scene: Scene, made: dict[str, Any]
) -> None:
    """With a root its replies are deleted, and nobody can reply to it."""
    create(bot, scene, root_id=made["id"])
    bot.api("DELETE", f"/posts/{made['id']}")
    assert all(post.delete_at for post in server.posts)
    assert create(bot, scene, root_id=made["id"]).error == ROOT


def ephemeral(user_id: str, channel_id: str) -> dict[str, Any]:
    return {"user_id": user_id, "post": {"channel_id": channel_id, "message": "psst"}}


def test_an_ephemeral_post_is_for_one(bot: Caller, server: Mattermost, scene: Scene) -> None:
    """An ephemeral post is shown to one person and never listed."""
    body = ephemeral(scene.ada.id, scene.channel.id)
    assert bot.api("POST", "/posts/ephemeral", body).status == 201
    assert [post.ephemeral_for for post in server.posts] == [scene.ada.id]
    assert bot.api("GET", f"/channels/{scene.channel.id}/posts").json["order"] == []


def test_an_ephemeral_post_needs_a_right(
    bot: Caller, server: Mattermost, owner: Caller, scene: Scene
) -> None:
    """Without create_post_ephemeral it is refused; an unknown person is refused with 400."""
    body = ephemeral(scene.ada.id, scene.channel.id)
    assert owner.api("POST", "/posts/ephemeral", body).error == FORBIDDEN
    unknown = ephemeral(new_id(), scene.channel.id)
    assert bot.api("POST", "/posts/ephemeral", unknown).error == (400, INVALID)
    with server.violation("stranger is not in the channel"):
        bot.api("POST", "/posts/ephemeral", ephemeral(scene.stranger.id, scene.channel.id))


def test_an_action_must_have_a_type(bot: Caller, server: Mattermost, scene: Scene) -> None:
    """An action without a type, with an unknown style or with an unknown key fails the test."""
    for wrong in ({"type": ""}, {"style": "huge"}, {"onclick": "x"}):
        action = {"id": "a", "type": "button", "name": "Accept", **wrong}
        with server.violation("action"):
            create(bot, scene, props={"attachments": [{"actions": [action]}]})
