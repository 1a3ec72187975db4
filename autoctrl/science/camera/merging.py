"""Joins the reconstructed parts of a run into one file, and counts what is in the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.science.camera.events import TREE, check_branches
from autoctrl.science.rootio import KEYS, get_tree, merge, open_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COUNTED = {"clusters": "nSc", "sparks": "spark", "lost_events": "lost"}


def merge_parts(parts: Sequence[Path], output: Path, entries: int | None = None) -> dict[str, int]:
    """Write the entries of all parts, in order, to ``output``; returns how many events, clusters
    and so on it has.

    Raises DataError when parts are something else, overlap, are out of order, lack an event between
    two, or do not have ``entries`` events together.
    """
    with open_file(parts[0]) as first:
        check_branches(get_tree(first, TREE), (*KEYS, *COUNTED.values()))
    merge(parts, output, entries=entries, is_gapless=True)
    with open_file(output) as file:
        tree = get_tree(file, TREE)
        sums = {
            name: int(tree[branch].array(library="np").sum()) for name, branch in COUNTED.items()
        }
        return {"events": int(tree.num_entries)} | sums
