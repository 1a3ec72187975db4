"""The listener, over real sockets: what it takes, what it refuses, and what it says of that."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import StoreError
from autoctrl.hooks.server import network_of
from tests.integration.listening import (
    Listening,
    everything,
    head,
    listening,
    status,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.hooks.exchange import Answer, Request


@pytest.fixture(scope="module")
def usual() -> Iterator[Listening]:
    """Be a listener with the usual limits, but for how often one may ask."""
    with listening() as found:
        yield found


def test_a_hook_gets_what_was_sent_and_its_answer_is_given(usual: Listening) -> None:
    """Method, path without query, headers in small letters and body go in; status, type and body
    come out; nothing tells which program answers.
    """
    answer = usual.post("/hooks/echo?token=secret", b"{}", {"X-Some": "ä"})
    assert answer.read() == b'["POST", "/hooks/echo", {"x-some": "\\u00e4"}, 2]'
    assert (answer.status, answer.headers["Content-Type"]) == (202, "application/json")
    assert answer.headers["Server"] is None
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize(
    "path",
    ["/", "/hooks", "/hooks/", "/hooks/echo/", "/hooks/Echo", "//hooks/echo", "/hooks%2Fecho"],
)
def test_nothing_else_is_there(usual: Listening, path: str) -> None:
    """Any other path is not found, whatever the method, and the log does not repeat it."""
    answer = usual.post(path, b"{}")
    assert (answer.status, answer.read()) == (404, b"Not Found.\n")
    assert usual.said[-1] == "hooks: POST an unknown path from 127.0.0.1: 404: nothing is there"


def test_only_post_is_taken(usual: Listening) -> None:
    """Another method is refused with the one that is taken."""
    answer = usual.send(b"GET /hooks/echo HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status(answer) == 405
    assert b"\r\nallow: post\r\n" in answer.lower()


def test_chunks_are_put_together(usual: Listening) -> None:
    """A body in chunks is read whole, trailers and all."""
    chunks = b"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nTrailer: x\r\n\r\n"
    answer = usual.send(head("Transfer-Encoding: chunked") + chunks)
    assert status(answer) == 202
    assert answer.endswith(b"{}, 4]")


def test_a_body_of_the_greatest_length_is_taken(usual: Listening) -> None:
    """64 KiB are taken."""
    answer = usual.post("/hooks/echo", b"x" * 65536)
    assert answer.status == 202


def test_a_sender_that_asks_first_is_told_to_go_on(usual: Listening) -> None:
    """Who waits for leave to send its body gets it, or the refusal at once."""
    with usual.connect() as connection:
        connection.sendall(head("Content-Length: 2", "Expect: 100-continue"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"{}")
        assert status(everything(connection)) == 202
    assert status(usual.send(head("Content-Length: 70000", "Expect: 100-continue"))) == 413


def test_a_huge_body_is_refused_before_it_is_read(usual: Listening) -> None:
    """A body that says that it is too long is refused while nothing of it has come."""
    with usual.connect() as connection:
        connection.sendall(head("Content-Length: 100000000000"))
        assert status(connection.recv(65536)) == 413


def test_a_huge_body_is_not_taken_in(usual: Listening) -> None:
    """Who sends a body that is too long all the same is cut off after little of it."""
    megabyte, taken = b"x" * 2**20, 0
    with usual.connect() as connection:
        connection.sendall(head("Content-Length: 1000000000"))
        with suppress(OSError):
            while taken < 1000:
                connection.sendall(megabyte)
                taken += 1
    assert taken < 50


def test_chunks_are_counted(usual: Listening) -> None:
    """Chunks without end are refused once they are too long together."""
    with usual.connect() as connection:
        connection.sendall(head("Transfer-Encoding: chunked"))
        connection.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n" + b"c001\r\n" + b"x" * 0xC001)
        assert status(everything(connection)) == 413


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n", 400),
        (b"POST /hooks/echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400),
        (head("Content-Length: -1"), 400),
        (head("Content-Length: 2", "Content-Length: 3"), 400),
        (head("Content-Length: 2", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
        (head("Transfer-Encoding: gzip"), 501),
        (head("Transfer-Encoding: chunked") + b"zz\r\n", 400),
        (head("Content-Length: 2\x00"), 400),
        (head(), 411),
        (head(f"X-Long: {'x' * 20000}", "Content-Length: 0"), 431),
        (head(*(f"X-{number}: {'x' * 90}" for number in range(200)), "Content-Length: 0"), 431),
    ],
)
def test_what_is_not_proper_is_refused(usual: Listening, data: bytes, expected: int) -> None:
    """What is no HTTP, has no length, two of them or an impossible one, or headers too long."""
    assert status(usual.send(data)) == expected


def test_only_the_first_request_of_a_connection_counts(usual: Listening) -> None:
    """What follows a request on its connection is thrown away, be it a request or garbage."""
    one = head("Content-Length: 2") + b"{}"
    answer = usual.send(one + one + b"\x00garbage" * 1000)
    assert answer.count(b"HTTP/1.1") == 1
    assert status(answer) == 202


def test_a_sender_that_hangs_up_early_leaves_nothing_behind(usual: Listening) -> None:
    """Half a body and then the end is refused, and the next sender is served."""
    with usual.connect() as connection:
        connection.sendall(head("Content-Length: 20") + b"half")
        connection.shutdown(socket.SHUT_WR)
        assert status(everything(connection)) == 400
    with usual.connect() as connection:
        connection.sendall(b"POST /hooks")
    assert usual.post("/hooks/echo").status == 202


def test_a_household_counts_as_one_address() -> None:
    """Of IPv6 the network counts, of IPv4 the address."""
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2")
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of("?") == "?"


def fail_oddly(request: Request) -> Answer:
    message = f"who sent {request.body!r}?"
    raise RuntimeError(message)


def fail_well(_: Request) -> Answer:
    message = "The store is full."
    raise StoreError(message, hint="Make room.")


def test_a_hook_that_fails_says_nothing() -> None:
    """The sender learns only that something went wrong; the log says where, and nothing that was
    sent.
    """
    hooks = {"/hooks/odd": fail_oddly, "/hooks/well": fail_well}
    with listening(hooks) as found:
        for path in hooks:
            answer = found.post(path, b"s3cret")
            assert (answer.status, answer.read()) == (500, b"Something went wrong here.\n")
    said = "\n".join(found.said)
    assert re.search(r"/hooks/odd failed: RuntimeError at .*test_hook_listener\.py:\d+\.\n", said)
    assert "StoreError" in said
    assert "The store is full. Make room." in said
    assert "s3cret" not in said


def test_the_log_does_not_grow_without_end() -> None:
    """Of a flood of refusals some are listed, and later how many were not."""
    with listening() as found:
        for _ in range(80):
            found.send(b"nonsense\r\n\r\n")
        assert 50 <= len(found.said) < 80
        assert (
            found.said[0] == "hooks: ? an unknown path from 127.0.0.1: 400: it is not proper HTTP"
        )


def test_failures_do_not_make_the_log_grow_either() -> None:
    """A hook that fails each time is listed as often as a refusal, and each time answered."""
    with listening({"/hooks/odd": fail_oddly}) as found:
        assert {found.post("/hooks/odd").status for _ in range(80)} == {500}
        # Each is a failure and a refusal.
        assert 50 <= len(found.said) < 120
