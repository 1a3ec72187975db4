"""What the JSON of a record looks like, derived from the record's type: its schema, and the record
read back from its plain values. The other direction is ``to_plain``.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from autoctrl.errors import DataError
from autoctrl.model.actor import Actor
from autoctrl.model.condition import Condition
from autoctrl.model.job import JobSpec
from autoctrl.model.output import LocationState, OutputRecord
from autoctrl.model.quota import Usage
from autoctrl.model.run import Value
from autoctrl.model.status import Failure, JobStatus, Role, TaskStatus
from autoctrl.model.task import InputRef
from autoctrl.model.unit import TaskKey
from autoctrl.ports import Hint
from autoctrl.views.overview import Cell, RunRow

# Records name these for the type checker alone.
NAMES = {
    one.__name__: one
    for one in (
        Actor,
        Cell,
        Condition,
        Failure,
        Hint,
        InputRef,
        JobSpec,
        JobStatus,
        LocationState,
        Mapping,
        OutputRecord,
        Role,
        RunRow,
        Sequence,
        TaskKey,
        TaskStatus,
        Usage,
        datetime,
    )
} | {"Value": Value, "Any": Any}
PLAIN = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

Record = TypeVar("Record")


@cache
def fields_of(record: type) -> Mapping[str, Any]:
    """Return the types of a record's fields by name, resolved."""
    return typing.get_type_hints(record, localns=NAMES)


def is_record(kind: Any) -> bool:  # noqa: ANN401 - whatever stands in a type
    """Say whether a type is one of our records."""
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def schema_of(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - any type
    """Return the JSON schema of a type's plain values; those of records and enumerations are put
    into ``parts`` by name, and referred to.
    """
    if is_record(kind) or (isinstance(kind, type) and issubclass(kind, Enum)):
        return _refer(kind, parts)
    if kind is datetime:
        return {"type": "string", "format": "date-time"}
    if kind in PLAIN:
        return {"type": PLAIN[kind]}
    return _schema_of_many(kind, parts)


def _schema_of_many(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - see above
    """Return the schema of a union or a container."""
    inner, origin = typing.get_args(kind), typing.get_origin(kind)
    if origin in {types.UnionType, typing.Union}:
        return {"anyOf": [schema_of(one, parts) for one in inner]}
    if origin in {tuple, list, Sequence}:
        return {"type": "array", "items": schema_of(inner[0], parts)}
    if origin in {dict, Mapping}:
        return {"type": "object", "additionalProperties": schema_of(inner[1], parts)}
    return {}


def _refer(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - see above
    name = kind.__name__
    if name not in parts:
        parts[name] = {}  # so that a record that holds records of its own kind comes to an end
        parts[name] = _describe(kind, parts)
    return {"$ref": f"#/components/schemas/{name}"}


def _describe(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - see above
    summary = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
    if not is_record(kind):
        return {"type": "string", "enum": [str(one.value) for one in kind], "description": summary}
    fields = fields_of(kind)
    return {
        "type": "object",
        "description": summary,
        "properties": {name: schema_of(one, parts) for name, one in fields.items()},
        "required": list(fields),
    }


def read_record(kind: type[Record], plain: Mapping[str, Any]) -> Record:
    """Return the record whose plain values these are; what it does not know is left out, and what
    is not there is as by default.

    Raises ``DataError`` for values that are not those of such a record.
    """
    try:
        return typing.cast("Record", read_plain(kind, {**plain}))  # which null cannot be
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        message = f"This is not the JSON of {kind.__name__}: {type(error).__name__}: {error}."
        hint = "It may be of another version of autoctrl."
        raise DataError(message, hint=hint) from error


def read_plain(kind: Any, plain: Any) -> Any:  # noqa: ANN401 - any type, any value
    """Return a value of a type from what ``to_plain`` makes of it."""
    if plain is None or kind is Any:
        return plain
    if is_record(kind):
        fields = fields_of(kind)
        known = fields.keys() & plain.keys()
        return kind(**{name: read_plain(fields[name], plain[name]) for name in known})
    if kind is datetime:
        return datetime.fromisoformat(plain)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(plain)
    return _read_many(kind, plain)


def _read_many(kind: Any, plain: Any) -> Any:  # noqa: ANN401 - see above
    """Return a value of a union or a container; any other is as it is."""
    inner, origin = typing.get_args(kind), typing.get_origin(kind)
    if origin in {types.UnionType, typing.Union}:
        return _read_one_of(inner, plain)
    if origin in {tuple, list, Sequence}:
        return tuple(read_plain(inner[0], item) for item in plain)
    if origin in {dict, Mapping}:
        return {name: read_plain(inner[1], item) for name, item in plain.items()}
    return plain


def _read_one_of(kinds: Sequence[Any], plain: Any) -> Any:  # noqa: ANN401 - see above
    """Return a value of one of some types: a text that is spelled as times are is one."""
    if datetime in kinds and isinstance(plain, str) and TIME.fullmatch(plain):
        return datetime.fromisoformat(plain)
    structured = [one for one in kinds if one not in PLAIN and one is not datetime]
    return read_plain(structured[0], plain) if structured else plain
