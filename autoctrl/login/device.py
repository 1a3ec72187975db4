"""The login of a program: a person lets it in by a browser, on whatever machine."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from autoctrl.login.errors import LoginRefused
from autoctrl.login.logins import Kept
from autoctrl.login.provider import Client, Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autoctrl.ports import Clock

PENDING = "authorization_pending"
SLOWER = "slow_down"
SLOWER_S = 5.0


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
            begun_as = Kept("", 0.0, "", client.issuer, client.id, client.scopes)
            return begun_as.renewed(tokens, clock.now())
    finally:
        provider.close()
    message = "Nobody has let this program in."
    raise LoginRefused(message, hint="Say autoctrl login again.")
