"""Orders about many tasks: said first, carried out when the person presses a button."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from autoctrl import verbs
from autoctrl.chat.replies import Reply, refuse
from autoctrl.errors import UsageError
from autoctrl.mattermost.buttons import Key, spell_buttons
from autoctrl.model.agreement import spell_agreement
from autoctrl.model.signature import sign, verify
from autoctrl.verbs.targets import check_length
from autoctrl.views import spell_outcome
from autoctrl.views.spelling import count

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from autoctrl.chat.desk import Caller, Desk
    from autoctrl.model.outcome import Outcome

ORDER = "order"  # what a signature is for
MANY = 20
LASTS = timedelta(minutes=25)  # later answers to the command are possible for 30
DO_IT = Key("doit", "do it", "danger")
DOWNSTREAM = "downstream"


class Order(NamedTuple):
    """What is to be done to tasks.

    verb      such as ``retry``
    runs      the tasks, as a selection
    workflow  the workflow
    flags     ``downstream``, or empty
    campaign  the campaign
    reason    why
    """

    verb: str
    runs: str
    workflow: str
    flags: str
    campaign: str
    reason: str


class Accepted(NamedTuple):
    """An order whose button was pressed.

    order   what is to be done
    tasks   which tasks that were, as ``spell_agreement`` has it
    person  id of the person who gave it
    answer  where later answers go
    nonce   by which one use is known
    """

    order: Order
    tasks: str
    person: str
    answer: str
    nonce: str


def carry_out(
    desk: Desk, caller: Caller, order: Order, *, dry_run: bool = False, agreed: str | None = None
) -> Outcome:
    """Do what an order says, and return what came of each task.

    With ``agreed`` only what was shown is done (``Request.agreed``). Raises as the verbs do.
    """
    request = desk.request(caller, order.campaign, order.reason, dry_run=dry_run)
    request = request._replace(agreed=agreed)
    runs, workflow = check_length(order.runs), order.workflow
    if order.verb == "reprocess":
        is_deep = order.flags == DOWNSTREAM
        return verbs.reprocess(request, runs, workflow, downstream=is_deep)
    if order.verb == "complete":
        return verbs.complete(request, runs, workflow, ())
    act = {"retry": verbs.retry, "skip": verbs.skip, "fail": verbs.fail}[order.verb]
    return act(request, runs, workflow)


def obey(desk: Desk, caller: Caller, order: Order, answer: str) -> Reply:
    """Carry out an order about few tasks; of one about many say what would happen, and ask."""
    trial = carry_out(desk, caller, order, dry_run=True)
    if not trial.done:
        return report(trial)
    if len(trial.done) <= MANY:
        return report(carry_out(desk, caller, order))
    sentences = [one.text for one in spell_outcome(trial, dry_run=True)]
    number = count(trial.done, "task")
    if not desk.has_buttons:
        return refuse(f"That would be {number}: say it on the command line.", *sentences)
    values = {
        **order._asdict(),
        "store": desk.store.store_id,
        "environment": desk.settings.environment,
        "tasks": spell_agreement(trial.answers),
        "person": caller.person.id,
        "answer": answer,
    }
    expires = desk.project.clock.now() + LASTS
    context = sign(desk.keys(), ORDER, values, expires, secrets.token_hex(16))
    shown = spell_buttons(desk.settings.hooks.url, [(DO_IT, context)])
    head = f"Nothing was done yet: these are {number}. Press the button within 25 minutes."
    return Reply([head], sentences, "the dry run on the command line", shown)


def report(outcome: Outcome, *, dry_run: bool = False) -> Reply:
    """Return what came of a verb."""
    sentences = [one.text for one in spell_outcome(outcome, dry_run=dry_run)]
    is_refusal = not outcome.done
    if len(sentences) == 1:
        return Reply(sentences, is_refusal=is_refusal)
    return Reply(lines=sentences, link="the history of the tasks", is_refusal=is_refusal)


def read_order(desk: Desk, context: Mapping[str, object], now: datetime) -> Accepted:
    """Return the order that a pressed button carries.

    Raises ``Forged`` or ``Expired``, or ``UsageError`` if it was given elsewhere.
    """
    signed = verify(desk.keys(), ORDER, context, now)
    values = signed.values
    check_place(desk, values["store"], values["environment"])
    order = Order(**{name: values[name] for name in Order._fields})
    return Accepted(order, values["tasks"], values["person"], values["answer"], signed.nonce)


def check_place(desk: Desk, store: str, environment: str) -> None:
    """Raise ``UsageError`` if something was signed for another store or environment."""
    if (store, environment) != (desk.store.store_id, desk.settings.environment):
        message = "This button belongs to another store or environment."
        raise UsageError(message, hint="Nothing was done.")


def fulfil(desk: Desk, caller: Caller, accepted: Accepted, now: datetime) -> Reply:
    """Carry out an order whose button was pressed, once, if its tasks are as they were said.

    Raises ``UsageError`` otherwise.
    """
    order = accepted.order
    trial = carry_out(desk, caller, order, dry_run=True)
    if spell_agreement(trial.answers) != accepted.tasks:
        message = "The tasks are not the same any more as when that was said."
        raise UsageError(message, hint="Nothing was done. Say the command again.")
    with desk.using(f"order:{accepted.nonce}", now + LASTS, now) as is_new:
        if not is_new:
            message = "This button was pressed before."
            again = f"why RUN {order.workflow}"
            raise UsageError(message, hint=f"Nothing was done again. See: /autoctrl {again}")
        return report(carry_out(desk, caller, order, agreed=accepted.tasks))
