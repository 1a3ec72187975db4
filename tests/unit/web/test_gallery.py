"""The pages of plots and trends."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import TaskStatus
from autoctrl.views.columns import Column
from autoctrl.views.measured import Measured, Trends
from autoctrl.web.pages.trends import MOST_PLOTS, choose_fields
from tests.unit.web.desk import Desk, text_of

if TYPE_CHECKING:
    from pathlib import Path

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
ALARM = "peak = 1 is below 2"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(folder=tmp_path)
    made.scene.runs(*range(1, 5), kind="physics")
    made.scene.workflow("reco")
    made.scene.workflow("sums", group_by="fill", late={})
    for run in (1, 2, 4):
        reason = f"alarm: {ALARM}" if run == 2 else ""
        key = made.scene.task(run, "reco", DONE, reason=reason)
        made.scene.output(key, name="light", url=f"/data/{run}/light.png", content=f"{run}" * 12)
        values: dict[str, float | str] = {"peak": float(run), "peak_error": 0.5, EVIL: 1.0}
        values |= {"alarm": ALARM} if run == 2 else {}
        made.scene.store.append([FieldsRecord(key, 1, values, made.scene.clock.now())])
    return made


def test_the_plots_of_a_run_hang_beside_its_neighbours(desk: Desk) -> None:
    """With the alarm on top, the numbers of all three below, and links to the runs beside."""
    page = desk.browser.get("/campaigns/prompt/plots/2").text
    pictures = re.findall(r'<img loading="lazy" src="([^"]*)"', page)
    units = [link.partition("?")[0].rpartition("/")[2] for link in pictures]
    assert units == ["1", "2", "4"]
    text = text_of(page)
    assert "done alarm" in text
    assert f"alarm: {ALARM}" in text
    assert "peak 1 alarm 2 4" in text
    assert 'href="/campaigns/prompt/plots/1" rel="prev"' in page
    assert 'href="/campaigns/prompt/plots/3" rel="next"' in page
    assert "/campaigns/prompt/plots/2" in desk.links("/campaigns/prompt/runs/2")


def test_a_run_without_plots_says_so(desk: Desk) -> None:
    """Also one that has no task, or is not registered."""
    assert "This run has no task in reco" in desk.get("/campaigns/prompt/plots/3")
    desk.scene.runs(99)
    desk.scene.runs(*range(200, 300))
    assert "No workflow has made a picture" in desk.get("/campaigns/prompt/plots/290")
    for number in (5, 999):
        assert f"Run {number} is not registered" in desk.get(
            f"/campaigns/prompt/plots/{number}", 404
        )


def test_the_keys_turn_the_page(desk: Desk) -> None:
    """The script for that comes from the server itself, and needs the links of the page."""
    page = desk.get("/campaigns/prompt/plots/2")
    script = re.search(r'src="(/static/turn[^"]*)"', page)
    assert script is not None
    assert "ArrowLeft" in desk.browser.get(script[1]).text


def test_trends_are_drawn_and_listed(desk: Desk) -> None:
    """The workflow that has numbers is found; what an alarm says is marked in plot and table, and
    uncertainties are not drawn by themselves.
    """
    page = desk.browser.get("/campaigns/prompt/trends").text
    assert page.count("<svg") == 2
    assert page.index(">peak</a>") < page.index(">&lt;script")
    assert page.count('class="point is-alarm"') == 1
    assert page.count('class="limit is-alarm"') == 1
    text = text_of(page)
    assert "Trends of reco" in text
    assert "3 tasks, the newest first" in text
    assert "run 4 fine 4 1 run 2 alarm 2 alarm 1 run 1 fine 1 1" in text
    assert EVIL not in page


@pytest.mark.parametrize(
    ("query", "points"),
    [
        ("field=peak", 3),
        ("field=peak_error&field=peak", 6),
        ("field=peak&runs=1-2", 2),
        ("field=peak&where=kind%3Dphysics", 3),
        ("field=peak&where=kind%3Dcosmics&where=kind%3Dphysics", 3),
        ("field=peak&limit=1", 1),
        ("workflow=reco&field=nothing", 6),
    ],
)
def test_trends_are_narrowed(desk: Desk, query: str, points: int) -> None:
    """By field, run, attribute and number of runs."""
    desk.project.settings = replace(desk.project.settings, attributes={"kind": "str"})
    page = desk.get(f"/campaigns/prompt/trends?{query}")
    assert page.count('<circle class="point') == points


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ("workflow=rico", 404, "Did you mean 'reco'?"),
        ("where=kind", 400, "'kind' asks for no attribute of runs"),
        ("where=color%3Dred", 400, "Run attribute 'color' is not declared"),
        ("limit=x", 400, "limit=x is not a whole number"),
        ("runs=70", 200, "No task here has reported a number for these runs"),
        ("workflow=sums", 200, "No task here has reported a number."),
    ],
)
def test_wrong_questions_are_answered_with_what_is_wrong(
    desk: Desk, query: str, code: int, says: str
) -> None:
    """And a question without an answer says that there is none."""
    assert says in desk.get(f"/campaigns/prompt/trends?{query}", code)


def test_only_so_many_numbers_are_drawn_those_with_alarms_first(desk: Desk) -> None:
    """A page of plots stays one that can be looked at."""
    task = desk.scene.newest(desk.scene.task(3, "reco", DONE))
    values: dict[str, float | str] = {f"n{number:02}": 1.0 for number in range(40)}
    measured = Measured(task, {**values, "warning": "n39 = 1 is above 0"})
    found = Trends(Column("reco", "prompt"), (measured,))
    shown = choose_fields(found, ())
    assert (shown[:2], len(shown)) == (["n39", "n00"], MOST_PLOTS)
