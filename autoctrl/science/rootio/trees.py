"""Trees in ROOT files: open them, write and read them in chunks, count their entries.

Columns are plain NumPy arrays: a scalar branch has one value per entry; a jagged branch is one flat
array, and its counter branch says how many values belong to each entry.  uproot and awkward are
imported when first used.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autoctrl.errors import DataError, MissingExtra
from autoctrl.files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

KEYS = ("run", "event")
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
    """Write a ROOT file that appears as ``path`` only when the block ends well.

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
    """Open a ROOT file for reading; raises DataError when it is missing or incomplete."""
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
    """Return a tree of an open file; raises DataError that names the trees which are there."""
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

        def typed(branches: Mapping[str, str]) -> dict[str, Any]:
            return {name: np.asarray(columns[name], dtype=kind) for name, kind in branches.items()}

        chunk = typed(self._layout.scalars)
        for counter, branches in self._layout.groups.items():
            record = ak.zip(typed(branches), depth_limit=1)
            counts = np.asarray(columns[counter], dtype="int64")
            chunk[_record(counter)] = ak.unflatten(record, counts)
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
    """Describe the branches of a tree; raises DataError for a branch that holds no numbers."""
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


def friend_path(events_file: Path, folder: str = "friends") -> Path:
    """Return where a file's friend lies by custom: ``<folder>/<name>_Friend.root`` beside it."""
    return events_file.parent / folder / f"{events_file.stem}_Friend.root"
