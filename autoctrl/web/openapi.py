"""The API described as an OpenAPI document, made of the tables that the server works by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl import __version__
from autoctrl.model.campaign import Campaign
from autoctrl.model.condition import Condition
from autoctrl.model.incident import Incident
from autoctrl.model.quality import Quality
from autoctrl.model.status import TaskStatus
from autoctrl.model.verb import VERBS
from autoctrl.ports import Hint
from autoctrl.views import Attempt, HistoryStep, OutputLine, VersionOrigin
from autoctrl.views.explanation import Explanation
from autoctrl.views.fields import FieldsLine
from autoctrl.views.overview import RunRow
from autoctrl.views.quotas import QuotaLine
from autoctrl.views.reasons import SharedReason
from autoctrl.views.runs import RunLine
from autoctrl.views.shape import fields_of, schema_of
from autoctrl.views.totals import Totals
from autoctrl.web.order import LONGEST, MOST_SETTINGS
from autoctrl.web.order_api import LONGEST_KEY, REPLAYED
from autoctrl.web.order_verbs import ORDERS
from autoctrl.web.problems import PROBLEM_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.web.order_verbs import OrderVerb

TEXT: dict[str, Any] = {"type": "string"}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
NUMBER: dict[str, Any] = {"type": "integer", "minimum": 1}
SWITCH: dict[str, Any] = {"type": "string", "enum": ["0", "1"]}
PLAIN_TEXT = str | None
LEFT_OUT = {"Cell": ("inherited_from", "is_late")}  # what the overview's JSON does without


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
LEADS_ON = 'Address of the page before this one, with rel="next"; none on the last.'
LINK = {"Link": {"schema": TEXT, "description": LEADS_ON}}
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
PROBLEMS = {
    400: "The question cannot be understood.",
    401: "Nobody knows who asks: send Authorization: Bearer.",
    403: "Who asks has a lesser role than this takes.",
    404: "There is no such thing.",
    405: "Another method is needed.",
    429: "Too much at once; Retry-After says when to come again.",
    500: "A defect of the server.",
    503: "The store or the provider of logins does not answer, or too many ask.",
}
NO_FILE = {
    403: "It is no plain file beneath the root of the outputs, or nobody knows who asks.",
    404: "No record names it, or it lies in a storage that is not mounted here.",
    409: "The file has another size than was recorded.",
    410: "The file is gone.",
    416: "The part that was asked for lies behind its end.",
    503: "The file system, or the store, does not answer.",
}
REFUSALS = {
    **PROBLEMS,
    409: "Refused: no task stands where the verb takes it from, somebody else holds the lease, or "
    "an order of this key is being done.",
    413: "The body is too long.",
    415: "The body is not JSON.",
    422: "The order is not complete, or its key has been used for another one.",
}
PROBLEM = {
    "type": "object",
    "description": "An error as RFC 9457 has it, and what to do about it.",
    "properties": {
        "schema": {"type": "integer"},
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "error": TEXT,
        "hint": TEXT,
    },
    "required": ["schema", "type", "title", "status", "detail", "error", "hint"],
}
SETTINGS: dict[str, Any] = {
    "type": "object",
    "maxProperties": MOST_SETTINGS,
    "additionalProperties": {"type": ["string", "number", "boolean"]},
}
ANSWER = {
    "type": "object",
    "description": "What came of a verb. One that moves tasks says what was done and what refused.",
    "properties": {
        "schema": {"type": "integer"},
        "campaign": TEXT,
        "dry_run": {"type": "boolean"},
    },
    "required": ["schema", "campaign", "dry_run"],
}


def describe_api() -> dict[str, Any]:
    """Return the whole description, with all that the server answers."""
    parts: dict[str, Any] = {"Problem": PROBLEM, "VerbAnswer": ANSWER}
    paths: dict[str, Any] = {
        f"/api{path.replace(':path', '')}": {"get": _describe_question(path, question, parts)}
        for path, question in QUESTIONS.items()
    }
    paths |= {f"/api/verbs/{name}": {"post": _describe_verb(name)} for name in ORDERS}
    paths[f"/api{OUTPUT_FILE}"] = {"get": _describe_file()}
    paths["/api/openapi.json"] = {"get": _describe_itself()}
    for name, fields in LEFT_OUT.items():
        parts[name]["required"] = [one for one in parts[name]["required"] if one not in fields]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "autoctrl",
            "version": __version__,
            "description": "What the command line prints with --format json, and its verbs.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(parts.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _describe_question(path: str, question: Question, parts: dict[str, Any]) -> dict[str, Any]:
    in_path = [_parameter(name, IN_PATH[name]) for name in IN_PATH if f"{{{name}" in path]
    in_query = [
        _parameter(NAMES.get(name, name), PARAMETERS[name])
        for name in ("campaign", *question.parameters)
    ]
    return {
        "summary": question.summary,
        "operationId": f"get_{path.split('/')[1]}",
        "parameters": [*in_path, *in_query],
        "responses": {
            "200": {
                "description": "The answer.",
                **({"headers": LINK} if PAGED & {*question.parameters} else {}),
                "content": {"application/json": {"schema": _answer(question.answer, parts)}},
            },
            "307": {"description": "Leads to the address without a slash at its end."},
            **_problems(PROBLEMS),
        },
    }


def _answer(answer: Any, parts: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - any type
    if not isinstance(answer, dict):
        return schema_of(answer, parts)
    return {
        "type": "object",
        "properties": {
            "schema": {"type": "integer"},
            **{name: schema_of(kind, parts) for name, kind in answer.items()},
        },
        "required": ["schema", *answer],
    }


def _describe_verb(name: str) -> dict[str, Any]:
    verb, does = ORDERS[name], VERBS[name].does
    key = Parameter(
        "One for each order, the same when it is sent again; a dry run needs none.",
        {"type": "string", "maxLength": LONGEST_KEY, "pattern": "^[!-~]*$"},
        "header",
    )
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/VerbAnswer"}}}
    replayed = {"schema": TEXT, "description": "true if the order was done when it came before."}
    return {
        "summary": f"{does[0].upper()}{does[1:]}.",
        "description": f"Takes the role {VERBS[name].role}.",
        "operationId": name,
        "parameters": [_parameter("Idempotency-Key", key)],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _order(verb)}},
        },
        "responses": {
            "200": {
                "description": "Done, at least in part.",
                "headers": {REPLAYED: replayed},
                "content": content,
            },
            **_problems(REFUSALS),
        },
    }


def _order(verb: OrderVerb) -> dict[str, Any]:
    """Return the schema of an order."""
    schemas: dict[str, dict[str, Any]] = {}
    for name in verb.fields:
        schemas[name] = SETTINGS if name == "settings" else {"type": "boolean"}
        if name in LONGEST:
            schemas[name] = {"type": "string", "maxLength": LONGEST[name]}
    for name in verb.needs:
        schemas[name]["minLength"] = 1
    return {
        "type": "object",
        "properties": schemas,
        "required": list(verb.needs),
        "additionalProperties": False,
    }


def _describe_file() -> dict[str, Any]:
    """Return the description of the address at which the files of outputs are."""
    in_path = [_parameter(name, IN_PATH[name]) for name in ("unit", "workflow")]
    in_query = [_parameter(name, OF_FILE[name]) for name in OF_FILE]
    campaign = _parameter("campaign", PARAMETERS["campaign"])
    leads = "Leads to the address without a slash at its end."
    content: dict[str, Any] = {"*/*": {}}
    return {
        "summary": "The file of a published output.",
        "operationId": "get_output",
        "parameters": [*in_path, campaign, *in_query],
        "responses": {
            "200": {"description": "The file.", "content": content},
            "206": {"description": "The part that Range asks for.", "content": content},
            "304": {"description": "It is the one that If-None-Match names."},
            "307": {"description": leads},
            **_problems(PROBLEMS | NO_FILE),
        },
    }


def _describe_itself() -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "summary": "This description.",
        "operationId": "get_openapi",
        "responses": {"200": {"description": "The answer.", "content": content}},
    }


def _parameter(name: str, parameter: Parameter) -> dict[str, Any]:
    return {
        "name": name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "description": parameter.says,
        "schema": dict(parameter.schema),
    }


def _problems(codes: Mapping[int, str]) -> dict[str, Any]:
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(code): {"description": says, "content": content} for code, says in sorted(codes.items())
    }
