"""What looks like a secret: it is not written into settings, not recorded, not passed on."""

from __future__ import annotations

import re

REDACTED = "(redacted)"
_NAME = re.compile(r"token|passw|secret|credential|private|api_?key", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"(://[^/@\s:]*:)[^/@\s]+@")


def is_secret_name(name: str) -> bool:
    """Say whether a setting or a variable of this name looks as if it held a secret."""
    return bool(_NAME.search(name))


def has_password(text: str) -> bool:
    """Say whether a text contains an address with a password in it."""
    return bool(_PASSWORD_IN_URL.search(text))


def without_passwords(text: str) -> str:
    """Return the text with the passwords of all addresses in it replaced by ``(redacted)``."""
    return _PASSWORD_IN_URL.sub(rf"\1{REDACTED}@", text)
