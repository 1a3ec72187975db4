"""Another schedd in the settings while jobs of the old one live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.model.job import MERGE_INDEX, JobRecord
from tests.acceptance.exactly_once.driver import Point
from tests.acceptance.exactly_once.judge import check_in_the_end, check_once, check_restarts, find
from tests.acceptance.exactly_once.laboratory import write_runs
from tests.acceptance.exactly_once.lives import Lives
from tests.acceptance.production.pair import CHAIN

if TYPE_CHECKING:
    from tests.acceptance.production.pair import Pair


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", ["spool", "shared"])
def test_jobs_are_collected_where_they_are(pair: Pair, mode: str) -> None:
    """What lives in the old schedd, and what its version still needs, stays there; all else goes to
    the new one.
    """
    folder, kinds = pair.project([*CHAIN, "stuck"], mode), {1: "good", 9: "stuck"}
    write_runs(folder, kinds)
    lives = Lives()
    try:
        # The second submission is never written down: the job must be found by its tag where the
        # intent says.
        assert lives.live(folder, Point("local.submit", 2, "after")) is None
        settings = folder / "autoctrl.toml"
        settings.write_text(settings.read_text().replace(pair.pool.schedd, pair.pool.second_schedd))
        kinds[2] = "good"
        write_runs(folder, kinds)
        lives.live(folder)
    finally:
        lives.close()
    check_in_the_end(folder, kinds)
    check_once(folder, kinds)
    check_restarts(folder)
    places = {
        (record.key.task.workflow, record.key.task.unit, record.key.index): record.handle.partition(
            "#"
        )[0]
        for record in find(folder).records
        if isinstance(record, JobRecord) and record.handle and record.key.task.workflow != "call"
    }
    of_old = {key for key, place in places.items() if place == pair.pool.schedd}
    assert of_old == {
        ("split", "1", 0),
        ("split", "1", 1),
        ("split", "1", MERGE_INDEX),
        ("stuck", "9", 0),
    }
    assert {place for key, place in places.items() if key not in of_old} == {
        pair.pool.second_schedd
    }
