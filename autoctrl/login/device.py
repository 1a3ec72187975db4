"""The login of a program: a person lets it in by a browser, and it keeps what it got in a file."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from autoctrl.errors import UsageError
from autoctrl.files import write_whole
from autoctrl.login.errors import LoginRefused
from autoctrl.login.provider import Client, Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autoctrl.ports import Clock

PENDING = "authorization_pending"
SLOWER = "slow_down"
SLOWER_S = 5.0
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


def log_in(
    client: Client,
    clock: Clock,
    tell: Callable[[Mapping[str, Any]], None],
    sleep: Callable[[float], None],
) -> Kept:
    """Begin a login, ``tell`` the person what to do, and wait until they have done it.

    Raises ``LoginRefused`` or ``ProviderDown``.
    """
    provider = Provider(client, clock)
    try:
        begun = provider.begin_device()
        tell(begun)
        pause_s = float(begun.get("interval", 5))
        ends = clock.now() + timedelta(seconds=float(begun.get("expires_in", 600)))
        while clock.now() < ends:
            sleep(pause_s)
            try:
                tokens = provider.ask_device(str(begun["device_code"]))
            except LoginRefused as error:
                if error.word not in {PENDING, SLOWER}:
                    raise
                pause_s += SLOWER_S if error.word == SLOWER else 0.0
                continue
            return keep(client, tokens, clock.now())
    finally:
        provider.close()
    message = "Nobody has let this program in."
    raise LoginRefused(message, hint="Say autoctrl login again.")


def keep(client: Client, tokens: Mapping[str, Any], now: datetime) -> Kept:
    """Return what a program keeps of the tokens that it got."""
    lasts = float(tokens.get("expires_in") or 300)
    return Kept(
        str(tokens["access_token"]),
        now.timestamp() + lasts,
        str(tokens.get("refresh_token", "")),
        client.issuer,
        client.id,
        client.scopes,
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


def token_for(url: str, clock: Clock, environ: Mapping[str, str] = os.environ) -> str:
    """Return the access token for the page ``url``, renewed if it has expired.

    Raises ``UsageError`` if nobody has logged in there, ``LoginRefused`` if the login has ended.
    """
    path = file_for(url, environ)
    try:
        kept = Kept(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        message = f"Nobody has logged in at {url} on this machine."
        raise UsageError(message, hint=f"Say: autoctrl login {url}") from error
    now = clock.now()
    if datetime.fromtimestamp(kept.expires, UTC) - MARGIN > now:
        return kept.access_token
    client = Client(kept.issuer, kept.client_id, "", kept.scopes)
    provider = Provider(client, clock)
    try:
        tokens = provider.refresh(kept.refresh_token)
    finally:
        provider.close()
    renewed = keep(client, {"refresh_token": kept.refresh_token, **tokens}, now)
    write(path, renewed)
    return renewed.access_token
