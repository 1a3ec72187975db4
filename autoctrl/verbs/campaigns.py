"""Verbs about campaigns, and about workflows as a whole: create, edit, close, pause, resume."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from autoctrl.campaigns import find_campaign
from autoctrl.errors import UsageError, nearest
from autoctrl.model.campaign import Campaign, lineage, read_campaign
from autoctrl.model.names import CAMPAIGNS_LEASE, LONGEST_WORD
from autoctrl.model.output import MarkRecord
from autoctrl.model.succession import following
from autoctrl.model.unit import format_runs, parse_runs
from autoctrl.pauses import PAUSE, PAUSED
from autoctrl.verbs.request import hold, write
from autoctrl.verbs.targets import find_workflow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from autoctrl.ports import Store
    from autoctrl.verbs.request import Request

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def pause(request: Request, workflow: str) -> bool:
    """Submit nothing more for a workflow; running jobs are still collected.

    Say whether that changes anything.
    """
    return _set_paused(request, workflow, paused=True)


def resume(request: Request, workflow: str) -> bool:
    """Let a paused workflow submit again. Say whether that changes anything."""
    return _set_paused(request, workflow, paused=False)


def list_campaigns(store: Store) -> list[Campaign]:
    """Return all campaigns, by name."""
    return sorted(
        (read_campaign(mark) for mark in store.marks("campaign")),
        key=lambda campaign: campaign.name,
    )


def known_workflows(store: Store, folder: Path) -> set[str]:
    """Return the workflows that a project has: those that have made a cycle, and the names of the
    modules' folders.
    """
    from autoctrl.handlers.modules import find_modules

    marks = {mark.name for mark in store.marks("workflow")}
    return marks | {path.parent.name for path in find_modules(folder)}


def create_campaign(request: Request, campaign: Campaign, known: Collection[str]) -> Campaign:
    """Create a campaign and return it.

    Without runs it takes those that are registered now, unless it follows the sources. ``known``
    are the workflows of the project. Raises ``UsageError`` if the name is taken or not allowed, if
    the parent, a workflow or the runs are unknown, or if runs are given although it follows.
    """
    _check_name(campaign.name)
    with hold(request, CAMPAIGNS_LEASE) as lease:
        marks = request.store.marks("campaign")
        taken = next((mark for mark in marks if mark.name == campaign.name), None)
        if taken is not None and _is_ours(request, taken):
            return read_campaign(taken)
        if taken is not None:
            message = f"Campaign '{campaign.name}' already exists."
            raise UsageError(
                message, hint=f"Change it with: autoctrl campaign edit {campaign.name}"
            )
        if campaign.parent is not None:
            find_campaign(request.store, campaign.parent)
        _check_workflows(campaign, known)
        whole = campaign._replace(runs=_frozen_runs(request.store, campaign))
        write(request, [_mark(request, whole, None)], lease)
        return whole


def _check_name(name: str) -> None:
    if len(name) > LONGEST_WORD:
        message = f"The name of the campaign '{name[:40]}…' has {len(name)} letters."
        raise UsageError(message, hint=f"It becomes a folder: use {LONGEST_WORD} at most.")
    if not NAME.fullmatch(name):
        message = f"'{name}' cannot be the name of a campaign."
        raise UsageError(
            message,
            hint="Use letters, digits, dots, dashes and underscores, a letter or digit first.",
        )


def edit_campaign(
    request: Request, name: str, changes: Mapping[str, Any], known: Collection[str]
) -> tuple[Campaign, bool]:
    """Change some fields of a campaign; settings are merged key by key.

    Return it, and whether that changes anything.

    Raises ``UsageError`` as ``create_campaign`` does, and if the campaign would become its own
    ancestor.
    """
    with hold(request, CAMPAIGNS_LEASE) as lease:
        before = find_campaign(request.store, name)
        mark = next(mark for mark in request.store.marks("campaign") if mark.name == name)
        if _is_ours(request, mark):
            return before, True
        settings = {**before.settings, **changes.get("settings", {})}
        after = before._replace(**{**changes, "settings": settings})
        if after.parent is not None:
            _check_ancestry(request.store, name, after.parent)
        if changes.get("runs") is not None or changes.get("follow") is not None:
            chosen = _chosen(after, changes)
            after = chosen._replace(runs=_frozen_runs(request.store, chosen))
        _check_workflows(after, known)
        if after == before:
            return before, False
        write(request, [_mark(request, after, mark)], lease)
        return after, True


def close_campaign(request: Request, name: str) -> tuple[Campaign, bool]:
    """Take in no more runs and start nothing more.

    Return the campaign, and whether that changes anything.
    """
    return edit_campaign(request, name, {"closed": True}, known=())


def _chosen(campaign: Campaign, changes: Mapping[str, Any]) -> Campaign:
    # Following and a fixed list exclude each other: what is said now replaces what was said before.
    if changes.get("follow") and "runs" not in changes:
        return campaign._replace(runs=None)
    if changes.get("runs") is not None and "follow" not in changes:
        return campaign._replace(follow=False)
    return campaign


def _frozen_runs(store: Store, campaign: Campaign) -> str | None:
    if campaign.follow and campaign.runs is not None:
        message = (
            f"Campaign {campaign.name} can follow the sources or have a fixed list of runs, "
            "not both."
        )
        raise UsageError(message, hint="Leave out --runs or --follow.")
    if campaign.follow:
        return None
    if campaign.runs is not None:
        return format_runs(parse_runs(campaign.runs))
    registered = [run.number for run in store.runs().records]
    if not registered:
        message = f"Campaign {campaign.name} has no runs: none is registered yet."
        raise UsageError(
            message, hint="Use --runs 4500-4510, or --follow to take runs as they are discovered."
        )
    return format_runs(registered)


def _check_workflows(campaign: Campaign, known: Collection[str]) -> None:
    for workflow in campaign.workflows or ():
        if known and workflow not in known:
            message = (
                f"There is no workflow '{workflow}' in this project. {nearest(workflow, known)}"
            )
            raise UsageError(message, hint=f"Make one with: autoctrl new-workflow {workflow}")


def _check_ancestry(store: Store, name: str, parent: str) -> None:
    find_campaign(store, parent)
    if any(ancestor.name == name for ancestor in lineage(parent, store.marks("campaign"))):
        message = f"Campaign {parent} cannot be the parent of {name}: it descends from it."
        raise UsageError(message)


def _mark(request: Request, campaign: Campaign, before: MarkRecord | None) -> MarkRecord:
    now = request.clock.now()
    values = campaign.values()
    return following(
        before,
        MarkRecord(
            "campaign", campaign.name, campaign.name, values, now, request.actor, request.reason
        ),
    )


def _is_ours(request: Request, mark: MarkRecord) -> bool:
    """Say whether this very request has written a mark, before it was interrupted."""
    return request.has_written(mark.actor.name, mark.reason, mark.time)


def _set_paused(request: Request, workflow: str, *, paused: bool) -> bool:
    find_workflow(request.store, request.campaign, workflow)
    with hold(request, CAMPAIGNS_LEASE) as lease:
        known = {mark.name: mark for mark in request.store.marks(PAUSE, request.campaign)}
        before = known.get(workflow)
        if before is not None and _is_ours(request, before):
            return True
        if paused == bool(before and before.values.get(PAUSED)):
            return False
        now, values = request.clock.now(), {PAUSED: paused}
        mark = MarkRecord(
            PAUSE, request.campaign, workflow, values, now, request.actor, request.reason
        )
        write(request, [following(before, mark)], lease)
        return True
