"""Keys by which what is sent is signed: kept in files, compared without telling how far they fit.

A file has a key a line. While keys are changed it has two, and both hold.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

SHORTEST_KEY = 32
MOST_KEYS = 2
READABLE_BY_OTHERS = 0o007
MAKE_ONE = "Make one: openssl rand -hex 32"


def read_keys(path: Path) -> tuple[bytes, ...]:
    """Return the keys in a file. Raises ``SettingsError``, which shows none of them."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        message = f"The file of the key, {path}, cannot be read: {error.strerror}."
        raise SettingsError(message, hint=f"{MAKE_ONE} > {path}") from error
    keys = tuple(line.strip() for line in lines if line.strip())
    if not 0 < len(keys) <= MOST_KEYS:
        message = f"{path} must hold one key, or two while keys are changed, each on its line."
        raise SettingsError(message, hint=MAKE_ONE)
    if min(map(len, keys)) < SHORTEST_KEY:
        message = f"A key in {path} is shorter than {SHORTEST_KEY} characters."
        raise SettingsError(message, hint=MAKE_ONE)
    return keys


def check_keys(path: Path) -> str:
    """Return one line about a file of keys.

    Raises ``SettingsError`` if it has none, or anybody on this machine can read it.
    """
    keys = read_keys(path)
    if path.stat().st_mode & READABLE_BY_OTHERS:
        message = f"Every user of this machine may read or change {path}."
        raise SettingsError(message, hint=f"chmod o-rwx {path}")
    return f"{len(keys)} key{'s' if len(keys) > 1 else ''} in {path}"


def find_signature(keys: tuple[bytes, ...], text: bytes, signature: str) -> str:
    """Return the signature of a text if one of the keys made it, in small letters, else nothing.

    A signature is the HMAC-SHA256 of the text in hex.
    """
    given = signature.strip().lower().encode()
    made = [hmac.new(key, text, hashlib.sha256).hexdigest() for key in keys]
    # Every key is tried, so the time says nothing of which one fits.
    fitting = [one for one in made if hmac.compare_digest(one.encode(), given)]
    return fitting[0] if fitting else ""
