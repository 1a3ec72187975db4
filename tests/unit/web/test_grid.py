"""The dense grid, and in which zone times are shown."""

from __future__ import annotations

import re

import pytest

from autoctrl.model.campaign import Campaign
from autoctrl.model.status import TaskStatus
from autoctrl.web.pages.grid import size_cells
from tests.unit.web.desk import Desk, text_of

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
RUN_LINK = re.compile(r'href="/campaigns/prompt/runs/(\d+)"')
GRID = "/campaigns/prompt/grid"


def test_the_grid_shows_two_hundred_runs_and_turns_to_the_others(desk: Desk) -> None:
    """Newest first, in blocks as high as a screen; links lead to the oldest run and back again."""
    desk.scene.runs(*range(1, 451))
    pages, address = [], GRID
    for _ in range(3):
        pages.append([int(number) for number in RUN_LINK.findall(desk.get(address))])
        address = next((link for link in desk.links(address) if "before=" in link), "")
    assert pages == [[*range(450, 250, -1)], [*range(250, 50, -1)], [*range(50, 0, -1)]]
    assert address == ""
    assert desk.get(GRID).count("<table") == 8
    newer = f"{GRID}?after=50"
    assert [int(number) for number in RUN_LINK.findall(desk.get(newer))] == pages[1]
    assert f"{GRID}?after=250" in desk.links(newer)
    assert f"{GRID}?before=51" in desk.links(newer)


@pytest.mark.parametrize(
    ("runs", "workflows", "size"),
    [(5, 8, "large"), (50, 8, "large"), (200, 8, "wide"), (200, 20, "narrow"), (200, 90, "narrow")],
)
def test_cells_are_as_large_as_a_screen_allows(runs: int, workflows: int, size: str) -> None:
    """Two hundred runs in twenty workflows fit one."""
    assert size_cells(runs, workflows).size == size


def test_a_cell_has_a_sign_and_leads_to_its_task(desk: Desk) -> None:
    """What it stands for is said in words too, with the reason."""
    desk.scene.task(1, "reco", FAILED, reason="exit code 3")
    page = desk.get(GRID)
    cell = re.search(r'<td class="is-failed">(<a[^>]*>)✕</a></td>', page)
    assert cell is not None
    assert 'href="/campaigns/prompt/tasks/reco/1"' in cell[1]
    assert 'title="1 reco: failed, exit code 3"' in cell[1]
    assert 'aria-label="failed"' in cell[1]


def test_table_and_grid_lead_to_each_other_with_the_same_filter(desk: Desk) -> None:
    """What was chosen in one view is chosen in the other."""
    desk.scene.task(1, "reco", FAILED)
    chosen = "?runs=1-2&status=failed"
    assert f"{GRID}?runs=1-2&status=failed" in desk.links(f"/campaigns/prompt{chosen}")
    assert "/campaigns/prompt?runs=1-2&status=failed" in desk.links(GRID + chosen)
    assert RUN_LINK.findall(desk.get(GRID + chosen)) == ["1"]
    assert "Only runs 1-2 , status failed ." in text_of(desk.get(GRID + chosen))
    assert "No run here fits" in desk.get(f"{GRID}?status=processing")


@pytest.mark.parametrize("query", ["status=odd", "runs=x", "before=x"])
def test_a_wrong_filter_of_the_grid_is_said(desk: Desk, query: str) -> None:
    """As in the table, with the code for a wrong question."""
    assert query.partition("=")[2] in desk.get(f"{GRID}?{query}", 400)


def test_cells_that_a_parent_keeps_are_pale(desk: Desk) -> None:
    """In the grid and in the table, with the campaign that keeps them."""
    desk.scene.task(1, "reco", DONE)
    desk.scene.campaign(Campaign("redo", parent="prompt", workflows=("friends",), follow=True))
    desk.scene.workflow("friends", "redo", after=["reco"])
    desk.scene.task(1, "friends", DONE, campaign="redo")
    grid, table = desk.get("/campaigns/redo/grid"), desk.get("/campaigns/redo")
    assert grid.count('class="is-done inherited"') == 1
    assert "1 reco: done kept in prompt" in grid
    assert table.count('<td class="inherited" title="kept in campaign prompt">') == 1


def test_times_are_shown_in_utc_or_in_the_projects_zone(desk: Desk) -> None:
    """A button switches, the browser remembers; the rest of the address is kept."""
    desk.scene.task(1, "reco", DONE)
    path = "/campaigns/prompt/tasks/reco/1?all=1"
    assert 'name="zone" value="utc">show UTC' in desk.get(path)
    assert " CET</time>" in desk.get(path)
    page = desk.get(f"{path}&zone=utc")
    assert " UTC</time>" in page
    assert " CET</time>" not in page
    assert '<input type="hidden" name="all" value="1">' in page
    assert " UTC</time>" in desk.get(path)
    assert " CET</time>" in desk.get(f"{path}&zone=project")
    assert " CET</time>" in desk.get(path)


@pytest.mark.parametrize("path", ["/campaigns/prompt", GRID, "/campaigns/prompt/incidents"])
def test_an_unknown_zone_is_refused(desk: Desk, path: str) -> None:
    """In words, on a page that is in the project's zone."""
    assert "zone=Mars is no zone of this page; there are utc, project" in desk.get(
        f"{path}?zone=Mars", 400
    )


def test_a_page_that_is_drawn_for_many_is_drawn_in_each_ones_zone(desk: Desk) -> None:
    """Who reads in UTC does not get what was just drawn for somebody else."""
    for path in ("/campaigns/prompt", GRID):
        desk.browser.cookies.clear()
        assert "show UTC" in desk.get(path)
        desk.get("/campaigns/prompt/runs/1?zone=utc")
        assert "show Europe/Zurich" in desk.get(path)


def test_the_grid_keeps_every_part_of_the_filter(desk: Desk) -> None:
    """Whatever the table may be narrowed to."""
    desk.scene.task(1, "reco", DONE, reason="alarm: rms is above 10")
    chosen = "?workflow=reco&since=2h&alarm=1"
    assert RUN_LINK.findall(desk.get(GRID + chosen)) == ["1"]
    for page, other in ((GRID, "/campaigns/prompt"), ("/campaigns/prompt", GRID)):
        link = next(
            link
            for link in desk.links(page + chosen)
            if link.startswith(f"{other}?") and "since=2h" in link
        )
        assert "alarm=1" in link
        assert "workflow=reco" in link
