"""The logins that a person's programs keep on this machine, a file for each page."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from autoctrl.errors import MissingExtra, UsageError
from autoctrl.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from autoctrl.ports import Clock

MARGIN = timedelta(seconds=30)


class Kept(NamedTuple):
    """What a program keeps of a login.

    access_token   it shows this
    expires        until then, seconds since 1970
    refresh_token  with which it gets another one, may be empty
    issuer, client_id, scopes  whom it asks, and as whom
    """

    access_token: str
    expires: float
    refresh_token: str
    issuer: str
    client_id: str
    scopes: str

    def is_good(self, now: datetime) -> bool:
        """Say whether it may be shown for a while yet."""
        return datetime.fromtimestamp(self.expires, UTC) - MARGIN > now

    def renewed(self, tokens: Mapping[str, Any], now: datetime) -> Kept:
        """Return what is kept of the tokens that the provider gave for this login."""
        return self._replace(
            access_token=str(tokens["access_token"]),
            expires=now.timestamp() + float(tokens.get("expires_in") or 300),
            refresh_token=str(tokens.get("refresh_token") or self.refresh_token),
        )


def file_for(url: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the file in which a program keeps the login at the page ``url``."""
    home = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "~")) / ".config")
    place = urlsplit(url).netloc.replace(":", "_") or "page"
    return Path(home).expanduser() / "autoctrl" / "logins" / f"{place}.json"


def write(path: Path, kept: Kept) -> None:
    """Keep a login in a file that only its user may read. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, json.dumps(kept._asdict()).encode(), mode=0o600)


def read(path: Path, url: str) -> Kept:
    """Return the login at the page ``url`` that a file keeps.

    Raises ``UsageError`` if it keeps none.
    """
    try:
        return Kept(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        message = f"Nobody has logged in at {url} on this machine."
        raise UsageError(message, hint=f"Say: autoctrl login {url}") from error


def token_for(url: str, clock: Clock, environ: Mapping[str, str] = os.environ) -> str:
    """Return the access token for the page ``url``, renewed if it has expired; of several programs
    that want it then one asks for it.

    Raises ``UsageError`` if nobody has logged in there or the login has ended, ``ProviderDown`` if
    the provider of logins does not answer, ``MissingExtra`` without what it takes to ask it.
    """
    path = file_for(url, environ)
    kept = read(path, url)
    if kept.is_good(clock.now()):
        return kept.access_token
    with _alone(path):
        kept = read(path, url)  # another program may have renewed it
        if not kept.is_good(clock.now()):
            kept = _renew(kept, url, clock)
            write(path, kept)
    return kept.access_token


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one program at a time renew a login: what it is renewed with counts once."""
    with path.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _renew(kept: Kept, url: str, clock: Clock) -> Kept:
    hint = f"Run autoctrl login {url}."
    if not kept.refresh_token:
        message = f"The login at {url} has expired, and its provider renews none."
        raise UsageError(message, hint=hint)
    try:
        from autoctrl.login.errors import LoginRefused
        from autoctrl.login.provider import Client, Provider
    except ImportError as error:
        what = "The login of people"
        raise MissingExtra(what, "login") from error
    provider = Provider(Client(kept.issuer, kept.client_id, "", kept.scopes), clock)
    try:
        return kept.renewed(provider.refresh(kept.refresh_token), clock.now())
    except LoginRefused as error:
        message = f"The login at {url} has ended."
        raise UsageError(message, hint=hint) from error
    finally:
        provider.close()
