"""Writes the tree ``Friends``: one entry per entry of the events tree, always, keyed by run and event."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from autoctrl.errors import AutoctrlError, DataError, UsageError
from autoctrl.rootio import KEYS, STEP, Layout, TreeWriter, check_alignment, get_tree, new_file, open_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from autoctrl.friends.modules import FriendModule

FILLER = -999.0
COUNTER = "nSc"
PREFIX = "sc_"
TREE = "Friends"


def write_friends(
    events_file: Path, output: Path, modules: Sequence[FriendModule], *, tree: str = "Events", step: int | str = STEP
) -> int:
    """Run the modules over all entries and return their number; ``output`` appears only when it is aligned.

    Raises DataError when a module fails or gives another number of values than there are entries or clusters.
    """
    layout = friend_layout(modules)
    is_aligned = partial(check_alignment, events_file, trees=(tree, TREE))
    needs = list(dict.fromkeys([*KEYS, COUNTER, *(branch for module in modules for branch in module.needs)]))
    with open_file(events_file) as source, new_file(output, check=is_aligned) as target:
        events = get_tree(source, tree)
        missing = [branch for branch in needs if branch not in events.keys()]  # noqa: SIM118 - trees iterate branches
        if missing:
            message = f"tree {tree} of {events_file} has no branch {', '.join(missing)} for the friend modules."
            raise DataError(message)
        writer = TreeWriter(target, TREE, layout)
        for chunk in events.iterate(needs, step_size=step, library="ak"):
            writer.append(friend_columns(chunk, modules))
        return int(events.num_entries)


def friend_layout(modules: Sequence[FriendModule]) -> Layout:
    """Return the branches of the friend tree; raises UsageError when two modules give the same branch."""
    branches: dict[str, str] = {}
    for module in modules:
        for branch in module.branches:
            if branch in branches:
                message = f"the friend modules {branches[branch]} and {module.name} both give {branch}."
                raise UsageError(message)
            branches[branch] = module.name
    clusters = {branch: "float32" for branch in branches if branch.startswith(PREFIX)}
    entries = {branch: "float32" for branch in branches if branch not in clusters}
    groups = {COUNTER: clusters} if clusters else {}
    return Layout(dict.fromkeys(KEYS, "int32") | ({} if clusters else {COUNTER: "int32"}) | entries, groups)


def friend_columns(chunk: Any, modules: Sequence[FriendModule]) -> dict[str, Any]:  # noqa: ANN401
    """Return the friend tree's columns for some entries."""
    import numpy as np

    columns: dict[str, Any] = {branch: np.asarray(chunk[branch]) for branch in (*KEYS, COUNTER)}
    for module in modules:
        try:
            values = module(chunk)
        except AutoctrlError:
            raise
        except Exception as error:
            message = f"friend module {module.name} failed: {type(error).__name__}: {error}"
            raise DataError(message) from error
        columns |= {branch: _checked(module, branch, values, columns) for branch in module.branches}
    return columns


def _checked(module: FriendModule, branch: str, values: Mapping[str, Any], columns: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return one branch as a flat array with fillers, after comparing its shape with the entries."""
    import awkward as ak
    import numpy as np

    if branch not in values:
        message = f"friend module {module.name} declares {branch} but did not return it."
        raise DataError(message)
    array = values[branch]
    if len(array) != len(columns["run"]):
        message = (
            f"friend module {module.name} gave {len(array)} entries of {branch} for {len(columns['run'])} entries."
        )
        raise DataError(message)
    if branch.startswith(PREFIX):
        counts = np.asarray(ak.num(array))
        differing = np.flatnonzero(counts != columns[COUNTER])
        if differing.size:
            entry = differing[0]
            key = f"run {columns['run'][entry]} event {columns['event'][entry]}"
            message = (
                f"friend module {module.name} gave {counts[entry]} values of {branch} for {columns[COUNTER][entry]} "
                f"clusters of {key}."
            )
            raise DataError(message)
        array = ak.flatten(array)
    flat = np.asarray(ak.to_numpy(ak.fill_none(array, np.nan)), dtype=np.float32)
    return np.where(np.isfinite(flat), flat, np.float32(FILLER))
