"""Parts of a run that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import uproot

from autoctrl.errors import DataError
from autoctrl.science.camera.merging import merge_parts

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {"run": np.arange(2, dtype="int32"), "event": np.arange(2, dtype="int32")}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"Friends": KEYS}, "has no tree 'Events'; its trees: Friends"),
        ({"spectrum": np.histogram([1.0])}, "has no tree 'Events'; its trees: none"),
        ({"Events": KEYS}, "has no branch nSc: it is not what autoctrl-camera reco writes"),
    ],
)
def test_what_is_no_part_is_not_merged(
    tmp_path: Path, content: dict[str, object], reason: str
) -> None:
    """A file of another kind is refused by its name, and no output appears."""
    part, output = tmp_path / "part.root", tmp_path / "whole.root"
    with uproot.recreate(part) as file:
        for name, value in content.items():
            if isinstance(value, dict):
                file.mktree(
                    name, {branch: column.dtype for branch, column in value.items()}
                ).extend(value)
            else:
                file[name] = value
    with pytest.raises(DataError, match=reason) as refused:
        merge_parts([part], output)
    assert str(part) in refused.value.message
    assert not output.exists()


def test_a_gap_between_parts_is_no_whole(tmp_path: Path) -> None:
    """A part that is missing between others is noticed, an empty one is not missing; no output
    appears.
    """
    parts = [tmp_path / f"part{number}.root" for number in range(3)]
    for part, events in zip(parts, ([0, 1], [], [3]), strict=True):
        columns = {name: np.zeros(len(events), "int32") for name in ("run", "nSc", "spark", "lost")}
        with uproot.recreate(part) as file:
            tree = file.mktree("Events", dict.fromkeys((*columns, "event"), "int32"))
            if events:
                tree.extend(columns | {"event": np.array(events, "int32")})
    assert merge_parts(parts[:2], tmp_path / "begin.root")["events"] == 2
    with pytest.raises(
        DataError, match=r"part2.root has run 0 event 3 after event 1: those in between"
    ):
        merge_parts(parts, tmp_path / "whole.root")
    assert not (tmp_path / "whole.root").exists()


def test_an_event_that_is_missing_inside_a_part_is_noticed(tmp_path: Path) -> None:
    """Every frame has its entry, also in the middle of a part."""
    columns = {name: np.zeros(2, "int32") for name in ("run", "nSc", "spark", "lost")}
    with uproot.recreate(tmp_path / "part.root") as file:
        tree = file.mktree("Events", dict.fromkeys((*columns, "event"), "int32"))
        tree.extend(columns | {"event": np.array([4, 6], "int32")})
    with pytest.raises(
        DataError, match=r"part.root has run 0 event 6 after event 4: those in between are missing"
    ):
        merge_parts([tmp_path / "part.root"], tmp_path / "whole.root")
