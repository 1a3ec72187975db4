"""One connection: a request is read within limits and answered, then the connection ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING

import h11

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.hooks.exchange import Answer
    from autoctrl.hooks.limits import Limits

READ_BYTES = 64 * 1024
MOST_DISCARDED_BYTES = 256 * 1024
NO_HEADERS: Mapping[str, str] = {}


class Refused(Exception):
    """A request that no hook sees.

    status   what it is answered
    why      for the log, without anything that the sender wrote
    headers  of the answer, beside the usual ones
    """

    def __init__(
        self, status: HTTPStatus, why: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        super().__init__(why)
        self.status, self.why, self.headers = status, why, headers


class HungUp(Exception):
    """The other end is gone before it has sent anything."""


class Conversation:
    """A connection on which one request is answered."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits
    ) -> None:
        self._reader, self._writer, self._limits = reader, writer, limits
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head_bytes)
        self._has_heard = False

    @property
    def address(self) -> str:
        """The other end's address, without its port."""
        peer = self._writer.get_extra_info("peername")
        return str(peer[0]) if peer else "?"

    async def head(self) -> h11.Request:
        """Return the request line and headers.

        Raises ``Refused`` if they are wrong, too long or slow, ``HungUp`` if nothing comes.
        """
        try:
            async with asyncio.timeout(self._limits.head_s):
                event = await self._next_event()
        except TimeoutError as error:
            if not self._has_heard:
                raise HungUp from error
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "its headers took too long") from error
        if not isinstance(event, h11.Request):
            raise HungUp
        # What comes in one piece is read before its length is known.
        if sum(map(len, chain(*event.headers)), len(event.target)) > self._limits.head_bytes:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "its headers are too long")
        return event

    async def body(self, request: h11.Request) -> bytes:
        """Return the body of the request whose head was read.

        Raises ``Refused`` if its length is not given, or it is too long or slow; what is too long
        is not read.
        """
        self._judge_length(dict(request.headers))
        try:
            async with asyncio.timeout(self._limits.body_s):
                if self._http.they_are_waiting_for_100_continue:
                    await self._send(h11.InformationalResponse(status_code=100, headers=[]))
                return await self._read_body()
        except TimeoutError as error:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "its body took too long") from error

    def _judge_length(self, headers: Mapping[bytes, bytes]) -> None:
        length, is_chunked = headers.get(b"content-length"), b"transfer-encoding" in headers
        if is_chunked and length is not None:
            raise Refused(HTTPStatus.BAD_REQUEST, "it has two lengths")
        if length is None and not is_chunked:
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "it has no length")
        if length is not None and int(length) > self._limits.body_bytes:
            raise _too_long()

    async def _read_body(self) -> bytes:
        body = bytearray()
        while isinstance(event := await self._next_event(), h11.Data):
            body += event.data
            if len(body) > self._limits.body_bytes:
                raise _too_long()
        return bytes(body)

    async def _next_event(self) -> object:
        """Return what h11 makes of what came. Raises ``Refused`` if that is no HTTP."""
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                data = await self._reader.read(READ_BYTES)
                self._has_heard = self._has_heard or bool(data)
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            status = HTTPStatus(error.error_status_hint)
            raise Refused(status, "it is not proper HTTP") from error
        return event

    async def answer(self, answer: Answer, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Send the answer."""
        usual = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Connection": "close",
        }
        fields = [*usual.items(), *headers.items()]
        async with asyncio.timeout(self._limits.answer_s):
            await self._send(h11.Response(status_code=answer.status, headers=fields))
            await self._send(h11.Data(data=answer.body))
            await self._send(h11.EndOfMessage())

    async def _send(self, event: h11.Event) -> None:
        self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()

    async def part(self) -> None:
        """Hang up once the other end has, or soon.

        Whoever still sends could not read its answer if we hung up first; what it sends is thrown
        away, and not much of it is taken.
        """
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._limits.parting_s):
                self._writer.write_eof()
                discarded = 0
                while discarded < MOST_DISCARDED_BYTES and (
                    data := await self._reader.read(READ_BYTES)
                ):
                    discarded += len(data)

    def close(self) -> None:
        """Hang up now."""
        self._writer.transport.abort()


def _too_long() -> Refused:
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "its body is too long")
