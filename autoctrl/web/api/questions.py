"""What the API can be asked: its addresses, their parameters and the types of their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.campaign import Campaign
from autoctrl.model.condition import Condition
from autoctrl.model.incident import Incident
from autoctrl.model.quality import Quality
from autoctrl.model.status import TaskStatus
from autoctrl.ports import Hint
from autoctrl.views import Attempt, HistoryStep, OutputLine, VersionOrigin
from autoctrl.views.explanation import Explanation
from autoctrl.views.fields import FieldsLine
from autoctrl.views.overview import RunRow
from autoctrl.views.quotas import QuotaLine
from autoctrl.views.reasons import SharedReason
from autoctrl.views.runs import RunLine
from autoctrl.views.shape import fields_of
from autoctrl.views.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT: dict[str, Any] = {"type": "string"}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
NUMBER: dict[str, Any] = {"type": "integer", "minimum": 1}
SWITCH: dict[str, Any] = {"type": "string", "enum": ["0", "1"]}
PLAIN_TEXT = str | None


class Parameter(NamedTuple):
    """One parameter of an address.

    says     what it means
    schema   what it may be
    where    ``query``, ``path`` or ``header``
    """

    says: str
    schema: Mapping[str, Any] = TEXT
    where: str = "query"


PARAMETERS: Mapping[str, Parameter] = {
    "campaign": Parameter("The campaign; by default the one that the page shows first."),
    "runs": Parameter("Runs, such as 4500-4510,4521."),
    "limit": Parameter("At most so many, the last ones; by default 500, at most 2000.", NUMBER),
    "size": Parameter("At most so many runs, the newest; by default 200, at most 2000.", NUMBER),
    "position": Parameter("Only what comes before this one, counted from 0.", COUNT),
    "place": Parameter("Only what comes before this place, as the answer before named it."),
    "page": Parameter(
        "At most so many runs, the newest; by default 200. `all` streams all.",
        {"anyOf": [NUMBER, {"type": "string", "enum": ["all"]}]},
    ),
    "before": Parameter("Only runs with lower numbers.", COUNT),
    "status": Parameter(
        "Only where a task of this workflow, or the run, has this status.",
        {"type": "string", "enum": [str(one) for one in TaskStatus]},
    ),
    "alarm": Parameter("Only where the data of a task raise an alarm.", SWITCH),
    "stale": Parameter("Only where a task is stale.", SWITCH),
    "since": Parameter("A length of time, as 2h, or a date: only what has moved since then."),
    "sort": Parameter(
        "By what runs are sorted: newest, oldest, status, age, a workflow or an attribute; with a "
        "- before it the other way round. Not for all at once."
    ),
    "skip": Parameter("How many are left out, where runs are sorted.", COUNT),
    "all": Parameter("Also those that are over.", SWITCH),
    "workflow": Parameter("Only this workflow."),
    "where": Parameter(
        "Only data of runs with this attribute, as name=value; may be repeated.",
        {"type": "array", "items": TEXT},
    ),
    "quality": Parameter(
        "How good the data must be.", {"type": "string", "enum": [str(one) for one in Quality]}
    ),
    "superseded": Parameter("Also those of older versions.", SWITCH),
    "version": Parameter("The version, by default the newest that has jobs.", NUMBER),
    "job": Parameter("Index of the job, or merge; by default one that failed."),
    "attempt": Parameter("Which attempt; by default the newest.", NUMBER),
    "stream": Parameter("Only this one.", {"type": "string", "enum": ["stdout", "stderr"]}),
}
NAMES = {"page": "limit", "size": "limit", "position": "before", "place": "before"}
IN_PATH = {
    "unit": Parameter("A run, such as 4521, or a group, such as fill:8222.", where="path"),
    "workflow": Parameter("Name of the workflow.", where="path"),
}
PAGED = {"before", "position", "place"}
OUTPUT_FILE = "/output/{unit}/{workflow}"
OF_FILE = {
    "name": Parameter("The handler's name of the output."),
    "version": Parameter("The version, by default the newest.", NUMBER),
    "content": Parameter("The beginning of its checksum, where parts share a name."),
    "download": Parameter("Always as a file to keep.", SWITCH),
}
DATA = ("runs", "where", "quality")


class Question(NamedTuple):
    """One address that answers.

    summary     what it answers
    parameters  names of ``PARAMETERS``, beside the campaign
    answer      types of the answer's fields by name, beside the schema's number; or the type of
                the answer itself
    """

    summary: str
    parameters: tuple[str, ...]
    answer: Any


ABOUT_TASK = {"campaign": str, "workflow": str, "unit": str}
OF_TASK = "/{unit:path}/{workflow}"
OF_RUNS = ("runs", "status", "workflow", "where", "alarm", "stale", "since")
QUESTIONS: Mapping[str, Question] = {
    "/status": Question(
        "Where every run stands in every workflow.",
        (*OF_RUNS, "page", "before", "sort", "skip"),
        {
            "campaign": str,
            "workflows": list[str],
            "conditions": list[Condition],
            "runs": list[RunRow],
            "totals": Totals,
            "reasons": list[SharedReason],
        },
    ),
    "/runs": Question(
        "The campaign's runs, page by page.",
        ("runs", "size", "before"),
        {"campaign": str, "runs": list[RunLine]},
    ),
    "/campaigns": Question("All campaigns.", (), {"campaigns": list[Campaign]}),
    "/health": Question(
        "What cannot be done now, or may not.",
        (),
        {"campaign": str, "conditions": list[Condition]},
    ),
    "/quotas": Question(
        "How full the quotas are, as the last round that asked them knows them.",
        (),
        {"campaign": str, "quotas": list[QuotaLine]},
    ),
    "/incidents": Question(
        "The open incidents, page by page.",
        ("all", "limit", "place"),
        {"campaign": str, "incidents": list[Incident]},
    ),
    "/outputs": Question(
        "The published outputs, page by page; those of one task are never parted.",
        ("workflow", *DATA, "superseded", "limit", "place"),
        list[OutputLine],
    ),
    "/fields/{workflow}": Question(
        "The custom fields of a workflow's tasks, page by page.",
        (*DATA, "limit", "place"),
        {"campaign": str, "workflow": str, "fields": list[FieldsLine]},
    ),
    f"/why{OF_TASK}": Question(
        "How a task stands and why, as its last cycle left it.",
        (),
        {**fields_of(Explanation), "now": PLAIN_TEXT},
    ),
    f"/history{OF_TASK}": Question(
        "All that was ever recorded of a task, page by page.",
        ("limit", "position"),
        {**ABOUT_TASK, "steps": list[HistoryStep]},
    ),
    f"/jobs{OF_TASK}": Question(
        "Every attempt of every job of a task, page by page.",
        ("limit", "position"),
        {**ABOUT_TASK, "jobs": list[Attempt], "hints": list[Hint]},
    ),
    f"/log{OF_TASK}": Question(
        "What one attempt printed.", ("version", "job", "attempt", "stream"), ABOUT_TASK
    ),
    f"/provenance{OF_TASK}": Question(
        "What made each version of a task.", (), {**ABOUT_TASK, "versions": list[VersionOrigin]}
    ),
}
