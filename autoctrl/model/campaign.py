"""A campaign: a named processing of many runs, with its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.unit import parse_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autoctrl.model.output import MarkRecord

PROMPT = "prompt"


class Campaign(NamedTuple):
    """What is known of a campaign; kept as the values of its mark.

    name       unique in the project
    parent     campaign in which workflows are looked up that this one does not have, None if there
               is none
    workflows  names of its workflows, None for all
    settings   values that handlers read as ``{campaign.<key>}``
    code       commit at which its workflows must stand, None if any will do
    runs       fixed selection of runs such as ``4500-4510``, None for all
    follow     takes in runs as the sources discover them
    closed     takes in no more runs and starts nothing more
    """

    name: str
    parent: str | None = None
    workflows: tuple[str, ...] | None = None
    settings: Mapping[str, Any] = {}
    code: str | None = None
    runs: str | None = None
    follow: bool = False
    closed: bool = False

    def has(self, workflow: str) -> bool:
        """Say whether the workflow is processed in this campaign, not looked up in a parent."""
        return self.workflows is None or workflow in self.workflows

    def wanted(self) -> frozenset[int] | None:
        """Return the fixed set of its runs, None if it takes every run."""
        return None if self.runs is None else frozenset(parse_runs(self.runs))

    def values(self) -> dict[str, Any]:
        """Return the mark's values."""
        fields = self._asdict()
        del fields["name"]
        fields["workflows"] = None if self.workflows is None else list(self.workflows)
        return fields


def read_campaign(mark: MarkRecord) -> Campaign:
    """Return the campaign that a mark of kind ``campaign`` describes; values that it lacks are the
    defaults.
    """
    values = {name: value for name, value in mark.values.items() if name in Campaign._fields}
    chosen = values.pop("workflows", None)
    return Campaign(mark.name, workflows=None if chosen is None else tuple(chosen), **values)


def lineage(name: str, marks: Iterable[MarkRecord]) -> list[Campaign]:
    """Return the campaign and its parents, nearest first; empty if there is no such campaign."""
    known = {mark.name: mark for mark in marks}
    chain: list[Campaign] = []
    following: str | None = name
    while following in known:
        chain.append(read_campaign(known.pop(following)))
        following = chain[-1].parent
    return chain
