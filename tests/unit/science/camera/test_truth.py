"""Truth files that are none, or of another run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autoctrl.errors import DataError
from autoctrl.science.camera.score.truth import read_truth

SPOT = {"kind": "spot", "counts": 100.0, "sigma": 3.0, "row": 20.0, "col": 30.0}
TRACK = {"kind": "muon", "counts": 100.0, "length": 9.0, "path": [[1.0, 2.0], [3.0, 4.0]]}
ODD: tuple[dict[str, Any], ...] = (
    {},
    SPOT | {"kind": "comet"},
    SPOT | {"kind": []},
    SPOT | {"counts": "x"},
    SPOT | {"counts": 0},
    SPOT | {"row": None},
    SPOT | {"col": [1]},
    SPOT | {"sigma": "x"},
    TRACK | {"path": []},
    TRACK | {"path": [3]},
    TRACK | {"path": [[1, 2, 3]]},
    TRACK | {"path": None},
    TRACK | {"length": "x"},
)
PLAN = {"run": 7, "size": 96, "height": 64}


def write(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps({"plan": PLAN, "events": [[SPOT, TRACK], []]} | changes))
    return path


def test_a_truth_knows_the_objects_of_each_event(tmp_path: Path) -> None:
    """Objects come by run and event, with the sensor's rows and columns; another run or event is
    refused.
    """
    truth = read_truth(write(tmp_path / "t.json"))
    assert (truth.geometry.rows, truth.geometry.cols) == (64, 96)
    assert (
        read_truth(
            write(tmp_path / "s.json", plan={"run": 7, "size": 96, "height": None})
        ).geometry.rows
        == 96
    )
    assert truth.of(7, 0, Path("reco.root")) == [SPOT, TRACK]
    for run, event in ((8, 0), (7, 2), (7, -1)):
        with pytest.raises(
            DataError, match=rf"reco.root has run {run} event {event}, which .*t.json does not know"
        ):
            truth.of(run, event, Path("reco.root"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"plan": 3}, "plan is 3, not an object"),
        ({"plan": {"size": 96}}, "plan lacks run"),
        ({"plan": {"run": 7, "size": "a"}}, r"plan\.size is the text 'a', not a number of pixels"),
        ({"plan": {"run": 7, "size": None}}, r"plan\.size is null, not a number of pixels"),
        ({"plan": PLAN | {"height": 1.5}}, r"plan\.height is 1\.5, not a number of pixels"),
        ({"events": 3}, "events is 3, not a list of events"),
        ({"events": [3]}, r"events\[0\] is 3, not a list of objects"),
        ({"events": [[], [3]]}, r"events\[1\]\[0\] is 3, not an object of kind"),
        *(
            ({"events": [[thing]]}, r"events\[0\]\[0\] is an object, not an object of kind")
            for thing in ODD
        ),
    ],
)
def test_a_wrong_value_is_told_by_its_key(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    """The sentence has the file, the key, what was found and what belongs there."""
    with pytest.raises(DataError, match=rf"t\.json is not a truth file: {reason}"):
        read_truth(write(tmp_path / "t.json", **changes))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_file_that_is_no_truth_is_refused(tmp_path: Path, text: str) -> None:
    """What is not JSON is a sentence."""
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(DataError, match=r"t\.json is not a readable truth file"):
        read_truth(tmp_path / "t.json")
