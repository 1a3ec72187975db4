"""Remembers which orders were given under which key, so that one that is repeated is done once,
and one that was interrupted is finished.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.book import digest_of, writing
from autoctrl.process import has_died, this_process

if TYPE_CHECKING:
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

    is_due        it is to be done now, and then kept, forgotten or put off
    since         when it was begun, if it is due because the server that did it was stopped
                  meanwhile, or its store gave no answer: it may have been done, or a part of it
    is_other      under this key another order was given
    code, answer  what was answered, 0 and empty while it is being done
    """

    is_due: bool = False
    since: datetime | None = None
    is_other: bool = False
    code: int = 0
    answer: str = ""


class OrderLedger:
    """Orders by key, in a file that threads and processes share and that lasts.

    An order is written down before it is begun and its answer after it was done, each on the disk:
    whatever is killed in between is known to have been begun. Of keys and orders digests are kept.
    """

    def __init__(self, path: Path) -> None:
        """Keep them in the file ``path``, which is made when it is first needed."""
        self._path = path

    def give(self, key: str, body: bytes, now: datetime) -> Given:
        """Say what is known of an order, and write down that it is being done if it is due.

        Those of more than a week ago are forgotten. Raises ``StoreError``.
        """
        ours, digest = digest_of(key), digest_of(body)
        with writing(self._path, TABLE) as connection:
            forgotten = (now - REMEMBERED_FOR).timestamp()
            connection.execute("DELETE FROM orders WHERE begun < ?", (forgotten,))
            found = connection.execute(
                "SELECT body, begun, owner, code, answer FROM orders WHERE key = ?", (ours,)
            ).fetchone()
            if found is None:
                row = (ours, digest, now.timestamp(), this_process())
                connection.execute("INSERT INTO orders VALUES (?, ?, ?, ?, NULL, NULL)", row)
                return Given(is_due=True)
            body_then, begun, owner, code, answer = found
            if body_then != digest:
                return Given(is_other=True)
            if code is not None:
                return Given(code=code, answer=answer)
            if owner and not has_died(owner):
                return Given()
            connection.execute("UPDATE orders SET owner = ? WHERE key = ?", (this_process(), ours))
            return Given(is_due=True, since=datetime.fromtimestamp(begun, UTC))

    def keep(self, key: str, code: int, answer: str) -> None:
        """Write down what was answered to an order that is done. Raises ``StoreError``."""
        with writing(self._path, TABLE) as connection:
            row = (code, answer, digest_of(key))
            connection.execute("UPDATE orders SET code = ?, answer = ? WHERE key = ?", row)

    def put_off(self, key: str) -> None:
        """Write down that nobody does an order any more, of which a part may have been done.

        Raises ``StoreError``.
        """
        with writing(self._path, TABLE) as connection:
            row = (digest_of(key),)
            connection.execute("UPDATE orders SET owner = '' WHERE key = ?", row)

    def forget(self, key: str) -> None:
        """Let any order be given under a key, as nothing came of this one; raises likewise."""
        with writing(self._path, TABLE) as connection:
            connection.execute("DELETE FROM orders WHERE key = ?", (digest_of(key),))
