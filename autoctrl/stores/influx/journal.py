"""Which points answer which question, and the records that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.stores.influx import flux
from autoctrl.stores.influx.points import CARRIED, Placed, decode_body, tag_value
from autoctrl.stores.ordering import mark_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Selection
    from autoctrl.stores.influx.server import Row

NS_PER_US = 1000
MANY = 200
WITH_CARRIED = ("task", "job", CARRIED + "task", CARRIED + "job")
EVER = 0
JOURNAL = flux.measurement("journal")


class Journal(NamedTuple):
    """Writes streams of queries over one bucket; each answers up to a committed position."""

    bucket: str

    def tail(self, since: int, upto: int) -> str:
        """Ask for everything after a position, of every kind."""
        return flux.select(self.bucket, "tail", [JOURNAL], (since + 1, upto), columns=["kind"])

    def of_place(
        self, name: str, kinds: Sequence[str], place: tuple[str, str], span: tuple[int, int]
    ) -> str:
        """Ask for the records of one campaign and workflow."""
        chosen = [JOURNAL, flux.one_of("kind", kinds), flux.equal("campaign", place[0])]
        chosen.append(flux.equal("workflow", place[1]))
        return flux.select(self.bucket, name, chosen, span, columns=["kind"])

    def selected(self, name: str, kinds: Sequence[str], selection: Selection, upto: int) -> str:
        """Ask for the records of the selected units if they are few, else of all of the selected
        workflows.
        """
        units = selection.units
        is_few = units is not None and len(units) <= MANY
        chosen = (
            [flux.measurement(*kinds), flux.BODIES]
            if is_few
            else [JOURNAL, flux.one_of("kind", kinds)]
        )
        chosen.append(flux.equal("campaign", selection.campaign))
        if selection.workflows is not None:
            chosen.append(flux.one_of("workflow", selection.workflows))
        if units is not None and is_few:
            chosen.append(flux.one_of("unit", units))
            return flux.select(self.bucket, name, chosen, (EVER, upto))
        return flux.select(self.bucket, name, chosen, (EVER, upto), columns=["kind"])

    def every(self, kind: str, upto: int) -> str:
        """Ask for all records of a kind that belongs to no workflow."""
        return flux.select(
            self.bucket,
            kind,
            [JOURNAL, flux.one_of("kind", [kind])],
            (EVER, upto),
            columns=["kind"],
        )

    def places(self, kinds: Sequence[str], upto: int, campaign: str | None = None) -> str:
        """Ask for one point of every campaign and workflow that has records of these kinds."""
        chosen = [JOURNAL, flux.one_of("kind", kinds), 'r._field == "body"']
        if campaign is not None:
            chosen.append(flux.equal("campaign", campaign))
        return flux.select(
            self.bucket,
            "places",
            chosen,
            (EVER, upto),
            columns=["campaign", "workflow"],
            then=flux.FIRST,
        )

    def of_runs(
        self, name: str, span: tuple[int, int], numbers: Collection[int] | None = None
    ) -> str:
        """Ask for the records of few runs, or of all."""
        if numbers is not None and len(numbers) <= MANY:
            chosen = [flux.measurement("run"), flux.BODIES, flux.one_of("run", map(str, numbers))]
            return flux.select(self.bucket, name, chosen, span)
        return flux.select(
            self.bucket, name, [JOURNAL, flux.one_of("kind", ["run"])], span, columns=["kind"]
        )

    def newest_run(self, upto: int) -> str:
        """Ask for the point of the run record that was written last."""
        chosen = [JOURNAL, flux.one_of("kind", ["run"]), 'r._field == "body"']
        return flux.select(
            self.bucket, "newest run", chosen, (EVER, upto), columns=["kind"], then=flux.LAST
        )

    def newest_marks(self, kind: str | None, upto: int) -> str:
        """Ask for the newest point of every mark of a kind, or of all; it may be one that does not
        count.
        """
        chosen = [
            flux.measurement("mark"),
            flux.BODIES,
            *([flux.equal("kind", kind)] if kind is not None else []),
        ]
        return flux.select(
            self.bucket,
            "newest marks",
            chosen,
            (EVER, upto),
            columns=["campaign", "name"],
            then=flux.LAST,
        )

    def newest_water(self, upto: int) -> str:
        """Ask for the newest point of every place from where to read what is open; some may not
        count.
        """
        columns = ["campaign", "workflow"]
        return flux.select(
            self.bucket,
            "water",
            [flux.measurement("water")],
            (EVER, upto),
            columns=columns,
            then=flux.LAST,
        )

    def newest_leases(self, upto: int) -> str:
        """Ask for the newest point of every lease; it may be one that does not count."""
        chosen = [flux.measurement("lease"), flux.WORD]
        return flux.select(
            self.bucket, "lease", chosen, (EVER, upto), columns=["name"], then=flux.LAST
        )

    def marks(self, name: str, kind: str, names: Collection[str] | None, upto: int) -> str:
        """Ask for all marks of a kind."""
        chosen = [flux.measurement("mark"), flux.BODIES, flux.equal("kind", kind)]
        if names is not None:
            chosen.append(flux.one_of("name", names))
        return flux.select(self.bucket, name, chosen, (EVER, upto))

    def words(
        self, measurement: str, tags: dict[str, str], upto: int, *, newest: bool = False
    ) -> str:
        """Ask for the words of one of the small measurements, the newest of each series or all."""
        chosen = [
            flux.measurement(measurement),
            flux.WORD,
            *(flux.equal(tag, tags[tag]) for tag in tags),
        ]
        return flux.select(
            self.bucket, measurement, chosen, (EVER, upto), then=flux.LAST if newest else ""
        )


def placed(rows: Iterable[Row], counts: Callable[[int], bool]) -> list[Placed]:
    """Return the records that rows make, by position, without those that do not count."""
    pieces: dict[tuple[int, str], dict[str, str]] = {}
    for row in rows:
        kind = row.extra.get("kind") or row.measurement
        pieces.setdefault((row.time // NS_PER_US, kind), {})[row.field] = row.value
    found = []
    for (position, kind), fields in sorted(pieces.items()):
        if (
            counts(position) and "body" in fields
        ):  # the newest body may be shorter than an older one
            found.append(
                Placed(position, kind, decode_body(kind.removeprefix(CARRIED), joined(fields)))
            )
    return found


def places(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """Return the campaigns and workflows that rows belong to, sorted."""
    return sorted(
        {(tag_value(row.extra["campaign"]), tag_value(row.extra["workflow"])) for row in rows}
    )


def in_their_order(kind: str, found: list[Placed]) -> list[Placed]:
    """Return records of one kind by identity, each identity's as they were written; runs all as
    they were written.
    """
    if kind == "run":
        return found
    keys: dict[str, Callable[[Any], Any]] = {
        "mark": mark_key,
        "task": lambda one: one.key,
        "job": lambda one: one.key,
    }
    key = keys.get(kind, lambda one: one.task)
    return sorted(found, key=lambda one: key(one.record))


def joined(fields: dict[str, str]) -> str:
    """Return the body that stands in the fields ``body``, ``body1``, …."""
    if len(fields) == 1:
        return next(iter(fields.values()))
    return "".join(fields[f"body{number}" if number else "body"] for number in range(len(fields)))


def is_meant(
    key: TaskKey, workflows: Collection[str] | None, units: Collection[str] | None
) -> bool:
    """Say whether a key is among the selected ones of its campaign."""
    return (workflows is None or key.workflow in workflows) and (units is None or key.unit in units)
