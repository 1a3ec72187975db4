"""The driver that programs use talks to the fake; what is broken in it is written down here."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.mattermost.state import new_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.mattermost import Mattermost, Scene, User

mattermostdriver = pytest.importorskip("mattermostdriver")
exceptions = pytest.importorskip("mattermostdriver.exceptions")


def driver_of(server: Mattermost, user: User) -> Any:
    host = {"scheme": "http", "url": "127.0.0.1", "port": server.port}
    driver = mattermostdriver.Driver({**host, "token": user.token, "request_timeout": 20})
    driver.login()
    return driver


@pytest.fixture
def driver(server: Mattermost, scene: Scene) -> Any:
    return driver_of(server, scene.bot)


@pytest.fixture
def made(driver: Any, scene: Scene) -> dict[str, Any]:
    body = {"channel_id": scene.channel.id, "message": "run 7 failed"}
    post: dict[str, Any] = driver.posts.create_post({**body, "props": {"autoctrl": {"i": 7}}})
    return post


def test_the_defaults_wait_for_ever() -> None:
    """By default the driver has no limit of time for a request and goes to https on 8065."""
    options = mattermostdriver.Driver.default_options
    assert options["request_timeout"] is None
    assert (options["timeout"], options["scheme"], options["port"]) == (30, "https", 8065)


def test_a_login_asks_who_it_is(driver: Any, server: Mattermost, scene: Scene) -> None:
    """A login with a token is one GET, with an empty object as its body."""
    assert driver.client.userid == scene.bot.id
    assert driver.client.username == "autoctrl"
    (request,) = server.requests()
    assert request.line == "GET /api/v4/users/me"
    assert request.body == b"{}"
    assert request.header("Content-Type") == "application/json"


def test_posts_are_made_edited_and_deleted(
    driver: Any, server: Mattermost, scene: Scene, made: dict[str, Any]
) -> None:
    """The calls about posts do what they say."""
    driver.posts.patch_post(made["id"], {"message": "run 7 is done"})
    whole = {**made, "message": "run 7 is archived"}
    assert driver.posts.update_post(made["id"], whole)["message"] == "run 7 is archived"
    reply = {"channel_id": scene.channel.id, "message": "yes", "root_id": made["id"]}
    answer = driver.posts.create_post(reply)
    assert driver.posts.get_thread(made["id"])["order"] == [answer["id"], made["id"]]
    listed = driver.posts.get_posts_for_channel(scene.channel.id, {"since": 1})
    assert listed["posts"].keys() == {answer["id"], made["id"]}
    assert driver.posts.delete_post(answer["id"]) == {"status": "OK"}
    said = [version.message for version in server.posts[0].versions]
    assert said == ["run 7 failed", "run 7 is done", "run 7 is archived"]


def test_the_other_calls_work(driver: Any, scene: Scene, made: dict[str, Any]) -> None:
    """Ephemeral posts, reactions, channels by name and direct channels do what they say."""
    whisper = {"channel_id": scene.channel.id, "message": "psst"}
    shown = driver.posts.create_ephemeral_post({"user_id": scene.ada.id, "post": whisper})
    assert shown["type"] == "system_ephemeral"
    reaction = {"user_id": scene.bot.id, "post_id": made["id"], "emoji_name": "eyes"}
    assert driver.reactions.create_reaction(reaction)["emoji_name"] == "eyes"
    assert driver.reactions.delete_reaction("me", made["id"], "eyes") == {"status": "OK"}
    found = driver.channels.get_channel_by_name_and_team_name("experiment", "shift")
    assert found["id"] == scene.channel.id
    ids = [scene.bot.id, scene.ada.id]
    assert driver.channels.create_direct_message_channel(ids)["type"] == "D"


def test_a_dialog_is_opened(driver: Any, server: Mattermost, scene: Scene) -> None:
    """A dialog is opened by the trigger of what a person did."""
    trigger = server.new_trigger(scene.ada, scene.channel, scene.team.id)
    body = {"trigger_id": trigger.id, "url": "http://127.0.0.1/", "dialog": {"title": "Why?"}}
    assert driver.integration_actions.open_dialog(body) == {"status": "OK"}
    assert len(server.dialogs) == 1


def test_half_of_the_calls_about_commands_lack_a_slash(server: Mattermost, scene: Scene) -> None:
    """Commands are registered and listed; update, deletion and new token go to a path that is none,
    and work by the driver's own client.
    """
    driver = driver_of(server, scene.owner)
    fields = {"method": "P", "trigger": "autoctrl", "url": "http://autoctrl.example/"}
    command = driver.commands.create_command({"team_id": scene.team.id, **fields})
    query = {"team_id": scene.team.id, "custom_only": "true"}
    assert driver.commands.list_commands_for_team(query) == [command]
    broken: list[Callable[[], Any]] = [
        lambda: driver.commands.update_command(command["id"], command),
        lambda: driver.commands.delete_command(command["id"]),
        lambda: driver.commands.generate_new_token(command["id"]),
    ]
    for call in broken:
        with server.violation("the path is unknown"), pytest.raises(exceptions.ResourceNotFound):
            call()
    path = f"/commands/{command['id']}"
    assert driver.client.put(path, options=command)["trigger"] == "autoctrl"
    assert driver.client.put(f"{path}/regen_token")["token"]
    driver.client.delete(path)
    assert server.state.commands == {}


def test_a_call_of_a_webhook_sends_the_token(driver: Any, server: Mattermost, scene: Scene) -> None:
    """The driver shows the token of the API to whoever serves the webhook."""
    hook = server.add_hook(scene.owner, scene.channel)
    with server.violation("the token of the API was sent to a webhook"):
        driver.webhooks.call_webhook(hook.id, {"text": "hello"})
    assert server.posts[-1].message == "hello"
    (request,) = server.requests("POST /hooks/")
    assert request.header("Authorization") == f"Bearer {scene.bot.token}"


def test_errors_become_classes(
    driver: Any, server: Mattermost, scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """An error has a class and a message, and neither id nor status; the driver logs it itself."""
    with pytest.raises(exceptions.NotEnoughPermissions) as refused:
        driver.posts.create_post({"channel_id": scene.other.id, "message": "x"})
    assert str(refused.value) == "You do not have the appropriate permissions."
    assert refused.value.response is None
    with pytest.raises(exceptions.InvalidOrMissingParameters):
        driver.posts.create_post({"channel_id": scene.channel.id, "message": "x" * 16_384})
    with pytest.raises(exceptions.ResourceNotFound):
        driver.posts.patch_post(new_id(), {"message": "x"})
    scene.bot.is_active = False
    with pytest.raises(exceptions.NoAccessTokenProvided):
        driver.posts.create_post({"channel_id": scene.channel.id, "message": "x"})
    assert {record.levelno for record in caplog.records if "driver" in record.name} == {
        logging.ERROR
    }
    server.check_text(caplog.text, "the log")


def test_a_switched_off_feature_is_a_class_too(server: Mattermost, scene: Scene) -> None:
    """501 becomes a class of its own."""
    driver = driver_of(server, scene.owner)
    server.site.are_commands_on = False
    with pytest.raises(exceptions.FeatureDisabled):
        driver.commands.list_commands_for_team({"team_id": scene.team.id})


def test_other_errors_tell_the_address(driver: Any, server: Mattermost, scene: Scene) -> None:
    """429 and 502 are plain errors of HTTP whose text names the address."""
    body = {"channel_id": scene.channel.id, "message": "x"}
    server.be_busy()
    server.be_hidden()
    for status in (429, 502):
        with pytest.raises(OSError, match=f"{status} .*{server.url}/api/v4/posts") as failed:
            driver.posts.create_post(body)
        assert type(failed.value).__name__ == "HTTPError"
        assert getattr(failed.value, "response").status_code == status  # noqa: B009 - of requests
    assert server.posts == []


def test_a_lost_answer_is_no_error_of_http(driver: Any, server: Mattermost, scene: Scene) -> None:
    """A lost answer and a server that is down are errors of the connection."""
    body = {"channel_id": scene.channel.id, "message": "x"}
    server.lose_answer()
    with pytest.raises(OSError) as lost:  # noqa: PT011 - the name tells
        driver.posts.create_post(body)
    assert type(lost.value).__name__ == "ConnectionError"
    assert len(server.posts) == 1
    server.stop()
    with pytest.raises(OSError, match="refused"):
        driver.posts.create_post(body)
    server.start()
    assert driver.posts.create_post(body)["message"] == "x"
