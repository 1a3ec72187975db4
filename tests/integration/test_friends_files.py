"""Friend trees in files: aligned and equal, in whatever pieces they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoctrl.science.friends import FILLER, write_friends
from autoctrl.science.rootio import check_alignment, merge, open_file
from tests.unit.science.friends.modules import EVENTS, Inverse, write_events

if TYPE_CHECKING:
    from pathlib import Path

FEW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FEW
@given(EVENTS, st.data())
def test_files_are_aligned_in_whatever_pieces_they_are_made(
    tmp_path: Path, lights: list[list[float]], data: st.DataObject
) -> None:
    """Chunks of any size, runs that change anywhere, and parts that are merged give the same friend
    tree.
    """
    first_of_second = data.draw(st.integers(0, len(lights)))
    runs = [7] * first_of_second + [8] * (len(lights) - first_of_second)
    events = write_events(tmp_path / "reco.root", lights, runs)
    write_friends(events, tmp_path / "whole.root", [Inverse()])
    write_friends(events, tmp_path / "steps.root", [Inverse()], step=data.draw(st.integers(1, 5)))
    cut = data.draw(st.integers(0, len(lights)))
    write_friends(events, tmp_path / "0.root", [Inverse()], span=(0, cut))
    write_friends(events, tmp_path / "1.root", [Inverse()], span=(cut, None))
    merge([tmp_path / "0.root", tmp_path / "1.root"], tmp_path / "merged.root", entries=len(lights))
    found = []
    for name in ("whole", "steps", "merged"):
        assert check_alignment(events, tmp_path / f"{name}.root") == len(lights)
        with open_file(tmp_path / f"{name}.root") as file:
            found.append(file["Friends"].arrays().tolist())
    assert found[0] == found[1] == found[2]
    for entry, light in zip(found[0], lights, strict=True):
        wanted = [1 / value if value > 0 else FILLER for value in light]
        assert entry["sc_inverse"] == np.array(wanted, np.float32).tolist()
