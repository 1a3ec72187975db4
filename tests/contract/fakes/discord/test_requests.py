"""What may be asked of a webhook, what may not, and what is kept of both."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.contract.fakes.discord.client import AGENT, WIDE
from tests.fakes.discord import Discord, Fault, Kind, Limits, Rate

if TYPE_CHECKING:
    from tests.contract.fakes.discord.client import Client, Hands

JSON = "application/json"


def test_post_that_waits_is_answered_with_the_message(discord: Discord, client: Client) -> None:
    """Who waits is given the message, its id among it."""
    answer = client.post(content=" hot \n", embeds=[{"title": " T "}], username="shift", flags=4)
    [message] = discord.messages
    assert answer.status == 200
    assert answer.body["id"] == message.id
    assert answer.body["webhook_id"] == discord.webhook.id
    assert answer.body["channel_id"] == discord.webhook.channel_id
    assert answer.body["timestamp"] == "2027-01-15T08:00:00+00:00"
    assert (message.content, message.username, message.flags) == ("hot", "shift", 4)
    assert message.embeds == ({"title": "T"},)


@pytest.mark.parametrize("rest", ["", "?wait=false"])
def test_post_that_does_not_wait_is_answered_with_nothing(
    discord: Discord, client: Client, rest: str
) -> None:
    """Who does not wait is given an empty answer, although the message is saved."""
    answer = client.post(rest, content="hot")
    assert (answer.status, answer.raw) == (204, b"")
    assert [message.content for message in discord.messages] == ["hot"]


def test_wait_must_be_a_boolean(discord: Discord, client: Client) -> None:
    """A value of ``wait`` that is no boolean is refused and saves nothing."""
    answer = client.post("?wait=maybe", content="hot")
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.body["errors"]["wait"]["_errors"][0]["code"] == "BOOLEAN_TYPE_CONVERT"
    assert discord.messages == []


def test_message_that_is_not_saved_is_an_error_only_for_who_waits(
    discord: Discord, client: Client
) -> None:
    """A message that gets lost in Discord is no error for who does not wait."""
    discord.plan(Fault(Kind.UNSAVED), Fault(Kind.UNSAVED))
    assert client.post("", content="hot").status == 204
    assert client.post(content="hot").status == 500
    assert discord.messages == []


def test_edit_replaces_what_it_names(discord: Discord, client: Client) -> None:
    """An edit replaces content or embeds and leaves the rest."""
    number = client.post(content="hot", embeds=[{"title": "A"}, {"title": "B"}]).body["id"]
    first = client.say("PATCH", f"/messages/{number}", content="cold")
    second = client.say("PATCH", f"/messages/{number}", embeds=[{"title": "C"}])
    assert (first.status, second.status) == (200, 200)
    assert second.body["content"] == "cold"
    assert [embed["title"] for embed in second.body["embeds"]] == ["C"]
    assert [edit.before.content for edit in discord.edits] == ["hot", "cold"]
    assert discord.posts[0].content == "hot"
    assert discord.messages == [discord.edits[-1].after]


def test_edit_with_null_empties(client: Client) -> None:
    """Null in an edit takes away, and what shows nothing then is refused."""
    number = client.post(content="hot", embeds=[{"title": "A"}]).body["id"]
    assert client.say("PATCH", f"/messages/{number}", content=None).body["content"] == ""
    answer = client.say("PATCH", f"/messages/{number}", embeds=None)
    assert (answer.status, answer.code) == (400, 50006)


def test_deleted_message_is_gone(discord: Discord, client: Client) -> None:
    """A deletion is answered with nothing, and the message is unknown from then on."""
    number = client.post(content="hot").body["id"]
    answer = client.ask("DELETE", f"/messages/{number}")
    assert (answer.status, answer.raw) == (204, b"")
    for again in (
        client.ask("DELETE", f"/messages/{number}"),
        client.say("PATCH", f"/messages/{number}", content="cold"),
    ):
        assert (again.status, again.code) == (404, 10008)
    assert discord.messages == []
    assert [message.id for message in discord.deletions] == [number]


def test_message_of_another_webhook_is_unknown(discord: Discord, client: Client) -> None:
    """A webhook changes its own messages only, in the same channel too."""
    other = discord.add_webhook(channel_id=discord.webhook.channel_id)
    number = client.post(content="hot", hook=other).body["id"]
    answer = client.say("PATCH", f"/messages/{number}", content="cold")
    assert (answer.status, answer.code) == (404, 10008)


def test_webhook_describes_itself(discord: Discord, client: Client) -> None:
    """A webhook that is asked for is described without its user, and nothing is posted."""
    answer = client.ask("GET")
    assert answer.status == 200
    assert answer.body["id"] == discord.webhook.id
    assert answer.body["channel_id"] == discord.webhook.channel_id
    assert "user" not in answer.body
    assert discord.posts == []


def test_thread_is_named_again_in_an_edit(discord: Discord, client: Client) -> None:
    """A message in a thread lies there, and is found only by who names the thread."""
    thread = discord.add_thread()
    posted = client.post(f"?wait=true&thread_id={thread}", content="hot").body
    assert posted["channel_id"] == thread
    astray = client.say("PATCH", f"/messages/{posted['id']}", content="cold")
    assert (astray.status, astray.code) == (404, 10008)
    place = f"/messages/{posted['id']}?thread_id={thread}"
    assert client.say("PATCH", place, content="cold").status == 200
    assert client.ask("DELETE", place).status == 204


@pytest.mark.parametrize(
    ("thread", "status", "code"), [("1" * 18, 404, 10003), ("x", 400, 50035), ("", 400, 50035)]
)
def test_unknown_thread_is_refused(client: Client, thread: str, status: int, code: int) -> None:
    """A thread that is not there, or is no id, is refused."""
    answer = client.post(f"?wait=true&thread_id={thread}", content="hot")
    assert (answer.status, answer.code) == (status, code)


def test_forum_takes_messages_in_threads_only(discord: Discord, client: Client) -> None:
    """A forum wants a thread, an old one or the name of a new one, and not both."""
    forum = discord.add_webhook(is_forum=True)
    assert client.post(content="hot", hook=forum).code == 220001
    posted = client.post(content="hot", thread_name="Run 5", hook=forum).body
    assert posted["channel_id"] in forum.threads
    inside = f"?wait=true&thread_id={posted['channel_id']}"
    assert client.post(inside, content="cold", hook=forum).status == 200
    assert client.post(inside, content="x", thread_name="Run 6", hook=forum).code == 220002
    assert client.post(content="x", thread_name="Run 6").code == 220003


@pytest.mark.parametrize(
    "agent", ["", "autoctrl/1.0", "DiscordBot (http://example.org, 1)", "DiscordBot (https://a.b)"]
)
def test_user_agent_has_a_form(discord: Discord, client: Client, agent: str) -> None:
    """Who does not say who it is in Discord's form is shown a page, not JSON."""
    headers = {"User-Agent": agent, "Content-Type": JSON}
    answer = client.send("POST", discord.url, b"{}", headers)
    assert answer.status == 403
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.raw.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_body_is_declared_as_json(discord: Discord, client: Client, kind: str) -> None:
    """A body that is not declared as JSON is refused as a form."""
    headers = {"User-Agent": AGENT, **({"Content-Type": kind} if kind else {})}
    answer = client.send("POST", discord.url, b'{"content": "x"}', headers)
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.body["errors"]["_errors"][0]["code"] == "CONTENT_TYPE_INVALID"


def test_charset_may_be_declared(discord: Discord, client: Client) -> None:
    """A content type may name its charset."""
    headers = {"User-Agent": AGENT, "Content-Type": f"{JSON}; charset=utf-8"}
    body = '{"content": "größer", "allowed_mentions": {"parse": []}}'.encode()
    assert client.send("POST", discord.url, body, headers).status == 204
    assert discord.messages[0].content == "größer"


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"\xff", b"[" * 100_000])
def test_body_is_json(discord: Discord, client: Client, body: bytes) -> None:
    """A body that is no JSON is refused."""
    answer = client.send("POST", discord.url, body)
    assert (answer.status, answer.code) == (400, 50109)


def test_wrong_token_is_refused(discord: Discord, client: Client) -> None:
    """A wrong token is refused with an error of its own."""
    url = discord.url[:-1] + ("a" if discord.url[-1] != "a" else "b")
    answer = client.send("GET", url, headers={"User-Agent": AGENT})
    assert (answer.status, answer.code) == (401, 50027)
    assert discord.invalid_answers == 1


def test_revoked_webhook_is_unknown_and_must_be_left_alone(
    discord: Discord, client: Client
) -> None:
    """A webhook that was revoked is unknown, and to ask it again is a violation."""
    discord.revoke()
    answer = client.post(content="hot")
    assert (answer.status, answer.code) == (404, 10015)
    assert discord.violations == []
    assert client.ask("GET").code == 10015
    assert [found.partition(":")[0] for found in discord.take_violations()] == [
        "asked again after it was gone"
    ]


def test_body_may_be_too_large(hands: Hands, client: Client) -> None:
    """A body that is larger than the service takes is refused as such."""
    with Discord(clock=hands, limits=Limits(user=Rate(9, 2.0), body_bytes=100)) as small:
        client.service = small
        answer = client.post(content="x" * 100)
        assert (answer.status, answer.code) == (413, 40005)
        assert client.post(content="x").status == 200


@pytest.mark.parametrize("status", [500, 502, 503, 520])
def test_network_may_answer_with_a_page(discord: Discord, client: Client, status: int) -> None:
    """An outage is a page in HTML, once for each that is planned, and saves nothing."""
    discord.plan(Fault(Kind.HTML, status=status))
    answer = client.post(content="hot")
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert not any(name.startswith("X-RateLimit") for name in answer.headers)
    assert discord.messages == []
    assert client.post(content="hot").status == 200


def test_permission_may_be_missing(discord: Discord, client: Client) -> None:
    """A request that is forbidden is refused and counts as invalid."""
    discord.plan(Fault(Kind.FORBIDDEN, method="PATCH"))
    number = client.post(content="hot").body["id"]
    answer = client.say("PATCH", f"/messages/{number}", content="cold")
    assert (answer.status, answer.code) == (403, 50013)
    assert discord.invalid_answers == 1


@pytest.mark.parametrize(("kind", "saved"), [(Kind.LOST, ["hot"]), (Kind.CUT, [])])
def test_answer_may_be_lost(discord: Discord, client: Client, kind: Kind, saved: list[str]) -> None:
    """A connection that is cut does not tell whether the message was saved."""
    discord.plan(Fault(kind))
    with pytest.raises((http.client.HTTPException, OSError)):
        client.post(content="hot")
    assert [message.content for message in discord.messages] == saved
    assert [request.status for request in discord.requests] == [None]


def test_answer_may_never_come(discord: Discord, client: Client) -> None:
    """A client that gives up waiting has posted all the same, and the others are served."""
    discord.plan(Fault(Kind.SILENT))
    client.patience_s = 0.05
    with pytest.raises(TimeoutError):
        client.post(content="hot")
    client.patience_s = 30
    assert client.post(content="cold").status == 200
    assert [message.content for message in discord.messages] == ["hot", "cold"]
    assert [request.status for request in discord.requests] == [None, 200]


def test_message_said_again_is_noted(discord: Discord, client: Client, hands: Hands) -> None:
    """A message that is said again within the window is a repetition, whatever its time."""
    when = "2027-01-15T08:00:0{}Z"
    client.post(content="hot", embeds=[{"title": "A", "timestamp": when.format(0)}])
    hands.now_s += 600
    client.post(content="hot", embeds=[{"title": "A", "timestamp": when.format(1)}])
    [pair] = discord.repeats
    assert [pair.first, pair.again] == discord.posts
    with pytest.raises(AssertionError, match="repeats"):
        discord.check()
    discord.allowed_repeats = 1
    discord.check()


def test_other_messages_are_no_repetition(discord: Discord, client: Client, hands: Hands) -> None:
    """Another text, another channel, a refused try or a later time is no repetition."""
    client.post(content="hot")
    client.post(content="cold")
    client.post(content="hot", hook=discord.add_webhook())
    discord.plan(Fault(Kind.HTML), Fault(Kind.UNSAVED))
    client.post(content="hot")
    client.post(content="hot")
    hands.now_s += 600.1
    client.post(content="hot")
    assert discord.repeats == []


@pytest.mark.parametrize(
    ("method", "rest", "status"),
    [
        ("PUT", "", 405),
        ("DELETE", "", 405),
        ("PATCH", "", 405),
        ("BREW", "", 405),
        ("GET", "/messages/" + "1" * 18, 405),
        ("POST", "/messages/" + "1" * 18, 405),
        ("POST", "/slack", 404),
        ("POST", "/messages/@original", 404),
        ("GET", "?wait=true", 200),
        ("DELETE", "/messages/" + "1" * 18 + "?wait=true", 404),
    ],
)
def test_unknown_request_is_a_violation(
    discord: Discord, client: Client, method: str, rest: str, status: int
) -> None:
    """A method, a path or a parameter that the contract does not know is a violation."""
    assert client.ask(method, rest).status == status
    [found] = discord.take_violations()
    assert found.startswith("unknown")
    assert discord.webhook.token not in found


@pytest.mark.parametrize(
    "change", [("/api/v10", "/api"), ("/api/v10", "/api/v9"), ("/webhooks/", "/webhooks/0")]
)
def test_address_is_the_versioned_one(
    discord: Discord, client: Client, change: tuple[str, str]
) -> None:
    """An address without the right version is a violation, and so is an id of a wrong length."""
    url = discord.url.replace(*change).replace("/webhooks/0", "/webhooks/00")
    assert client.send("GET", url, headers={"User-Agent": AGENT}).status == 404
    assert discord.take_violations()[0].startswith("unknown path")


def test_violation_ends_the_test(hands: Hands, client: Client) -> None:
    """Leaving the service raises what was wrong."""
    service = Discord(clock=hands, limits=WIDE)
    client.service = service
    with pytest.raises(AssertionError, match="unknown parameter shout"), service:
        client.ask("GET", "?shout=1")


def test_error_of_the_test_is_not_hidden(hands: Hands) -> None:
    """What fails inside the test itself is raised in place of violations."""
    service = Discord(clock=hands)
    service.accuse("anything")
    with pytest.raises(KeyError), service:
        raise KeyError


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["GET {path} HTTP/1.1", "Host: discord.com"], "unknown host"),
        (["GET {path} HTTP/1.1", "Host: {host}", "Transfer-Encoding: chunked"], "no request"),
        (["GET {path} HTTP/x", "Host: {host}"], "no request"),
        (["GET {path} HTTP/1.1", "Host: {host}", "Content-Length: 2"], "a body where none"),
        (["GET {path} HTTP/1.1", "Host: {host}", "X: {token}"], "the token stands outside"),
    ],
)
def test_odd_request_is_a_violation(discord: Discord, lines: list[str], what: str) -> None:
    """A foreign host, a body without its length or where none belongs, a token elsewhere and what
    is no HTTP are violations, and no answer repeats the token.
    """
    parts = urlsplit(discord.url)
    text = "\r\n".join([*lines, f"User-Agent: {AGENT}", "Connection: close", "", "{{}}"])
    text = text.format(path=parts.path, host=parts.netloc, token=discord.webhook.token)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert discord.take_violations()[0].startswith(what)
    assert discord.webhook.token.encode() not in answer


def test_token_is_told_to_nobody(discord: Discord, client: Client) -> None:
    """No answer, no ledger and no record shows the token, and a body that holds it is refused."""
    number = client.post(content="hot").body["id"]
    answers = [
        client.ask("GET"),
        client.ask("GET", "/x"),
        client.ask("PUT"),
        client.say("PATCH", f"/messages/{number}", content="x" * 2001),
        client.post(content=f"see {discord.url}"),
    ]
    assert [answer.status for answer in answers] == [200, 404, 405, 400, 403]
    shown = b"".join(answer.raw for answer in answers).decode()
    told = f"{shown}{[a.headers for a in answers]}{discord.webhook}{discord.take_violations()}"
    told += str([request.path for request in discord.requests])
    assert discord.webhook.token not in told


def test_ledger_keeps_every_request(discord: Discord, client: Client, hands: Hands) -> None:
    """The ledger says what was asked when, and with which answer."""
    client.post(content="hot")
    hands.now_s += 5
    client.post(content="")
    first, second = discord.requests
    path = f"/api/v10/webhooks/{discord.webhook.id}/TOKEN"
    assert (first.method, first.path, first.query) == ("POST", path, "wait=true")
    assert first.body == {"allowed_mentions": {"parse": []}, "content": "hot"}
    assert (first.status, first.code) == (200, None)
    assert (second.status, second.code) == (400, 50006)
    assert second.at_s - first.at_s == 5
