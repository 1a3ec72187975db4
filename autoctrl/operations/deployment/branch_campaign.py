"""The campaign of a branch in the mirror: it follows the newest runs with the branch's code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.campaigns import find_campaign
from autoctrl.errors import UsageError
from autoctrl.machine.discover_runs import discover_or_wait
from autoctrl.machine.provenance import deviation
from autoctrl.model.campaign import Campaign
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import format_runs
from autoctrl.ports import Selection
from autoctrl.verbs import close_campaign, create_campaign, edit_campaign, reprocess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from autoctrl.compose import Project
    from autoctrl.model.task import TaskRecord
    from autoctrl.verbs import Request

NEWEST = 20
BEGUN = (TaskStatus.PROCESSING, TaskStatus.DONE, TaskStatus.FAILED)


class Followed(NamedTuple):
    """What a branch's campaign is now.

    runs         the runs that it follows, as ``4500-4519``
    reprocessed  how many tasks each workflow whose code changed does again
    """

    runs: str
    reprocessed: Mapping[str, int]


def follow(
    project: Project, request: Request, code: str, modules: Mapping[str, Iterable[str]]
) -> Followed:
    """Let the campaign of a request follow the newest runs with ``code``, and do again what other
    code has done.

    ``modules`` are the workflows that each module declares. May be repeated. Raises ``UsageError``
    where no run is known yet.
    """
    runs = _newest_runs(project)
    name = request.campaign
    known = {mark.name for mark in project.store.marks("campaign")}
    before = find_campaign(project.store, name).code or "" if name in known else code
    if name in known:
        changes: dict[str, Any] = {"runs": runs, "code": code, "closed": False}
        edit_campaign(request, name, changes, known=())
    else:
        create_campaign(request, Campaign(name, runs=runs, code=code), known=())
    found = [
        (workflow, _units_of_other_code(project, request, module, workflow, before))
        for module, workflows in modules.items()
        for workflow in workflows
    ]
    return Followed(runs, {name: _do_again(request, name, units) for name, units in found if units})


def close(project: Project, request: Request) -> bool:
    """Close the campaign of a request; say whether it was there and open."""
    known = {mark.name for mark in project.store.marks("campaign")}
    return request.campaign in known and close_campaign(request, request.campaign)[1]


def _newest_runs(project: Project) -> str:
    """Discover runs, and return the newest of them."""
    discover_or_wait(project.store, project.sources(), project.clock)
    numbers = sorted(run.number for run in project.store.runs().records)
    if not numbers:
        message = f"Environment {project.settings.environment} knows no run yet."
        raise UsageError(
            message,
            hint="Let a source of its settings see the raw data, or register runs by hand: "
            f"autoctrl runs add --project {project.folder} RUNS",
        )
    return format_runs(numbers[-NEWEST:])


def _units_of_other_code(
    project: Project, request: Request, module: str, workflow: str, before: str
) -> list[str]:
    """Return the units that a workflow began with another code than its module has now."""
    chosen = Selection(request.campaign, (workflow,), statuses=BEGUN)
    by_code: dict[str, list[str]] = {}
    for task in project.store.tasks(chosen):
        by_code.setdefault(_code_of(project, task) or before, []).append(task.key.unit)
    folders = list(_folders(project.folder, module))
    return [
        unit
        for code, units in by_code.items()
        if any(deviation(folder, code) for folder in folders)
        for unit in units
    ]


def _folders(project: Path, module: str) -> Iterator[Path]:
    """Yield the folders whose change makes a module another: its own, and what all share."""
    workflows = project / "workflows"
    yield workflows / module
    yield from sorted(path for path in workflows.glob("_*") if path.is_dir())
    if (project / "templates").is_dir():
        yield project / "templates"


def _code_of(project: Project, task: TaskRecord) -> str:
    """Return the commit of the code that a task was begun with, empty if that is not known."""
    if not task.provenance:
        return ""
    try:
        code = project.description(task.provenance)["code"]
    except (UsageError, KeyError):
        return ""
    return str(code["commit"] or "") if code.get("is_clean") else ""


def _do_again(request: Request, workflow: str, units: Iterable[str]) -> int:
    """Reprocess these units, and whatever consumed what they made; return how many tasks move."""
    outcome = reprocess(request, ",".join(units), workflow, downstream=True)
    return sum(not answer.refusal for answer in outcome.answers)
