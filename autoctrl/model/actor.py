"""Who caused a record."""

from __future__ import annotations

from typing import NamedTuple

LONGEST_NAME, LONGEST_REASON = 80, 500  # letters that are kept of who a person is, and why


class Actor(NamedTuple):
    """Who did something, and by what route.

    name     the person's or program's name
    via      ``cycle``, ``cli``, ``web``, ``api``, ``mattermost`` or the name of a source
    subject  who that is beyond doubt, as names may be used again: the issuer and the subject of a
             login with a space between them, or ``token`` and the id of a token; empty where nobody
             has proved who they are
    """

    name: str
    via: str
    subject: str = ""


CYCLE = Actor("autoctrl", "cycle")
