"""Signatures of what is sent: an HMAC, compared without telling how far it fits."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from autoctrl.config import read_secret_lines
from autoctrl.model.signature import SHORTEST_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.ports import Inbox


def read_keys(inbox: Inbox) -> tuple[str, ...]:
    """Return the keys by which a source's deliveries are signed: one, or two while they are
    changed.

    Raises ``SettingsError``, which shows none of them.
    """
    setting = f"[sources.{inbox.name}] secret_file"
    return read_secret_lines(inbox.secret_file, setting, shortest=SHORTEST_KEY)


def find_signature(keys: Sequence[str], text: bytes, signature: str) -> str:
    """Return the signature of a text if one of the keys made it, in small letters, else nothing.

    A signature is the HMAC-SHA256 of the text in hex.
    """
    given = signature.strip().lower().encode()
    made = [hmac.new(key.encode(), text, hashlib.sha256).hexdigest() for key in keys]
    # Every key is tried, so the time says nothing of which one fits.
    fitting = [one for one in made if hmac.compare_digest(one.encode(), given)]
    return fitting[0] if fitting else ""
