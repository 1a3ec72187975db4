"""Answers to whatever queries people put to the bucket: tables, as Grafana gets them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from autoctrl.errors import StoreError
from autoctrl.stores.influx.address import parse_address
from autoctrl.stores.influx.server import Server, read_token

if TYPE_CHECKING:
    from autoctrl.stores.influx.address import Address


class BucketTables:
    """Asks one bucket in Flux or InfluxQL; an answer is its rows, each by the columns' names."""

    def __init__(self, address: Address) -> None:
        self.server = address.server
        self.org = address.org
        self.bucket = address.bucket
        self._address = address
        self._opened: Server | None = None

    @property
    def _server(self) -> Server:
        """The connection; only who asks needs a token."""
        if self._opened is None:
            self._opened = Server(self._address, read_token(self._address))
        return self._opened

    def close(self) -> None:
        """Close the connection."""
        if self._opened is not None:
            self._opened.close()

    def ask(self, text: str, *, is_flux: bool) -> list[dict[str, str]]:
        """Return the rows of an answer. Raises ``StoreError`` if the server refuses the query."""
        return self._server.tables(text) if is_flux else self._ask_influxql(text)

    def _ask_influxql(self, text: str) -> list[dict[str, str]]:
        database, _, policy = self.bucket.partition("/")
        where = {"db": database, "rp": policy} if policy else {"db": self.bucket}
        answer: Any = self._server.get("/query", **where, q=" ".join(text.split()))
        found = []
        for result in answer["results"]:
            if "error" in result:
                message = f"The server could not answer a query: {result['error']}."
                raise StoreError(message, hint="See: autoctrl grafana check --language flux")
            for series in result.get("series", ()):
                tags = series.get("tags", {})
                found += [
                    {**tags, **dict(zip(series["columns"], values, strict=True))}
                    for values in series["values"]
                ]
        return found


def open_tables(url: str) -> closing[BucketTables]:
    """Open the bucket of a complete URL, for whoever will ask it. Raises ``SettingsError``."""
    return closing(BucketTables(parse_address(url)))
