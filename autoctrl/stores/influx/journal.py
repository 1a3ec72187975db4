"""Which points answer which question, and the records that they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.stores.influx import flux
from autoctrl.stores.influx.flux import Positions
from autoctrl.stores.influx.points import CARRIED, Entry, decode_body, tag_value
from autoctrl.stores.ordering import mark_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Selection
    from autoctrl.stores.influx.server import FluxRow

MANY = 200
WITH_CARRIED = ("task", "job", CARRIED + "task", CARRIED + "job")
EVER = 0
JOURNAL = flux.measurement("journal")
NEWEST_MARKS, NEWEST_RUN, WATER, LEASE = "newest marks", "newest run", "water", "lease"
BODY = 'r._field == "body"'


class WorkflowKey(NamedTuple):
    """One workflow of one campaign."""

    campaign: str
    workflow: str

    def __str__(self) -> str:
        """Name it in a sentence."""
        return f"{self.campaign}/{self.workflow}"


def workflow_of(key: TaskKey) -> WorkflowKey:
    """Return the workflow and campaign of a task."""
    return WorkflowKey(key.campaign, key.workflow)


class Journal(NamedTuple):
    """Writes the queries over one bucket; each answers up to a committed position."""

    bucket: str

    def tail(self, since: int, upto: int) -> str:
        """Ask for all records after a position, of every kind."""
        return self._entries("tail", [], Positions(since + 1, upto))

    def of_workflow(
        self, name: str, kinds: Sequence[str], where: WorkflowKey, span: Positions
    ) -> str:
        """Ask for the records of one workflow of one campaign."""
        chosen = [
            flux.one_of("kind", kinds),
            flux.equal("campaign", where.campaign),
            flux.equal("workflow", where.workflow),
        ]
        return self._entries(name, chosen, span)

    def selected(self, name: str, kinds: Sequence[str], selection: Selection, upto: int) -> str:
        """Ask for the records of the selected units, or of all units if too many are selected."""
        span = Positions(EVER, upto)
        chosen = [flux.equal("campaign", selection.campaign)]
        if selection.workflows is not None:
            chosen.append(flux.one_of("workflow", selection.workflows))
        units = selection.units
        if units is None or len(units) > MANY:
            return self._entries(name, [flux.one_of("kind", kinds), *chosen], span)
        of_units = [*chosen, flux.one_of("unit", units)]
        return flux.select(
            self.bucket, name, [flux.measurement(*kinds), flux.BODIES, *of_units], span
        )

    def every(self, kind: str, upto: int) -> str:
        """Ask for all records of a kind that does not belong to a workflow."""
        return self._entries(kind, [flux.one_of("kind", [kind])], Positions(EVER, upto))

    def _entries(self, name: str, conditions: Sequence[str], span: Positions) -> str:
        return flux.select(self.bucket, name, [JOURNAL, *conditions], span, columns=["kind"])

    def workflows(self, kinds: Sequence[str], upto: int, campaign: str | None = None) -> str:
        """Ask for one point of every workflow that has records of these kinds."""
        chosen = [JOURNAL, flux.one_of("kind", kinds), BODY]
        if campaign is not None:
            chosen.append(flux.equal("campaign", campaign))
        columns = ["campaign", "workflow"]
        span = Positions(EVER, upto)
        return flux.select(self.bucket, "workflows", chosen, span, columns=columns, then=flux.FIRST)

    def of_runs(self, name: str, span: Positions, numbers: Collection[int] | None = None) -> str:
        """Ask for the records of some runs, or of all runs if too many are given or none."""
        if numbers is None or len(numbers) > MANY:
            return self._entries(name, [flux.one_of("kind", ["run"])], span)
        of_numbers = [flux.measurement("run"), flux.BODIES, flux.one_of("run", map(str, numbers))]
        return flux.select(self.bucket, name, of_numbers, span)

    def newest_run(self, upto: int) -> str:
        """Ask for the point of the run record that was written last."""
        chosen = [JOURNAL, flux.one_of("kind", ["run"]), BODY]
        return self._newest(NEWEST_RUN, chosen, upto, "kind")

    def newest_marks(self, kind: str | None, upto: int) -> str:
        """Ask for the newest point of every mark of a kind, or of all kinds; some may not count."""
        chosen = [flux.measurement("mark"), flux.BODIES]
        if kind is not None:
            chosen.append(flux.equal("kind", kind))
        return self._newest(NEWEST_MARKS, chosen, upto, "campaign", "name")

    def newest_water(self, upto: int) -> str:
        """Ask for the newest low-water mark of every workflow; some may not count."""
        return self._newest(WATER, [flux.measurement(WATER)], upto, "campaign", "workflow")

    def newest_leases(self, upto: int) -> str:
        """Ask for the newest point of every lease; some may not count."""
        return self._newest(LEASE, [flux.measurement(LEASE), flux.WORD], upto, "name")

    def _newest(self, name: str, conditions: Sequence[str], upto: int, *columns: str) -> str:
        span = Positions(EVER, upto)
        return flux.select(self.bucket, name, conditions, span, columns=columns, then=flux.LAST)

    def marks(self, name: str, kind: str, names: Collection[str] | None, upto: int) -> str:
        """Ask for all marks of a kind, or for those with one of these names."""
        chosen = [flux.measurement("mark"), flux.BODIES, flux.equal("kind", kind)]
        if names is not None:
            chosen.append(flux.one_of("name", names))
        return flux.select(self.bucket, name, chosen, Positions(EVER, upto))

    def words(
        self, measurement: str, tags: dict[str, str], upto: int, *, newest: bool = False
    ) -> str:
        """Ask for the words of one of the small measurements, all or the newest of each series."""
        chosen = [flux.measurement(measurement), flux.WORD]
        chosen += [flux.equal(tag, value) for tag, value in tags.items()]
        then = flux.LAST if newest else ""
        return flux.select(self.bucket, measurement, chosen, Positions(EVER, upto), then=then)


def read_entries(rows: Iterable[FluxRow], counts: Callable[[int], bool]) -> list[Entry]:
    """Return the records that rows hold, by position, without those that do not count."""
    pieces: dict[tuple[int, str], dict[str, str]] = {}
    for row in rows:
        kind = row.extra.get("kind") or row.measurement
        pieces.setdefault((row.position, kind), {})[row.field] = row.value
    found = []
    for (position, kind), fields in sorted(pieces.items()):
        # last() also returns ``body1`` of an older record if the newest one has ``body`` alone.
        if counts(position) and "body" in fields:
            record = decode_body(kind.removeprefix(CARRIED), joined(fields))
            found.append(Entry(position, kind, record))
    return found


def read_workflows(rows: Iterable[FluxRow]) -> list[WorkflowKey]:
    """Return the workflows and campaigns that rows belong to, sorted."""
    return sorted({workflow_of_row(row) for row in rows})


def workflow_of_row(row: FluxRow) -> WorkflowKey:
    """Return the workflow and campaign that a row belongs to."""
    return WorkflowKey(tag_value(row.extra["campaign"]), tag_value(row.extra["workflow"]))


def sort_by_identity(kind: str, found: list[Entry]) -> list[Entry]:
    """Return entries of one kind by identity, each identity's as written; all runs as written."""
    if kind == "run":
        return found
    keys: dict[str, Callable[[Any], Any]] = {
        "mark": mark_key,
        "task": lambda record: record.key,
        "job": lambda record: record.key,
    }
    key = keys.get(kind, lambda record: record.task)
    return sorted(found, key=lambda entry: key(entry.record))


def joined(fields: dict[str, str]) -> str:
    """Return the body that stands in the fields ``body``, ``body1``, …."""
    if len(fields) == 1:
        return next(iter(fields.values()))
    return "".join(fields[f"body{number}" if number else "body"] for number in range(len(fields)))


def is_selected(
    key: TaskKey, workflows: Collection[str] | None, units: Collection[str] | None
) -> bool:
    """Whether a task is among the selected ones of its campaign."""
    return (workflows is None or key.workflow in workflows) and (units is None or key.unit in units)
