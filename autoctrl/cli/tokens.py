"""The verb token: what programs and notebooks show instead of a login."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from autoctrl.cli.output import say, show_json, show_table, warn
from autoctrl.cli.session import VerbGroup, person, verb
from autoctrl.errors import UsageError
from autoctrl.model.duration import parse_duration
from autoctrl.model.role import ROLES
from autoctrl.model.table import Table

if TYPE_CHECKING:
    from autoctrl.cli.session import Session
    from autoctrl.login.keyring import Keyring
    from autoctrl.login.tokens import Token
    from autoctrl.views import Spelling

LONGEST_NAME = 80


@click.group(cls=VerbGroup, example="token list")
def token() -> None:
    """Make, list and revoke tokens, with which programs ask the page's server."""


@verb("token create --role viewer --expires 90d", group=token, has_campaign=False)
@click.option(
    "--role",
    type=click.Choice(list(ROLES)),
    default="viewer",
    show_default=True,
    help="What its owner may do.",
)
@click.option(
    "--expires",
    metavar="TIME",
    default="90d",
    show_default=True,
    help="How long it is good: 90d, 12h.",
)
@click.option("--name", default="", metavar="TEXT", help="What it is for.")
def create(session: Session, role: str, expires: str, name: str) -> None:
    """Make a token and print it: nobody can learn it again."""
    from autoctrl.login.tokens import Maker, id_in
    from autoctrl.process import SystemClock

    lasts = timedelta(seconds=parse_duration(expires))
    if not lasts:
        message = "A token must last for a while."
        raise UsageError(message, hint="Say for how long: --expires 90d.")
    now, maker = SystemClock().now(), Maker(person().name)
    text = _keyring(session).make(name[:LONGEST_NAME], ROLES[role], maker, now, lasts)
    if session.is_json:
        show_json(token=text, id=id_in(text), role=role, expires=now + lasts)
        return
    say(text)
    warn("Keep it as a password: it is not shown again. It goes into the header Authorization.")


@verb("token list", name="list", group=token, has_campaign=False)
def list_(session: Session) -> None:
    """List the tokens, the oldest first; what they are is not kept."""
    from autoctrl.views import Spelling

    found = _keyring(session).list()
    if session.is_json:
        show_json(tokens=[describe(one) for one in found])
    elif found:
        spelling = Spelling(session.settings().project.timezone)
        show_table(tabulate(found, spelling))
    else:
        say("There is no token.")


def describe(token: Token) -> dict[str, Any]:
    """Return what is known of a token, roles by name; ``may`` is the role that it has now."""
    limit = None if token.limit is None else str(token.limit)
    return {**token._asdict(), "role": str(token.role), "limit": limit, "may": str(token.may)}


def tabulate(tokens: list[Token], spelling: Spelling) -> Table:
    """Return tokens as a table."""
    return Table(
        ("id", "role", "name", "made by", "expires", "last used"),
        [
            (
                one.id,
                str(one.may),
                one.name,
                one.maker,
                spelling.time(one.expires),
                spelling.time(one.used) if one.used else "never",
            )
            for one in tokens
        ],
    )


@verb("token revoke 3fa2c1b9", group=token, has_campaign=False)
@click.argument("identity", metavar="ID")
def revoke(session: Session, identity: str) -> None:
    """Revoke a token: from now on it opens nothing."""
    gone = _keyring(session).revoke(identity)
    if session.is_json:
        show_json(revoked=gone.id)
    else:
        say(f"Token {gone.id} of the role {gone.role} is revoked.")


def _keyring(session: Session) -> Keyring:
    from autoctrl.login.book import FILE_NAME, Book
    from autoctrl.login.keyring import Keyring

    return Keyring(Book(session.settings().state_folder / FILE_NAME))
