"""Which bucket a store is: its mark, its retention, and the id that was made with it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import SettingsError, StoreError
from autoctrl.stores.influx.errors import where_token
from autoctrl.stores.influx.points import NS_PER_US, field_text, line
from autoctrl.stores.influx.turns import Payload

if TYPE_CHECKING:
    from autoctrl.stores.influx.journal import Journal
    from autoctrl.stores.influx.mutex import Mutex
    from autoctrl.stores.influx.server import FluxRow, Server
    from autoctrl.stores.influx.turns import State

LONG_ENOUGH_S = 10 * 365 * 86_400
_UNITS_S = {"h": 3600, "m": 60, "s": 1}


class Bucket(NamedTuple):
    """What the server says of a bucket.

    mark         what stays with it and differs for a copy
    retention_s  how long points are kept, 0 for ever
    """

    mark: str
    retention_s: int


def find_bucket(server: Server) -> Bucket:
    """Return the bucket; raises ``StoreError`` if it does not exist or the token does not serve."""
    address = server.address
    if address.is_v1:
        database, _, policy = address.bucket.partition("/")
        return _find_policy(server, database, policy)
    answer = server.get("/api/v2/buckets", org=address.org, name=address.bucket)
    buckets = (answer or {}).get("buckets", [])
    if not buckets:
        what = f"bucket {address.bucket}"
        raise _missing(what, server)
    rules = buckets[0].get("retentionRules") or []
    retention_s = max((rule.get("everySeconds", 0) for rule in rules), default=0)
    return Bucket(buckets[0]["id"], retention_s)


def _find_policy(server: Server, database: str, policy: str) -> Bucket:
    quoted = database.replace("\\", "\\\\").replace('"', '\\"')
    answer = server.get("/query", q=f'SHOW RETENTION POLICIES ON "{quoted}"')
    result = (answer or {}).get("results", [{}])[0]
    if "error" in result and "not found" not in result["error"]:
        message = f"The {server.address} refuses: {result['error']}."
        raise StoreError(message, hint="Give a user that may read and write this database.")
    for series in result.get("series", []):
        for name, duration, *_ in series.get("values", []):
            if name == policy:
                return Bucket(f"{database}/{policy}", _seconds(duration))
    what = f"retention policy {policy} of a database {database}"
    raise _missing(what, server)


def _seconds(duration: str) -> int:
    """Return the seconds of ``168h0m0s``."""
    total, digits = 0, ""
    for letter in duration:
        if letter.isdigit():
            digits += letter
        else:
            total, digits = total + int(digits) * _UNITS_S[letter], ""
    return total


def _missing(what: str, server: Server) -> StoreError:
    try:
        server.check_writing()
    except StoreError:
        message = (
            f"The {server.address} does not exist: there is no {what} that this token may see."
        )
        hint = "Make it, without a retention limit, or correct [store] url."
        return StoreError(message, hint=hint)
    message = f"The {server.address} may only be written with this token."
    hint = f"Give one that may read it too: {where_token(server.address)}."
    return StoreError(message, hint=hint)


def refuse_short_retention(bucket: Bucket, server: Server) -> None:
    """Raise ``SettingsError`` if the server would delete points while they are needed."""
    if 0 < bucket.retention_s < LONG_ENOUGH_S:
        days = bucket.retention_s / 86_400
        message = (
            f"The {server.address} would delete records: its retention is {days:.1f} days, and a "
            "record must never vanish."
        )
        raise SettingsError(message, hint="Set the bucket's retention to infinite.")


def identify(server: Server, mutex: Mutex, journal: Journal) -> str:
    """Return the id of the store in this bucket, made if there is none.

    A copy in another bucket gets an id of its own.
    """
    bucket = find_bucket(server)
    refuse_short_retention(bucket, server)

    def needs(upto: int) -> str:
        return journal.words("store", {}, upto)

    def known(rows: list[FluxRow]) -> str:
        said = [json.loads(row.value) for row in rows if mutex.view.counts(row.position)]
        return next((one["id"] for one in reversed(said) if one["place"] == bucket.mark), "")

    found = known(mutex.view.look(needs).rows)
    if found:
        return found

    def work(state: State, rows: list[FluxRow], first: int) -> Payload:
        nonlocal found
        del state
        found = known(rows) or os.urandom(8).hex()
        word = json.dumps({"id": found, "place": bucket.mark})
        return Payload([line("store", {}, [("word", field_text(word))], first * NS_PER_US)], 1)

    mutex.take_turn(needs, work)
    return found
