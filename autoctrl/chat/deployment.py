"""A deployment as it is asked for: who carries it out is handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from autoctrl.model.actor import Actor


class DeployRequest(NamedTuple):
    """What is to be deployed.

    environment  where to
    ref          tag or branch, empty for what the environment's own rule says
    actor        who asked for it
    """

    environment: str
    ref: str
    actor: Actor


class DeployTicket(NamedTuple):
    """A deployment that was accepted.

    address  where its progress can be seen
    wait     returns, once it has ended well, the address of what did it; raises ``AutoctrlError``
             if it failed
    """

    address: str
    wait: Callable[[], str]


Deploy = Callable[[DeployRequest], DeployTicket]
