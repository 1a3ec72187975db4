"""Logins that are under way, and those that hold: server-side, so that a browser keeps one opaque
word.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.book import digest_of
from autoctrl.login.keyring import moment
from autoctrl.model.role import Role

if TYPE_CHECKING:
    import sqlite3

    from autoctrl.login.book import Book

FLOW_LASTS = timedelta(minutes=10)
MOST_FLOWS = 10_000
NOTED_EVERY = timedelta(minutes=1)
AGAIN_AFTER = timedelta(minutes=1)
OURS = "digest = ? AND browser = ? AND expires >= ?"
COLUMNS = (
    "digest, issuer, subject, sid, name, role, made, used, checked, tried, id_token, "
    "access_token, refresh_token"
)


class Flow(NamedTuple):
    """A login that is under way.

    nonce     what the provider must say again
    verifier  proof that whoever exchanges the code has begun the login
    target    the page to which it leads in the end
    """

    nonce: str
    verifier: str
    target: str


class Person(NamedTuple):
    """Who has logged in, as the provider says.

    issuer, subject  who that is beyond doubt
    name             how they are called
    role             what they may do
    sid              the provider's name for the login, may be empty
    id_token         shown to the provider when they log out
    access_token     with which their groups are asked for
    refresh_token    with which that goes on for longer, may be empty
    """

    issuer: str
    subject: str
    name: str
    role: Role
    sid: str = ""
    id_token: str = ""
    access_token: str = ""
    refresh_token: str = ""


class Session(NamedTuple):
    """A login that holds.

    digest   of what the browser shows
    person   who it is
    made     since when
    used     when it was used last, up to a minute earlier
    checked  when the person's groups were asked for last
    tried    when somebody began to ask for them
    """

    digest: bytes
    person: Person
    made: datetime
    used: datetime
    checked: datetime
    tried: datetime


class Limits(NamedTuple):
    """How long a login lasts: unused, at most, and between two looks at the person's groups."""

    idle: timedelta
    longest: timedelta
    recheck: timedelta


class Sessions:
    """Begins, finds and ends logins in a book."""

    def __init__(self, book: Book, limits: Limits) -> None:
        """Keep them in ``book``."""
        self._book, self.limits = book, limits

    def begin(self, state: str, browser: str, flow: Flow, now: datetime) -> None:
        """Remember a login that begins in a browser, for ten minutes. Raises ``StoreError``."""
        expires = (now + FLOW_LASTS).timestamp()
        row = (digest_of(state), digest_of(browser), *flow, expires)
        with self._book.writing() as connection:
            connection.execute("DELETE FROM flows WHERE expires < ?", (now.timestamp(),))
            connection.execute("INSERT INTO flows VALUES (?, ?, ?, ?, ?, ?)", row)
            connection.execute(
                "DELETE FROM flows WHERE digest IN "
                "(SELECT digest FROM flows ORDER BY expires DESC LIMIT -1 OFFSET ?)",
                (MOST_FLOWS,),
            )

    def take(self, state: str, browser: str, now: datetime) -> Flow | None:
        """Return the login that began in this browser, once; None if there is none, or not any
        more. Raises ``StoreError``.
        """
        key = (digest_of(state), digest_of(browser), now.timestamp())
        with self._book.reading() as connection:  # junk of strangers costs no writing
            question = f"SELECT 1 FROM flows WHERE {OURS}"  # noqa: S608 - our own words
            if connection is None or connection.execute(question, key).fetchone() is None:
                return None
        with self._book.writing() as connection:
            taking = f"DELETE FROM flows WHERE {OURS} RETURNING nonce, verifier, target"  # noqa: S608 - as above
            row = connection.execute(taking, key).fetchone()
        return Flow(*row) if row else None

    def open(self, person: Person, now: datetime, instead_of: str = "") -> str:
        """Return the word that the browser keeps for a new login, which ends the one that it had,
        ``instead_of``. Raises ``StoreError``.
        """
        word = secrets.token_urlsafe(32)
        time = now.timestamp()
        row = (digest_of(word), *_facts(person), time, time, time, time, *_tokens(person))
        with self._book.writing() as connection:
            oldest = (now - self.limits.longest).timestamp()
            gone = (oldest, digest_of(instead_of))
            connection.execute("DELETE FROM sessions WHERE made < ? OR digest = ?", gone)
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO sessions ({COLUMNS}) VALUES ({marks})", row)  # noqa: S608 - our own words
        return word

    def find(self, word: str, now: datetime) -> Session | None:
        """Return the login of a browser, None if it has none that holds. Raises ``StoreError``."""
        with self._book.reading() as connection:
            session = _find(connection, digest_of(word)) if connection else None
        if session is None:
            return None
        is_over = now - session.used > self.limits.idle or now - session.made > self.limits.longest
        if is_over:
            self.end(session.digest)
            return None
        if now - session.used >= NOTED_EVERY:
            self._set(session.digest, "used = ?", now.timestamp())
        return session

    def is_check_due(self, session: Session, now: datetime) -> bool:
        """Say whether it is time to ask for the person's groups again."""
        is_fresh = now - session.checked < self.limits.recheck
        return not is_fresh and now - session.tried >= min(AGAIN_AFTER, self.limits.recheck)

    def claim_check(self, session: Session, now: datetime) -> bool:
        """Say whether it is for us to ask for the person's groups again: nobody else does it, for
        a token that renews is good once. Raises ``StoreError``.
        """
        with self._book.writing() as connection:
            claimed = connection.execute(
                "UPDATE sessions SET tried = ? WHERE digest = ? AND tried = ? AND checked = ?",
                (
                    now.timestamp(),
                    session.digest,
                    session.tried.timestamp(),
                    session.checked.timestamp(),
                ),
            )
            return claimed.rowcount == 1

    def renew(self, session: Session, person: Person, now: datetime) -> None:
        """Write down what the provider says of a person now. Raises ``StoreError``."""
        self._set(
            session.digest,
            "name = ?, role = ?, checked = ?, id_token = ?, access_token = ?, refresh_token = ?",
            person.name,
            int(person.role),
            now.timestamp(),
            *_tokens(person),
        )

    def keep_tokens(self, session: Session, person: Person) -> None:
        """Write down the tokens that the provider has just given: those before are used up.

        Raises ``StoreError``.
        """
        what = "id_token = ?, access_token = ?, refresh_token = ?"
        self._set(session.digest, what, *_tokens(person))

    def end(self, digest: bytes) -> None:
        """Forget a login. Raises ``StoreError``."""
        with self._book.writing() as connection:
            connection.execute("DELETE FROM sessions WHERE digest = ?", (digest,))

    def end_all(self, issuer: str, sid: str, subject: str) -> int:
        """Forget the login that the provider calls ``sid`` or, without it, all of a person; return
        how many there were. Raises ``StoreError``.
        """
        with self._book.writing() as connection:
            if sid:
                where, values = "sid = ?", (issuer, sid)
            else:
                where, values = "subject = ?", (issuer, subject)
            gone = connection.execute(f"DELETE FROM sessions WHERE issuer = ? AND {where}", values)  # noqa: S608 - as above
            return gone.rowcount

    def _set(self, digest: bytes, what: str, *values: object) -> None:
        with self._book.writing() as connection:
            connection.execute(f"UPDATE sessions SET {what} WHERE digest = ?", (*values, digest))  # noqa: S608 - as above


def _facts(person: Person) -> tuple[Any, ...]:
    return (person.issuer, person.subject, person.sid, person.name, int(person.role))


def _tokens(person: Person) -> tuple[str, str, str]:
    return (person.id_token, person.access_token, person.refresh_token)


def _find(connection: sqlite3.Connection, digest: bytes) -> Session | None:
    question = f"SELECT {COLUMNS} FROM sessions WHERE digest = ?"  # noqa: S608 - as above
    row = connection.execute(question, (digest,)).fetchone()
    if row is None:
        return None
    issuer, subject, sid, name, role = row[1:6]
    person = Person(issuer, subject, name, Role(role), sid, *row[10:13])
    return Session(digest, person, *map(moment, row[6:10]))
