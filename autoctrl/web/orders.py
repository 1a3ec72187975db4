"""Remembers which orders were given under which key, so that one that is repeated is done once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.book import digest_of, writing
from autoctrl.process import has_died, this_process

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

FILE_NAME = "orders.sqlite"
REMEMBERED_FOR = timedelta(days=7)
TABLE = """
    CREATE TABLE IF NOT EXISTS orders (
        key BLOB PRIMARY KEY, body BLOB NOT NULL, begun REAL NOT NULL, owner TEXT NOT NULL,
        code INTEGER, answer TEXT
    ) WITHOUT ROWID
"""


class Given(NamedTuple):
    """What is known of an order when it is given.

    is_new          nobody gave one under this key: it is to be done, and then kept or forgotten
    is_other        under this key another order was given
    is_interrupted  the server that did it was stopped meanwhile, or its store gave no answer: it
                    may have been done or not
    code, answer    what was answered, 0 and empty while it is being done
    """

    is_new: bool = False
    is_other: bool = False
    is_interrupted: bool = False
    code: int = 0
    answer: str = ""


class Orders:
    """Orders by key, in a file that threads and processes share and that lasts.

    An order is written down before it is begun and its answer after it was done, each on the disk:
    whatever is killed in between is never begun again. Of keys and orders digests are kept.
    """

    def __init__(self, path: Path) -> None:
        """Keep them in the file ``path``, which is made when it is first needed."""
        self._path = path

    def give(self, key: str, body: bytes, now: datetime) -> Given:
        """Say what is known of an order, and write down that it is begun if it is new.

        Those of more than a week ago are forgotten. Raises ``StoreError``.
        """
        ours, digest = digest_of(key), digest_of(body)
        with writing(self._path, TABLE) as connection:
            forgotten = (now - REMEMBERED_FOR).timestamp()
            connection.execute("DELETE FROM orders WHERE begun < ?", (forgotten,))
            found = connection.execute(
                "SELECT body, owner, code, answer FROM orders WHERE key = ?", (ours,)
            ).fetchone()
            if found is None:
                row = (ours, digest, now.timestamp(), this_process())
                connection.execute("INSERT INTO orders VALUES (?, ?, ?, ?, NULL, NULL)", row)
                return Given(is_new=True)
        body_then, owner, code, answer = found
        if body_then != digest:
            return Given(is_other=True)
        if code is None:
            return Given(is_interrupted=not owner or has_died(owner))
        return Given(code=code, answer=answer)

    def keep(self, key: str, code: int, answer: str) -> None:
        """Write down what was answered to an order that is done. Raises ``StoreError``."""
        with writing(self._path, TABLE) as connection:
            row = (code, answer, digest_of(key))
            connection.execute("UPDATE orders SET code = ?, answer = ? WHERE key = ?", row)

    def doubt(self, key: str) -> None:
        """Write down that nobody knows whether an order was done. Raises ``StoreError``."""
        with writing(self._path, TABLE) as connection:
            row = (digest_of(key),)
            connection.execute("UPDATE orders SET owner = '' WHERE key = ?", row)

    def forget(self, key: str) -> None:
        """Let an order be given again, as nothing came of it. Raises ``StoreError``."""
        with writing(self._path, TABLE) as connection:
            connection.execute("DELETE FROM orders WHERE key = ?", (digest_of(key),))
