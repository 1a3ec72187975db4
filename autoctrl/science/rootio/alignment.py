"""Compares a friend with the tree that it belongs to, entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import DataError
from autoctrl.science.rootio.trees import KEYS, get_tree, open_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COUNTER = "nSc"


class Keys(NamedTuple):
    """The columns of a file's tree by which its entries are compared, with where they were read."""

    path: Path
    columns: Mapping[str, Any]

    @property
    def entries(self) -> int:
        """The number of entries."""
        return len(self.columns["run"])


def check_alignment(
    events_file: Path,
    friend_file: Path,
    trees: tuple[str, str] = ("Events", "Friends"),
    span: tuple[int, int | None] = (0, None),
) -> int:
    """Return how many entries a tree, or the half-open ``span`` of it, and its friend both have.

    Raises DataError at the first entry at which run, event or nSc differ or that only one of them
    has.
    """
    with open_file(events_file) as events, open_file(friend_file) as friends:
        tree, friend = get_tree(events, trees[0]), get_tree(friends, trees[1])
        branches = _compared_branches(tree)
        missing = sorted(set(branches) - set(friend.keys()))
        if missing:
            message = f"{friend_file} has no branch {missing[0]} to align by."
            raise DataError(message)
        ours = Keys(events_file, _read(tree, branches, span))
        theirs = Keys(friend_file, _read(friend, branches, (0, None)))
    _refuse_other_values(ours, theirs)
    _refuse_other_length(ours, theirs)
    return ours.entries


def _compared_branches(tree: Any) -> list[str]:  # noqa: ANN401 - uproot has no type hints
    names = tree.keys()
    return [*KEYS, COUNTER] if COUNTER in names else [*KEYS]


def _read(tree: Any, branches: list[str], span: tuple[int, int | None]) -> dict[str, Any]:  # noqa: ANN401 - uproot has no type hints
    first, last = span
    return {
        name: tree[name].array(library="np", entry_start=first, entry_stop=last)
        for name in branches
    }


def _refuse_other_values(ours: Keys, theirs: Keys) -> None:
    import numpy as np

    common = min(ours.entries, theirs.entries)
    differing = {
        name: column[:common] != theirs.columns[name][:common]
        for name, column in ours.columns.items()
    }
    entries = np.flatnonzero(np.any(list(differing.values()), axis=0))
    if not len(entries):
        return
    entry = entries[0]
    branch = next(name for name, differs in differing.items() if differs[entry])
    message = (
        f"entry {entry} of {theirs.path} has {branch} {theirs.columns[branch][entry]}, "
        f"{ours.path} has {ours.columns[branch][entry]}; they have {theirs.entries} and "
        f"{ours.entries} entries."
    )
    raise DataError(message, hint="Make the friend file again from this events file.")


def _refuse_other_length(ours: Keys, theirs: Keys) -> None:
    if ours.entries == theirs.entries:
        return
    longer, shorter = (ours, theirs) if ours.entries > theirs.entries else (theirs, ours)
    entry = shorter.entries
    key = f"run {longer.columns['run'][entry]} event {longer.columns['event'][entry]}"
    message = (
        f"{theirs.path} has {theirs.entries} entries where {ours.path} has {ours.entries}; "
        f"only one has entry {entry}, {key}."
    )
    raise DataError(message, hint="Make the friend file again.")
