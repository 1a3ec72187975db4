"""Reports whose values are not what they must be: a sentence with file and key, whatever reads
them.
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.errors import DataError
from autoctrl.science.quality import evaluate, read_reference, read_report, write_report
from autoctrl.science.quality.report_schema import check_report
from tests.unit.science.quality.test_plots import Light

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.science.quality import Report

GONE = object()
GOOD: dict[str, Any] = {
    "schema": 1,
    "run": 7,
    "about": {"run": 7},
    "events": [0, 3],
    "level": "warn",
    "numbers": {"mean": 2.5},
    "verdicts": [{"number": "mean", "level": "warn", "reason": "mean = 2.5 is above 1"}],
    "plots": ["light"],
    "weights": {"light": 3.0},
    "failed": {"other": "no"},
    "pictures": {"light": "a_light.png"},
    "histograms": {"file": "a.root", "sha256": "00"},
}


def changed(place: str, value: Any) -> dict[str, Any]:
    """Return the good report with one value changed, or gone."""
    content = deepcopy(GOOD)
    *outer, last = [int(word) if word.isdecimal() else word for word in place.split(".")]
    inside: Any = content
    for key in outer:
        inside = inside[key]
    if value is GONE:
        del inside[last]
    else:
        inside[last] = value
    return content


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        ("run", "x", "run is the text 'x', not a whole number"),
        ("run", True, "run is true, not a whole number"),
        ("schema", 2, "schema is 2, not 1"),
        ("about", [], r"about is the list \[\], not an object"),
        ("events", None, "events is null, not the first entry and the one after the last"),
        (
            "events",
            [3, 1],
            r"events is the list \[3, 1\], not the first entry and the one after the last",
        ),
        (
            "events",
            [0, 1.5],
            r"events is the list \[0, 1\.5\], not the first entry and the one after the last",
        ),
        ("numbers", GONE, "it lacks numbers"),
        ("numbers", [1], "numbers is the list .*, not an object of numbers by name"),
        ("numbers.mean", "fast", r"numbers\.mean is the text 'fast', not a number"),
        ("numbers.mean", float("nan"), r"numbers\.mean is nan, not a number"),
        ("numbers.mean", float("-inf"), r"numbers\.mean is -inf, not a number"),
        ("numbers.mean", 10**400, r"numbers\.mean is 1000.*…, not a number"),
        ("numbers", {"a\ud800": "b"}, r"numbers\.'a.ud800' is the text 'b', not a number"),
        ("level", "bad", "level is the text 'bad', not fine, warn or alarm"),
        ("level", GONE, "it lacks level"),
        ("verdicts.0", 3, r"verdicts\[0\] is 3, not an object"),
        ("verdicts.0.reason", GONE, r"verdicts\[0\] lacks reason"),
        ("verdicts.0.level", {}, r"verdicts\[0\]\.level is an object, not fine, warn or alarm"),
        ("plots.0", 3, r"plots\[0\] is 3, not text"),
        ("weights", ["light"], "weights is the list .*, not an object of numbers by plot"),
        ("failed.other", None, r"failed\.other is null, not text"),
        ("pictures.light", 3, r"pictures\.light is 3, not the name of a file without a folder"),
        (
            "pictures.light",
            "../a.png",
            "pictures.light is the text '../a.png', not the name of a file",
        ),
        ("histograms", [], "histograms is the list .*, not an object"),
        ("histograms.file", GONE, "histograms lacks file"),
        ("histograms.file", 3, r"histograms\.file is 3, not the name of a file"),
        ("histograms.file", "", r"histograms\.file is the text '', not the name of a file"),
        (
            "histograms.file",
            "a\0b",
            r"histograms\.file is the text 'a.x00b', not the name of a file",
        ),
        ("histograms.sha256", 3, r"histograms\.sha256 is 3, not text"),
    ],
)
def test_a_wrong_value_is_told_by_its_key(
    tmp_path: Path, place: str, value: Any, sentence: str
) -> None:
    """The sentence has the file, the key, what was found, what belongs there, and what to do."""
    path = tmp_path / "r.json"
    path.write_text(json.dumps(changed(place, value)))
    for read in (read_report, read_reference):
        with pytest.raises(
            DataError, match=rf"r\.json is not a data-quality report: {sentence}"
        ) as refused:
            read(path)
        assert refused.value.hint.startswith("Make the report again")


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(sorted(GOOD)), inner, max_size=12)
        ),
        max_leaves=20,
    )
)
def test_whatever_stands_in_a_report_is_judged(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    """Values of any kind, in any place, are refused in a sentence that can be printed."""
    path = tmp_path_factory.getbasetemp() / "any.json"
    with pytest.raises(DataError, match=r"any\.json is not a data-quality report") as refused:
        check_report(path, content)
    assert str(refused.value).encode()


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"[" * 100_000, b"{", b'{"run": ' + b"9" * 9999 + b"}"]
)
def test_a_file_that_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    """Bytes of another kind, nested beyond all measure or cut off are a sentence."""
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(DataError, match=r"r\.json is not a data-quality report: it is not JSON"):
        read_report(tmp_path / "r.json")


@pytest.mark.parametrize("name", ["", "none.json"])
def test_a_place_without_a_report_is_named(tmp_path: Path, name: str) -> None:
    """A folder and a file that is not there are named with the system's reason."""
    with pytest.raises(
        DataError, match=r"the report .* cannot be read: (Is a directory|No such file)"
    ):
        read_report(tmp_path / name)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    """A report passes its own check, and what would not pass is left out when it is written."""
    report = evaluate([Light()], [[5.0]])
    report.results["light"].numbers |= {"huge": 1e200, "none": float("nan")}
    write_report(
        report,
        tmp_path / "r.json",
        {},
        (0, 1),
        run=3,
        pictures={"light": "r_light.png"},
        plots=["light"],
    )
    stored = read_report(tmp_path / "r.json")
    assert (stored.run, stored.numbers) == (3, {"mean": 5.0})
    assert stored.picture("light") == tmp_path / "r_light.png"
    assert stored.picture("other") is None


def test_a_weight_that_is_none_is_a_failure_of_its_plot() -> None:
    """A figure cannot be kept for a weight that cannot be compared."""

    class Weightless(Light):
        def __call__(self, data: Any, previous: Any = None) -> Any:
            result = super().__call__(data, previous)
            result.weight = float("nan")
            return result

    report: Report = evaluate([Weightless()], [[1.0]])
    assert report.failed == {"light": "TypeError: its weight is nan"}
