"""A task as workflow authors see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoctrl.errors import UsageError
from tests.unit.given import run, view


def test_a_task_of_one_run_has_its_number_and_attributes() -> None:
    """Authors read run, unit, campaign and attributes directly."""
    task = view(7, runs={7: run(7, kind="physics")})
    assert (task.run, task.unit, task.campaign, task.attributes) == (
        7,
        "7",
        "prompt",
        {"kind": "physics"},
    )


def test_a_group_has_the_attributes_on_which_its_runs_agree() -> None:
    """What differs between the members is no attribute of the group, nor is what one of them
    lacks.
    """
    runs = {1: run(1, fill=5, kind="physics", hv=1), 2: run(2, fill=5, kind="cosmics")}
    assert view(1, 2, unit="fill:5", runs=runs).attributes == {"fill": 5}


def test_a_unit_whose_runs_are_unknown_has_no_attributes() -> None:
    """Nothing known is nothing said."""
    assert view(1, 2, unit="fill:5", runs={}).attributes == {}


def test_a_group_has_no_single_run_number() -> None:
    """Asking for it says what to use."""
    with pytest.raises(UsageError, match=r"fill 5 is a group of 2 runs.*task\.members"):
        _ = view(1, 2, unit="fill:5").run


TASK = view(7)._replace(
    inputs={"reco": ("/reco7.root",), "raw": ("/a", "/b")}, outputs={"plot": "/o/plot.png"}
)


def test_a_task_gives_its_files_as_paths() -> None:
    """One input file, all files of an input, and the place of an output."""
    assert TASK.input("reco") == Path("/reco7.root")
    assert TASK.inputs_of("reco") == (Path("/reco7.root"),)
    assert TASK.inputs_of("raw") == (Path("/a"), Path("/b"))
    assert TASK.output("plot") == Path("/o/plot.png")


def test_several_files_are_no_single_path() -> None:
    """Asking for the one file of an input with several says what to use."""
    with pytest.raises(UsageError, match=r"raw of run 7 / reco has 2 files.*inputs_of\('raw'\)"):
        TASK.input("raw")


def test_a_misspelt_file_name_is_answered_with_the_nearest() -> None:
    """For inputs and outputs alike."""
    with pytest.raises(UsageError, match=r"run 7 / reco has no input 'rec'. Did you mean 'reco'"):
        TASK.input("rec")
    with pytest.raises(UsageError, match=r"has no output 'plots'. Did you mean 'plot'"):
        TASK.output("plots")
