"""A cycle as a JUnit file."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from autoctrl.views.junit import CYCLE, Case, Suite, clean, junit_document

AT = datetime(2026, 3, 1, 12, 30, 5, 999, tzinfo=UTC)


def read(*cases: Case, workflow: str = "reco") -> ET.Element:
    """Return the document of one suite, as a reader parses it."""
    return ET.fromstring(junit_document([Suite("exp", "prompt", workflow, cases)], AT))  # noqa: S314 - our own


def test_a_suite_counts_its_cases_and_their_time() -> None:
    """Tests, failures and errors; nothing is ever skipped; the time is when the cycle began."""
    root = read(Case(CYCLE, error="no store", time_s=1.25), Case("4", failure="exit code 3"))
    (suite,) = root
    assert suite.attrib == {
        "name": "reco",
        "tests": "2",
        "failures": "1",
        "errors": "1",
        "skipped": "0",
        "time": "1.250",
        "timestamp": "2026-03-01T12:30:05",
    }
    assert root.attrib == {
        name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped", "time")
    }


def test_a_case_is_named_by_its_unit_within_its_workflow() -> None:
    """Readers cut the class at its points, so a point in a name becomes a dash."""
    (suite,) = read(Case("fill:8222", "done with 1 output"), workflow="reco.v2")
    (case,) = suite
    assert (case.get("name"), case.get("classname")) == ("fill:8222", "exp.prompt.reco-v2")
    assert [(each.tag, each.text) for each in case] == [("system-out", "done with 1 output")]


def test_a_failure_says_why_and_where_the_log_is() -> None:
    """A failed task is a failure, a cycle that could not work an error; a log is named if known."""
    failed, broken, silent = read(
        Case("4", failure="exit code 3", log="/logs/4.log"), Case(CYCLE, error="no"), Case("5")
    )[0]
    assert [(each.tag, each.attrib, each.text) for each in failed] == [
        ("failure", {"message": "exit code 3", "type": "failure"}, "exit code 3\nlog: /logs/4.log")
    ]
    assert [(each.tag, each.text) for each in broken] == [("error", "no")]
    assert not len(silent)


def test_any_text_of_a_job_gives_a_document_that_can_be_read() -> None:
    """Markup is escaped; what XML cannot hold is left out: it would make the whole file useless."""
    nasty = "".join(map(chr, range(0x20))) + "]]>&<b>\x7f\ufffe\uffff\ud800é😀"
    (case,) = read(Case("1", nasty, failure=nasty))[0]
    said = case.find("failure")
    assert said is not None
    assert str(said.text).endswith("]]>&<b>\x7fé😀")
    assert said.get("message") == clean(nasty)
    assert clean(nasty) == "\t\n\r ]]>&<b>\x7fé😀".replace(" ", "")
