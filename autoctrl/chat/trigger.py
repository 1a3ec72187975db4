"""What the server of the chat says about the moment of a request, read but not trusted. Pure.

A trigger is base64 of ``client:person:milliseconds:signature``. The signature is the server's own,
which nobody else can check; so person and time must agree with the request, and it counts once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime, timedelta

from autoctrl.errors import UsageError

YOUNG = timedelta(minutes=5)
REMEMBERED = timedelta(minutes=10)
LONGEST = 1000
PARTS = 4


def check_trigger(trigger_id: str, user_id: str, now: datetime) -> str:
    """Return the nonce of a trigger that this person pulled just now.

    Raises ``UsageError`` for any other.
    """
    try:
        text = base64.b64decode(trigger_id[:LONGEST], validate=True).decode("ascii")
        client, person, milliseconds, _ = text.split(":", PARTS - 1)
        at = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    except (binascii.Error, ValueError, OverflowError, OSError) as error:
        message = "The request does not say when it was made as Mattermost does."
        raise UsageError(message, hint="Nothing was done.") from error
    if person != user_id:
        message = "The request was made by somebody else."
        raise UsageError(message, hint="Nothing was done.")
    if abs(now - at) > YOUNG:
        minutes = YOUNG.seconds // 60
        message = f"The request is not of the last {minutes} minutes."
        hint = "Nothing was done. Say it again; if that does not help, the clocks differ."
        raise UsageError(message, hint=hint)
    moment = f"{client}:{person}:{int(milliseconds)}"  # the same whatever stands behind it
    return f"trigger:{hashlib.sha256(moment.encode()).hexdigest()}"
