"""Who caused a record."""

from __future__ import annotations

from typing import NamedTuple


class Actor(NamedTuple):
    """Who did something, and by what route.

    name   the person's or program's name
    via    ``cycle``, ``cli``, ``web``, ``mattermost`` or the name of a source
    """

    name: str
    via: str


CYCLE = Actor("autoctrl", "cycle")
