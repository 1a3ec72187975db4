"""How the fake calls an integration for a slash command, and what it takes for an answer."""

from __future__ import annotations

import base64
import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from tests.contract.fakes.caller import Caller
from tests.fakes.http import Answer

if TYPE_CHECKING:
    from tests.contract.fakes.caller import Integration, Reply
    from tests.fakes.http import Request
    from tests.fakes.mattermost import Command, ManualClock, Mattermost, Result, Scene

COMMAND = "api.command.execute_command"


@pytest.fixture
def command(server: Mattermost, scene: Scene, integration: Integration) -> Command:
    url = f"{integration.url}/command"
    return server.add_command(scene.owner, scene.team, "autoctrl", url)


@pytest.fixture
def status(server: Mattermost, scene: Scene, command: Command) -> Result:
    """Return what comes of ``/autoctrl status`` and the answer ``fine``."""
    assert command.trigger == "autoctrl"
    return server.slash(scene.ada, scene.channel, "/autoctrl status  7")


def ask(server: Mattermost, scene: Scene) -> Result:
    return server.slash(scene.ada, scene.channel, "/autoctrl x")


def test_a_command_is_sent_as_a_form(
    integration: Integration, scene: Scene, command: Command, status: Result
) -> None:
    """The integration gets the fields of the contract, its token twice, and the headers."""
    (request,) = integration.requests()
    fields = status.fields
    shown = {name: fields[name] for name in ("command", "text", "user_name", "root_id")}
    assert shown == {
        "command": "/autoctrl",
        "text": "status  7",
        "user_name": "ada",
        "root_id": "",
    }
    places = {"team_id", "team_domain", "channel_id", "channel_name", "user_id"}
    assert fields.keys() == {*shown, *places, "token", "trigger_id", "response_url"}
    assert fields["token"] == command.token
    assert fields["channel_id"] == scene.channel.id
    assert request.header("Authorization") == f"Token {command.token}"
    assert request.header("Accept") == "application/json"
    assert request.header("User-Agent") == "Mattermost-Bot/1.1"
    assert request.header("Content-Type") == "application/x-www-form-urlencoded"
    assert request.body == (status.sent.body if status.sent else b"")


def test_a_trigger_tells_user_and_time(server: Mattermost, scene: Scene, status: Result) -> None:
    """The trigger id is base64 of client, user and milliseconds, and a signature."""
    client, user, at, _ = base64.b64decode(status.fields["trigger_id"]).decode().split(":")
    assert len(client) == 26
    assert user == scene.ada.id
    assert int(at) == server.now_ms()


def test_names_in_the_text_are_resolved(
    server: Mattermost, scene: Scene, integration: Integration, command: Command
) -> None:
    """People and open channels that the text names are sent with their ids, repeated."""
    assert command.trigger == "autoctrl"
    server.slash(scene.ada, scene.channel, "/autoctrl @owner. @stranger @no ~shift ~expert")
    (request,) = integration.requests()
    body = request.body.decode()
    assert body.count("user_mentions=") == body.count("user_mentions_ids=") == 2
    assert f"channel_mentions_ids={scene.channel.id}" in body
    assert body.count("channel_mentions=") == 1


def test_an_oauth_connection_changes_the_header(
    server: Mattermost, scene: Scene, integration: Integration, command: Command
) -> None:
    """Where an OAuth connection matches, only the field holds the command's token."""
    server.site.oauth_token = "other"  # noqa: S105 - it opens nothing
    result = ask(server, scene)
    assert integration.requests()[0].header("Authorization") == "Bearer other"
    assert result.fields["token"] == command.token


def test_an_ephemeral_answer_is_for_the_caller(
    server: Mattermost, scene: Scene, status: Result
) -> None:
    """An answer without a type is shown to the caller alone."""
    assert status.is_done
    assert status.text == "fine"
    assert [post.ephemeral_for for post in server.posts] == [scene.ada.id]


def reply(integration: Integration, **answer: Any) -> None:
    integration.reply = Answer.of(answer)


@pytest.mark.usefixtures("command")
def test_an_answer_for_all_is_posted_as_the_caller(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """An answer in the channel is a post of the caller with the mark of an integration."""
    extra = {"response_type": "ephemeral", "text": "more"}
    reply(integration, response_type="in_channel", text="x", extra_responses=[extra])
    posted, shown = ask(server, scene).posts
    assert (posted.user_id, posted.ephemeral_for) == (scene.ada.id, "")
    assert posted.props["from_webhook"] == "true"
    assert (shown.message, shown.ephemeral_for) == ("more", scene.ada.id)


@pytest.mark.usefixtures("command")
def test_an_answer_goes_to_the_thread(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """A command in a thread names its root, and the answer comes there."""
    root = server.say(scene.ada, scene.channel, "root")
    result = server.slash(scene.ada, scene.channel, "/autoctrl x", root_id=root.id)
    assert result.fields["root_id"] == root.id
    assert result.posts[0].root_id == root.id
    assert len(integration.requests()) == 1


@pytest.mark.usefixtures("command")
def test_plain_text_is_an_answer(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """What is not called JSON is shown as it is."""
    integration.reply = Answer.plain('{"text": "x"}')
    assert ask(server, scene).text == '{"text": "x"}'


@pytest.mark.usefixtures("command")
def test_slack_notation_of_answers_is_translated(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """Slack's notation is translated unless the answer asks to leave it."""
    reply(integration, text="<!channel>")
    assert ask(server, scene).text == "@channel"
    reply(integration, text="<!channel>", skip_slack_parsing=True)
    assert ask(server, scene).text == "<!channel>"


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize("status", [201, 204, 302, 401, 403, 500])
def test_any_status_but_200_hides_the_answer(
    server: Mattermost, scene: Scene, integration: Integration, status: int
) -> None:
    """With another status the person reads the status only."""
    integration.reply = Answer.of({"text": "hidden"}, status)
    result = ask(server, scene)
    assert result.error_id == f"{COMMAND}.failed_resp.app_error"
    expected = f"Command with a trigger of 'autoctrl' returned response {status}"
    assert result.message.startswith(expected)
    assert "hidden" not in result.message
    assert server.posts == []


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"{"),
        Answer(200, b""),
        Answer(200, b"null"),
        Answer.plain(""),
        Answer.of({"text": "x" * 1_048_576}),
    ],
)
def test_a_broken_answer_is_an_empty_response(
    server: Mattermost, scene: Scene, integration: Integration, answer: Answer
) -> None:
    """Nothing, broken JSON and more than a mebibyte are an empty response."""
    integration.reply = answer
    result = ask(server, scene)
    assert result.error_id == f"{COMMAND}.failed_empty.app_error"
    assert "returned an empty response" in result.message


@pytest.mark.usefixtures("command")
def test_a_late_answer_is_none(server: Mattermost, scene: Scene, integration: Integration) -> None:
    """An integration that does not answer in time has failed."""
    is_over = threading.Event()

    def wait(request: Request) -> Answer:
        del request
        is_over.wait(20)
        return Answer.of({"text": "late"})

    integration.reply = wait
    server.site.integration_seconds = 0.1
    result = ask(server, scene)
    is_over.set()
    assert result.error_id == f"{COMMAND}.failed.app_error"
    assert result.received is None


@pytest.mark.usefixtures("command")
def test_nobody_listens(server: Mattermost, scene: Scene, integration: Integration) -> None:
    """An integration that is down has failed."""
    integration.stop()
    assert ask(server, scene).error_id == f"{COMMAND}.failed.app_error"


@pytest.mark.usefixtures("command")
def test_private_addresses_may_be_refused(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """A loopback address is refused unless the site lists it, and the integration hears nothing."""
    server.site.refuses_private = True
    assert "address forbidden" in ask(server, scene).message
    assert integration.requests() == []
    server.site.allowed_internal = {"127.0.0.1"}
    assert ask(server, scene).is_done


@pytest.mark.usefixtures("command")
def test_a_command_may_not_run(server: Mattermost, scene: Scene) -> None:
    """Without SiteURL, membership, such a trigger or the feature nothing is sent."""
    unknown = server.slash(scene.ada, scene.channel, "/other")
    assert unknown.error_id == f"{COMMAND}.not_found.app_error"
    outside = server.slash(scene.stranger, scene.channel, "/autoctrl")
    assert outside.error_id == "api.context.permissions.app_error"
    server.site.site_url = ""
    assert ask(server, scene).error_id == f"{COMMAND}.site_url_required.app_error"
    server.site.are_commands_on = False
    assert ask(server, scene).error_id == "api.command.disabled.app_error"


@pytest.mark.usefixtures("command")
def test_an_answer_cannot_reach_every_channel(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """An answer for a channel of others, or too long, is not posted."""
    failed = f"{COMMAND}.create_post_failed.app_error"
    reply(integration, text="x", channel_id=scene.other.id)
    assert ask(server, scene).error_id == failed
    reply(integration, response_type="in_channel", text="x" * 16_384)
    assert ask(server, scene).error_id == failed


@pytest.mark.usefixtures("command")
def test_what_an_answer_must_not_hold(
    server: Mattermost, scene: Scene, integration: Integration, command: Command
) -> None:
    """An unknown key or type, and a token in an answer, fail the test."""
    reply(integration, text="x", texts="y")
    with server.violation("the key texts is unknown"):
        ask(server, scene)
    reply(integration, text="x", response_type="secret")
    with server.violation("the response_type secret is unknown"):
        ask(server, scene)
    reply(integration, text=command.token)
    with server.violation("a token appears in the answer to a command"):
        ask(server, scene)


@pytest.mark.usefixtures("command")
def test_an_integration_may_call_back(
    server: Mattermost, scene: Scene, integration: Integration, bot: Caller
) -> None:
    """While a person waits for the answer, the integration may post and open a dialog."""

    def call_back(request: Request) -> Answer:
        trigger_id = parse_qs(request.body.decode())["trigger_id"][0]
        dialog = {"trigger_id": trigger_id, "url": "http://x/", "dialog": {"title": "Why?"}}
        bot.api("POST", "/actions/dialogs/open", dialog)
        bot.api("POST", "/posts", {"channel_id": scene.channel.id, "message": "first"})
        return Answer.of({"text": "second"})

    integration.reply = call_back
    assert ask(server, scene).is_done
    assert [post.message for post in server.posts] == ["first", "second"]
    assert server.dialogs[0].trigger.user_id == scene.ada.id


def later(result: Result, port: int, **answer: Any) -> Reply:
    path = result.fields["response_url"].partition("/hooks")
    headers = {"Content-Type": "application/json"}
    return Caller(port)("POST", "/hooks" + path[2], answer, headers)


def test_answers_may_come_later(server: Mattermost, scene: Scene, status: Result) -> None:
    """Five answers are taken at the response_url, the sixth is refused with 400."""
    assert status.fields["response_url"].startswith(f"{server.url}/hooks/commands/")
    for number in range(5):
        taken = later(status, server.port, text=str(number), response_type="in_channel")
        assert (taken.status, taken.body) == (200, b"ok")
    refused = later(status, server.port, text="6")
    assert refused.error == (400, "app.command_webhook.try_use.invalid")
    assert [post.message for post in server.posts] == ["fine", *"01234"]
    assert server.posts[-1].user_id == scene.ada.id


def test_later_ends_after_half_an_hour(
    server: Mattermost, clock: ManualClock, status: Result
) -> None:
    """After 30 minutes, and at an address that never was, 404 comes."""
    clock.advance(1800)
    assert later(status, server.port, text="x").status == 200
    clock.advance(1)
    missing = (404, "app.command_webhook.get.missing")
    assert later(status, server.port, text="x").error == missing
    reply = Caller(server.port)("POST", "/hooks/commands/x", b"text")
    assert reply.error == missing
    headers = {"Content-Type": "application/json"}
    reply = Caller(server.port)("POST", "/hooks/commands/x", b"{", headers)
    assert reply.error == (400, "web.command_webhook.parse.app_error")


def test_later_is_at_the_site_only(server: Mattermost, status: Result) -> None:
    """An answer that comes by another host than SiteURL's fails the test."""
    server.site.site_url = "https://chat.example"
    with server.violation("the host is not that of SiteURL"):
        later(status, server.port, text="x")


@pytest.mark.usefixtures("command")
def test_a_request_can_be_forged_and_replayed(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """A test may send what a thief would: other fields, other headers, the same once more."""
    forge = {"response_url": "http://evil.example/", "token": "wrong"}
    headers = {"Authorization": "Token other"}
    result = server.slash(scene.ada, scene.channel, "/autoctrl x", forge=forge, headers=headers)
    assert result.fields["response_url"] == "http://evil.example/"
    assert integration.requests()[0].header("Authorization") == "Token other"
    assert json.loads(server.replay(result).body) == {"text": "fine"}
    first, second = integration.requests()
    assert first.body == second.body
