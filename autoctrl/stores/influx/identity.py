"""Which bucket a store is: its place, its retention, and the id that was made with it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import SettingsError, StoreError
from autoctrl.stores.influx.errors import where_token
from autoctrl.stores.influx.mutex import Batch
from autoctrl.stores.influx.points import field_text, line

if TYPE_CHECKING:
    from autoctrl.stores.influx.journal import Journal
    from autoctrl.stores.influx.mutex import Mutex
    from autoctrl.stores.influx.server import Row, Server
    from autoctrl.stores.influx.turns import State

NS_PER_US = 1000
LONG_ENOUGH_S = 10 * 365 * 86_400
_UNITS_S = {"h": 3600, "m": 60, "s": 1}


class Bucket(NamedTuple):
    """What the server says of the place.

    place        what stays with it and differs for a copy
    retention_s  how long points are kept, 0 for ever
    """

    place: str
    retention_s: int


def find_bucket(server: Server) -> Bucket:
    """Return the bucket. Raises ``StoreError`` if it does not exist or the token does not serve."""
    address = server.address
    if address.is_v1:
        database, _, policy = address.bucket.partition("/")
        return _find_policy(server, database, policy)
    answer, _ = server.get("/api/v2/buckets", org=address.org, name=address.bucket)
    for bucket in (answer or {}).get("buckets", []):
        rules = bucket.get("retentionRules") or []
        return Bucket(bucket["id"], max((rule.get("everySeconds", 0) for rule in rules), default=0))
    what = f"bucket {address.bucket}"
    raise _missing(what, server)


def _find_policy(server: Server, database: str, policy: str) -> Bucket:
    quoted = database.replace("\\", "\\\\").replace('"', '\\"')
    answer, _ = server.get("/query", q=f'SHOW RETENTION POLICIES ON "{quoted}"')
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
        return StoreError(
            message, hint="Make it, without a limit of retention, or correct [store] url."
        )
    message = f"The {server.address} may only be written with this token."
    return StoreError(
        message, hint=f"Give one that may read it too: {where_token(server.address)}."
    )


def refuse_short(bucket: Bucket, server: Server) -> None:
    """Raise ``SettingsError`` if points would be forgotten while they are needed."""
    if 0 < bucket.retention_s < LONG_ENOUGH_S:
        days = bucket.retention_s / 86_400
        message = (
            f"The {server.address} forgets: its retention is {days:.1f} days, and a record "
            "must never vanish."
        )
        raise SettingsError(message, hint="Set the bucket's retention to infinite.")


def identify(server: Server, mutex: Mutex, journal: Journal) -> str:
    """Return the id of the store in this place, made if there is none: a copy elsewhere gets one of
    its own.
    """
    bucket = find_bucket(server)
    refuse_short(bucket, server)

    def needs(upto: int) -> str:
        return journal.words("store", {}, upto)

    def known(rows: list[Row]) -> str:
        said = [json.loads(row.value) for row in rows if mutex.counts(row.time // NS_PER_US)]
        return next((one["id"] for one in reversed(said) if one["place"] == bucket.place), "")

    found = known(mutex.look(needs)[1])
    if found:
        return found

    def work(state: State, rows: list[Row], first: int) -> Batch:
        nonlocal found
        del state
        found = known(rows) or os.urandom(8).hex()
        word = json.dumps({"id": found, "place": bucket.place})
        return Batch([line("store", {}, [("word", field_text(word))], first * NS_PER_US)], 1)

    mutex.turn(needs, work)
    return found
