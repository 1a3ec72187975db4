"""Trees in ROOT files: write them in chunks, count their entries, merge them in order, check a
friend's alignment.

Columns are plain NumPy arrays: a scalar branch has one value per entry; a jagged branch is one flat
array, and its counter branch says how many values belong to each entry.  uproot and awkward are
imported when first used.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoctrl.errors import AutoctrlError, DataError, MissingExtra, UsageError
from autoctrl.files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

KEYS = ("run", "event")
METADATA = "metadata"
RNTUPLE = "ROOT::RNTuple"
STEP = "64 MB"
CUT_OFF = "Make it again; it may have been cut off."
# NumPy's names by ROOT's.
WHOLE_TYPES = {
    f"{sign}int{bits}_t": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
NUMBER_TYPES = {"bool": "bool", "float": "float32", "double": "float64"} | WHOLE_TYPES


@dataclass(frozen=True)
class Layout:
    """The branches of a tree with their NumPy type names.

    ``scalars`` maps a branch to its type; ``groups`` maps a counter branch to the jagged branches
    that share it.
    """

    scalars: Mapping[str, str]
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def load_uproot() -> Any:  # noqa: ANN401 - a module without type hints
    """Import uproot; raises MissingExtra when the science packages are not installed."""
    try:
        import awkward  # noqa: F401 - heavy, and optional
        import uproot
    except ImportError as error:
        what = "Reading and writing ROOT files"
        raise MissingExtra(what, "science") from error
    return uproot


@contextmanager
def new_file(path: Path, check: Callable[[Path], object] | None = None) -> Iterator[Any]:
    """Open a ROOT file for writing under a temporary name; ``path`` appears when the block ends
    well.

    ``check`` gets the closed temporary file, and may raise to keep it from appearing.
    """
    uproot = load_uproot()
    with replacing(path) as temporary:
        with uproot.recreate(temporary, compression=uproot.ZSTD(1)) as file:
            yield file
        if check:
            check(temporary)


@contextmanager
def open_file(path: Path, **options: Any) -> Iterator[Any]:  # noqa: ANN401 - uproot's
    """Open a ROOT file for reading; raises DataError when it is missing or not a complete ROOT
    file.
    """
    uproot = load_uproot()
    try:
        file = uproot.open(path, **options)
    except FileNotFoundError as error:
        message = f"{path} does not exist."
        raise DataError(message) from error
    except Exception as error:
        message = f"{path} is not a readable ROOT file: {error}"
        raise DataError(message, hint=CUT_OFF) from error
    with file:
        if file.file.source.num_bytes < file.file.fEND:
            message = (
                f"{path} has {file.file.source.num_bytes} of the {file.file.fEND} bytes that "
                "it was closed with."
            )
            raise DataError(message, hint=CUT_OFF)
        yield file


def get_tree(file: Any, name: str) -> Any:  # noqa: ANN401 - uproot has no type hints
    """Return the tree ``name`` of an open file; raises DataError naming the trees that are
    there.
    """
    trees = file.keys(cycle=False, filter_classname="TTree")
    if name not in trees:
        message = f"{file.file_path} has no tree {name!r}; its trees: {', '.join(trees) or 'none'}."
        raise DataError(message)
    return file[name]


class TreeWriter:
    """Appends chunks of columns to one tree of a file that is open for writing."""

    def __init__(self, file: Any, name: str, layout: Layout) -> None:  # noqa: ANN401
        """Declare the tree; the file has it, empty, even when nothing is ever appended."""
        types: dict[str, Any] = dict(layout.scalars)
        for counter, branches in layout.groups.items():
            fields = ", ".join(f'"{branch}": {kind}' for branch, kind in branches.items())
            types[_record(counter)] = f"var * {{{fields}}}"
        self._layout = layout
        self._tree = file.mktree(
            name,
            types,
            counter_name=lambda record: record.removeprefix("."),
            field_name=lambda _record, branch: branch,
        )
        if layout.groups:
            _count_unsigned(self._tree)

    def append(self, columns: Mapping[str, Any]) -> None:
        """Write one chunk; a chunk without entries writes nothing."""
        import awkward as ak
        import numpy as np

        chunk: dict[str, Any] = {
            b: np.asarray(columns[b], dtype=t) for b, t in self._layout.scalars.items()
        }
        for counter, branches in self._layout.groups.items():
            flat = {b: np.asarray(columns[b], dtype=t) for b, t in branches.items()}
            record = ak.zip(flat, depth_limit=1)
            chunk[_record(counter)] = ak.unflatten(
                record, np.asarray(columns[counter], dtype="int64")
            )
        lengths = {len(column) for column in chunk.values()}
        if len(lengths) > 1:
            message = (
                f"the columns of one chunk have different numbers of entries: {sorted(lengths)}."
            )
            raise DataError(message)
        if lengths != {0}:
            self._tree.extend(chunk)


def _count_unsigned(tree: Any) -> None:  # noqa: ANN401
    """Make the counters of a tree that is still empty uint32, as ROOT programs declare them.

    ROOT refuses an ``UInt_t`` for a branch of int32.  uproot has no public way to say it, so its
    plan is changed and the tree's header written again.
    """
    import numpy as np

    for branch in tree._cascading._branch_data:  # noqa: SLF001
        if branch["kind"] == "counter":
            branch |= {
                "dtype": np.dtype(">u4"),
                "branch_type": np.dtype("uint32"),
                "fTitle": f"{branch['fName']}/i",
            }
    tree._cascading._relocate(tree._file, tree._file.sink)  # noqa: SLF001


def _record(counter: str) -> str:
    """Name of the record that a counter belongs to inside uproot; it never reaches the file."""
    return f".{counter}"


def layout_of(tree: Any) -> Layout:  # noqa: ANN401
    """Describe the branches of a tree that is read; raises DataError for a branch of another
    kind.
    """
    scalars: dict[str, str] = {}
    groups: dict[str, dict[str, str]] = {}
    counters = {
        branch.count_branch.name for branch in tree.branches if branch.count_branch is not None
    }
    for branch in tree.branches:
        kind = NUMBER_TYPES.get(branch.typename.removesuffix("[]"))
        if kind is None:
            message = (
                f"branch {branch.name} of tree {tree.name} has type {branch.typename}, which "
                "is not supported."
            )
            raise DataError(message)
        if branch.count_branch is not None:
            groups.setdefault(branch.count_branch.name, {})[branch.name] = kind
        elif branch.name not in counters:
            scalars[branch.name] = kind
    return Layout(scalars, groups)


def read_columns(tree: Any, layout: Layout, step: int | str = STEP) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """Yield the chunks of a tree as columns, in order, with bounded memory."""
    import awkward as ak
    import numpy as np

    jagged = [branch for branches in layout.groups.values() for branch in branches]
    for chunk in tree.iterate([*layout.scalars, *jagged], step_size=step, library="ak"):
        columns = {branch: np.asarray(chunk[branch]) for branch in layout.scalars}
        for counter, branches in layout.groups.items():
            columns[counter] = np.asarray(ak.num(chunk[next(iter(branches))]))
            columns |= {branch: np.asarray(ak.flatten(chunk[branch])) for branch in branches}
        yield columns


def count_entries(path: Path) -> dict[str, int]:
    """Return the number of entries of every tree in a file, RNTuples among them.

    Raises ``DataError`` when the file cannot be read.
    """
    with open_file(path) as file:
        names = file.keys(cycle=False, filter_classname=lambda kind: kind in {"TTree", RNTUPLE})
        return {name: int(file[name].num_entries) for name in names}


def merge(
    parts: Sequence[Path], output: Path, *, entries: int | None = None, is_gapless: bool = False
) -> dict[str, int]:
    """Write the entries of all parts, in order, to ``output`` and return its entries per keyed
    tree.

    Trees with ``run`` and ``event`` are joined, and so are the JSON objects in the text
    ``metadata``; every other object is taken from the first part.  Keys must rise strictly from the
    first entry to the last.  ``entries``, when given, is what each joined tree must have in the
    end; ``is_gapless``: no event may be missing between two of a run.
    """
    if not parts:
        message = "nothing to merge: no part was given."
        raise UsageError(message)
    with open_file(parts[0]) as first, new_file(output) as target:
        names = [
            name
            for name in first.keys(cycle=False, filter_classname="TTree")
            if set(KEYS) <= set(first[name].keys())
        ]
        counts = {
            name: _merge_tree(name, layout_of(first[name]), parts, target, is_gapless)
            for name in names
        }
        for name, kind in first.classnames(cycle=False).items():
            if name == METADATA and kind == "TObjString":
                target[name] = _join_metadata(parts)
            elif name not in counts:
                _copy_object(first, name, kind, target)
        wrong = {name: count for name, count in counts.items() if entries not in {None, count}}
        if wrong:
            message = (
                f"merging {len(parts)} parts gave {wrong} entries where {entries} were expected."
            )
            raise DataError(message, hint="A part is missing or incomplete; nothing was written.")
    return counts


def _merge_tree(
    name: str,
    layout: Layout,
    parts: Sequence[Path],
    target: Any,  # noqa: ANN401
    is_gapless: bool,  # noqa: FBT001
) -> int:
    """Append one tree of every part and return the number of entries written."""
    writer = TreeWriter(target, name, layout)
    last: tuple[int, int] | None = None
    total = 0
    for part in parts:
        with open_file(part) as file:
            tree = get_tree(file, name)
            if layout_of(tree) != layout:
                message = f"tree {name} of {part} has other branches than the one of {parts[0]}."
                raise DataError(message)
            for columns in read_columns(tree, layout):
                last = _check_order(part, columns, last, is_gapless=is_gapless)
                writer.append(columns)
                total += len(columns["run"])
    return total


def _check_order(
    part: Path, columns: Mapping[str, Any], last: tuple[int, int] | None, *, is_gapless: bool
) -> tuple[int, int] | None:
    """Return the last key of a chunk; raises DataError at the first key that does not come after
    the one before.
    """
    for key in zip(columns["run"].tolist(), columns["event"].tolist(), strict=True):
        if last is not None and key <= last:
            message = f"{part} has run {key[0]} event {key[1]} after run {last[0]} event {last[1]}."
            raise DataError(message, hint="Parts overlap or are given in the wrong order.")
        if is_gapless and last is not None and key[0] == last[0] and key[1] > last[1] + 1:
            message = (
                f"{part} has run {key[0]} event {key[1]} after event {last[1]}: those in "
                "between are missing."
            )
            raise DataError(message, hint="A part is missing: give every part.")
        last = key
    return last


def _join_metadata(parts: Sequence[Path]) -> str:
    """Return what the parts say of how they were made; raises DataError when one contradicts
    another.
    """
    joined: dict[str, Any] = {}
    for part in parts:
        with open_file(part) as file:
            text = str(file[METADATA]) if METADATA in file else "null"
        try:
            joined = _join(joined, json.loads(text))
        except ValueError as error:
            message = f"{part} was made in another way than the parts before it: {error}."
            raise DataError(
                message, hint="Make all parts anew, with the same program and calibration."
            ) from error
    return json.dumps(joined)


def _join(one: Any, other: Any) -> Any:  # noqa: ANN401
    """Return two JSON objects as one, their inner objects likewise; raises ValueError where they
    differ.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {
            name: _join(one[name], value) if name in one else value for name, value in other.items()
        }
    if one != other:
        message = f"{other!r} instead of {one!r}"
        raise ValueError(message)
    return one


def _copy_object(first: Any, name: str, kind: str, target: Any) -> None:  # noqa: ANN401
    """Copy a tree, a string or a histogram as it is."""
    if kind == RNTUPLE:
        message = f"'{name}' is an RNTuple, and only a TTree can be merged."
        raise DataError(
            message, hint="Write the parts with mktree, or give the workflow a merge_line."
        )
    if kind == "TTree":
        layout = layout_of(first[name])
        writer = TreeWriter(target, name, layout)
        for columns in read_columns(first[name], layout):
            writer.append(columns)
    else:
        target[name] = str(first[name]) if kind == "TObjString" else first[name]


def friend_path(events_file: Path, folder: str = "friends") -> Path:
    """Return where a file's friend lies by custom: ``friends/<name>_Friend.root`` in a sibling
    folder.
    """
    return events_file.parent / folder / f"{events_file.stem}_Friend.root"


def check_alignment(
    events_file: Path,
    friend_file: Path,
    trees: tuple[str, str] = ("Events", "Friends"),
    span: tuple[int, int | None] = (0, None),
) -> int:
    """Return the common number of entries of a tree, of the half-open ``span`` of its entries if
    given, and its friend.

    Raises DataError at the first entry at which run, event or nSc differ or that only one of them
    has.
    """
    import numpy as np

    with open_file(events_file) as events, open_file(friend_file) as friends:
        left, right = get_tree(events, trees[0]), get_tree(friends, trees[1])
        branches = [*KEYS, *(["nSc"] if "nSc" in left.keys() else [])]  # noqa: SIM118 - trees iterate branches
        missing = sorted(set(branches) - set(right.keys()))
        if missing:
            message = f"{friend_file} has no branch {missing[0]} to be aligned by."
            raise DataError(message)
        ours = {
            b: left[b].array(library="np", entry_start=span[0], entry_stop=span[1])
            for b in branches
        }
        theirs = {branch: right[branch].array(library="np") for branch in branches}
    counts = len(ours["run"]), len(theirs["run"])
    common = min(counts)
    for entry in np.flatnonzero(
        np.any([ours[b][:common] != theirs[b][:common] for b in branches], axis=0)
    )[:1]:
        branch = next(b for b in branches if ours[b][entry] != theirs[b][entry])
        message = f"entry {entry} of {friend_file} has {branch} {theirs[branch][entry]}, "
        message += (
            f"{events_file} has {ours[branch][entry]}; {counts[1]} entries stand beside "
            f"{counts[0]}."
        )
        raise DataError(message, hint="Make the friend file again from this events file.")
    if counts[0] != counts[1]:
        longer = ours if counts[0] > counts[1] else theirs
        message = (
            f"{friend_file} has {counts[1]} entries where {events_file} has {counts[0]}; only "
            "one has "
        )
        message += f"entry {common}, run {longer['run'][common]} event {longer['event'][common]}."
        raise DataError(message, hint="Make the friend file again.")
    return common


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m autoctrl.science.rootio merge OUT PART...`` or ``check EVENTS FRIEND`` and
    return the exit code.
    """
    parser = argparse.ArgumentParser(
        prog="python -m autoctrl.science.rootio", description="Merge or compare trees."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    merging = commands.add_parser(
        "merge", epilog="example: python -m autoctrl.science.rootio merge all.root a.root b.root"
    )
    merging.add_argument(
        "output", type=Path, help="the merged file; it appears only when it is complete"
    )
    merging.add_argument("parts", type=Path, nargs="+", help="the parts, in order")
    merging.add_argument(
        "--entries", type=int, help="how many entries every joined tree must have in the end"
    )
    checking = commands.add_parser(
        "check", epilog="example: python -m autoctrl.science.rootio check reco.root friend.root"
    )
    checking.add_argument("events", type=Path, help="a file with the tree Events")
    checking.add_argument(
        "friends", type=Path, help="a file with the tree Friends, which must be aligned with it"
    )
    options = parser.parse_args(arguments)
    try:
        if options.command == "check":
            counts = {"Friends": check_alignment(options.events, options.friends)}
        else:
            counts = merge(options.parts, options.output, entries=options.entries)
    except AutoctrlError as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return error.exit_code
    sys.stdout.write(", ".join(f"{name}: {count} entries" for name, count in counts.items()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
