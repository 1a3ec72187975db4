"""Where Jenkins is, and as whom we speak to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from autoctrl.config import FILE_NAME
from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from autoctrl.config import Settings

API_TOKEN = re.compile(r"11[0-9a-f]{32}")
# How Jenkins writes what a path of an address could not hold in the name of a branch's job.
ENCODED = str.maketrans({letter: f"%{ord(letter):02X}" for letter in "#%/?[]\\"})
HOW_TO = (
    "Make an API token on the user's security page in Jenkins and put it alone into that file, "
    "which nobody else may read."
)


class Place(NamedTuple):
    """A Jenkins and a user of it.

    url    address, without a slash at its end
    user   name of the user
    token  API token of the user
    """

    url: str
    user: str
    token: str


def find_place(settings: Settings) -> Place:
    """Return where Jenkins is. Raises ``SettingsError`` if that is not set, or without a token."""
    given = settings.jenkins
    for name in ("url", "user", "token_file"):
        if not getattr(given, name):
            message = f"{FILE_NAME}: [jenkins] {name} is not set, so Jenkins cannot be asked."
            raise SettingsError(message, hint="See docs/howto/run-by-jenkins.md.")
    path = settings.path(given.token_file)
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it does not hold text"
        message = f"[jenkins] token_file: {path} cannot be read: {why}."
        raise SettingsError(message, hint=HOW_TO) from error
    if not API_TOKEN.fullmatch(token):
        message = f"[jenkins] token_file: what {path} holds is no API token of Jenkins."
        hint = f"One has 34 characters: 11, then 32 of 0-9 and a-f; no password is one. {HOW_TO}"
        raise SettingsError(message, hint=hint)
    return Place(given.url.rstrip("/"), given.user, token)


def branch_item(branch: str) -> str:
    """Return the name of a branch's job in a multibranch project."""
    return branch.translate(ENCODED)


def item_path(name: str) -> str:
    """Return the path of an item below Jenkins' address: ``job/autoctrl/job/discover/``."""
    return "".join(f"job/{quote(part)}/" for part in name.split("/") if part)
