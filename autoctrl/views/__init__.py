"""What people read, the same on every face: rows and sentences made from a store's records.

A face lays out what these return and adds nothing: no HTML and no terminal is known here.
"""

from __future__ import annotations

from autoctrl.model.size import spell_size
from autoctrl.views.as_json import spell_time, to_plain
from autoctrl.views.attempts import (
    Attempt,
    AttemptChoice,
    choose_attempt,
    explain_missing_log,
    list_attempts,
    newest_attempts,
    spell_ending,
    spell_failure,
    spell_hint,
)
from autoctrl.views.choice import Choice, find_allowed
from autoctrl.views.conditions import (
    conditions_of,
    limit_silence,
    list_conditions,
    spell_condition,
)
from autoctrl.views.explanation import Explanation, explain, spell_explanation, spell_reason
from autoctrl.views.fields import FieldsLine, list_fields
from autoctrl.views.history import HistoryStep, list_steps, spell_subject
from autoctrl.views.outcomes import Sentence, spell_outcome
from autoctrl.views.outputs import Copy, OutputLine, list_outputs
from autoctrl.views.overview import Cell, Overview, RunRow, read_overview, spell_cell
from autoctrl.views.reasons import SharedReason, shared_reasons, spell_shared, without_unit
from autoctrl.views.runs import RunLine, list_runs
from autoctrl.views.spelling import Spelling, spell_actor, spell_memory, spell_seconds
from autoctrl.views.task import SoughtTask, TaskHistory, existing_task, find_task, read_history
from autoctrl.views.versions import Fact, VersionOrigin, list_facts, list_versions, spell_command

__all__ = [
    "Attempt",
    "AttemptChoice",
    "Cell",
    "Choice",
    "Copy",
    "Explanation",
    "Fact",
    "FieldsLine",
    "HistoryStep",
    "OutputLine",
    "Overview",
    "RunLine",
    "RunRow",
    "Sentence",
    "SharedReason",
    "SoughtTask",
    "Spelling",
    "TaskHistory",
    "VersionOrigin",
    "choose_attempt",
    "conditions_of",
    "existing_task",
    "explain",
    "explain_missing_log",
    "find_allowed",
    "find_task",
    "limit_silence",
    "list_attempts",
    "list_conditions",
    "list_facts",
    "list_fields",
    "list_outputs",
    "list_runs",
    "list_steps",
    "list_versions",
    "newest_attempts",
    "read_history",
    "read_overview",
    "shared_reasons",
    "spell_actor",
    "spell_cell",
    "spell_command",
    "spell_condition",
    "spell_ending",
    "spell_explanation",
    "spell_failure",
    "spell_hint",
    "spell_memory",
    "spell_outcome",
    "spell_reason",
    "spell_seconds",
    "spell_shared",
    "spell_size",
    "spell_subject",
    "spell_time",
    "to_plain",
    "without_unit",
]
