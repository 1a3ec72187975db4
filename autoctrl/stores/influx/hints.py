"""What jobs said of themselves from worker nodes, read from the bucket of hints."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from autoctrl.errors import StoreError
from autoctrl.model.job import index_text, unit_folder
from autoctrl.model.unit import TaskKey
from autoctrl.node.hint import MEASUREMENT
from autoctrl.ports import Hint
from autoctrl.stores.influx import flux
from autoctrl.stores.influx.address import HINTS, parse_address
from autoctrl.stores.influx.errors import Unreachable
from autoctrl.stores.influx.points import NS_PER_S
from autoctrl.stores.influx.server import Server, read_token

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autoctrl.stores.influx.server import FluxRow

NOBODY = TaskKey("", "", "")
ATTEMPT = ("version", "index", "attempt")
OWN = frozenset({"store", "status", *ATTEMPT})


def read_hints(url: str, store_id: str, task: TaskKey) -> list[Hint]:
    """Return the newest hint of every attempt of a task, in their order.

    Raises ``StoreError`` or ``SettingsError``.
    """
    with _open(url, patience_s=0) as server:
        return newest_hints(server.query(_script(server.address.bucket, task)), store_id)


def ping_hints(url: str) -> str:
    """Return one line about the bucket.

    Raises ``StoreError`` or ``SettingsError`` if jobs cannot write it.
    """
    with _open(url) as server:
        location = server.address.location
        server.check_writing()
        try:
            server.query(_script(server.address.bucket, NOBODY))
        except Unreachable:
            raise
        except StoreError:
            return f"{location}; this token may not read it, so autoctrl jobs shows no hints"
    return location


def _open(url: str, **patience: float) -> closing[Server]:
    address = parse_address(url, HINTS)
    return closing(Server(address, read_token(address), **patience))


def _script(bucket: str, task: TaskKey) -> str:
    tags = {"campaign": task.campaign, "workflow": task.workflow, "unit": unit_folder(task.unit)}
    conditions = [f"r.{tag} == {flux.text(value)}" for tag, value in tags.items()]
    span = f"start: -{flux.WHOLE_S}s, stop: {flux.END_OF_TIME}"
    return (
        f"from(bucket: {flux.text(bucket)}) |> range({span})"
        f" |> filter(fn: (r) => {' and '.join([flux.measurement(MEASUREMENT), *conditions])})"
        " |> map(fn: (r) => ({_time: r._time, _field: r._field, _value: string(v: r._value)}))"
        ' |> yield(name: "hints")\n'
    )


def newest_hints(rows: Iterable[FluxRow], store_id: str) -> list[Hint]:
    """Return the newest hint of every attempt of this store's jobs, in their order."""
    points: dict[int, dict[str, str]] = {}
    for row in rows:
        points.setdefault(row.time, {})[row.field] = row.value
    newest: dict[tuple[int, int, int], Hint] = {}
    for time_ns, fields in sorted(points.items()):
        if fields.get("store") == store_id and fields.keys() >= set(ATTEMPT):
            version, index, attempt = (int(fields[name]) for name in ATTEMPT)
            when = datetime.fromtimestamp(time_ns / NS_PER_S, UTC)
            hint = Hint(version, index_text(index), attempt, when, fields.get("status", ""), {})
            newest[version, index, attempt] = hint._replace(values=_values(fields))
    return [newest[key] for key in sorted(newest)]


def _values(fields: Mapping[str, str]) -> dict[str, float | str]:
    return {name: _value(text) for name, text in fields.items() if name not in OWN}


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
