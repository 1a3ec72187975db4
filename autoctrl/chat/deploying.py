"""Deployments asked for in the chat; who carries them out is handed in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autoctrl.chat.deployment import DeployRequest
from autoctrl.chat.desk import VIA
from autoctrl.chat.replies import Reply, say
from autoctrl.errors import UsageError
from autoctrl.model.actor import Actor

if TYPE_CHECKING:
    from autoctrl.chat.desk import Caller, Desk

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")


def spell_received(environment: str) -> str:
    """Return that a deployment was asked for."""
    return f"Deployment request for environment {environment} received"


def spell_deployed(environment: str) -> str:
    """Return that a deployment has succeeded."""
    return f"Environment {environment} deployed successfully"


def deploy(desk: Desk, caller: Caller, environment: str, ref: str) -> Reply:
    """Ask for a deployment; that it has ended is said later, to the caller alone.

    Raises ``UsageError`` for what is no name, and what whoever carries it out raises.
    """
    if desk.deploy is None:
        message = "Deployments are not set up here."
        raise UsageError(message)
    for what, pattern, text in (("environment", NAME, environment), ("version", REF, ref)):
        if text and (not pattern.fullmatch(text) or ".." in text):
            message = f"'{text[:60]}' cannot be the name of a {what}."
            raise UsageError(message, hint="Nothing was done.")
    actor = Actor(caller.person.signature, VIA)
    ticket = desk.deploy(DeployRequest(environment, ref, actor))
    reply = say(f"{spell_received(environment)}: {ticket.address}")
    return reply._replace(following=lambda: say(f"{spell_deployed(environment)}: {ticket.wait()}"))
