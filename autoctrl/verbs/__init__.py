"""The operator's verbs: what a person may ask of the machine, the same from command line, chat and
web.

Each verb decides in pure code and writes once, under the lease of what it changes, with the
person's name and reason.
"""

from __future__ import annotations

from autoctrl.model.outcome import Answer, Outcome
from autoctrl.verbs.campaigns import (
    close_campaign,
    create_campaign,
    edit_campaign,
    known_workflows,
    list_campaigns,
    pause,
    resume,
)
from autoctrl.verbs.incidents import acknowledge, dismiss, mute
from autoctrl.verbs.rebuild import rebuild_tables
from autoctrl.verbs.registration import Registration, add_runs
from autoctrl.verbs.reprocess import reprocess, reprocess_stale
from autoctrl.verbs.request import Request
from autoctrl.verbs.targets import Target, find_targets, find_workflow
from autoctrl.verbs.tasks import complete, fail, retry, skip

__all__ = [
    "Answer",
    "Outcome",
    "Registration",
    "Request",
    "Target",
    "acknowledge",
    "add_runs",
    "close_campaign",
    "complete",
    "create_campaign",
    "dismiss",
    "edit_campaign",
    "fail",
    "find_targets",
    "find_workflow",
    "known_workflows",
    "list_campaigns",
    "mute",
    "pause",
    "rebuild_tables",
    "reprocess",
    "reprocess_stale",
    "resume",
    "retry",
    "skip",
]
