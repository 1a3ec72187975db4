"""Which releases are needed: by processes, by jobs under way, by campaigns pinned to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autoctrl.compose import Project
from autoctrl.config import load_settings
from autoctrl.files import is_shared
from autoctrl.model.campaign import read_campaign

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from autoctrl.model.campaign import Campaign
    from autoctrl.ports import Store


def find_unused(project: Path, releases: Iterable[Path]) -> list[Path]:
    """Return those of these folders that no job, no campaign and no living process needs, as far as
    the records of a project know.
    """
    with Project(load_settings(project)) as opened:
        found = find_unneeded(opened.store, releases)
    return [release for release in found if not is_shared(release)]


def find_unneeded(store: Store, releases: Iterable[Path]) -> list[Path]:
    """Return those of these folders that no job under way names, and at which no open campaign is
    pinned.
    """
    campaigns = [read_campaign(mark) for mark in store.marks("campaign")]
    told = [text for one in campaigns for text in _told_to_jobs(store, one.name)]
    return [
        release
        for release in releases
        if not _is_pinned(release.name, campaigns)
        and not any(str(release) in text for text in told)
    ]


def _is_pinned(release: str, campaigns: Collection[Campaign]) -> bool:
    """Say whether an open campaign is pinned at the commit of a release; both may be shortened."""
    codes = [one.code for one in campaigns if one.code and not one.closed]
    return any(code.startswith(release) or release.startswith(code) for code in codes)


def _told_to_jobs(store: Store, campaign: str) -> Iterator[str]:
    """Yield each text that a job under way was told; the path of a release may stand in it."""
    for task in store.open_tasks(campaign):
        for job in task.jobs:
            yield from _texts_in(job.spec)


def _texts_in(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield each text of nested values, keys too, as it is."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for pair in value.items() for part in pair for text in _texts_in(part))
    elif isinstance(value, list | tuple):
        yield from (text for part in value for text in _texts_in(part))
