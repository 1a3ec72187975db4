"""Tell from a job how far it is: ``python3 "$AUTOCTRL_HINT" status=fitting progress=0.4``.

One file, standard library only, Python 3.9 or later, so that it works on any node; from Python:
``from autoctrl.node.hint import hint``. What a job says is a hint for people, never a transition:
it goes to a bucket of its own, with a token for that bucket alone. Where no bucket is configured or
no server answers, the job goes on undisturbed.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # typing takes as long to import as all else here
if TYPE_CHECKING:
    from collections.abc import Mapping

URL, TOKEN_FILE, TAG = "AUTOCTRL_HINTS_URL", "AUTOCTRL_HINTS_TOKEN_FILE", "AUTOCTRL_TAG"
MEASUREMENT = "hint"
OWN = ("store", "version", "index", "attempt", "status")
LIMIT_S = 3.0
MOST_CHARACTERS = 500
MERGE = -1
PORT = 8086
TAG_WORDS = 6


def hint(status: str = "", **fields: float | str) -> bool:
    """Say what the job does now, and numbers or short texts by name; say whether it was kept.

    Never raises: what could not be kept is complained of on stderr.
    """
    url = os.environ.get(URL, "")
    if not url or not os.environ.get(TAG):
        return False
    try:
        _send(url, line(os.environ[TAG], status, fields, time.time_ns()))
    except Exception as error:  # noqa: BLE001 - a hint must not disturb the job, whatever goes wrong
        sys.stderr.write(f"autoctrl hint: not kept: {error}\n")
        return False
    return True


def line(tag: str, status: str, fields: Mapping[str, float | str], now_ns: int) -> str:
    """Return the point in InfluxDB's line protocol.

    Raises ``ValueError`` for a tag or a field that cannot be kept.
    """
    words = tag.split("/")
    if len(words) != TAG_WORDS:
        message = f"{TAG} is '{tag}', which names no job"
        raise ValueError(message)
    store, campaign, workflow, unit, version, job = words
    index_text, _, attempt = job.partition(".")
    index = MERGE if index_text == "merge" else int(index_text)
    for name in set(fields).intersection(OWN):
        message = f"the name '{name}' is taken"
        raise ValueError(message)
    tags = {"campaign": campaign, "workflow": workflow, "unit": unit}
    head = ",".join([MEASUREMENT, *(f"{key}={_key(value)}" for key, value in tags.items())])
    own = [
        f"store={_text(store)}",
        f"version={int(version[1:])}i",
        f"index={index}i",
        f"attempt={int(attempt)}i",
    ]
    own += [f"status={_text(status)}"] if status else []
    given = [f"{_key(name)}={_value(value)}" for name, value in fields.items()]
    moment = now_ns // 1000 * 1000 + index % 1000  # jobs of one unit at one time would be one point
    return f"{head} {','.join([*own, *given])} {moment}"


def _key(word: str) -> str:
    if not word or "\n" in word or word.endswith("\\"):
        message = f"'{word}' is no name"
        raise ValueError(message)
    return word.replace(",", r"\,").replace(" ", r"\ ").replace("=", r"\=")


def _text(value: str) -> str:
    escaped = str(value)[:MOST_CHARACTERS].replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _value(value: float | str) -> str:
    return _text(value) if isinstance(value, str) else repr(float(value))


def _send(url: str, point: str) -> None:
    """Write the point. Raises ``OSError`` if nobody takes it."""
    from urllib.parse import quote, unquote, urlsplit
    from urllib.request import Request, urlopen

    parts = urlsplit(url)
    org, _, bucket = unquote(parts.path).strip("/").partition("/")
    with open(os.environ[TOKEN_FILE], encoding="ascii") as file:
        token = file.read().strip()
    scheme = "https" if parts.scheme in ("influxdbs", "https") else "http"
    place = parts.netloc if parts.port else f"{parts.netloc}:{PORT}"
    where = f"org={quote(org, safe='')}&bucket={quote(bucket, safe='')}&precision=ns"
    request = Request(  # noqa: S310 - the scheme is one of two
        f"{scheme}://{place}/api/v2/write?{where}",
        point.encode(),
        {"Authorization": f"Token {token}"},
    )
    urlopen(request, timeout=LIMIT_S).close()  # noqa: S310 - as above


def main(arguments: list[str]) -> int:
    """Send ``status=TEXT name=NUMBER …``; return 0 whether or not it was kept, 2 for words that are
    no pairs.
    """
    pairs = [word.partition("=") for word in arguments]
    if not pairs or not all(name and equals for name, equals, _ in pairs):
        sys.stderr.write('usage: hint.py status="what it does" name=number …\n')
        return 2
    given = {name: value for name, _, value in pairs}
    hint(given.pop("status", ""), **{name: _parsed(value) for name, value in given.items()})
    return 0


def _parsed(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
