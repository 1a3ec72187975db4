"""Tells people that the store does not answer, and that it does again.

What they were told is kept in a store of its own beside it, made for that alone: so they are told
once, reminded, and told the end, as of any other trouble.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from autoctrl.compose import Project
from autoctrl.errors import StoreError
from autoctrl.incidents import read_kept
from autoctrl.machine.conditions import write_watched
from autoctrl.machine.teller import Teller
from autoctrl.model.campaign import PROMPT
from autoctrl.model.condition import ConditionKind, Verdict
from autoctrl.model.secret import without_passwords
from autoctrl.views import list_conditions

if TYPE_CHECKING:
    from autoctrl.config import Settings

STAND_IN = "watch.sqlite"


def tell_of_store(settings: Settings, reason: str) -> None:
    """Tell people why the store does not answer; nothing says that it does.

    Where not even the stand-in can be written, nobody is told.
    """
    path = settings.state_folder / STAND_IN
    if not reason and not path.exists():
        return
    name = without_passwords(settings.store.url.partition("?")[0])
    verdicts = [Verdict(ConditionKind.STORE, name, reason)] if reason else []
    stand_in = replace(settings, store=replace(settings.store, url=f"sqlite:{path}"))
    with suppress(StoreError):
        with Project(stand_in) as project:
            kinds = {ConditionKind.STORE}
            write_watched(project.store, PROMPT, verdicts, kinds, project.clock.now())
            Teller(project, PROMPT, partial(list_conditions, project.store, PROMPT)).finish()
            is_needed = any(kept.incidents for kept in read_kept(project.store, PROMPT).values())
        if not is_needed:
            path.unlink(missing_ok=True)
