"""What an administrator of the fake sets."""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "2.579"
LEFT_SECONDS = 300.0  # how long an item that left the queue is remembered
NEWEST_BUILDS = 100  # how many builds a job shows unless all are asked for


@dataclass
class Site:
    """The settings of a server.

    is_csrf_on         whether POSTs without an API token need a crumb; if not, there is no issuer
    is_lenient         as the real server: unknown elements of a config.xml are dropped in silence,
                       a bad cron line is kept and only the log says so; else both fail the test
    is_large           ``depth=2`` is answered with 500
    quiet_seconds      the quiet period of jobs that set none
    soft_kill_seconds  how long a process has between SIGTERM and SIGKILL
    naming             a pattern that names of new items must match, or none
    """

    is_csrf_on: bool = True
    is_lenient: bool = False
    is_large: bool = False
    quiet_seconds: float = 5.0
    soft_kill_seconds: float = 5.0
    naming: str = ""
