"""The list of outputs: what an analyst reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_lineage
from autoctrl.errors import UsageError
from autoctrl.model.output import LocationState
from autoctrl.model.table import Table
from autoctrl.model.unit import unit_order
from autoctrl.ports import Selection
from autoctrl.views.columns import find_column, find_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from autoctrl.model.output import OutputRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Store
    from autoctrl.views.choice import Allowed, Understood
    from autoctrl.views.columns import Column

COLUMNS = (
    "workflow",
    "unit",
    "runs",
    "version",
    "name",
    "state",
    "bytes",
    "entries",
    "checksums",
    "path",
)


SHORT = 12  # digits of a checksum that tell one content from another


class Copy(NamedTuple):
    """One copy of an output.

    url         where it lies
    state       present, moved, deleted or lost
    checked_at  when that was last found so
    """

    url: str
    state: LocationState
    checked_at: datetime


class OutputLine(NamedTuple):
    """One output of one version.

    campaign        the campaign that was asked for
    workflow, unit  the task that made it
    runs            the runs that it is about
    version         the task's version
    name            the handler's name for it
    locations       its copies
    bytes           size
    checksums       ``algorithm:hex``
    entries         entries by tree
    friend_of       name of the input whose trees it is a friend of, empty if none
    state           ``current``, or ``superseded`` once a newer version is published
    inherited_from  the parent campaign that made it, None if it is the campaign's own
    """

    campaign: str
    workflow: str
    unit: str
    runs: tuple[int, ...]
    version: int
    name: str
    locations: tuple[Copy, ...]
    bytes: int
    checksums: tuple[str, ...]
    entries: Mapping[str, int]
    friend_of: str
    state: str
    inherited_from: str | None

    @property
    def path(self) -> str:
        """Where to read it: its first copy that is present, empty if there is none."""
        return next(self._present, "")

    @property
    def local_path(self) -> str:
        """Where a copy lies on this machine, or on a mounted file system; empty if none does."""
        return next((url for url in self._present if url.startswith("/")), "")

    @property
    def is_picture(self) -> bool:
        """Whether pages show it as a picture, by the name of its file."""
        return self.local_path.lower().endswith(".png")

    @property
    def _present(self) -> Iterator[str]:
        return (one.url for one in self.locations if one.state is LocationState.PRESENT)


class OutputChoice(NamedTuple):
    """Which output of a task a person means.

    name     the handler's name for it
    version  the task's version, None for the newest that has outputs
    content  the beginning of its checksum, where parts share a name
    """

    name: str
    version: int | None = None
    content: str = ""


def list_outputs(
    store: Store,
    campaign: str,
    workflow: str | None = None,
    *,
    superseded: bool = False,
    allowed: Allowed | None = None,
) -> list[OutputLine]:
    """Return the outputs of a campaign, those of its parents where it has not the workflow; with
    ``superseded`` all. ``allowed`` says which data are wanted, all for None.

    Raises ``UsageError`` for an unknown campaign or workflow.
    """
    chain = find_lineage(store, campaign)
    columns = find_columns(store, chain)
    if workflow is not None:
        columns = [find_column(columns, campaign, workflow)]
    wanted = None if chain[0].follow else chain[0].wanted()
    found: list[OutputLine] = []
    for column in columns:
        records = store.find_outputs(Selection(column.campaign, (column.workflow,)))
        lines = group_copies(campaign, records)
        found += _choose(lines, wanted, allowed, superseded=superseded)
    return found


def read_outputs(
    store: Store,
    column: Column,
    units: Sequence[str],
    chosen: Understood,
    *,
    superseded: bool = False,
) -> list[OutputLine]:
    """Return the chosen outputs of some units of a workflow, as ``list_outputs`` does."""
    campaign = chosen.campaign
    selection = Selection(column.campaign, (column.workflow,), tuple(units))
    lines = group_copies(campaign.name, store.find_outputs(selection))
    allowed = chosen.allow(store, sorted({run for line in lines for run in line.runs}))
    wanted = None if campaign.follow else campaign.wanted()
    return _choose(lines, wanted, allowed, superseded=superseded)


def _choose(
    lines: Iterable[OutputLine],
    wanted: Collection[int] | None,
    allowed: Allowed | None,
    *,
    superseded: bool,
) -> list[OutputLine]:
    return [
        line
        for line in lines
        if (superseded or line.state == "current")
        and _is_about(line.runs, wanted)
        and (allowed is None or allowed.takes(line.workflow, line.unit, line.runs))
    ]


def group_copies(campaign: str, records: Iterable[OutputRecord]) -> list[OutputLine]:
    """Return one row for all copies of an output, as seen from ``campaign``; by workflow, unit,
    version and name.
    """
    copies: dict[tuple[TaskKey, int, str, str], list[OutputRecord]] = {}
    newest: dict[TaskKey, int] = {}
    for record in records:
        # Parts that are not merged share one name; a copy is what has the same content.
        content = str(record.checksums)
        copies.setdefault((record.task, record.version, record.name, content), []).append(record)
        newest[record.task] = max(record.version, newest.get(record.task, 0))
    rows = [
        _row(campaign, same, is_current=version == newest[task])
        for (task, version, *_), same in copies.items()
    ]
    return sorted(rows, key=lambda row: (row.workflow, unit_order(row.unit), row.version, row.name))


def short_content(line: OutputLine) -> str:
    """Return the beginning of an output's checksum: it tells apart parts that share a name."""
    return line.checksums[0].partition(":")[2][:SHORT] if line.checksums else ""


def choose_output(lines: Sequence[OutputLine], choice: OutputChoice) -> OutputLine:
    """Return the output that is meant, of one task's. Raises ``UsageError`` if there is none."""
    newest = max((line.version for line in lines), default=0)
    version = newest if choice.version is None else choice.version
    there = [line for line in lines if line.version == version]
    for line in there:
        if line.name == choice.name and short_content(line).startswith(choice.content[:SHORT]):
            return line
    names = ", ".join(dict.fromkeys(line.name for line in there)) or "none"
    message = f"There is no output '{choice.name[:80]}' in version {version}; there are: {names}."
    raise UsageError(message)


def _row(campaign: str, copies: Sequence[OutputRecord], *, is_current: bool) -> OutputLine:
    first = copies[0]
    return OutputLine(
        campaign=campaign,
        workflow=first.task.workflow,
        unit=first.task.unit,
        runs=first.members,
        version=first.version,
        name=first.name,
        locations=tuple(Copy(record.url, record.state, record.time) for record in copies),
        bytes=first.bytes,
        checksums=tuple(f"{algorithm}:{digest}" for algorithm, digest in first.checksums.items()),
        entries=first.entries,
        friend_of=first.friend_of,
        state="current" if is_current else "superseded",
        inherited_from=None if first.task.campaign == campaign else first.task.campaign,
    )


def _is_about(runs: Iterable[int], wanted: Collection[int] | None) -> bool:
    return wanted is None or any(run in wanted for run in runs)


def tabulate_outputs(lines: Iterable[OutputLine]) -> Table:
    """Return a row for each output, with every column that a table of it can have."""
    rows = [
        (
            line.workflow,
            line.unit,
            " ".join(map(str, line.runs)),
            str(line.version),
            line.name,
            line.state,
            str(line.bytes),
            " ".join(f"{tree}:{number}" for tree, number in line.entries.items()),
            " ".join(line.checksums),
            line.path,
        )
        for line in lines
    ]
    return Table(COLUMNS, rows)
