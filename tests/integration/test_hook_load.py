"""The listener under load: nobody holds it up, and it ends in good time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from autoctrl.hooks.exchange import Answer, Request
from autoctrl.hooks.limits import Limits
from autoctrl.hooks.rate import Rate
from tests.integration.listening import (
    AT_ONCE_S,
    LIMIT_S,
    MANY,
    Listening,
    echo,
    everything,
    head,
    listening,
    status,
)

if TYPE_CHECKING:
    import http.client


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
