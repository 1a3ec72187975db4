"""The edge to the server: queries, writes, errors; nothing is lost silently or waits for ever."""

from __future__ import annotations

import csv
import json
import os
import random
import time
from contextlib import contextmanager
from functools import lru_cache, partial
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from autoctrl.errors import MissingExtra, SettingsError, StoreError
from autoctrl.stores.influx.address import HINTS, TOKEN_VARIABLE
from autoctrl.stores.influx.errors import NO_ANSWER, Unreachable, refusal, where_token
from autoctrl.stores.influx.points import NS_PER_S, NS_PER_US

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from influxdb_client.client.influxdb_client import InfluxDBClient

    from autoctrl.stores.influx.address import Address

TIMEOUT_S = 10.0
PATIENCE_S = 10.0
CHUNK_LINES = 5_000
LONGEST_FIELD = 10_000_000
KNOWN = frozenset({"result", "table", "_time", "_value", "_field", "_measurement"})
Answer = TypeVar("Answer")


class FluxRow(NamedTuple):
    """One row of an answer.

    result       name of the stream
    time         ns since 1970
    value        ``_value`` as text
    field        name of the field, if asked for
    measurement  name of the measurement, if asked for
    extra        the other columns by name
    """

    result: str
    time: int
    value: str
    field: str
    measurement: str
    extra: dict[str, str]

    @property
    def position(self) -> int:
        """The position in the store: µs since 1970."""
        return self.time // NS_PER_US


class Header(NamedTuple):
    """The columns of a table of an answer: the index of each by its name."""

    known: dict[str, int]
    others: dict[str, int]

    def row(self, cells: list[str]) -> FluxRow:
        """Return the row that these cells hold."""
        known = self.known
        return FluxRow(
            cells[known["result"]],
            parse_time(cells[known["_time"]]),
            cells[known["_value"]],
            cells[known["_field"]] if "_field" in known else "",
            cells[known["_measurement"]] if "_measurement" in known else "",
            {name: cells[index] for name, index in self.others.items()},
        )


def read_header(names: list[str]) -> Header:
    """Return the columns of a table from its first line; those without a name are left out."""
    indices = {name: index for index, name in enumerate(names) if name}
    known = {name: index for name, index in indices.items() if name in KNOWN}
    others = {name: index for name, index in indices.items() if name not in KNOWN}
    return Header(known, others)


@lru_cache(maxsize=4096)
def _second(text: str) -> int:
    from datetime import UTC, datetime

    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def parse_time(text: str) -> int:
    """Return ns since 1970 for ``2026-11-20T18:04:05.123456789Z``."""
    fraction = text[20:-1]
    return _second(text[:19]) * NS_PER_S + (int(fraction.ljust(9, "0")) if fraction else 0)


def parse_rows(lines: Iterable[str]) -> Iterator[FluxRow]:
    """Yield the rows of an answer in CSV without annotations; each table has a header of its own.

    Raises ``StoreError`` for a table that reports an error.
    """
    csv.field_size_limit(LONGEST_FIELD)
    header: Header | None = None
    for cells in csv.reader(lines):
        if not cells:
            header = None
        elif header is None:
            header = read_header(cells)
            if "error" in header.others:
                raise _query_failed(" ".join(next(csv.reader(lines), [])))
        else:
            yield header.row(cells)


def parse_tables(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of an answer with whatever columns it has. Raises as ``parse_rows``."""
    header: list[str] = []
    for cells in csv.reader(lines):
        if not cells:
            header = []
        elif not header:
            header = cells
        elif "error" in header:
            raise _query_failed(" ".join(cells))
        else:
            row = dict(zip(header, cells, strict=True))
            yield {name: row[name] for name in header if name not in {"", "result", "table"}}


def of_stream(rows: Iterable[FluxRow], result: str) -> list[FluxRow]:
    """Return the rows of one stream of an answer."""
    return [row for row in rows if row.result == result]


def _query_failed(said: str) -> StoreError:
    message = f"The server could not answer a query: {said:.300}."
    return StoreError(message, hint="Look into the server's log.")


def read_token(address: Address) -> str:
    """Return the token from the file or the environment.

    Raises ``SettingsError`` if there is none.
    """
    if address.token_file:
        token = _token_in(address)
    elif address.section == HINTS:
        token = ""
    else:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        message = f"The {address} needs a token, and there is none."
        raise SettingsError(message, hint=f"Put it {where_token(address)}.")
    return token


def _token_in(address: Address) -> str:
    path = Path(address.token_file).expanduser()
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it does not hold text"
        message = f"The token of the {address} cannot be read from {address.token_file}: {why}."
        hint = f"Name a file that this user may read: {address.setting}."
        raise SettingsError(message, hint=hint) from error


class Server:
    """Speaks to one bucket; after a fork the child connects anew.

    ``patience_s`` bounds how long it tries again.
    """

    def __init__(
        self,
        address: Address,
        token: str,
        *,
        timeout_s: float = TIMEOUT_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.address = address
        self._token = token
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._client: InfluxDBClient | None = None
        self._pid = 0
        self._is_closed = False

    def _connected(self) -> InfluxDBClient:
        if self._is_closed:
            message = f"The {self.address} was closed."
            raise StoreError(message, hint="Open it again.")
        if self._client is None or self._pid != os.getpid():
            self._client, self._pid = self._connect(), os.getpid()
        return self._client

    def _connect(self) -> InfluxDBClient:
        try:
            from influxdb_client.client.influxdb_client import InfluxDBClient
        except ImportError as error:
            what = "The InfluxDB store"
            raise MissingExtra(what, "influx") from error
        address = self.address
        milliseconds = round(self._timeout_s * 1000)
        return InfluxDBClient(
            url=address.server,
            token=self._token,
            org=address.org,
            timeout=milliseconds,
            retries=False,
        )

    def query(self, script: str) -> list[FluxRow]:
        """Return all rows that a Flux script yields, none for an empty one.

        Raises ``StoreError``.
        """
        return self._again(lambda: list(self._query(script))) if script else []

    def _query(self, script: str) -> Iterator[FluxRow]:
        with self._answer(script) as lines:
            yield from parse_rows(lines)

    def tables(self, script: str) -> list[dict[str, str]]:
        """Return the rows of whatever tables a Flux script yields, each by the columns' names.

        Raises ``StoreError``.
        """
        return self._again(lambda: list(self._tables(script)))

    def _tables(self, script: str) -> Iterator[dict[str, str]]:
        with self._answer(script) as lines:
            yield from parse_tables(lines)

    @contextmanager
    def _answer(self, script: str) -> Iterator[Iterable[str]]:
        from influxdb_client.domain.dialect import Dialect

        dialect: Any = Dialect  # its constructor has no types
        dialect = dialect(
            header=True, annotations=[], delimiter=",", date_time_format="RFC3339Nano"
        )
        answer = (
            self._connected().query_api().query_raw(script, org=self.address.org, dialect=dialect)
        )
        try:
            answer.auto_close = False
            yield TextIOWrapper(answer, encoding="utf-8", newline="")
        finally:
            answer.release_conn()

    def write(self, lines: list[str], *, patience_s: float | None = None) -> None:
        """Write points, many of them in parts; each has its time, so a repetition changes nothing.

        Raises ``StoreError`` if the server refused some, ``Unreachable`` if it is not known what
        has been written.
        """
        for start in range(0, len(lines), CHUNK_LINES):
            data = "\n".join(lines[start : start + CHUNK_LINES]).encode()
            self._again(partial(self._write, data), patience_s)

    def _write(self, data: bytes) -> None:
        from influxdb_client.client.write_api import SYNCHRONOUS

        address = self.address
        writer: Any = self._connected().write_api(write_options=SYNCHRONOUS)
        writer.write(bucket=address.bucket, org=address.org, record=data, write_precision="ns")

    def check_writing(self) -> None:
        """Raise ``StoreError`` unless the token may write; nothing is written."""
        self._again(partial(self._write, b"\n"))

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON holds anything
        """Return the JSON answer to an administrative request, None if it is empty."""
        return self._again(lambda: self._get(path, query))

    def _get(self, path: str, query: dict[str, str]) -> Any:  # noqa: ANN401 - as ``get``
        client: Any = self._connected().api_client
        headers = {**client.default_headers, "Authorization": f"Token {self._token}"}
        answer = client.request(
            "GET", self.address.server + path, query_params=list(query.items()), headers=headers
        )
        return json.loads(answer.data) if answer.data else None

    def _again(self, action: Callable[[], Answer], patience_s: float | None = None) -> Answer:
        """Act, and try again for a while if nobody answers or the server is busy."""
        deadline = time.monotonic() + (self._patience_s if patience_s is None else patience_s)
        pause = 0.05
        while True:
            try:
                with self._border():
                    return action()
            except Unreachable:
                if time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(2 * pause, 2.0)

    @contextmanager
    def _border(self) -> Iterator[None]:
        """Turn the client's errors into ours."""
        self._connected()
        from http.client import HTTPException

        from influxdb_client.rest import ApiException
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ApiException as error:
            raise refusal(self.address, error.status or NO_ANSWER, _said(error)) from error
        except (HTTPError, HTTPException, OSError) as error:
            message = f"The {self.address} does not answer: {_first_line(error)}."
            raise Unreachable(
                message, hint=f"Is the server running, and is [{self.address.section}] url right?"
            ) from error

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None and self._pid == os.getpid():
            self._client.close()  # type: ignore[no-untyped-call]
        self._client = None
        self._is_closed = True


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0].removesuffix(".")[:200] or type(error).__name__


def _said(error: Any) -> str:  # noqa: ANN401 - the client has no type for its errors
    body = error.body or error.reason or error.message or ""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    try:
        loaded = json.loads(text)
        text = loaded.get("message") or loaded.get("error") or text
    except (ValueError, AttributeError):
        pass
    return " ".join(text.split())[:400].removesuffix(".") or "no reason given"
