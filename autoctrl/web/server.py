"""Serves the web page: opens the port, then the project, then waits for readers."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

import uvicorn

from autoctrl.campaigns import find_lineage
from autoctrl.compose import Project
from autoctrl.hooks.address import Address
from autoctrl.hooks.address import listen as open_socket
from autoctrl.web.app import create_app
from autoctrl.web.crowds.connections import Patience, limit_connections, patient_protocol
from autoctrl.web.crowds.turnstile import Turnstile
from autoctrl.web.entry.gate import check_exposure

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from autoctrl.config import Settings
    from autoctrl.web.app import Shield

GRACE_S, CONNECTIONS = 5, 4096
WAITING = 1024  # connections that the kernel holds for us
ACCEPTED_AT_ONCE = 16  # four times as many may have a file before others are closed for them


class Server(uvicorn.Server):
    """Takes in a few connections at a time, while many may wait for that."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(WAITING)


def serve(
    settings: Settings, *, host: str, port: int, campaign: str, tell: Callable[[str], None]
) -> None:
    """Serve the page until the process is interrupted; ``tell`` gets a line for the person who
    started it.

    Port 0 takes a free one. Raises ``UsageError`` if the address cannot be used, if nobody would
    ask there who people are, or if the campaign is unknown.
    """
    check_exposure(settings.web, host)
    with listen(host, port) as listener, Project(settings) as project:
        find_lineage(project.store, campaign)
        address = Address(host, listener.getsockname()[1])
        app = create_app(project, campaign, host)
        with closing(app), suppress(KeyboardInterrupt):
            tell(f"Serving {settings.folder} at http://{address}/ (Ctrl-C ends it)")
            server_of(app).run(sockets=[listener])


def server_of(app: Shield) -> Server:
    """Return what serves the page: it takes connections in and asks ``app`` for answers."""
    config = uvicorn.Config(
        Turnstile(app, judge=app.judge),
        http=patient_protocol(Patience(connections=limit_connections(CONNECTIONS))),
        ws="none",  # it would take connections out of our hands
        backlog=ACCEPTED_AT_ONCE,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who asks is judged by the address that it really comes from
        timeout_graceful_shutdown=GRACE_S,
    )
    return Server(config)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address.

    Raises ``UsageError`` if it is taken or not of this machine.
    """
    hint = "Choose another --port, or 0 for a free one."
    return open_socket(Address(host, port), "The web page", hint)
