"""What a server's refusal means and what to do about it, pure: one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import StoreError
from autoctrl.stores.influx.address import HINTS, TOKEN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.stores.influx.address import Address

TRY_AGAIN = frozenset({429, 502, 503, 504})
NO_ACCESS = frozenset({401, 403})
NO_ANSWER, NOT_FOUND, SERVER_ERROR = 0, 404, 500
NO_TLS = ("WRONG_VERSION_NUMBER", "record layer", "wrong version number")
NO_WRITING = ("permissions for write", "not authorized to write")
NO_BUCKET = ("could not find bucket", "database not found")


class Unreachable(StoreError):
    """No clear answer: the request may or may not have had its effect."""


class Meaning(NamedTuple):
    """One row of the table.

    is_meant  whether a status and the server's words mean this
    what      what is wrong, behind the name of the place; ``{}`` takes the status and the server's
              words
    hint      what to do; ``{section}`` is the section of the settings, ``{token}`` says where the
              token belongs
    """

    is_meant: Callable[[int, str], bool]
    what: str
    hint: str


def _says(*parts: str) -> Callable[[int, str], bool]:
    return lambda _, said: any(part in said for part in parts)


MEANINGS = (
    Meaning(
        lambda status, said: status == NO_ANSWER and any(part in said for part in NO_TLS),
        "does not speak TLS: {}",
        "Write influxdb:// instead of influxdbs:// if the server speaks plain HTTP.",
    ),
    Meaning(
        lambda status, _: status == NO_ANSWER,
        "cannot be trusted: {}",
        (
            "Have its certificate signed by an authority that this machine knows, or name its "
            "authority's certificate in SSL_CERT_FILE."
        ),
    ),
    Meaning(
        _says("HTTPS server"), "speaks TLS only: {}", "Write influxdbs:// instead of influxdb://."
    ),
    Meaning(
        _says("flux-enabled"),
        "has its query language Flux switched off: {}",
        "Write flux-enabled = true under [http] in the server's configuration, and start it again.",
    ),
    Meaning(
        _says(*NO_WRITING),
        "may only be read with this token: {}",
        "Give one that may also write it: {token}.",
    ),
    Meaning(
        _says("requires READ"),
        "may only be written with this token: {}",
        "Give one that may read it too: {token}.",
    ),
    Meaning(
        lambda status, _: status in NO_ACCESS,
        "refuses the token: {}",
        "Give a token that may read and write this bucket: {token}.",
    ),
    Meaning(
        _says("organization name"),
        "does not exist: {}",
        "Correct the organization in [{section}] url: influxdb://HOST:PORT/ORG/BUCKET.",
    ),
    Meaning(
        lambda status, said: status == NOT_FOUND or any(part in said for part in NO_BUCKET),
        "does not exist: {}",
        "Make the bucket (for a store: without a retention limit), correct [{section}] "
        "url, or give a token that may"
        " read it: {token}.",
    ),
    Meaning(
        _says("no space left", "disk full"),
        "has no space left: {}",
        "Make room on the server's disk and go on.",
    ),
    Meaning(lambda status, _: status >= SERVER_ERROR, "refused: {}", "Look into the server's log."),
    Meaning(lambda *_: True, "refused: {}", "Nothing of the batch counts."),
)


def where_token(address: Address) -> str:
    """Return where the token of a place belongs."""
    variable = "" if address.section == HINTS else f", or in the variable {TOKEN_VARIABLE}"
    return f"in the file that {address.setting} names{variable}"


def refusal(address: Address, status: int, said: str) -> StoreError:
    """Return the error for a refused request; ``Unreachable`` if it is worth trying again.

    Status 0 means that TLS failed.
    """
    words = f"{status}, {said}" if status else said
    if status in TRY_AGAIN:
        return Unreachable(
            f"The {address} is busy: {words}.", hint="Try again later; look at the server's load."
        )
    meaning = next(one for one in MEANINGS if one.is_meant(status, said))
    hint = meaning.hint.format(token=where_token(address), section=address.section)
    return StoreError(f"The {address} {meaning.what.format(words)}.", hint=hint)
