"""Connections that keep nobody waiting: half requests, slow readers, and too many of both."""

from __future__ import annotations

import asyncio
import resource
from typing import TYPE_CHECKING, Any, NamedTuple

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from autoctrl.web.crowds.intake import Intake, body_size, spell_refusal

if TYPE_CHECKING:
    from collections.abc import Callable

# Files that are no connection: the store, three for each thread that reads it; logs and outputs;
# connections that are accepted before another is closed for them.
FILES_BESIDE = 256
PIECE = 8 * 1024  # bytes that are read at once, so that no connection takes long or holds many
SENT_AHEAD = 32 * 1024  # bytes that wait for a reader before the next piece is made
UNREAD = 256 * 1024  # bytes that are thrown away after a refusal, so that its reader sees it
TIMED_OUT, CROWDED = 408, 503


class Patience(NamedTuple):
    """How long a connection is waited for, and how many there may be.

    request_s    until a head is whole, from its first byte or the connection's beginning, and
                 until the rest of a body is that was not needed for the answer
    body_s       until a body is whole, from the end of its head; whoever reads it has less patience
                 (``turnstile.BODY_S``), so that this counts where nobody reads it
    reader_s     until somebody who is sent an answer reads on
    refused_s    until somebody who was refused hangs up
    connections  at once; a further one takes the place of another, see ``Crowd``
    unsent       bytes that may wait for slow readers, all together
    """

    request_s: float = 15.0
    body_s: float = 60.0
    reader_s: float = 30.0
    refused_s: float = 2.0
    connections: int = 4096
    unsent: int = 32 * 1024 * 1024


def limit_connections(wanted: int) -> int:
    """Return how many connections this process can have: what it may open, less what it needs
    beside them. The soft limit of open files is raised as far as that needs it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else wanted + FILES_BESIDE
    raised = max(soft, min(most, wanted + FILES_BESIDE))
    if raised != soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return min(wanted, max(raised // 4, raised - FILES_BESIDE))


class Crowd:
    """The connections of one server that are not being answered: whichever state they are in, each
    has an age, and the oldest makes room.

    Room is made among those of the address that has most of them, so that whoever opens very many
    displaces their own. Behind a proxy all have one address, and the oldest of all goes.
    """

    def __init__(self) -> None:
        """Know of nobody."""
        self._late: dict[str, dict[PatientProtocol, None]] = {}
        self.unsent: dict[PatientProtocol, int] = {}  # bytes, by slow reader, slowest first

    def add(self, one: PatientProtocol) -> None:
        """Know of a connection that is not being answered from now on."""
        self.remove(one)
        self._late.setdefault(one.address, {})[one] = None

    def remove(self, one: PatientProtocol) -> None:
        """Forget a connection that is being answered, or has ended."""
        late = self._late.get(one.address, {})
        late.pop(one, None)
        if not late:
            self._late.pop(one.address, None)

    def make_room(self, newcomer: PatientProtocol) -> None:
        """End the connection that a newcomer displaces: itself if all others are being answered."""
        late = max(self._late.values(), key=len)
        oldest = next(iter(late))
        self.remove(oldest)  # a further newcomer displaces another
        oldest.hang_up(CROWDED if oldest is newcomer else TIMED_OUT)


def patient_protocol(patience: Patience) -> type[asyncio.Protocol]:
    """Return what uvicorn makes of each connection of one server."""
    crowd, buffer = Crowd(), memoryview(bytearray(PIECE))

    class Protocol(PatientProtocol):
        def __init__(self, *arguments: Any, **words: Any) -> None:  # noqa: ANN401 - of uvicorn
            super().__init__(*arguments, **words)
            self.patience, self.crowd, self.buffer = patience, crowd, buffer

    return Protocol


class PatientProtocol(H11Protocol, asyncio.BufferedProtocol):
    """One connection, which ends when its client makes it wait for too long.

    It is waited for (``_timer``) in every state but one: while a whole request is being answered.
    Of a body nothing more is taken in until somebody asks for it.
    """

    patience: Patience
    crowd: Crowd
    buffer: memoryview  # of all connections: what is in it is taken out at once
    address = ""
    _timer: asyncio.TimerHandle | None = None
    _reader_timer: asyncio.TimerHandle | None = None
    _is_idle = False  # between two requests, of the second nothing has come
    _is_refused = False
    _thrown_away = 0

    def __init__(self, *arguments: Any, **words: Any) -> None:  # noqa: ANN401 - of uvicorn
        """Be made as uvicorn makes it."""
        super().__init__(*arguments, **words)
        self.conn = self.intake = Intake(self._hear)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; make room where there are too many connections."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=SENT_AHEAD)
        self.address = self.client[0] if self.client else ""
        self._wait(self.patience.request_s)
        if len(self.connections) > self.patience.connections:
            self.crowd.make_room(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio calls it so
        """Return where a piece of a request is put."""
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in a piece of a request."""
        self.data_received(bytes(self.buffer[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """Take in a piece of a request, or throw it away after a refusal."""
        if self._is_refused:
            self._thrown_away += len(data)
            if self._thrown_away > UNREAD:
                self.transport.abort()
            return
        if self._is_idle:
            self._is_idle = False
            self._wait(self.patience.request_s)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_timer()
        self.crowd.remove(self)
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for a client that reads slowly; the slowest goes where too much waits."""
        super().pause_writing()
        unsent = self.crowd.unsent
        unsent[self] = self.transport.get_write_buffer_size()
        if self._reader_timer is None:
            self._reader_timer = self._call_later(self.patience.reader_s, self.transport.abort)
        if sum(unsent.values()) > self.patience.unsent:
            slowest = next(iter(unsent))
            del unsent[slowest]
            slowest.transport.abort()

    def resume_writing(self) -> None:
        """Send on."""
        super().resume_writing()
        self.crowd.unsent.pop(self, None)
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, or for the rest of this one."""
        self._is_idle = self.conn.their_state is h11.DONE
        self._wait(self.patience.request_s)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn calls it so
        """Refuse a request, and read on for a moment so that its client reads why."""
        self._is_refused = True
        self.transport.write(spell_refusal(self.intake.refusal))
        self.conn = self.intake = Intake(self._hear)  # what has come is kept no longer
        self.transport.write_eof()
        self._wait(self.patience.refused_s)

    def hang_up(self, code: int = TIMED_OUT) -> None:
        """End the connection at once: it makes us wait, or others need its place."""
        self._stop_timer()
        if self._is_between_answers() and not self._is_idle:
            self.transport.write(spell_refusal(code))
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def _time_out(self) -> None:
        """Hang up, but let a client read to its end what it has been answered."""
        if self.transport.get_write_buffer_size():
            self.transport.close()
            self._timer = self._call_later(self.patience.reader_s, self.transport.abort)
        else:
            self.hang_up()

    def _is_between_answers(self) -> bool:
        """Say whether a refusal can be sent: it would not stand in the midst of an answer, nor
        after one where its client takes it for another.
        """
        if self._is_refused or self.transport.get_write_buffer_size():
            return False
        return self.conn.their_state is h11.IDLE

    def _hear(self, event: object) -> None:
        """Learn what has come of a request."""
        if isinstance(event, h11.Request):
            self._is_idle = False
            self._wait(self.patience.body_s)
            if body_size(list(event.headers)):
                self.flow.pause_reading()  # until somebody asks for the body
        elif isinstance(event, h11.EndOfMessage):
            self.flow.resume_reading()
            if self.conn.our_state is h11.DONE:  # it was answered before it was whole
                self._is_idle = True
            else:
                self._stop_timer()
                self.crowd.remove(self)

    def _wait(self, wait_s: float) -> None:
        self._stop_timer()
        self.crowd.add(self)
        self._timer = self._call_later(wait_s, self._time_out)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _call_later(self, wait_s: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(wait_s, act)
