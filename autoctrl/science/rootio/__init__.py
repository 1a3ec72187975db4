"""Trees in ROOT files: write them in chunks, count their entries, merge them, align friends."""

from __future__ import annotations

from autoctrl.science.rootio.alignment import check_alignment
from autoctrl.science.rootio.merging import METADATA, merge
from autoctrl.science.rootio.trees import (
    KEYS,
    NUMBER_TYPES,
    STEP,
    WHOLE_TYPES,
    Layout,
    TreeWriter,
    count_entries,
    friend_path,
    get_tree,
    layout_of,
    load_uproot,
    new_file,
    open_file,
    read_columns,
)

__all__ = [
    "KEYS",
    "METADATA",
    "NUMBER_TYPES",
    "STEP",
    "WHOLE_TYPES",
    "Layout",
    "TreeWriter",
    "check_alignment",
    "count_entries",
    "friend_path",
    "get_tree",
    "layout_of",
    "load_uproot",
    "merge",
    "new_file",
    "open_file",
    "read_columns",
]
