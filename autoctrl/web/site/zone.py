"""Whether times are shown in UTC or in the project's zone, as the reader chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from starlette.exceptions import HTTPException

from autoctrl.views import Spelling
from autoctrl.web.entry.cookies import A_YEAR_S, let_keep, read_kept

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

ZONE_COOKIE = "autoctrl_zone"
PARAMETER = "zone"
UTC = "UTC"
IN_UTC, IN_PROJECT = "utc", "project"


class Zones(NamedTuple):
    """How times are shown to one reader.

    spelling  spells them
    present   name of the zone that is shown
    other     name of the zone that could be shown instead, empty if there is none
    choice    value of ``zone=`` that shows the other
    kept      parameters of the page that is shown, to be asked for again
    """

    spelling: Spelling
    present: str
    other: str
    choice: str = ""
    kept: tuple[tuple[str, str], ...] = ()


def zones_of(request: Request, project: Spelling, timezone: str) -> Zones:
    """Return how times are shown: as ``zone=`` of the address says, else as the cookie remembers,
    else in the project's zone, which ``project`` spells.
    """
    if timezone == UTC:
        return Zones(project, UTC, "")
    choice = request.query_params.get(PARAMETER) or read_kept(request, ZONE_COOKIE)
    given = request.query_params.multi_items()
    kept = tuple((name, text) for name, text in given if name not in {PARAMETER, "note"})
    is_again = request.method == "GET"  # an answer to a form cannot be asked for again
    if choice == IN_UTC:
        return Zones(Spelling(UTC), UTC, timezone if is_again else "", IN_PROJECT, kept)
    return Zones(project, timezone, UTC if is_again else "", IN_UTC, kept)


def check_zone(request: Request) -> None:
    """Answer 400 where the address names another zone than those of ``Zones.choice``."""
    choice = request.query_params.get(PARAMETER, "")
    if choice not in {"", IN_UTC, IN_PROJECT}:
        message = f"zone={choice[:40]} is no zone of this page; there are {IN_UTC}, {IN_PROJECT}."
        raise HTTPException(400, message)


def remember_zone(request: Request, response: Response) -> None:
    """Let the browser keep the zone that the address names."""
    choice = request.query_params.get(PARAMETER)
    if choice in {IN_UTC, IN_PROJECT} and read_kept(request, ZONE_COOKIE) != choice:
        let_keep(request, response, ZONE_COOKIE, choice, lasts_s=A_YEAR_S)
