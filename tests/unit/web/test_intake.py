"""What of a request is taken in, as far as its head tells."""

from __future__ import annotations

import h11
import pytest

from autoctrl.web.crowds.body import LARGEST
from autoctrl.web.crowds.intake import (
    LARGEST_HEAD,
    MOST_LINES,
    Intake,
    count_lines,
    spell_refusal,
)

HOST = b"Host: localhost\r\n"
CHUNKS = b"1\r\na\r\n" * 1000


def take(received: bytes) -> tuple[int, list[str]]:
    """Return the status with which a request is refused, 0 if it is not, and its events."""
    heard: list[object] = []
    intake = Intake(heard.append)
    intake.receive_data(received)
    try:
        while not isinstance(intake.next_event(), (h11.EndOfMessage, type)):
            pass
    except h11.RemoteProtocolError:
        return intake.refusal, [type(event).__name__ for event in heard]
    return 0, [type(event).__name__ for event in heard if isinstance(event, h11.Event)]


@pytest.mark.parametrize(
    ("received", "code"),
    [
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS, 411),
        (
            b"POST / HTTP/1.1\r\n"
            + HOST
            + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            411,
        ),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % (LARGEST + 1), 413),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 19 + b"\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\na", 413),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1, 2\r\n\r\na", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"a:b\r\n" * MOST_LINES + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"a:b\r\n" * MOST_LINES, 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"a: " + b"b" * LARGEST_HEAD, 431),
        (b"GET / HTTP/1.1\rHost: localhost\r\r\n\r\n", 400),
    ],
)
def test_a_request_is_refused_by_its_head(received: bytes, code: int) -> None:
    """Nothing of a body is looked at, and nobody hears of the request."""
    assert take(received) == (code, [])


@pytest.mark.parametrize(
    ("received", "events"),
    [
        (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", ["Request", "EndOfMessage"]),
        (
            b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n",
            ["Request", "EndOfMessage"],
        ),
        (
            b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\na",
            ["Request", "Data", "EndOfMessage"],
        ),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\n", ["Request"]),
        (b"GET / HTTP/1.1\r\n" + HOST, []),
    ],
)
def test_other_requests_are_taken_in(received: bytes, events: list[str]) -> None:
    """Each event is heard in its order."""
    assert take(received) == (0, events)


def test_only_the_lines_of_the_head_count() -> None:
    """Not those of the body, or of the requests that stand behind it."""
    assert count_lines(b"GET /\r\na: b\r\n\r\n" + b"\n" * 999) == 2
    assert count_lines(b"GET /\na: b\n\n" + b"\n" * 999) == 2
    assert count_lines(b"GET /\r\na: b") == 2


@pytest.mark.parametrize("code", [400, 408, 411, 413, 431, 501, 503])
def test_a_refusal_is_an_answer_that_ends_the_connection(code: int) -> None:
    """It says why, and a crowd is told when to come again."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(spell_refusal(code))
    answer, text = client.next_event(), client.next_event()
    assert isinstance(answer, h11.Response)
    assert isinstance(text, h11.Data)
    assert answer.status_code == code
    assert (b"connection", b"close") in list(answer.headers)
    assert ((b"retry-after", b"2") in list(answer.headers)) is (code == 503)
    assert text.data.endswith(b".\n")
