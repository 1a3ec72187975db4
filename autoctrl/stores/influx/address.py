"""Where an InfluxDB store lies, pure: the URL in its parts."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from autoctrl.errors import SettingsError, nearest

TOKEN_VARIABLE = "AUTOCTRL_STORE_TOKEN"  # noqa: S105 - the name of a variable, no secret
SCHEMES = {"influxdb": "http", "influxdbs": "https"}
NO_ORG = "-"
STORE, HINTS = "store", "hints"
NAMES = {STORE: "store", HINTS: "bucket of hints"}
SHAPE = "'influxdb://HOST:PORT/ORG/BUCKET'; for 1.8: 'influxdb://HOST:PORT/-/DATABASE/RP'."


class Address(NamedTuple):
    """Where a store lies, or what jobs say.

    server      ``http://host:port``
    org         organization, ``-`` for a server 1.8
    bucket      bucket; ``database/retention-policy`` on a server 1.8
    token_file  file that holds the token, empty if the environment does
    section     of the settings: ``store`` or ``hints``
    """

    server: str
    org: str
    bucket: str
    token_file: str = ""
    section: str = STORE

    @property
    def is_v1(self) -> bool:
        """Say whether the server is a 1.8, which knows databases and no organizations."""
        return self.org == NO_ORG

    @property
    def setting(self) -> str:
        """The setting that names the file of the token."""
        return f"[{self.section}] token_file"

    @property
    def place(self) -> str:
        """The bucket and its server as people read it."""
        return f"{self.bucket} at {self.server}"

    def __str__(self) -> str:
        """Name it in a sentence."""
        return f"{NAMES[self.section]} {self.place}"


def parse_address(url: str, section: str = STORE) -> Address:
    """Return the parts of ``influxdb://HOST:PORT/ORG/BUCKET``; raises ``SettingsError`` for
    anything else.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        message = (
            f"The URL of the {NAMES[section]} contains a user or a token, which would be shown "
            "in logs."
        )
        raise SettingsError(
            message,
            hint=f"Put the token into a file and name that: [{section}] token_file = 'PATH'.",
        )
    org, _, bucket = (unquote(piece) for piece in parts.path.lstrip("/").partition("/"))
    query = parse_qs(parts.query)
    unknown = sorted(query.keys() - {"token_file"})
    if unknown:
        raise _refused(
            url,
            section,
            f"has an unknown option '{unknown[0]}'",
            nearest(unknown[0], ["token_file"]),
        )
    if parts.scheme not in SCHEMES or not parts.hostname or not org or not bucket:
        raise _refused(url, section, "does not name a server, an organization and a bucket")
    if org == NO_ORG and not all(bucket.partition("/")):
        raise _refused(url, section, "does not name a database and its retention policy")
    try:
        port = parts.port or 8086
    except ValueError as error:
        raise _refused(url, section, "has a port that is no number") from error
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(
        f"{SCHEMES[parts.scheme]}://{host}:{port}",
        org,
        bucket,
        query.get("token_file", [""])[0],
        section,
    )


def with_token_file(url: str, folder: Path, file: str) -> str:
    """Return the address with the absolute path of its token's file: of the one that it names
    itself or else ``file``; relative ones count from ``folder``.
    """
    address, _, words = url.partition("?")
    options = dict(parse_qsl(words))
    file = options.pop("token_file", file)
    if file:
        options["token_file"] = str(folder / Path(file).expanduser())
    return f"{address}?{urlencode(options)}" if options else address


def _refused(url: str, section: str, why: str, hint: str = "") -> SettingsError:
    # Without its options: one of them comes from another setting, and nobody has written it there.
    message = f"The {NAMES[section]} '{url.partition('?')[0]}' {why}."
    return SettingsError(message, hint=f"{hint} Write it as in: [{section}] url = {SHAPE}".lstrip())
