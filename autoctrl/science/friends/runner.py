"""Writes the tree ``Friends``, one entry per entry of the events tree, and reads both."""

from __future__ import annotations

import json
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import DataError, UsageError, nearest
from autoctrl.files import digest_of
from autoctrl.science.friends.columns import PREFIX, friend_columns
from autoctrl.science.friends.modules import COUNTER, check_module, is_calibrated, source_of
from autoctrl.science.rootio import (
    KEYS,
    METADATA,
    STEP,
    WHOLE_TYPES,
    Layout,
    TreeWriter,
    check_alignment,
    get_tree,
    new_file,
    open_file,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from autoctrl.science.friends.calibration import Calibration, ValidRange
    from autoctrl.science.friends.modules import FriendModule

TREE = "Friends"


class Written(NamedTuple):
    """How many entries a friend file has, and the calibration's range that was used for each
    run.
    """

    entries: int
    ranges: Mapping[int, ValidRange]


def write_friends(
    events_file: Path,
    output: Path,
    modules: Sequence[FriendModule],
    calibration: Calibration | None = None,
    *,
    tree: str = "Events",
    span: tuple[int, int | None] = (0, None),
    step: int | str = STEP,
    version: str = "",
) -> Written:
    """Run the modules over all entries, or over the half-open ``span``, into a friend file.

    ``output`` appears only when it is aligned.  Raises DataError, naming module, file and event,
    when a module fails or gives another number of values than there are entries or clusters, and
    when a module wants parameters and no range of the calibration covers the run.
    """
    layout = friend_layout(modules)
    ranges = Ranges(modules, calibration)
    is_aligned = partial(check_alignment, events_file, trees=(tree, TREE), span=span)
    with open_file(events_file) as source, new_file(output, check=is_aligned) as target:
        events = get_tree(source, tree)
        entries = _chosen_entries(events_file, events.num_entries, span)
        branches = needed_branches(events, modules, events_file)
        chunks = _read_chunks(events, branches, entries, step)
        writer = TreeWriter(target, TREE, layout)
        for columns in compute_friends(chunks, modules, ranges, str(events_file)):
            writer.append(columns)
        target[METADATA] = json.dumps(describe(modules, ranges.used, version))
    return Written(len(entries), ranges.used)


def compute_friends(
    chunks: Iterable[Any], modules: Sequence[FriendModule], ranges: Ranges, where: str
) -> Iterator[dict[str, Any]]:
    """Yield the friend tree's columns, for a stretch of entries of one run at a time."""
    for chunk in chunks:
        for run, part in split_runs(chunk):
            yield friend_columns(part, modules, ranges.find(run), where)


def _read_chunks(tree: Any, branches: Sequence[str], entries: range, step: int | str) -> Any:  # noqa: ANN401 - uproot and awkward
    return tree.iterate(
        branches,
        step_size=step,
        library="ak",
        entry_start=entries.start,
        entry_stop=entries.stop,
    )


def _chosen_entries(file: Path, entries: int, span: tuple[int, int | None]) -> range:
    """Return the entries of a span; raises UsageError for more than there are."""
    first, end = span
    last = entries if end is None else end
    if not first <= last <= entries:
        message = (
            f"{file} has {entries} entries; {first}:{last} asks for entries that it does not have."
        )
        raise UsageError(message)
    return range(first, last)


class Ranges:
    """The ranges of a calibration, as far as runs need them: none if no module is calibrated."""

    def __init__(self, modules: Sequence[FriendModule], calibration: Calibration | None) -> None:
        """Begin without any; ``used`` is what was found, by run."""
        self.used: dict[int, ValidRange] = {}
        self._calibrated = [module for module in modules if is_calibrated(module)]
        self._calibration = calibration if self._calibrated else None

    def find(self, run: int) -> ValidRange | None:
        """Return the range that covers a run; raises DataError where a module lacks a parameter."""
        if self._calibration is not None and run not in self.used:
            valid = self._calibration.valid_for(run)
            for module in self._calibrated:
                valid.parameters_for(module.name, getattr(module, "parameters", ()))
            self.used[run] = valid
        return self.used.get(run)


def friend_layout(modules: Sequence[FriendModule]) -> Layout:
    """Return the friend tree's branches; raises UsageError when two modules give the same one."""
    branches: dict[str, FriendModule] = {}
    for module in modules:
        check_module(module)
        for branch in module.branches:
            if branch in branches:
                both = f"{branches[branch].name} and {module.name}"
                message = f"the friend modules {both} both give {branch}."
                raise UsageError(message)
            branches[branch] = module
    clusters = {branch: "float32" for branch in branches if branch.startswith(PREFIX)}
    entries = {branch: "float32" for branch in branches if branch not in clusters}
    keys = dict.fromkeys(KEYS, "int32")
    if clusters:
        return Layout(keys | entries, {COUNTER: clusters})
    return Layout(keys | {COUNTER: "uint32"} | entries)


def needed_branches(events: Any, modules: Sequence[FriendModule], file: Path) -> list[str]:  # noqa: ANN401 - uproot has no type hints
    """Return every branch that is read; raises DataError for one that the tree lacks.

    So it does for keys, or a count of clusters, that are not whole numbers.
    """
    known = set(events.keys())
    needs = [(branch, "every friend tree") for branch in (*KEYS, COUNTER)]
    for module in modules:
        needs += [(branch, f"friend module {module.name}") for branch in module.needs]
    for branch, who in needs:
        if branch not in known:
            message = f"tree {events.name} of {file} has no branch {branch}, which {who} needs."
            raise DataError(message, hint=nearest(branch, known))
    for branch in (*KEYS, COUNTER):
        kind = events[branch].typename
        if kind not in WHOLE_TYPES:
            where = f"branch {branch} of tree {events.name} of {file}"
            message = f"{where} has the type {kind}, which is not a whole number."
            hint = "Every entry must have one run, one event and one count of clusters."
            raise DataError(message, hint=hint)
    return list(dict(needs))


def split_runs(chunk: Any) -> Iterator[tuple[int, Any]]:  # noqa: ANN401 - awkward arrays
    """Yield the stretches of entries of one run, in order, each with its run."""
    import numpy as np

    runs = np.asarray(chunk["run"])
    borders = [0, *(np.flatnonzero(np.diff(runs)) + 1).tolist(), len(runs)]
    for first, last in pairwise(borders):
        if last > first:
            yield int(runs[first]), chunk[first:last]


def describe(
    modules: Sequence[FriendModule], ranges: Mapping[int, ValidRange], version: str
) -> dict[str, Any]:
    """Return how a friend file is made.

    That is: its modules with their code's digest, and by run the range of the calibration.
    """
    return {
        "schema": 1,
        "version": version,
        "modules": {
            module.name: {"branches": list(module.branches), "code": _digest(module)}
            for module in modules
        },
        "calibration": {
            str(run): {
                "file": valid.source.path.name,
                "checksum": valid.source.checksum,
                "first": valid.first,
                "last": valid.last,
                "comment": valid.comment,
            }
            for run, valid in ranges.items()
        },
    }


def _digest(module: FriendModule) -> str:
    path = Path(source_of(module))
    return digest_of(path).checksum if path.is_file() else ""


def read_friends(
    events_file: Path,
    friend_file: Path,
    branches: Sequence[str],
    trees: tuple[str, str] = ("Events", TREE),
) -> Any:  # noqa: ANN401 - an awkward array
    """Return branches of a tree and of its friend as one awkward array of records, one per entry.

    Raises DataError at the first entry that is not aligned, and for a branch that neither has.  A
    branch of both is taken from the events.
    """
    import awkward as ak

    check_alignment(events_file, friend_file, trees)
    with open_file(events_file) as events, open_file(friend_file) as friends:
        both = [get_tree(events, trees[0]), get_tree(friends, trees[1])]
        known = {name: tree for tree in reversed(both) for name in tree.keys()}  # noqa: SIM118 - trees iterate branches
        for branch in branches:
            if branch not in known:
                message = f"neither {events_file} nor {friend_file} has a branch {branch}."
                raise DataError(message, hint=nearest(branch, known))
        return ak.zip({branch: known[branch][branch].array() for branch in branches}, depth_limit=1)
