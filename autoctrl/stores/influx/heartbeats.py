"""Heartbeats as points, pure: one for each campaign, always at the same time, so that a later one
replaces it and nothing grows; the numbers that came with them are kept, for curves in Grafana.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from autoctrl.ports import Heartbeat
from autoctrl.stores.influx import flux
from autoctrl.stores.influx.points import NS_PER_S, NS_PER_US, field_text, line, tag_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.stores.influx.server import FluxRow

HEARTBEAT, HEALTH = "heartbeat", "health"
# Before any record, so that these points lie in a shard of their own, which stays small; but not
# so long ago that a bucket which keeps points for ten years would refuse them.
TIME_NS = round(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * NS_PER_S


def heartbeat_line(heartbeat: Heartbeat) -> str:
    """Return the one point of a campaign."""
    fields = [
        ("at", field_text(heartbeat.time.isoformat())),
        ("owner", field_text(heartbeat.owner)),
    ]
    return line(HEARTBEAT, {"campaign": heartbeat.campaign}, fields, TIME_NS)


def health_lines(heartbeat: Heartbeat) -> list[str]:
    """Return the point of the numbers that came with a heartbeat, at its time; none without any."""
    if not heartbeat.values:
        return []
    fields = [(name, repr(float(value))) for name, value in heartbeat.values.items()]
    time_ns = round(heartbeat.time.timestamp() * NS_PER_S)
    return [line(HEALTH, {"campaign": heartbeat.campaign}, fields, time_ns)]


def ask_heartbeats(bucket: str) -> str:
    """Ask for the points of all campaigns."""
    span = flux.Positions(TIME_NS // NS_PER_US, TIME_NS // NS_PER_US)
    chosen = [flux.measurement(HEARTBEAT)]
    return flux.select(bucket, HEARTBEAT, chosen, span, columns=["campaign"])


def read_heartbeats(rows: Iterable[FluxRow]) -> dict[str, Heartbeat]:
    """Return the heartbeats that rows hold, by campaign."""
    points: dict[str, dict[str, str]] = {}
    for row in rows:
        points.setdefault(tag_value(row.extra["campaign"]), {})[row.field] = row.value
    return {
        campaign: Heartbeat(campaign, datetime.fromisoformat(fields["at"]), fields["owner"])
        for campaign, fields in points.items()
    }
