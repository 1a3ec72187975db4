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
    for name in OWN:
        if name in fields:
            message = f"the name '{name}' is taken"
            raise ValueError(message)
    store, campaign, workflow, unit, version, job = _words(tag)
    index, attempt = _numbers(job)
    head = f"{MEASUREMENT},campaign={_key(campaign)},workflow={_key(workflow)},unit={_key(unit)}"
    own = f"store={_text(store)},version={int(version[1:])}i,index={index}i,attempt={attempt}i"
    given = [f"status={_text(status)}"] if status else []
    given += [f"{_key(name)}={_value(value)}" for name, value in fields.items()]
    moment = now_ns // 1000 * 1000 + index % 1000  # jobs of one unit at one time would be one point
    return f"{head} {','.join([own, *given])} {moment}"


def _words(tag: str) -> list[str]:
    words = tag.split("/")
    if len(words) != TAG_WORDS:
        message = f"{TAG} is '{tag}', which does not name a job"
        raise ValueError(message)
    return words


def _numbers(job: str) -> tuple[int, int]:
    """Return index and attempt of a job, which stands as ``0.1`` or ``merge.1`` in its tag."""
    index, _, attempt = job.partition(".")
    return MERGE if index == "merge" else int(index), int(attempt)


def _key(word: str) -> str:
    if not word or "\n" in word or word.endswith("\\"):
        message = f"'{word}' cannot be a name"
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
    server = parts.netloc if parts.port else f"{parts.netloc}:{PORT}"
    where = f"org={quote(org, safe='')}&bucket={quote(bucket, safe='')}&precision=ns"
    request = Request(  # noqa: S310 - the scheme is one of two
        f"{scheme}://{server}/api/v2/write?{where}",
        point.encode(),
        {"Authorization": f"Token {token}"},
    )
    urlopen(request, timeout=LIMIT_S).close()  # noqa: S310 - as above


def main(arguments: list[str]) -> int:
    """Send ``status=TEXT name=NUMBER …``; return 0 even if it was not kept, 2 for other words."""
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
