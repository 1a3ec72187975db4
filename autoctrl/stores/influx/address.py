"""Where an InfluxDB store lies, pure: the parts of its URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from autoctrl.errors import SettingsError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from urllib.parse import SplitResult

TOKEN_VARIABLE = "AUTOCTRL_STORE_TOKEN"  # noqa: S105 - the name of a variable, not a secret
SCHEMES = {"influxdb": "http", "influxdbs": "https"}
DEFAULT_PORT = 8086
NO_ORG = "-"
OPTIONS = ("token_file",)
STORE, HINTS = "store", "hints"
NAMES = {STORE: "store", HINTS: "bucket of hints"}
SHAPE = "'influxdb://HOST:PORT/ORG/BUCKET'; for 1.8: 'influxdb://HOST:PORT/-/DATABASE/RP'."


class Address(NamedTuple):
    """Where a store or the bucket of hints lies.

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
        """Whether the server is a 1.8, which has databases and no organizations."""
        return self.org == NO_ORG

    @property
    def setting(self) -> str:
        """The setting that names the file of the token."""
        return f"[{self.section}] token_file"

    @property
    def location(self) -> str:
        """The bucket and its server as people read it."""
        return f"{self.bucket} at {self.server}"

    def __str__(self) -> str:
        """Name it in a sentence."""
        return f"{NAMES[self.section]} {self.location}"


def parse_address(url: str, section: str = STORE) -> Address:
    """Return the parts of ``influxdb://HOST:PORT/ORG/BUCKET``.

    Raises ``SettingsError`` for any other URL.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise _shown_secret(section)
    org, _, bucket = (unquote(piece) for piece in parts.path.lstrip("/").partition("/"))
    options = parse_qs(parts.query)
    unknown = _unknown_option(options)
    if unknown:
        raise _refused(
            url, section, f"has an unknown option '{unknown}'", nearest(unknown, OPTIONS)
        )
    problem = _problem(parts, org, bucket)
    if problem:
        raise _refused(url, section, problem)
    token_file = options.get("token_file", [""])[0]
    return Address(_server(parts), org, bucket, token_file, section)


def _unknown_option(options: Iterable[str]) -> str:
    return min((name for name in options if name not in OPTIONS), default="")


def _problem(parts: SplitResult, org: str, bucket: str) -> str:
    """Return what is wrong with the URL, empty if nothing is."""
    if parts.scheme not in SCHEMES or not (parts.hostname and org and bucket):
        return "does not name a server, an organization and a bucket"
    if org == NO_ORG and not all(bucket.partition("/")):
        return "does not name a database and its retention policy"
    try:
        _ = parts.port
    except ValueError:
        return "has a port that is not a number"
    return ""


def _server(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    return f"{SCHEMES[parts.scheme]}://{host}:{parts.port or DEFAULT_PORT}"


def _shown_secret(section: str) -> SettingsError:
    what = "contains a user or a token, which would be shown in logs"
    hint = f"Put the token into a file and name that: [{section}] token_file = 'PATH'."
    return SettingsError(f"The URL of the {NAMES[section]} {what}.", hint=hint)


def with_token_file(url: str, folder: Path, file: str) -> str:
    """Return the address with the absolute path of its token's file.

    That is the file that the address names itself, else ``file``; relative paths count from
    ``folder``.
    """
    address, _, words = url.partition("?")
    options = dict(parse_qsl(words))
    file = options.pop("token_file", file)
    if file:
        options["token_file"] = str(folder / Path(file).expanduser())
    return f"{address}?{urlencode(options)}" if options else address


def _refused(url: str, section: str, why: str, hint: str = "") -> SettingsError:
    # The options are left out: one of them comes from another setting, where nobody wrote it.
    message = f"The {NAMES[section]} '{url.partition('?')[0]}' {why}."
    return SettingsError(message, hint=f"{hint} Write it as in: [{section}] url = {SHAPE}".lstrip())
