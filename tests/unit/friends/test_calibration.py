"""Calibrations: files with parameters, each valid for a range of runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.errors import DataError
from autoctrl.friends import Calibrations, read_calibration, write_friends
from autoctrl.locks.files import changed_files
from autoctrl.rootio import open_file
from tests.unit.friends.modules import Inverse, Scaled, write_events
from tests.unit.given import task, view

if TYPE_CHECKING:
    from pathlib import Path

EARLY = '[[range]]\nfirst = 1\nlast = 7\ncomment = "lamp on"\n[range.parameters.scaled]\ngain = 2.0\n'
LATE = "[[range]]\nfirst = 8\n[range.parameters.scaled]\ngain = 3.0\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_each_run_has_its_parameters(tmp_path: Path) -> None:
    """Ranges include both ends; one without a last run holds for all later ones."""
    calibration = read_calibration(write(tmp_path / "all.toml", EARLY + LATE))
    assert [calibration.valid_for(run).parameters["scaled"]["gain"] for run in (1, 7, 8, 10**9)] == [2, 2, 3, 3]
    assert (str(calibration.valid_for(1)), calibration.valid_for(1).comment) == ("all.toml 1-7", "lamp on")
    assert calibration.valid_for(8).runs == "8-"


def test_a_folder_is_read_like_one_file(tmp_path: Path) -> None:
    """All files of a folder count together, in whatever order they are named; the range knows its file."""
    write(tmp_path / "c" / "b.toml", EARLY)
    write(tmp_path / "c" / "a.toml", LATE)
    write(tmp_path / "c" / "notes.txt", "no TOML")
    calibration = read_calibration(tmp_path / "c")
    assert [valid.source.path.name for valid in calibration.ranges] == ["b.toml", "a.toml"]
    write(tmp_path / "c" / "c.toml", EARLY)
    with pytest.raises(DataError, match=r"ranges b\.toml 1-7 and c\.toml 1-7 of the calibration .* overlap"):
        read_calibration(tmp_path / "c")


def test_a_run_without_calibration_is_named_with_the_ranges(tmp_path: Path) -> None:
    """A gap is an error that says which ranges there are."""
    text = EARLY + LATE.replace("first = 8", "first = 20\nlast = 30")
    calibration = read_calibration(write(tmp_path / "all.toml", text))
    for run in (0, 8, 19, 31):
        with pytest.raises(DataError, match=rf"run {run} has no calibration in .*all\.toml: its ranges are 1-7, 20-30"):
            calibration.valid_for(run)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no range of runs"),
        ("[[range", "cannot be read"),
        ("\xff\xfe", "cannot be read|may contain"),
        ("gain = 2\n" + EARLY, r"may contain \[\[range\]\] alone, not 'gain'"),
        ("range = 3", r"may contain \[\[range\]\] alone"),
        (EARLY + "[[range]]\nfirst = 7\n", "1-7 and .* 7- .* overlap"),
        (LATE + LATE, "8- and .* 8- .* overlap"),
        ("[[range]]\nlast = 3", "goes from None to 3"),
        ("[[range]]\nfirst = 5\nlast = 3", "goes from 5 to 3"),
        ("[[range]]\nfirst = true", "goes from True to None"),
        ("[[range]]\nfirst = 1.5", "goes from 1.5 to None"),
        ("[[range]]\nfirst = -1", "goes from -1 to None"),
        ("[[range]]\nfirst = 1\nlats = 3", "has a value 'lats', which means nothing"),
        ("[[range]]\nfirst = 1\ncomment = 3", "has the comment 3"),
        (
            "[[range]]\nfirst = 1\n[range.parameters.a]\ngain = nan",
            "has the parameter a.gain = nan, which is no number",
        ),
        ("[[range]]\nfirst = 1\nparameters = 3", "has parameters that are no tables"),
        ("[[range]]\nfirst = 1\n[range.parameters]\ngain = 3", "has parameters that are no tables"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """The error names the file and what is wrong in it."""
    path = write(tmp_path / "bad.toml", text)
    with pytest.raises(DataError, match=rf"bad\.toml.*({reason})|({reason}).*bad\.toml"):
        read_calibration(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A place that is not there, or an empty folder, is an error."""
    with pytest.raises(DataError, match=r"none\.toml cannot be read: No such file"):
        read_calibration(tmp_path / "none.toml")
    with pytest.raises(DataError, match=r"has no range"):
        read_calibration(tmp_path)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.none() | st.integers(0, 30)), min_size=1, max_size=4), st.integers(0, 40)
)
def test_a_run_has_one_range_or_none(
    tmp_path_factory: pytest.TempPathFactory, ends: list[tuple[int, int | None]], run: int
) -> None:
    """Against a list of all runs: a calibration is read only if no run is covered twice, and gives the one range."""
    lines = [f"[[range]]\nfirst = {first}" + ("" if last is None else f"\nlast = {last}") for first, last in ends]
    path = write(tmp_path_factory.mktemp("ranges") / "c.toml", "\n".join(lines))
    covering = [{r for r in range(100) if r >= first and (last is None or r <= last)} for first, last in ends]
    is_right = all(covering) and sum(map(len, covering)) == len(set.union(*covering))
    if not is_right:
        with pytest.raises(DataError):
            read_calibration(path)
    elif run in set.union(*covering):
        found = read_calibration(path).valid_for(run)
        assert (found.first, found.last) in ends
        assert found.covers(run)
    else:
        with pytest.raises(DataError, match=f"run {run} has no calibration"):
            read_calibration(path).valid_for(run)


def test_a_module_gets_the_parameters_of_each_run(tmp_path: Path) -> None:
    """In a file of several runs each has its own parameters, and the friend file says which were used."""
    events = write_events(tmp_path / "reco.root", [[1.0], [1.0, 2.0], [], [1.0]], [7, 7, 8, 8])
    calibration = read_calibration(write(tmp_path / "all.toml", EARLY + LATE))
    written = write_friends(events, tmp_path / "friend.root", [Scaled(), Inverse()], calibration)
    assert {run: valid.runs for run, valid in written.ranges.items()} == {7: "1-7", 8: "8-"}
    with open_file(tmp_path / "friend.root") as file:
        assert file["Friends/sc_scaled"].array().tolist() == [[2], [2, 4], [], [3]]
        used = json.loads(str(file["metadata"]))["calibration"]
    checksum = calibration.ranges[0].source.checksum
    assert used["7"] == {"file": "all.toml", "checksum": checksum, "first": 1, "last": 7, "comment": "lamp on"}
    assert used["8"]["last"] is None


def test_modules_that_want_no_parameters_need_no_calibration(tmp_path: Path) -> None:
    """A calibration that does not cover the run disturbs only those modules that want one."""
    events = write_events(tmp_path / "reco.root", [[1.0]], [0])
    calibration = read_calibration(write(tmp_path / "all.toml", EARLY))
    assert not write_friends(events, tmp_path / "friend.root", [Inverse()], calibration).ranges
    with pytest.raises(DataError, match=r"run 0 has no calibration"):
        write_friends(events, tmp_path / "other.root", [Scaled()], calibration)
    with pytest.raises(DataError, match=r"friend module scaled of .* needs a calibration, and none is given"):
        write_friends(events, tmp_path / "other.root", [Scaled()])


def test_a_missing_parameter_is_named(tmp_path: Path) -> None:
    """A calibration that lacks a parameter of a module is refused, naming both and the nearest."""
    events = write_events(tmp_path / "reco.root", [[1.0]])
    calibration = read_calibration(write(tmp_path / "all.toml", EARLY.replace("gain", "gains")))
    with pytest.raises(DataError, match=r"range 1-7 of .* has no parameter gain for module scaled.*'gains'"):
        write_friends(events, tmp_path / "friend.root", [Scaled()], calibration)


def test_a_workflow_reads_the_file_that_is_valid_for_its_run(tmp_path: Path) -> None:
    """The input is the one file of the folder, with its checksum, and has changed once that file has."""
    write(tmp_path / "calibrations" / "early.toml", EARLY)
    write(tmp_path / "calibrations" / "late.toml", LATE)
    find = Calibrations(tmp_path / "calibrations")
    (early,), (late,) = find(view(7)), find(view(8))
    assert [ref.url.rpartition("/")[2] for ref in (early, late)] == ["early.toml", "late.toml"]
    assert early.bytes == len(EARLY)
    write(tmp_path / "calibrations" / "late.toml", LATE.replace("3.0", "4.0"))
    assert changed_files([task(inputs=(early,)), task(inputs=(late,))]) == {late}
    assert find(view(8)) != [late]
    with pytest.raises(DataError, match=r"run 0 has no calibration"):
        find(view(0))


def test_a_campaign_may_read_another_calibration(tmp_path: Path) -> None:
    """The setting calibrations names another folder beside the usual one, or any other place."""
    write(tmp_path / "calibrations" / "a.toml", EARLY)
    other = write(tmp_path / "trial" / "b.toml", EARLY)
    find = Calibrations(tmp_path / "calibrations")
    for place in ("trial", str(other)):
        (ref,) = find(view(7)._replace(settings={"calibrations": place}))
        assert ref.url == str(other)
