"""The verb latency, over a project that has processed runs whose end is known."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.duration import parse_since
from tests.acceptance.project import ask, make_project

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("latency"))
    settings = folder / "autoctrl.toml"
    declared = "[runs.attributes]\n"
    settings.write_text(settings.read_text().replace(declared, f'{declared}end = "time"\n'))
    ended = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    words = ("runs", "add", "1-2", "--set", "kind=physics", "--set", f"end={ended}")
    assert ask(folder, *words).code == 0
    assert ask(folder, "loop", "--until-idle", "--workflow", "reco").code == 0
    return folder


def test_all_formats_say_the_same(project: Path) -> None:
    """JSON and CSV have the same figures, the table shows them as they are read."""
    found = json.loads(ask(project, "latency", "--workflow", "reco", "--format", "json").out)
    stages = {(row["begin"], row["end"]): row for row in found["stages"]}
    assert (found["campaign"], found["since"]) == ("prompt", None)
    first = stages["end of run", "born"]
    assert (first["tasks"], 7200 <= first["median_s"] <= first["p95_s"]) == (2, True)
    assert all(row["tasks"] == 2 for row in stages.values())
    lines = csv.DictReader(io.StringIO(ask(project, "latency", "--format", "csv").out))
    listed = [row for row in lines if row["workflow"] == "reco"]
    assert [float(row["p95_s"]) for row in listed] == [row["p95_s"] for row in found["stages"]]
    shown = ask(project, "latency").out
    assert "reco      end of run → born       2      2 h" in shown


def test_only_tasks_since_a_time_are_counted(project: Path) -> None:
    """Where none was born since, every stage is empty."""
    shown = ask(project, "latency", "--workflow", "reco", "--since", "2100-01-01").out
    assert "reco      end of run → born       0      -       -" in shown
    assert ask(project, "latency", "--since", "1h").out == ask(project, "latency").out


def test_what_is_no_time_is_a_sentence(project: Path) -> None:
    """Neither a time nor a duration, and a workflow that is not there."""
    said = ask(project, "latency", "--since", "noon")
    assert (said.code, "'noon' is neither a time nor a duration." in said.err) == (2, True)
    said = ask(project, "latency", "--workflow", "rcco")
    assert (said.code, "Did you mean 'reco'?" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T18:00", NOW),
        ("2026-11-20T19:00+01:00", NOW),
        ("24h", NOW - timedelta(days=1)),
        ("5min", NOW - timedelta(minutes=5)),
    ],
)
def test_a_time_or_how_long_ago(text: str, expected: datetime) -> None:
    """A time without a zone is in the project's."""
    assert parse_since(text, NOW, UTC) == expected


def test_too_long_ago_is_a_sentence() -> None:
    """A duration beyond all calendars is refused."""
    with pytest.raises(UsageError, match="neither a time nor a duration"):
        parse_since("9999999999h", NOW, UTC)


def test_a_new_project_says_what_to_do(tmp_path: Path) -> None:
    """Without any workflow there is nothing to show."""
    (tmp_path / "autoctrl.toml").write_text("")
    assert ask(tmp_path, "latency").out.startswith("No workflow of this campaign")
