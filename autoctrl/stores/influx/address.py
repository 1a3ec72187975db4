"""Where an InfluxDB store lies, pure: the URL in its parts."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from autoctrl.errors import SettingsError, nearest

TOKEN_VARIABLE = "AUTOCTRL_STORE_TOKEN"  # noqa: S105 - the name of a variable, no secret
SCHEMES = {"influxdb": "http", "influxdbs": "https"}
NO_ORG = "-"
SHAPE = (
    "Write it as in: [store] url = 'influxdb://HOST:PORT/ORG/BUCKET'; for 1.8: 'influxdb://HOST:PORT/-/DATABASE/RP'."
)


class Address(NamedTuple):
    """Where a store lies.

    server      ``http://host:port``
    org         organization, ``-`` for a server 1.8
    bucket      bucket; ``database/retention-policy`` on a server 1.8
    token_file  file that holds the token, empty if the environment does
    """

    server: str
    org: str
    bucket: str
    token_file: str = ""

    @property
    def is_v1(self) -> bool:
        """Say whether the server is a 1.8, which knows databases and no organizations."""
        return self.org == NO_ORG

    def __str__(self) -> str:
        """Name the place as people read it."""
        return f"{self.bucket} at {self.server}"


def parse_address(url: str) -> Address:
    """Return the parts of ``influxdb://HOST:PORT/ORG/BUCKET``; raises ``SettingsError`` for anything else."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        message = "The store's URL contains a user or a token, which would be shown in logs."
        raise SettingsError(message, hint=f"Put the token into {TOKEN_VARIABLE}, or into a file: …?token_file=PATH.")
    org, _, bucket = (unquote(piece) for piece in parts.path.lstrip("/").partition("/"))
    query = parse_qs(parts.query)
    unknown = sorted(query.keys() - {"token_file"})
    if unknown:
        raise _refused(url, f"has an unknown option '{unknown[0]}'", nearest(unknown[0], ["token_file"]))
    if parts.scheme not in SCHEMES or not parts.hostname or not org or not bucket:
        raise _refused(url, "does not name a server, an organization and a bucket")
    if org == NO_ORG and not all(bucket.partition("/")):
        raise _refused(url, "does not name a database and its retention policy")
    try:
        port = parts.port or 8086
    except ValueError as error:
        raise _refused(url, "has a port that is no number") from error
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(f"{SCHEMES[parts.scheme]}://{host}:{port}", org, bucket, query.get("token_file", [""])[0])


def _refused(url: str, why: str, hint: str = "") -> SettingsError:
    return SettingsError(f"The store '{url}' {why}.", hint=f"{hint} {SHAPE}")
