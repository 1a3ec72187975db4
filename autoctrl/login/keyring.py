"""The tokens that were given out, and what is known of those who made them."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from autoctrl.book import digest_of
from autoctrl.errors import UsageError
from autoctrl.login.tokens import Maker, Token, check_role, id_in, spell_token
from autoctrl.model.role import Role

if TYPE_CHECKING:
    from autoctrl.login.book import Book

USED_EVERY = NOTED_FOR = timedelta(minutes=1)
MOST_NOTED = 1000
QUESTION = """
    SELECT tokens.id, name, tokens.role, maker, made, expires, used, subject, people.role, digest
    FROM tokens LEFT JOIN owners ON owners.id = tokens.id LEFT JOIN people USING (subject)
"""


class Keyring:
    """Makes, lists, revokes and recognises tokens.

    A token that a person has made on the page may do no more than that person may, as far as is
    known: whenever the person comes, by a login or otherwise, it is noted which role they have.
    """

    def __init__(self, book: Book) -> None:
        """Keep them in ``book``."""
        self._book = book
        self._noted: dict[str, tuple[Role, datetime]] = {}
        self._lock = Lock()

    def make(self, name: str, role: Role, maker: Maker, now: datetime, lasts: timedelta) -> str:
        """Return a new token, which nobody can learn again.

        Raises ``UsageError`` for a token that may do more than its maker, ``StoreError``.
        """
        check_role(role, maker.role)
        text = spell_token()
        identity = id_in(text)
        ends = (now + lasts).timestamp()
        row = (identity, digest_of(text), name, int(role), maker.name, now.timestamp(), ends)
        with self._book.writing() as connection:
            connection.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", row)
            if maker.subject:
                owner = (identity, maker.subject)
                connection.execute("INSERT INTO owners VALUES (?, ?)", owner)
                known = (maker.subject, int(maker.role))
                connection.execute("INSERT OR REPLACE INTO people VALUES (?, ?)", known)
        return text

    def note_role(self, subject: str, role: Role, now: datetime) -> None:
        """Write down which role a person has now, if they have made tokens. Raises ``StoreError``.

        What was noted of the same person within a minute is remembered, so this is cheap.
        """
        with self._lock:
            known, until = self._noted.get(subject, (None, now))
            if known is role and now < until:
                return
        if any(token.subject == subject and token.limit is not role for token in self.list()):
            with self._book.writing() as connection:
                row = (int(role), subject)
                connection.execute("UPDATE people SET role = ? WHERE subject = ?", row)
        with self._lock:
            if len(self._noted) >= MOST_NOTED:
                self._noted.clear()
            self._noted[subject] = (role, now + NOTED_FOR)

    def list(self) -> list[Token]:
        """Return every token that was not revoked, the oldest first. Raises ``StoreError``."""
        with self._book.reading() as connection:
            if connection is None:
                return []
            rows = connection.execute(f"{QUESTION} ORDER BY made, tokens.id").fetchall()
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
            connection.execute("DELETE FROM owners WHERE id = ?", (identity,))
            connection.execute(
                "DELETE FROM people WHERE subject NOT IN (SELECT subject FROM owners)"
            )
        return found

    def recognise(self, text: str, now: datetime) -> Token | None:
        """Return the token that somebody shows; None if it is none of ours, has expired, or its
        maker may do nothing any more.
        """
        identity = id_in(text)
        with self._book.reading() as connection:
            if identity is None or connection is None:
                return None
            row = connection.execute(f"{QUESTION} WHERE tokens.id = ?", (identity,)).fetchone()
        if row is None or not hmac.compare_digest(row[-1], digest_of(text)):
            return None
        token = _token(row)
        if token.expires <= now or token.may is Role.NOBODY:
            return None
        if token.used is None or now - token.used >= USED_EVERY:
            with self._book.writing() as connection:
                values = (now.timestamp(), identity)
                connection.execute("UPDATE tokens SET used = ? WHERE id = ?", values)
        return token


def _token(row: tuple[Any, ...]) -> Token:
    identity, name, role, maker, made, expires, used, subject, limit, _ = row
    return Token(
        identity,
        name,
        Role(role),
        maker,
        moment(made),
        moment(expires),
        used=None if used is None else moment(used),
        subject=subject or "",
        limit=None if limit is None else Role(limit),
    )


def moment(seconds: float) -> datetime:
    """Return the time so many seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
