"""Calibrations: files with parameters, each valid for a range of runs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.errors import DataError
from autoctrl.freshness import changed_files
from autoctrl.science.friends import Calibrations, Numbers, read_calibration, write_friends
from autoctrl.science.rootio import open_file
from tests.unit.given import task, view
from tests.unit.science.friends.modules import Inverse, Scaled, write_events

if TYPE_CHECKING:
    from pathlib import Path

EARLY = (
    '[[range]]\nfirst = 1\nlast = 7\ncomment = "lamp on"\n[range.parameters.scaled]\ngain = 2.0\n'
)
TABLE = "[[range]]\nfirst = 1\n[range.parameters.a]\n"
LATE = "[[range]]\nfirst = 8\n[range.parameters.scaled]\ngain = 3.0\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_each_run_has_its_parameters(tmp_path: Path) -> None:
    """Ranges include both ends; one without a last run holds for all later ones."""
    calibration = read_calibration(write(tmp_path / "all.toml", EARLY + LATE))
    assert [
        calibration.valid_for(run).parameters["scaled"]["gain"] for run in (1, 7, 8, 10**9)
    ] == [2, 2, 3, 3]
    assert (str(calibration.valid_for(1)), calibration.valid_for(1).comment) == (
        "all.toml 1-7",
        "lamp on",
    )
    assert calibration.valid_for(8).runs == "8-"


def test_a_folder_is_read_like_one_file(tmp_path: Path) -> None:
    """All files of a folder count together, in whatever order they are named; the range knows its
    file.
    """
    write(tmp_path / "c" / "b.toml", EARLY)
    write(tmp_path / "c" / "a.toml", LATE)
    write(tmp_path / "c" / "notes.txt", "no TOML")
    calibration = read_calibration(tmp_path / "c")
    assert [valid.source.path.name for valid in calibration.ranges] == ["b.toml", "a.toml"]
    write(tmp_path / "c" / "c.toml", EARLY)
    with pytest.raises(DataError, match=r"b\.toml \(runs 1-7\) and .*c\.toml \(runs 1-7\) overlap"):
        read_calibration(tmp_path / "c")


def test_a_run_without_calibration_is_named_with_the_ranges(tmp_path: Path) -> None:
    """A gap is an error that says which ranges there are."""
    text = EARLY + LATE.replace("first = 8", "first = 20\nlast = 30")
    calibration = read_calibration(write(tmp_path / "all.toml", text))
    for run in (0, 8, 19, 31):
        with pytest.raises(
            DataError,
            match=rf"run {run} has no calibration in .*all\.toml: its ranges are 1-7, 20-30",
        ):
            calibration.valid_for(run)


@pytest.mark.parametrize(
    ("text", "reason", "hint"),
    [
        ("", "has no range of runs", r"Write \[\[range\]\]"),
        ("[[range", "cannot be read: Expected", "must be TOML"),
        ("a = " + "[" * 100_000, "cannot be read: .*recursion", "must be TOML"),
        ("\udcff", "cannot be read: .*utf-8", "must be TOML"),
        ("gain = 2\n" + EARLY, r"may contain only \[\[range\]\], not 'gain'", "Move 'gain' below"),
        (
            "range = 3",
            r"may contain only \[\[range\]\]; its range is 3",
            "The brackets are double",
        ),
        (
            "[range]\nfirst = 3",
            r"may contain only \[\[range\]\]; its range is {'first'",
            "The brackets are double",
        ),
        (
            EARLY + "[[range]]\nfirst = 7\n",
            r"1 .*1-7\) and .*2 .*7-\) overlap: both hold for run 7",
            "write last = 6 ",
        ),
        (LATE + LATE, r"1 .*8-\) and .*2 .*8-\) overlap: both hold for run 8", "leave one out"),
        (
            EARLY + "[[range]]\nlast = 3",
            "2 .* does not say for which runs it holds",
            "Write first = 4500",
        ),
        (
            "[[range]]\nfirst = 5\nlast = 3",
            "1 .* goes from run 5 to run 3",
            "Write first = 3 and last = 5",
        ),
        (
            "[[range]]\nfirst = true",
            "1 .* has first = true, which is not a run number",
            "Write first as in",
        ),
        (
            "[[range]]\nfirst = 1.5",
            "1 .* has first = 1.5, which is not a run number",
            "Write first as in",
        ),
        (
            "[[range]]\nfirst = -1",
            "1 .* has first = -1, which is not a run number",
            "Write first as in",
        ),
        (
            "[[range]]\nfirst = 1" + "0" * 99,
            "1 .* has first = 1000.*…, which is not a run number",
            "Write first as in",
        ),
        (
            '[[range]]\nfirst = 1\nlast = "9"',
            "1 .* has last = '9', which is not a run number",
            "Write last as in",
        ),
        (
            "[[range]]\nfirst = 1\nlats = 3",
            "1 .* has a value 'lats', which means nothing",
            "Did you mean 'last'?",
        ),
        (
            "[[range]]\nfirst = 1\ncomment = 3",
            "1 .* has the comment 3, which is not text",
            "in quotes",
        ),
        (
            "[[range]]\nfirst = 1\nparameters = 3",
            "1 .* has parameters = 3, which is not a table",
            "for the module depth",
        ),
        (
            "[[range]]\nfirst = 1\n[range.parameters]\ngain = 3",
            "not tables: gain = 3 belongs to no module",
            "Write",
        ),
        (
            TABLE + "gain = nan",
            r"1 .* has the parameter a\.gain = nan, which is not a number",
            "Write a finite number",
        ),
        (
            TABLE + "gain = [1, -inf]",
            r"a\.gain = \[1, -inf\], which is not a number",
            "Write a finite number",
        ),
        (
            TABLE + "gain = 1" + "0" * 400,
            r"a\.gain = 1000.*…, which is not a number",
            "Write a finite number",
        ),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(
    tmp_path: Path, text: str, reason: str, hint: str
) -> None:
    """The error names the file, the entry, what is wrong in it, and what to write."""
    (tmp_path / "bad.toml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(DataError, match=reason) as refused:
        read_calibration(tmp_path / "bad.toml")
    assert "bad.toml" in refused.value.message
    assert re.search(hint, refused.value.hint)


@pytest.mark.parametrize(
    ("wanted", "value", "reason"),
    [
        (Numbers(above=0), "'x'", "= 'x', which is not a number above 0"),
        (Numbers(above=0), "0.0", r"= 0\.0, which is not a number above 0"),
        (Numbers(above=0), "-2", "= -2, which is not a number above 0"),
        (Numbers(least=0), "-2", "= -2, which is not a number from 0 on"),
        (Numbers(), "true", "= true, which is not a number"),
        (Numbers(), "[1.0]", r"= \[1\.0\], which is not a number"),
        (Numbers(), "1979-05-27", "= 1979-05-27, which is not a number"),
        (Numbers(2), "1.0", r"= 1\.0, which is not a list of 2 numbers"),
        (Numbers(2), "[1, 2, 3]", r"= \[1, 2, 3\], which is not a list of 2 numbers"),
        (
            Numbers(2, above=0),
            "[1, 'a']",
            r"= \[1, 'a'\], which is not a list of 2 numbers above 0",
        ),
        (Numbers(), "1.0\nbias = 2", "has a parameter bias, which module strict does not know"),
        (Numbers(), "1.0\n[range.parameters.other]\ngain = 2", None),
    ],
)
def test_a_module_says_what_its_parameters_must_be(
    tmp_path: Path, wanted: Numbers, value: str, reason: str | None
) -> None:
    """A parameter of another kind is refused before anything is computed: file, entry, what is
    there, what to write.
    """

    class Strict(Scaled):
        name = "strict"
        parameters: Any = {"gain": wanted}  # noqa: RUF012 - read only

    events = write_events(tmp_path / "reco.root", [[1.0]])
    text = LATE.replace("scaled", "other") + EARLY.replace("scaled", "strict").replace("2.0", value)
    calibration = read_calibration(write(tmp_path / "c.toml", text))
    if reason is None:
        assert write_friends(events, tmp_path / "friend.root", [Strict()], calibration).entries == 1
        return
    with pytest.raises(
        DataError, match=rf"number 2 of the calibration .*c\.toml \(runs 1-7\) .*{reason}"
    ) as refused:
        write_friends(events, tmp_path / "friend.root", [Strict()], calibration)
    assert refused.value.hint in {
        f"Below [range.parameters.strict] write gain = {wanted}.",
        "Known: gain.",
    }
    assert not (tmp_path / "friend.root").exists()


def test_a_module_that_fails_says_whose_parameters_it_had(tmp_path: Path) -> None:
    """Where a module does not say what it wants, the entry that it was given is named beside its
    failure.
    """
    events = write_events(tmp_path / "reco.root", [[1.0]])
    calibration = read_calibration(write(tmp_path / "c.toml", EARLY.replace("2.0", '"two"')))
    with pytest.raises(
        DataError,
        match=r"scaled of .* failed with .*It had the parameters of \[\[range\]\] number 1",
    ):
        write_friends(events, tmp_path / "friend.root", [Scaled()], calibration)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A place that is not there, or an empty folder, is an error."""
    with pytest.raises(DataError, match=r"none\.toml cannot be read: No such file"):
        read_calibration(tmp_path / "none.toml")
    with pytest.raises(DataError, match=r"has no range"):
        read_calibration(tmp_path)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.none() | st.integers(0, 30)), min_size=1, max_size=4),
    st.integers(0, 40),
)
def test_a_run_has_one_range_or_none(
    tmp_path_factory: pytest.TempPathFactory, ends: list[tuple[int, int | None]], run: int
) -> None:
    """Against a list of all runs: a calibration is read only if no run is covered twice, and gives
    the one range.
    """
    lines = [
        f"[[range]]\nfirst = {first}" + ("" if last is None else f"\nlast = {last}")
        for first, last in ends
    ]
    path = write(tmp_path_factory.mktemp("ranges") / "c.toml", "\n".join(lines))
    covering = [
        {r for r in range(100) if r >= first and (last is None or r <= last)}
        for first, last in ends
    ]
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
    """In a file of several runs each has its own parameters, and the friend file says which were
    used.
    """
    events = write_events(tmp_path / "reco.root", [[1.0], [1.0, 2.0], [], [1.0]], [7, 7, 8, 8])
    calibration = read_calibration(write(tmp_path / "all.toml", EARLY + LATE))
    written = write_friends(events, tmp_path / "friend.root", [Scaled(), Inverse()], calibration)
    assert {run: valid.runs for run, valid in written.ranges.items()} == {7: "1-7", 8: "8-"}
    with open_file(tmp_path / "friend.root") as file:
        assert file["Friends/sc_scaled"].array().tolist() == [[2], [2, 4], [], [3]]
        used = json.loads(str(file["metadata"]))["calibration"]
    checksum = calibration.ranges[0].source.checksum
    assert used["7"] == {
        "file": "all.toml",
        "checksum": checksum,
        "first": 1,
        "last": 7,
        "comment": "lamp on",
    }
    assert used["8"]["last"] is None


def test_modules_that_want_no_parameters_need_no_calibration(tmp_path: Path) -> None:
    """A calibration that does not cover the run disturbs only those modules that want one."""
    events = write_events(tmp_path / "reco.root", [[1.0]], [0])
    calibration = read_calibration(write(tmp_path / "all.toml", EARLY))
    assert not write_friends(events, tmp_path / "friend.root", [Inverse()], calibration).ranges
    with pytest.raises(DataError, match=r"run 0 has no calibration"):
        write_friends(events, tmp_path / "other.root", [Scaled()], calibration)
    with pytest.raises(
        DataError, match=r"friend module scaled of .* needs a calibration, and none is given"
    ):
        write_friends(events, tmp_path / "other.root", [Scaled()])


def test_a_missing_parameter_is_named(tmp_path: Path) -> None:
    """A calibration that lacks a parameter of a module is refused, naming both and the nearest."""
    events = write_events(tmp_path / "reco.root", [[1.0]])
    calibration = read_calibration(write(tmp_path / "all.toml", EARLY.replace("gain", "gains")))
    with pytest.raises(
        DataError,
        match=r"number 1 of .* \(runs 1-7\) has no parameter gain for module scaled.*gains",
    ):
        write_friends(events, tmp_path / "friend.root", [Scaled()], calibration)


def test_a_workflow_reads_the_file_that_is_valid_for_its_run(tmp_path: Path) -> None:
    """The input is the one file of the folder, with its checksum, and has changed once that file
    has.
    """
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
