"""Which releases the records need: those of jobs under way, and of campaigns pinned to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.config.release import SHORT_COMMIT
from autoctrl.model.campaign import read_campaign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from autoctrl.model.campaign import Campaign
    from autoctrl.ports import Store


def find_unneeded(store: Store, releases: Iterable[str]) -> list[str]:
    """Return those of these folders that no job under way names, and at which no open campaign is
    pinned.
    """
    campaigns = [read_campaign(mark) for mark in store.marks("campaign")]
    pinned = _pinned_releases(campaigns)
    jobs = {words for one in campaigns for words in _words_of_jobs(store, one.name)}
    return [
        release
        for release in releases
        if Path(release).name not in pinned and not any(release in words for words in jobs)
    ]


def _pinned_releases(campaigns: Iterable[Campaign]) -> set[str]:
    """Return the names of the releases at whose commits open campaigns are pinned."""
    return {one.code[:SHORT_COMMIT] for one in campaigns if one.code and not one.closed}


def _words_of_jobs(store: Store, campaign: str) -> Iterator[str]:
    """Yield what each job under way was told, in which the path of a release may stand."""
    for task in store.open_tasks(campaign):
        yield from (json.dumps(job.spec, default=str) for job in task.jobs)
