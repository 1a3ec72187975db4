"""The tokens that were given out."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from autoctrl.book import digest_of
from autoctrl.errors import UsageError
from autoctrl.login.tokens import Token, id_in, spell_token
from autoctrl.model.role import Role

if TYPE_CHECKING:
    from autoctrl.login.book import Book

USED_EVERY = timedelta(minutes=1)
COLUMNS = "id, name, role, maker, made, expires, used"


class Keyring:
    """Makes, lists, revokes and recognises tokens."""

    def __init__(self, book: Book) -> None:
        """Keep them in ``book``."""
        self._book = book

    def make(self, name: str, role: Role, maker: str, now: datetime, lasts: timedelta) -> str:
        """Return a new token, which nobody can learn again. Raises ``StoreError``."""
        text = spell_token()
        row = (
            id_in(text),
            digest_of(text),
            name,
            int(role),
            maker,
            now.timestamp(),
            (now + lasts).timestamp(),
        )
        with self._book.writing() as connection:
            connection.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", row)
        return text

    def list(self) -> list[Token]:
        """Return every token that was not revoked, the oldest first. Raises ``StoreError``."""
        with self._book.reading() as connection:
            if connection is None:
                return []
            rows = connection.execute(f"SELECT {COLUMNS} FROM tokens ORDER BY made, id").fetchall()  # noqa: S608 - our own words
        return [_token(row) for row in rows]

    def revoke(self, identity: str) -> Token:
        """Forget a token, which nobody accepts from then on.

        Raises ``UsageError`` if there is none of this id.
        """
        found = next((token for token in self.list() if token.id == identity), None)
        if found is None:
            message = f"There is no token '{identity}'."
            raise UsageError(message, hint="See: autoctrl token list")
        with self._book.writing() as connection:
            connection.execute("DELETE FROM tokens WHERE id = ?", (identity,))
        return found

    def recognise(self, text: str, now: datetime) -> Token | None:
        """Return the token that somebody shows, None if it is none of ours or has expired."""
        identity = id_in(text)
        with self._book.reading() as connection:
            if identity is None or connection is None:
                return None
            row = connection.execute(
                f"SELECT digest, {COLUMNS} FROM tokens WHERE id = ?",  # noqa: S608 - as above
                (identity,),
            ).fetchone()
        if row is None or not hmac.compare_digest(row[0], digest_of(text)):
            return None
        token = _token(row[1:])
        if token.expires <= now:
            return None
        if token.used is None or now - token.used >= USED_EVERY:
            with self._book.writing() as connection:
                values = (now.timestamp(), identity)
                connection.execute("UPDATE tokens SET used = ? WHERE id = ?", values)
        return token


def _token(row: tuple[Any, ...]) -> Token:
    identity, name, role, maker, made, expires, used = row
    return Token(
        identity,
        name,
        Role(role),
        maker,
        moment(made),
        moment(expires),
        None if used is None else moment(used),
    )


def moment(seconds: float) -> datetime:
    """Return the time so many seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
