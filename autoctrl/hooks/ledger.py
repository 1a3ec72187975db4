"""Remembers which signed requests have been used, so that none counts twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from autoctrl.book import digest_of, writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

FILE_NAME = "hooks.sqlite"
# A clock that is set back within a day makes no old request new.
REMEMBERED_FOR = timedelta(days=1)
TABLE = """
    CREATE TABLE IF NOT EXISTS used (digest BLOB PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID
"""


class Ledger:
    """The nonces that were used, in a file that threads and processes share.

    What is kept of a nonce is its digest: whoever reads the file learns none.
    """

    def __init__(self, path: Path) -> None:
        """Keep them in the file ``path``, which is made when it is first needed."""
        self.path = path

    def use(
        self,
        nonce: str,
        expires: datetime,
        now: datetime,
        deed: Callable[[], None] = lambda: None,
    ) -> bool:
        """Say whether a nonce is used for the first time, and remember it until it has expired.

        One that has expired is never new. The answer True is on the disk before it is given.
        ``deed`` is done before a new nonce is remembered: if it raises, or the process is killed in
        it, the nonce stays new. Raises ``StoreError`` if the file cannot be used.
        """
        if expires <= now:
            return False
        with writing(self.path, TABLE) as connection:
            forgotten = (now - REMEMBERED_FOR).timestamp()
            connection.execute("DELETE FROM used WHERE expires < ?", (forgotten,))
            row = (digest_of(nonce), expires.timestamp())
            added = connection.execute("INSERT OR IGNORE INTO used VALUES (?, ?)", row)
            if added.rowcount == 1:
                deed()
            return added.rowcount == 1

    def give_back(self, nonce: str) -> None:
        """Let a nonce be new again, as nothing came of its use. Raises ``StoreError``."""
        with writing(self.path, TABLE) as connection:
            connection.execute("DELETE FROM used WHERE digest = ?", (digest_of(nonce),))
