"""How the fake breaks down: busy, hidden, slow, cut off, started again."""

from __future__ import annotations

import http.client
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.fakes.caller import Caller

if TYPE_CHECKING:
    from tests.fakes.mattermost import Mattermost, Scene


@pytest.fixture
def body(scene: Scene) -> dict[str, Any]:
    props = {"autoctrl": {"incident": 7, "change": 1}}
    return {"channel_id": scene.channel.id, "message": "x", "props": props}


def test_a_busy_server_says_so_in_plain_text(
    bot: Caller, server: Mattermost, body: dict[str, Any]
) -> None:
    """A busy server answers with 429 and the headers of the limit, and carries nothing out."""
    server.be_busy(times=2, seconds=3)
    for _ in range(2):
        reply = bot.api("POST", "/posts", body)
        assert (reply.status, reply.body) == (429, b"limit exceeded")
        assert reply.headers["Content-Type"] == "text/plain"
        assert reply.headers["Retry-After"] == reply.headers["X-Ratelimit-Reset"] == "3"
        assert reply.headers["X-Ratelimit-Remaining"] == "0"
    assert bot.api("POST", "/posts", body).status == 201
    assert len(server.posts_with(autoctrl=body["props"]["autoctrl"])) == 1


def test_a_proxy_answers_in_html(bot: Caller, server: Mattermost, body: dict[str, Any]) -> None:
    """A proxy answers with 502 and a page for the requests that are meant."""
    server.be_hidden(where="POST /api/v4/posts")
    assert bot.api("GET", "/users/me").status == 200
    reply = bot.api("POST", "/posts", body)
    assert (reply.status, reply.headers["Content-Type"]) == (502, "text/html")
    assert b"<html>" in reply.body


def test_a_slow_server_answers_late(
    bot: Caller, server: Mattermost, scene: Scene, body: dict[str, Any]
) -> None:
    """A client gives up a slow server, which carries out what it was asked all the same."""
    server.be_slow(0.2)
    with pytest.raises(TimeoutError):
        bot("POST", "/api/v4/posts", body, seconds=0.05)
    server.wait_until(lambda: len(server.posts) == 1)
    assert server.posts[0].channel_id == scene.channel.id


def test_an_answer_is_lost(bot: Caller, server: Mattermost, body: dict[str, Any]) -> None:
    """The post is saved and the connection cut, so a client that asks again posts twice."""
    server.lose_answer()
    with pytest.raises(http.client.RemoteDisconnected):
        bot.api("POST", "/posts", body)
    assert len(server.posts_with(autoctrl=body["props"]["autoctrl"])) == 1
    assert server.exchanges[-1].answer is None
    assert bot.api("POST", "/posts", body).status == 201
    assert len(server.posts_with(autoctrl=body["props"]["autoctrl"])) == 2


def test_a_connection_is_cut(bot: Caller, server: Mattermost, body: dict[str, Any]) -> None:
    """The connection is cut and nothing is carried out."""
    server.cut()
    with pytest.raises(http.client.RemoteDisconnected):
        bot.api("POST", "/posts", body)
    assert server.posts == []


def test_a_server_is_started_again(bot: Caller, server: Mattermost, body: dict[str, Any]) -> None:
    """A stopped server refuses connections; the next start has its port, data and tokens."""
    post = bot.api("POST", "/posts", body).json
    port = server.port
    server.stop()
    with pytest.raises(OSError, match=r"refused|reset"):
        bot.api("GET", "/users/me")
    server.start()
    assert server.port == port
    assert bot.api("GET", f"/posts/{post['id']}/thread").json["order"] == [post["id"]]


def test_a_stop_cuts_open_connections(server: Mattermost, scene: Scene) -> None:
    """A connection that is kept open does not outlive a restart."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {"Authorization": f"Bearer {scene.bot.token}"}
    connection.request("GET", "/api/v4/users/me", headers=headers)
    assert connection.getresponse().read()
    server.restart()
    assert connection.sock.recv(1) == b""
    connection.close()


def test_a_stop_releases_who_waits(bot: Caller, server: Mattermost) -> None:
    """A request that waits at a slow server is cut off when the server stops."""
    server.be_slow(60)
    errors: list[Exception] = []

    def ask() -> None:
        try:
            bot.api("GET", "/users/me")
        except (OSError, http.client.HTTPException) as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    deadline = time.monotonic() + 20
    while any(fault.times for fault in server.faults) and time.monotonic() < deadline:
        time.sleep(0.01)
    server.stop()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert errors


def test_many_clients_at_once(server: Mattermost, scene: Scene, body: dict[str, Any]) -> None:
    """Posts of many clients are all kept, each once, and each request is in the ledger."""

    def post(number: int) -> None:
        caller = Caller(server.port, scene.bot.token)
        caller.api("POST", "/posts", {**body, "message": str(number)})

    threads = [threading.Thread(target=post, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(int(post.message) for post in server.posts) == list(range(20))
    assert len(server.requests("POST /api/v4/posts")) == 20


def test_waiting_ends(server: Mattermost) -> None:
    """Whoever waits for what does not come is told."""
    with pytest.raises(AssertionError, match="did not become true"):
        server.wait_until(lambda: False, seconds=0.01)
