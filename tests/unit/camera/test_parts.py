"""Parts of a run that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import uproot

from autoctrl.camera.parts import merge_parts
from autoctrl.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {"run": np.arange(2, dtype="int32"), "event": np.arange(2, dtype="int32")}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"Friends": KEYS}, "has no tree 'Events'; its trees: Friends"),
        ({"spectrum": np.histogram([1.0])}, "has no tree 'Events'; its trees: none"),
        ({"Events": KEYS}, "its tree Events has no branch lost, nSc, spark"),
    ],
)
def test_what_is_no_part_is_not_merged(tmp_path: Path, content: dict[str, object], reason: str) -> None:
    """A file of another kind is refused by its name, and no output appears."""
    part, output = tmp_path / "part.root", tmp_path / "whole.root"
    with uproot.recreate(part) as file:
        for name, value in content.items():
            if isinstance(value, dict):
                file.mktree(name, {branch: column.dtype for branch, column in value.items()}).extend(value)
            else:
                file[name] = value
    with pytest.raises(DataError, match=reason) as refused:
        merge_parts([part], output)
    assert str(part) in refused.value.message
    assert not output.exists()
