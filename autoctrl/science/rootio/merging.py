"""Joins the parts of a run: their trees in order, and what they say of how they were made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import DataError, UsageError
from autoctrl.science.rootio.trees import (
    KEYS,
    RNTUPLE,
    TreeWriter,
    get_tree,
    layout_of,
    new_file,
    open_file,
    read_columns,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

METADATA = "metadata"


class Key(NamedTuple):
    """What tells one entry of a tree from all others."""

    run: int
    event: int


def merge(
    parts: Sequence[Path], output: Path, *, entries: int | None = None, is_gapless: bool = False
) -> dict[str, int]:
    """Write the entries of all parts, in order, to a file; return its entries by keyed tree.

    Trees with ``run`` and ``event`` are joined, and so are the JSON objects in the text
    ``metadata``; every other object is taken from the first part.  Keys must rise strictly from the
    first entry to the last.  ``entries``, when given, is what each joined tree must have in the
    end; ``is_gapless``: no event may be missing between two of a run.
    """
    if not parts:
        message = "nothing to merge: no part was given."
        raise UsageError(message)
    with open_file(parts[0]) as first, new_file(output) as target:
        counts = {
            name: _merge_tree(name, parts, target, is_gapless=is_gapless)
            for name in _keyed_trees(first)
        }
        for name, kind in first.classnames(cycle=False).items():
            if name == METADATA and kind == "TObjString":
                target[name] = _join_metadata(parts)
            elif name not in counts:
                _copy_object(first, name, kind, target)
        _require_entries(counts, entries, len(parts))
    return counts


def _keyed_trees(file: Any) -> list[str]:  # noqa: ANN401 - uproot has no type hints
    trees = file.keys(cycle=False, filter_classname="TTree")
    return [name for name in trees if set(KEYS) <= set(file[name].keys())]


def _require_entries(counts: Mapping[str, int], entries: int | None, parts: int) -> None:
    wrong = {name: count for name, count in counts.items() if entries not in {None, count}}
    if wrong:
        message = f"merging {parts} parts gave {wrong} entries where {entries} were expected."
        raise DataError(message, hint="A part is missing or incomplete; nothing was written.")


def _merge_tree(name: str, parts: Sequence[Path], target: Any, *, is_gapless: bool) -> int:  # noqa: ANN401 - uproot has no type hints
    """Append one tree of every part and return the number of entries written."""
    with open_file(parts[0]) as file:
        layout = layout_of(file[name])
    writer = TreeWriter(target, name, layout)
    last: Key | None = None
    total = 0
    for part in parts:
        with open_file(part) as file:
            tree = get_tree(file, name)
            if layout_of(tree) != layout:
                message = f"tree {name} of {part} has different branches from that of {parts[0]}."
                raise DataError(message)
            for columns in read_columns(tree, layout):
                last = _check_order(part, columns, last, is_gapless=is_gapless)
                writer.append(columns)
                total += len(columns["run"])
    return total


def _check_order(
    part: Path, columns: Mapping[str, Any], last: Key | None, *, is_gapless: bool
) -> Key | None:
    """Return the last key of a chunk; raises DataError for a key that does not follow."""
    for key in map(Key, columns["run"].tolist(), columns["event"].tolist()):
        if last is not None:
            _check_follows(part, key, last, is_gapless=is_gapless)
        last = key
    return last


def _check_follows(part: Path, key: Key, last: Key, *, is_gapless: bool) -> None:
    here = f"{part} has run {key.run} event {key.event} after"
    if key <= last:
        message = f"{here} run {last.run} event {last.event}."
        raise DataError(message, hint="Parts overlap or are given in the wrong order.")
    if is_gapless and key.run == last.run and key.event > last.event + 1:
        message = f"{here} event {last.event}: those in between are missing."
        raise DataError(message, hint="A part is missing: give every part.")


def _join_metadata(parts: Sequence[Path]) -> str:
    """Return how the parts were made; raises DataError when one contradicts another."""
    joined: dict[str, Any] = {}
    for part in parts:
        with open_file(part) as file:
            text = str(file[METADATA]) if METADATA in file else "null"
        try:
            joined = _join(joined, json.loads(text))
        except ValueError as error:
            message = f"{part} was not made in the same way as the parts before it: {error}."
            hint = "Make all parts again, with the same program and calibration."
            raise DataError(message, hint=hint) from error
    return json.dumps(joined)


def _join(one: Any, other: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return two JSON objects, and their inner ones, as one; raises ValueError if they differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        joined = dict(one)
        for name, value in other.items():
            joined[name] = _join(one[name], value) if name in one else value
        return joined
    if one != other:
        message = f"{other!r} instead of {one!r}"
        raise ValueError(message)
    return one


def _copy_object(first: Any, name: str, kind: str, target: Any) -> None:  # noqa: ANN401 - uproot has no type hints
    """Copy a tree, a string or a histogram as it is."""
    if kind == RNTUPLE:
        message = f"'{name}' is an RNTuple, and only a TTree can be merged."
        hint = "Write the parts with mktree, or give the workflow a merge_line."
        raise DataError(message, hint=hint)
    if kind == "TTree":
        layout = layout_of(first[name])
        writer = TreeWriter(target, name, layout)
        for columns in read_columns(first[name], layout):
            writer.append(columns)
    else:
        target[name] = str(first[name]) if kind == "TObjString" else first[name]
