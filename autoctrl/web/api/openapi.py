"""The API described as an OpenAPI document, made of the tables that the server works by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl import __version__
from autoctrl.model.verb import VERBS
from autoctrl.views.shape import schema_of
from autoctrl.web.api.order import LONGEST, MOST_SETTINGS
from autoctrl.web.api.order_verbs import ORDERS
from autoctrl.web.api.orders import LONGEST_KEY, REPLAYED
from autoctrl.web.api.questions import (
    IN_PATH,
    NAMES,
    OF_FILE,
    OUTPUT_FILE,
    PAGED,
    PARAMETERS,
    QUESTIONS,
    TEXT,
    Parameter,
    Question,
)
from autoctrl.web.exchange.problems import PROBLEM_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.web.api.order_verbs import OrderVerb

LEFT_OUT = {"Cell": ("inherited_from", "is_late")}  # what the overview's JSON does without
LEADS_ON = 'Address of the page before this one, with rel="next"; none on the last.'
LINK = {"Link": {"schema": TEXT, "description": LEADS_ON}}
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
