"""What a client answers: tuples of records that know what analysts do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import MissingExtra, UsageError, nearest
from autoctrl.views.fields import FieldsLine, name_fields
from autoctrl.views.outputs import OutputLine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.model.condition import Condition
    from autoctrl.views.overview import RunRow


class Outputs(tuple[OutputLine, ...]):
    """Published outputs, ordered by workflow, unit and name."""

    __slots__ = ()

    def paths(self) -> list[str]:
        """Return where to read each, in the same order; those without a copy are left out."""
        return [output.path for output in self if output.path]

    def by_run(self) -> Mapping[int, Outputs]:
        """Return those about each run, by its number."""
        runs = sorted({run for output in self for run in output.runs})
        return {run: Outputs(one for one in self if run in one.runs) for run in runs}


class FieldsTable(tuple[FieldsLine, ...]):
    """Custom fields of a workflow's tasks, ordered by unit."""

    __slots__ = ()

    def names(self) -> list[str]:
        """Return the names of the fields that any task has."""
        return name_fields(self)

    def column(self, name: str) -> list[float | str | None]:
        """Return a field of each task, None where a task has not got it.

        Raises ``UsageError`` naming the nearest if no task has it.
        """
        if name not in self.names():
            message = f"There is no field '{name}'. {nearest(name, self.names())}"
            raise UsageError(message)
        return [line.values.get(name) for line in self]

    def rows(self) -> list[dict[str, Any]]:
        """Return a plain row for each task, as ``pandas.DataFrame`` takes them: ``unit``, ``run``
        (of a group the first), ``version``, and the fields by name.
        """
        return [
            {"unit": line.unit, "run": min(line.runs), "version": line.version, **line.values}
            for line in self
        ]

    def to_awkward(self) -> Any:  # noqa: ANN401 - awkward is optional
        """Return ``rows`` as an array of records. Raises ``MissingExtra`` without awkward."""
        try:
            import awkward
        except ImportError as error:
            what = "An array of fields"
            raise MissingExtra(what, "science") from error
        names = self.names()
        return awkward.Array([dict.fromkeys(names) | row for row in self.rows()])


class Status(NamedTuple):
    """Where the runs of a campaign stand.

    campaign    its name
    workflows   names in the order of the chain
    runs        a row for each run, by number
    conditions  what cannot be done now, or may not
    """

    campaign: str
    workflows: tuple[str, ...]
    runs: tuple[RunRow, ...]
    conditions: tuple[Condition, ...] = ()
