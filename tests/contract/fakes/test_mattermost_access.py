"""Who may ask the fake, what it does not know, and what must never be said aloud."""

from __future__ import annotations

import http.client
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.contract.fakes.caller import Caller
from tests.fakes.mattermost import ManualClock, Mattermost, Scene, Site
from tests.fakes.mattermost.state import is_id, new_id

if TYPE_CHECKING:
    from tests.fakes.mattermost import Channel

FORBIDDEN = (403, "api.context.permissions.app_error")
NO_SESSION = (401, "api.context.session_expired.app_error")


def post_to(channel: Channel) -> dict[str, str]:
    return {"channel_id": channel.id, "message": "hello"}


def test_ids_have_26_characters() -> None:
    """An id is 26 letters and digits, and nothing else is one."""
    assert all(is_id(new_id()) for _ in range(50))
    assert not any(map(is_id, ["", "a" * 25, "A" * 26, "a" * 27, "ä" * 26, None, 26]))


def test_a_token_tells_who_asks(bot: Caller, server: Mattermost, scene: Scene) -> None:
    """A bot and a person with a token of their own are known by it."""
    assert bot.api("GET", "/users/me").json["username"] == "autoctrl"
    ada = Caller(server.port, scene.ada.token)
    assert ada.api("GET", "/users/me").json["is_bot"] is False


def test_no_token_is_refused(nobody: Caller, server: Mattermost, scene: Scene) -> None:
    """No token, a wrong one and a dead one are refused with 401."""
    assert nobody.api("GET", "/users/me").error == NO_SESSION
    assert Caller(server.port, "wrong").api("POST", "/posts", {}).error == NO_SESSION
    scene.bot.is_active = False
    assert Caller(server.port, scene.bot.token).api("GET", "/users/me").error == NO_SESSION


def test_a_request_id_has_the_shape_of_an_id(nobody: Caller) -> None:
    """Every error carries a request id of 26 characters."""
    assert is_id(nobody.api("GET", "/users/me").json["request_id"])


def test_who_posts_must_be_in_team_and_channel(
    bot: Caller, server: Mattermost, scene: Scene
) -> None:
    """A bot that left the team or the channel, or asks for an unknown one, is refused with 403."""
    assert bot.api("POST", "/posts", post_to(scene.channel)).status == 201
    assert bot.api("POST", "/posts", post_to(scene.other)).error == FORBIDDEN
    unknown = {"channel_id": new_id(), "message": "hello"}
    assert bot.api("POST", "/posts", unknown).error == FORBIDDEN
    scene.team.members.discard(scene.bot.id)
    assert bot.api("POST", "/posts", post_to(scene.channel)).error == FORBIDDEN
    server.join(scene.bot, scene.channel)
    server.leave(scene.bot, scene.channel)
    assert bot.api("POST", "/posts", post_to(scene.channel)).error == FORBIDDEN


def test_bot_accounts_may_be_switched_off() -> None:
    """Where bot accounts are switched off none can be made."""
    with (
        Mattermost(Site(are_bots_on=False)) as server,
        pytest.raises(ValueError, match="switched off"),
    ):
        server.add_bot("autoctrl")


def test_a_bot_owns_neither_hook_nor_command(server: Mattermost, scene: Scene) -> None:
    """A webhook and a command of the settings need a person."""
    with pytest.raises(ValueError, match="webhook"):
        server.add_hook(scene.bot, scene.channel)
    with pytest.raises(ValueError, match="slash command"):
        server.add_command(scene.bot, scene.team, "autoctrl", "http://127.0.0.1/")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /api/v4/posts", 405),
        ("GET /api/v4/system/ping", 404),
        ("POST /api/v4/commandsabc", 404),
        ("PATCH /api/v4/users/me", 405),
        ("HEAD /api/v4/users/me", 405),
        ("OPTIONS /api/v4/nothing", 404),
    ],
)
def test_an_unknown_request_is_a_violation(
    bot: Caller, server: Mattermost, line: str, status: int
) -> None:
    """A method or path that the contract does not name is refused and fails the test."""
    method, path = line.split()
    with server.violation("is unknown"):
        assert bot(method, path).status == status


def test_a_body_in_chunks_is_a_violation(bot: Caller, server: Mattermost) -> None:
    """A body without a length is not read: the connection is closed, and the test fails."""
    connection = http.client.HTTPConnection("127.0.0.1", bot.port, timeout=20)
    connection.request("POST", "/api/v4/posts", iter([b"{}"]), encode_chunked=True)
    with server.violation("a body in chunks"), suppress(OSError):
        connection.getresponse()
    connection.close()


def test_a_server_runs_once(server: Mattermost) -> None:
    """A server that runs cannot be started."""
    with pytest.raises(RuntimeError, match="runs already"):
        server.start()


def test_an_unknown_parameter_is_a_violation(bot: Caller, server: Mattermost) -> None:
    """A parameter that the contract does not name fails the test."""
    with server.violation("the parameter deep is unknown"):
        assert bot.api("GET", "/users/me?deep=1").status == 200


def test_an_unknown_key_is_a_violation(bot: Caller, server: Mattermost, scene: Scene) -> None:
    """A key in a body that the contract does not name fails the test, a body with a GET too."""
    with server.violation("the key colour is unknown"):
        bot.api("POST", "/posts", {**post_to(scene.channel), "colour": "red"})
    with server.violation("a body is unknown"):
        bot.api("GET", "/users/me", {"deep": True})
    assert bot.api("GET", "/users/me", {}).status == 200


def test_violations_fail_at_the_end() -> None:
    """The end of the block raises and lists what was violated."""

    def use() -> None:
        with Mattermost() as server:
            Caller(server.port).api("GET", "/nothing")

    with pytest.raises(AssertionError, match="GET /api/v4/nothing: the path is unknown"):
        use()


def test_an_expected_violation_must_happen(server: Mattermost) -> None:
    """Whoever expects a violation that does not come is told."""
    with pytest.raises(AssertionError, match="no violation"), server.violation("anything"):
        pass


def test_a_failure_of_the_fake_is_a_violation(bot: Caller, server: Mattermost) -> None:
    """What the fake itself cannot digest fails the test instead of being hidden in a 500."""
    body = {"trigger_id": "x", "url": "http://x/", "dialog": {"title": "x"}}
    server.check_trigger = None  # type: ignore[method-assign, assignment]  # breaks it
    with server.violation("the fake failed"):
        assert bot.api("POST", "/actions/dialogs/open", body).status == 500


def test_a_token_in_a_url_is_a_violation(bot: Caller, server: Mattermost, scene: Scene) -> None:
    """A token in a path or in a parameter fails the test."""
    with server.violation("a token appears in the URL"), server.violation("is unknown"):
        bot.api("GET", f"/users/me?access={scene.bot.token}")


def test_a_token_in_a_text_is_a_violation(bot: Caller, server: Mattermost, scene: Scene) -> None:
    """A token in a post or in a log fails the test."""
    body = {**post_to(scene.channel), "message": f"my token is {scene.bot.token}"}
    with server.violation("a token appears in the text of POST /api/v4/posts"):
        bot.api("POST", "/posts", body)
    with server.violation("a token appears in the log"):
        server.check_text(f"sent Bearer {scene.bot.token}", "the log")
    server.check_text("sent Bearer ***", "the log")


def test_the_rate_limit_is_off_by_default(bot: Caller) -> None:
    """Without a rate limit no answer speaks of one."""
    assert not [name for name in bot.api("GET", "/users/me").headers if "Ratelimit" in name]


def test_the_rate_limit_counts_every_request(
    bot: Caller, server: Mattermost, clock: ManualClock
) -> None:
    """Beyond the burst comes 429 in plain text, until time has refilled the bucket."""
    server.site.rate_per_second, server.site.rate_burst = 2, 4
    answers = [bot.api("GET", "/users/me") for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 429]
    assert answers[0].headers["X-Ratelimit-Limit"] == "4"
    assert [answer.headers["X-Ratelimit-Remaining"] for answer in answers] == list("32100")
    assert answers[-1].headers["X-Ratelimit-Reset"] == "2"
    assert answers[-1].headers["Retry-After"] == "1"
    assert answers[-1].headers["Content-Type"] == "text/plain"
    assert answers[-1].body == b"limit exceeded"
    assert bot("POST", "/hooks/x", {}, {"Authorization": ""}).status == 429
    clock.advance(1)
    assert bot.api("GET", "/users/me").status == 200
