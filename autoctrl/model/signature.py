"""What only we can have written: values with an expiry, a nonce and a signature. Pure.

Some services carry values for us and bring them back without saying who they are. The signature
covers every value and what it is signed for, so that none can be changed, left out or used
elsewhere. Whoever brings it may be anybody who has seen it: that it is used once, and by whom, is
judged by the caller.
"""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION = 1
SHORTEST_KEY = 32
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OWN_NAMES = frozenset({"v", "exp", "nonce", "mac"})


class Forged(UsageError):
    """Values that were not signed by us, or not as they are now."""


class Expired(UsageError):
    """Values that were signed by us for a time that has passed."""


class Signed(NamedTuple):
    """Values whose signature holds.

    values   by name
    expires  until when
    nonce    by which one use is told from another
    """

    values: Mapping[str, str]
    expires: datetime
    nonce: str


def sign(
    keys: Sequence[str], purpose: str, values: Mapping[str, str], expires: datetime, nonce: str
) -> dict[str, str | int]:
    """Return values as they are handed out, signed by the first key; seconds are cut off.

    ``purpose`` says for what: a signature for one purpose does not hold for another.
    """
    token: dict[str, str | int] = {
        **values,
        "v": VERSION,
        "exp": int(expires.timestamp()),
        "nonce": nonce,
    }
    return {**token, "mac": _sum(keys[0], purpose, token)}


def verify(keys: Sequence[str], purpose: str, token: Mapping[str, object], now: datetime) -> Signed:
    """Return the values of a token that one of the keys has signed for this purpose.

    Raises ``Forged``, or ``Expired`` with the time.
    """
    said = str(token.get("mac", "")).encode("utf-8", "backslashreplace")
    rest = {name: value for name, value in token.items() if name != "mac"}
    if not _is_signed(keys, purpose, rest, said):
        message = "That was not signed here, or not as it is now."
        raise Forged(message)
    expires = EPOCH + timedelta(seconds=int(str(rest["exp"])))
    if now >= expires:
        message = f"That was good until {expires:%Y-%m-%d %H:%M} UTC."
        raise Expired(message)
    values = {name: str(value) for name, value in rest.items() if name not in OWN_NAMES}
    return Signed(values, expires, str(rest["nonce"]))


def _is_signed(keys: Sequence[str], purpose: str, token: Mapping[str, object], said: bytes) -> bool:
    """Say whether what was said is a key's sum; every key is tried, so that the time taken does not
    say which one fits.
    """
    if not all(isinstance(value, str | int) for value in token.values()):
        return False
    fits = [hmac.compare_digest(_sum(key, purpose, token).encode(), said) for key in keys]
    return any(fits) and token.get("v") == VERSION


def _sum(key: str, purpose: str, token: Mapping[str, object]) -> str:
    text = json.dumps([purpose, token], sort_keys=True, separators=(",", ":"))
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()
