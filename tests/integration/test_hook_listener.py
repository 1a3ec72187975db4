"""The listener, over real sockets: what it takes, what it refuses, and that nobody holds it up."""

from __future__ import annotations

import http.client
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest

from autoctrl.errors import StoreError
from autoctrl.hooks.exchange import Answer, Request, answer_json
from autoctrl.hooks.limits import Limits
from autoctrl.hooks.rate import Rate
from autoctrl.hooks.server import answering, network_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from autoctrl.hooks.exchange import Hook

LIMIT_S = 60
MANY = Rate(1e6, 1_000_000)
AT_ONCE_S = 0.05


class Listening(NamedTuple):
    """A listener in this process, and what it has said."""

    port: int
    said: list[str]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_S)

    def send(self, data: bytes) -> bytes:
        """Send bytes as they are, and return all that is answered until the other end hangs up."""
        with self.connect() as connection:
            connection.sendall(data)
            return everything(connection)

    def post(
        self, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        connection.request("POST", path, body, dict(headers or {}))
        return connection.getresponse()


def everything(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


def echo(request: Request) -> Answer:
    headers = {key: value for key, value in request.headers.items() if key.startswith("x-")}
    return answer_json([request.method, request.path, headers, len(request.body)], 202)


@contextmanager
def listening(
    hooks: Mapping[str, Hook] | None = None, limits: Limits | None = None
) -> Iterator[Listening]:
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        given = limits if limits is not None else Limits(rate=MANY)
        with answering(hooks or {"/hooks/echo": echo}, listener, said.append, given):
            yield Listening(port, said)


@pytest.fixture(scope="module")
def usual() -> Iterator[Listening]:
    """Be a listener with the usual limits, but for how often one may ask."""
    with listening() as found:
        yield found


def head(*lines: str) -> bytes:
    return "\r\n".join(["POST /hooks/echo HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


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


@pytest.mark.parametrize(
    ("begin", "dribble", "expected"),
    [
        (b"POST /hooks/echo HTTP/1.1\r\n", b"X: y\r\n", "its headers took too long"),
        (head("Content-Length: 60000"), b"x", "its body took too long"),
        (head("Transfer-Encoding: chunked"), b"1\r\nx\r\n", "its body took too long"),
    ],
)
def test_a_slow_sender_is_cut_off(begin: bytes, dribble: bytes, expected: str) -> None:
    """Who sends a byte now and then is told so and cut off, whether in headers or body."""
    limits = Limits(head_s=0.3, body_s=0.3, rate=MANY)
    done = threading.Event()
    with listening(limits=limits) as found, found.connect() as connection:
        connection.sendall(begin)

        def go_on() -> None:
            with suppress(OSError):
                while not done.wait(AT_ONCE_S):
                    connection.sendall(dribble)

        threading.Thread(target=go_on, daemon=True).start()
        answer = connection.recv(65536)
        done.set()
        assert status(answer) == 408
    assert found.said[-1].endswith(f": 408: {expected}")


def test_who_says_nothing_is_hung_up_on() -> None:
    """A connection on which nothing comes is closed without a word."""
    with listening(limits=Limits(head_s=0.2)) as found, found.connect() as connection:
        assert everything(connection) == b""
    assert found.said == []


def test_slow_senders_do_not_hold_up_others() -> None:
    """While a hundred connections dribble, a hundred requests are answered."""
    with listening() as found:
        slow = [found.connect() for _ in range(100)]
        for connection in slow:
            connection.sendall(b"POST /hooks/echo HTTP/1.1\r\nX:")
        assert {found.post("/hooks/echo").status for _ in range(100)} == {202}
        for connection in slow:
            connection.close()


def test_too_many_connections_are_told_to_come_again() -> None:
    """Beyond so many connections each is refused at once, with the time to wait; and when they are
    gone all is well.
    """
    with listening(limits=Limits(connections=3, rate=MANY)) as found:
        idle = [found.connect() for _ in range(3)]
        for connection in idle:
            connection.sendall(b"P")
        refusal = wait_for_status(found, 503)
        assert refusal.headers["Retry-After"] == "1"
        for connection in idle:
            connection.close()
        wait_for_status(found, 202)


def wait_for_status(found: Listening, wanted: int) -> http.client.HTTPResponse:
    """Ask until the listener has seen what became of other connections; the lane ends a wait that
    never does.
    """
    while (answer := found.post("/hooks/echo")).status != wanted:
        pass
    return answer


def test_two_hundred_at_once() -> None:
    """Each of 200 requests at once is answered, by the hook or by 503 with the time to wait; there
    are never more hooks at work than may be.
    """
    lock, at_work, most = threading.Lock(), 0, 0

    def count(request: Request) -> Answer:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        answer = echo(request)
        with lock:
            at_work -= 1
        return answer

    barrier = threading.Barrier(200)
    with listening({"/hooks/count": count}) as found, ThreadPoolExecutor(200) as threads:

        def post(_: int) -> tuple[int, str | None]:
            barrier.wait(LIMIT_S)
            answer = found.post("/hooks/count", b"x" * 1000)
            return answer.status, answer.headers["Retry-After"]

        answers = list(threads.map(post, range(200)))
    assert set(answers) <= {(202, None), (503, "1")}
    assert (202, None) in answers
    assert 0 < most <= Limits().running


def test_hooks_at_work_are_limited() -> None:
    """Who finds so many hooks at work, and none that ends soon, is told to come again."""
    free, begun = threading.Event(), threading.Semaphore(0)

    def wait(_: Request) -> Answer:
        begun.release()
        free.wait(LIMIT_S)
        return Answer()

    limits = Limits(running=2, patience_s=0.1, rate=MANY)
    with listening({"/hooks/wait": wait}, limits) as found, ThreadPoolExecutor(2) as threads:
        busy = [threads.submit(found.post, "/hooks/wait") for _ in range(2)]
        assert all(begun.acquire(timeout=LIMIT_S) for _ in busy)
        assert found.post("/hooks/wait").status == 503
        free.set()
        assert [one.result().status for one in busy] == [200, 200]
        assert found.post("/hooks/wait").status == 200


def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    """Beyond the rate of an address and path comes 429 with the time to wait; another path has its
    own.
    """
    hooks = {"/hooks/a": echo, "/hooks/b": echo}
    with listening(hooks, Limits(rate=Rate(0.1, 3))) as found:
        answers = [found.post("/hooks/a") for _ in range(5)]
        assert [answer.status for answer in answers] == [202] * 3 + [429] * 2
        assert answers[-1].headers["Retry-After"] in {"10", "11"}
        assert found.post("/hooks/b").status == 202
        assert [found.post(f"/{number}").status for number in range(4)] == [404] * 3 + [429]


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


def test_hooks_at_work_finish_when_the_listener_ends() -> None:
    """The answer of a hook that is at work still comes; new connections do not."""
    begun, free = threading.Event(), threading.Event()

    def wait(_: Request) -> Answer:
        begun.set()
        free.wait(LIMIT_S)
        return Answer(body=b"done")

    with ThreadPoolExecutor(1) as threads:
        with listening({"/hooks/wait": wait}) as found:
            waiting = threads.submit(found.post, "/hooks/wait")
            assert begun.wait(LIMIT_S)
            threading.Timer(AT_ONCE_S, free.set).start()
        assert waiting.result().read() == b"done"
    with pytest.raises(ConnectionRefusedError):
        found.connect()


def test_a_hook_that_never_ends_does_not_keep_the_listener() -> None:
    """Once the time of grace is over the listener ends without it."""
    begun, free = threading.Event(), threading.Event()

    def wait(_: Request) -> Answer:
        begun.set()
        free.wait(LIMIT_S)
        return Answer()

    with listening({"/hooks/wait": wait}, Limits(grace_s=0.1)) as found:
        connection = found.connect()
        connection.sendall(head("Content-Length: 0").replace(b"echo", b"wait"))
        assert begun.wait(LIMIT_S)
    with connection:
        assert everything(connection) == b""
    free.set()
