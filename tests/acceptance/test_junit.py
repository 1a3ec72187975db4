"""``cycle --junit FILE``: what a cycle did, as test results."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from autoctrl.cli.reports import UNFINISHED, JUnitReport, cases_of
from autoctrl.machine.summary import Move, Summary
from autoctrl.views.junit import Case
from tests.acceptance.project import ask, make_project

if TYPE_CHECKING:
    from pathlib import Path

MOST_CYCLES = 300  # far more than a job of a moment lasts


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project whose run 3 cannot be reconstructed."""
    folder = make_project(tmp_path / "beam.2026")
    assert ask(folder, "runs", "add", "1-3", "--set", "kind=physics", "--set", "fill=7").code == 0
    return folder


def results(path: Path) -> dict[str, dict[str, str]]:
    """Return of each suite its cases by name, each with what it says and the tag of that."""
    return {
        str(suite.get("name")): {
            str(case.get("name")): " ".join(f"{said.tag}: {said.text}" for said in case)
            for case in suite
        }
        for suite in ET.parse(path).getroot()  # noqa: S314 - our own
    }


def test_each_task_that_moved_or_failed_is_a_case(project: Path) -> None:
    """And the cycle of each workflow, so that no file is ever without one."""
    path = project / "build" / "cycle.xml"
    assert ask(project, "cycle", "--junit", "build/cycle.xml").code == 0
    first = results(path)
    assert list(first) == ["reco", "plots", "sums"]
    assert first["plots"].keys() == {"cycle", "1", "2", "3"}
    code = 0
    for _ in range(MOST_CYCLES):
        code = code or ask(project, "cycle", "--junit", "build/cycle.xml").code
        if code:
            break
    failed = {name: said for name, said in results(path)["reco"].items() if "failure" in said}
    assert (code, list(failed)) == (1, ["3"])
    assert "the detector was off\nlog: /" in failed["3"]
    case = ET.parse(path).find(".//testcase[@name='3']")  # noqa: S314 - our own
    assert case is not None
    assert str(case.get("classname")).endswith(".prompt.reco")


def test_a_workflow_that_cannot_work_is_an_error(project: Path) -> None:
    """The file is written also where the cycle ends with 2."""
    (project / "workflows/reco/handler.py").write_text("import nothing_there\n")
    assert ask(project, "cycle", "--junit", "cycle.xml").code == 2
    assert "nothing_there" in results(project / "cycle.xml")["reco"]["cycle"]


def test_a_cycle_that_cannot_even_begin_is_an_error(project: Path) -> None:
    """A campaign or settings that are wrong stand in the file as they are told."""
    words = ("cycle", "--junit", "cycle.xml", "--workflow", "reco")
    said = ask(project, *words, "--campaign", "promt")
    assert said.code == 2
    assert results(project / "cycle.xml")["reco"]["cycle"] == f"error: {said.err.strip()}"
    (project / "autoctrl.toml").write_text("nonsense = 1\n")
    said = ask(project, "cycle", "--junit", "cycle.xml")
    assert results(project / "cycle.xml") == {"discover": {"cycle": f"error: {said.err.strip()}"}}


STRANGE = """
from autoctrl import inline


@inline("strange")
def work(task):
    raise FileNotFoundError("\\x1b[31m \\udcff <b>]]>& \\x00")
"""


def test_whatever_a_task_says_is_a_report(tmp_path: Path) -> None:
    """Characters that neither a store nor XML can hold make neither a cycle fail nor the file."""
    (tmp_path / "workflows/strange").mkdir(parents=True)
    (tmp_path / "workflows/strange/handler.py").write_text(STRANGE)
    (tmp_path / "autoctrl.toml").write_text("[defaults]\nattempts = 1\n")
    assert ask(tmp_path, "runs", "add", "1").code == 0
    assert ask(tmp_path, "cycle", "--junit", "cycle.xml").code == 1
    said = results(tmp_path / "cycle.xml")["strange"]["1"]
    assert "FileNotFoundError: [31m \\udcff <b>]]>& " in said


@pytest.mark.parametrize("name", ["occupied", "link", "autoctrl.toml/cycle.xml", "/proc/cycle.xml"])
def test_a_file_that_cannot_be_written_is_refused_before_the_cycle(
    project: Path, name: str
) -> None:
    """No task moves for a report that nobody would get."""
    (project / "occupied").mkdir()
    (project / "link").symlink_to(project / "autoctrl.toml")
    said = ask(project, "cycle", "--junit", name)
    assert said.code == 2
    assert f"--junit {name} cannot be written" in said.err
    assert "Nothing was done" in said.err
    assert "No workflow has made a cycle yet" in ask(project, "status").out


def test_a_killed_cycle_leaves_no_older_results(tmp_path: Path) -> None:
    """What the file holds until the cycle ends says that it did not."""
    path = tmp_path / "cycle.xml"
    path.write_text("<testsuites/>")
    JUnitReport(path, "prompt", ["reco"]).open()
    assert results(path) == {"reco": {"cycle": f"error: {UNFINISHED}"}}
    assert [one.name for one in tmp_path.iterdir()] == ["cycle.xml"]


def test_problems_stand_with_the_cycle() -> None:
    """What could not be asked is no failure, and is told all the same."""
    moves = (Move("1", "birth"), Move("2", "fail", "why", "/log"), Move("3", "finish", "done with"))
    summary = Summary("reco", problems=("no answer",), moves=moves, elapsed_s=0.5)
    assert cases_of(summary) == [
        Case("cycle", "problem: no answer", time_s=0.5),
        Case("1", "born"),
        Case("2", failure="why", log="/log"),
        Case("3", "done: done with"),
    ]
