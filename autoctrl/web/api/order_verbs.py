"""The verbs that programs may order: what an order of each names, and how it is done."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl import verbs
from autoctrl.errors import UsageError
from autoctrl.model.duration import parse_duration
from autoctrl.verbs.campaign_text import CampaignText
from autoctrl.verbs.targets import check_length
from autoctrl.views import to_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from autoctrl.model.campaign import Campaign
    from autoctrl.model.outcome import Answer, Outcome
    from autoctrl.verbs import Request
    from autoctrl.web.api.order import Order

COMMON = ("name", "campaign", "dry_run")


class Errand(NamedTuple):
    """What doing an order takes.

    request    who asks, and of what
    order      what is asked
    workflows  returns the names of the workflows that the project has
    """

    request: Request
    order: Order
    workflows: Callable[[], Collection[str]]


class OrderVerb(NamedTuple):
    """One verb of the API; what it does is said in ``autoctrl.model.verb``.

    act       does it, and returns the answer
    names     what an order must name, beside the reason
    may_name  what it may name, beside name, campaign and dry_run
    """

    act: Callable[[Errand], dict[str, Any]]
    names: tuple[str, ...]
    may_name: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """What an order must name."""
        return (*self.names, "reason")

    @property
    def fields(self) -> tuple[str, ...]:
        """All that an order of this verb may name."""
        return tuple(dict.fromkeys((*self.needs, *self.may_name, *COMMON)))


class NotDone(UsageError):
    """A verb that moved no task: each was refused; ``values`` say why."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Say so."""
        refusals = [one["refusal"] for one in values["refused"]]
        super().__init__(refusals[0] if refusals else "No such task.", hint="Nothing was done.")
        self.values = values


def _about_tasks(act: Callable[[Request, Order], Outcome]) -> Callable[[Errand], dict[str, Any]]:
    """Make what moves tasks a deed of the API. Raises ``NotDone`` if no task was moved."""

    def do(errand: Errand) -> dict[str, Any]:
        request, order, _ = errand
        check_length(order.runs) if order.runs else None
        outcome = act(request, order)
        values = {
            "verb": outcome.verb,
            "campaign": request.campaign,
            "reason": request.reason,
            "dry_run": request.dry_run,
            "done": [_plain(answer) for answer in outcome.done],
            "refused": [
                {**_plain(answer), "refusal": answer.refusal} for answer in outcome.refused
            ],
        }
        if not outcome.done and (outcome.refused or not order.stale):
            raise NotDone(values)
        return values

    return do


def _plain(answer: Answer) -> dict[str, Any]:
    values: dict[str, Any] = to_plain(answer)
    del values["refusal"]
    return values


def _about_pause(
    act: Callable[[Request, str], bool], *, is_paused: bool
) -> Callable[[Errand], dict[str, Any]]:
    def do(errand: Errand) -> dict[str, Any]:
        is_changed = act(errand.request, errand.order.workflow)
        return {
            "campaign": errand.request.campaign,
            "workflow": errand.order.workflow,
            "paused": is_paused,
            "changed": is_changed,
            "dry_run": errand.request.dry_run,
        }

    return do


def _about_incident(act: Callable[[Request, Order], Any]) -> Callable[[Errand], dict[str, Any]]:
    def do(errand: Errand) -> dict[str, Any]:
        request, order, _ = errand
        incident = to_plain(act(request, order))
        return {"campaign": request.campaign, "incident": incident, "dry_run": request.dry_run}

    return do


def _about_campaign(
    act: Callable[[Errand], tuple[Campaign, bool]],
) -> Callable[[Errand], dict[str, Any]]:
    def do(errand: Errand) -> dict[str, Any]:
        campaign, is_changed = act(errand)
        return {
            "campaign": campaign.name,
            "definition": to_plain(campaign),
            "changed": is_changed,
            "dry_run": errand.request.dry_run,
        }

    return do


def _reprocess(request: Request, order: Order) -> Outcome:
    if order.stale:
        if order.downstream:
            message = "stale takes no downstream."
            hint = "What lies downstream becomes stale when the new version is done."
            raise UsageError(message, hint=hint)
        return verbs.reprocess_stale(request, order.workflow, order.runs or None)
    if not order.runs:
        message = "reprocess needs runs, or stale."
        raise UsageError(message)
    return verbs.reprocess(request, order.runs, order.workflow, downstream=order.downstream)


def _mute(request: Request, order: Order) -> Any:  # noqa: ANN401 - an incident, made plain
    span = timedelta(seconds=parse_duration(order.span)) if order.span else None
    return verbs.mute(request, order.incident, span)


def _text_of(order: Order) -> CampaignText:
    return CampaignText(
        workflows=order.workflows,
        parent=order.parent,
        runs=order.runs or None,
        settings=order.settings,
        code=order.code,
        follow=order.follow,
        reopen=order.reopen,
    )


def _create(errand: Errand) -> tuple[Campaign, bool]:
    wanted = _text_of(errand.order).campaign(errand.order.campaign)
    return verbs.create_campaign(errand.request, wanted, errand.workflows()), True


def _edit(errand: Errand) -> tuple[Campaign, bool]:
    order = errand.order
    changes = _text_of(order).changes()
    return verbs.edit_campaign(errand.request, order.campaign, changes, errand.workflows())


def _close(errand: Errand) -> tuple[Campaign, bool]:
    return verbs.close_campaign(errand.request, errand.order.campaign)


TASKS, INCIDENT = ("workflow", "runs"), ("incident",)
CAMPAIGN = ("parent", "runs", "settings", "code", "follow")
ORDERS: Mapping[str, OrderVerb] = {
    "retry": OrderVerb(
        _about_tasks(lambda request, order: verbs.retry(request, order.runs, order.workflow)), TASKS
    ),
    "reprocess": OrderVerb(
        _about_tasks(_reprocess), ("workflow",), ("runs", "downstream", "stale")
    ),
    "skip": OrderVerb(
        _about_tasks(lambda request, order: verbs.skip(request, order.runs, order.workflow)), TASKS
    ),
    "fail": OrderVerb(
        _about_tasks(lambda request, order: verbs.fail(request, order.runs, order.workflow)), TASKS
    ),
    "complete": OrderVerb(
        _about_tasks(
            lambda request, order: verbs.complete(request, order.runs, order.workflow, ())
        ),
        TASKS,
    ),
    "pause": OrderVerb(_about_pause(verbs.pause, is_paused=True), ("workflow",)),
    "resume": OrderVerb(_about_pause(verbs.resume, is_paused=False), ("workflow",)),
    "ack": OrderVerb(
        _about_incident(lambda request, order: verbs.acknowledge(request, order.incident)), INCIDENT
    ),
    "mute": OrderVerb(_about_incident(_mute), INCIDENT, ("span",)),
    "close": OrderVerb(
        _about_incident(lambda request, order: verbs.dismiss(request, order.incident)), INCIDENT
    ),
    "create-campaign": OrderVerb(_about_campaign(_create), ("campaign", "workflows"), CAMPAIGN),
    "edit-campaign": OrderVerb(
        _about_campaign(_edit), ("campaign",), ("workflows", *CAMPAIGN, "reopen")
    ),
    "close-campaign": OrderVerb(_about_campaign(_close), ("campaign",)),
}
