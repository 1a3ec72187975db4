"""How the fake shows buttons and menus, and sends what is clicked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.http import Answer

if TYPE_CHECKING:
    from tests.contract.fakes.caller import Caller, Integration
    from tests.fakes.mattermost import Mattermost, Post, Result, Scene

FAILED = "api.post.do_action.action_integration.app_error"
NO_ACTION = "api.post.do_action.action_id.app_error"


def action(integration: Integration, **more: Any) -> dict[str, Any]:
    target = {"url": f"{integration.url}/click", "context": {"verb": "accept", "mac": "m"}}
    return {"id": "accept", "type": "button", "name": "Accept", "integration": target, **more}


def post_with(bot: Caller, server: Mattermost, scene: Scene, *actions: dict[str, Any]) -> Post:
    props = {"attachments": [{"text": "run 7", "actions": list(actions)}], "autoctrl": {"i": 7}}
    body = {"channel_id": scene.channel.id, "message": "failed", "props": props}
    bot.api("POST", "/posts", body)
    return server.posts[-1]


@pytest.fixture
def post(bot: Caller, server: Mattermost, scene: Scene, integration: Integration) -> Post:
    return post_with(bot, server, scene, action(integration))


def click(server: Mattermost, post: Post, scene: Scene) -> Result:
    return server.click(post, "accept", scene.ada)


def test_clients_do_not_see_where_a_button_leads(
    bot: Caller, server: Mattermost, post: Post
) -> None:
    """An action is shown without its integration, in every answer."""
    shown = bot.api("GET", f"/posts/{post.id}/thread").json["posts"][post.id]
    (seen,) = shown["props"]["attachments"][0]["actions"]
    assert seen == {"id": "accept", "type": "button", "name": "Accept"}
    assert "integration" in server.posts[0].actions[0]


def test_a_click_is_sent_as_json(
    server: Mattermost, scene: Scene, integration: Integration, post: Post
) -> None:
    """The integration gets who clicked where on what, its own context, and no token."""
    integration.reply = Answer.of({})
    result = click(server, post, scene)
    assert result.is_done
    (request,) = integration.requests()
    payload = json.loads(request.body)
    assert payload["context"] == {"verb": "accept", "mac": "m"}
    assert (payload["user_id"], payload["user_name"]) == (scene.ada.id, "ada")
    assert (payload["post_id"], payload["type"]) == (post.id, "button")
    assert (payload["team_domain"], payload["channel_name"]) == ("experiment", "shift")
    more = {"channel_id", "team_id", "trigger_id", "data_source"}
    named = {"context", "user_id", "user_name", "post_id", "type", "team_domain", "channel_name"}
    assert payload.keys() == more | named
    assert request.header("Content-Type") == "application/json"
    assert request.header("Authorization") == ""


def test_an_option_is_selected(
    bot: Caller, server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """A menu sends the option in the context; what is no option cannot be selected."""
    integration.reply = Answer.of({})
    options = [{"text": "1 h", "value": "1"}, {"text": "8 h", "value": "8"}]
    post = post_with(bot, server, scene, action(integration, type="select", options=options))
    result = server.click(post, "accept", scene.ada, selected="8")
    assert result.payload["context"]["selected_option"] == "8"
    assert result.payload["type"] == "select"
    assert server.click(post, "accept", scene.ada, selected="9").error_id == NO_ACTION


def test_an_answer_updates_the_post(
    server: Mattermost, scene: Scene, integration: Integration, post: Post
) -> None:
    """Without props the old ones stay, and what is for one is shown to one, in the thread."""
    update = {"update": {"message": "accepted"}, "ephemeral_text": "<!here>"}
    integration.reply = Answer.of({**update, "skip_slack_parsing": True})
    (shown,) = click(server, post, scene).posts
    assert (shown.message, shown.ephemeral_for, shown.root_id) == (
        "<!here>",
        scene.ada.id,
        post.id,
    )
    assert post.message == "accepted"
    assert post.actions
    integration.reply = Answer.of({"ephemeral_text": "<!here>"})
    assert click(server, post, scene).text == "@here"


def test_empty_props_remove_the_buttons(
    server: Mattermost, scene: Scene, integration: Integration, post: Post
) -> None:
    """After an update with empty props there is nothing to click."""
    integration.reply = Answer.of({"update": {"message": "accepted", "props": {}}})
    assert click(server, post, scene).is_done
    assert post.props == {}
    assert click(server, post, scene).error_id == NO_ACTION


def test_the_mark_of_an_integration_stays(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """A post that an answer to a command became keeps its mark when the buttons go."""
    answer = {"response_type": "in_channel", "attachments": [{"actions": [action(integration)]}]}
    integration.reply = Answer.of(answer)
    server.add_command(scene.owner, scene.team, "autoctrl", f"{integration.url}/command")
    (post,) = server.slash(scene.ada, scene.channel, "/autoctrl x").posts
    integration.reply = Answer.of({"update": {"message": "done", "props": {}}})
    assert click(server, post, scene).is_done
    assert post.props == {"from_webhook": "true"}


def test_an_answer_may_be_an_error(
    server: Mattermost, scene: Scene, integration: Integration, post: Post
) -> None:
    """An error is shown to the person, and the post stays."""
    integration.reply = Answer.of({"error": {"message": "closed already"}})
    result = click(server, post, scene)
    assert (result.error_id, result.message) == (FAILED, "closed already")
    assert post.message == "failed"


@pytest.mark.parametrize(
    "answer",
    [
        Answer.of({}, 201),
        Answer.of({}, 403),
        Answer(200, b""),
        Answer(200, b"{"),
        Answer.of([]),
        Answer.of({"update": {"message": "x" * 16_384}}),
    ],
)
def test_a_broken_answer_fails(
    server: Mattermost, scene: Scene, integration: Integration, post: Post, answer: Answer
) -> None:
    """Another status than 200, no JSON and an update that is too long fail the action."""
    integration.reply = answer
    result = click(server, post, scene)
    assert result.message.startswith("Action failed to execute")
    assert post.message == "failed"


def test_no_answer_fails(
    server: Mattermost, scene: Scene, integration: Integration, post: Post
) -> None:
    """An integration that is down or at a private address fails the action."""
    server.site.refuses_private = True
    assert "address forbidden" in click(server, post, scene).message
    server.site.refuses_private = False
    integration.stop()
    assert click(server, post, scene).error_id == FAILED


def test_what_an_answer_to_a_click_must_not_hold(
    server: Mattermost, scene: Scene, integration: Integration, post: Post
) -> None:
    """An unknown key and a token in an answer fail the test."""
    integration.reply = Answer.of({"text": "x"})
    with server.violation("the key text is unknown"):
        click(server, post, scene)
    integration.reply = Answer.of({"update": {"message": "x", "root_id": ""}})
    with server.violation("the key root_id is unknown"):
        click(server, post, scene)
    integration.reply = Answer.of({"ephemeral_text": scene.bot.token})
    with server.violation("a token appears in the answer to a click"):
        click(server, post, scene)


@pytest.mark.parametrize("wrong", ["re-run", "re_run", "a b"])
def test_an_id_has_letters_and_digits_only(
    bot: Caller, server: Mattermost, scene: Scene, integration: Integration, wrong: str
) -> None:
    """A click on an action with another id gives 404."""
    post = post_with(bot, server, scene, action(integration, id=wrong))
    assert server.click(post, wrong, scene.ada).error_id == "api.context.404.app_error"
    assert integration.requests() == []


def test_an_action_without_an_id_gets_one(
    bot: Caller, server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """The server makes up an id where none is given."""
    integration.reply = Answer.of({})
    post = post_with(bot, server, scene, action(integration, id=""))
    assert server.click(post, post.actions[0]["id"], scene.ada).is_done


def test_not_everything_can_be_clicked(
    bot: Caller, server: Mattermost, scene: Scene, integration: Integration, post: Post
) -> None:
    """A disabled action, an unknown one, a post of others or a deleted one cannot be clicked."""
    disabled = post_with(bot, server, scene, action(integration, disabled=True))
    assert click(server, disabled, scene).error_id == NO_ACTION
    assert server.click(post, "other", scene.ada).error_id == NO_ACTION
    outside = server.click(post, "accept", scene.stranger)
    assert outside.error_id == "api.context.permissions.app_error"
    bot.api("DELETE", f"/posts/{post.id}")
    assert click(server, post, scene).error_id == "app.post.get.app_error"
    assert integration.requests() == []


def test_an_ephemeral_post_is_clicked_by_one(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """Buttons of an answer to a command work for the caller alone, who cannot update the post."""
    attachments = [{"actions": [action(integration)]}]
    integration.reply = Answer.of({"text": "sure?", "attachments": attachments})
    server.add_command(scene.owner, scene.team, "autoctrl", f"{integration.url}/command")
    (post,) = server.slash(scene.ada, scene.channel, "/autoctrl x").posts
    integration.reply = Answer.of({"ephemeral_text": "done"})
    assert click(server, post, scene).text == "done"
    assert server.click(post, "accept", scene.owner).error_id == "app.post.get.app_error"
    integration.reply = Answer.of({"update": {"message": "x"}})
    assert click(server, post, scene).error_id == "app.post.get.app_error"


def test_a_click_can_be_forged(
    server: Mattermost, scene: Scene, integration: Integration, post: Post
) -> None:
    """A test may send another context or another user than a server would."""
    integration.reply = Answer.of({})
    result = server.click(post, "accept", scene.ada, forge={"context": {"verb": "delete"}})
    assert result.payload["context"] == {"verb": "delete"}
