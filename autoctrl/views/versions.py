"""What made each version of a task."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import UsageError
from autoctrl.model.output import FieldsRecord, OutputRecord
from autoctrl.model.task import TaskRecord
from autoctrl.views.attempts import job_name, newest_attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from autoctrl.model.status import TaskStatus
    from autoctrl.model.task import InputRef
    from autoctrl.ports import Record

    Describe = Callable[[str], Mapping[str, Any]]


class VersionOrigin(NamedTuple):
    """What made one version.

    version     the version
    status      where it stands or stood last
    digest      digest of the description, empty if there is none
    inputs      what it reads
    jobs        the command line of each of its jobs, by job
    outputs     what it published
    fields      custom fields that it reported
    description the description: package, code, settings, handler, environment
    """

    version: int
    status: TaskStatus
    digest: str
    inputs: tuple[InputRef, ...]
    jobs: Mapping[str, tuple[str, ...]]
    outputs: tuple[OutputRecord, ...]
    fields: Mapping[str, float | str]
    description: Mapping[str, Any]


class Fact(NamedTuple):
    """One line of a description: its dotted name, and its text, empty for nothing."""

    name: str
    text: str


def list_versions(records: Sequence[Record], describe: Describe) -> list[VersionOrigin]:
    """Return what made each version that has started, oldest first.

    ``describe`` returns the description behind a digest.
    """
    newest = {record.version: record for record in records if isinstance(record, TaskRecord)}
    outputs, fields = _collect_results(records)
    jobs: dict[int, dict[str, tuple[str, ...]]] = {}
    for job in newest_attempts(records):
        jobs.setdefault(job.key.version, {})[job_name(job)] = job.spec.argv
    return [
        VersionOrigin(
            version=version,
            status=task.status,
            digest=task.provenance,
            inputs=task.inputs,
            jobs=jobs.get(version, {}),
            outputs=tuple(outputs.get(version, ())),
            fields=fields.get(version, {}),
            description=describe(task.provenance) if task.provenance else {},
        )
        for version, task in sorted(newest.items())
        if task.provenance or version in jobs or version in outputs
    ]


def _collect_results(
    records: Iterable[Record],
) -> tuple[dict[int, list[OutputRecord]], dict[int, Mapping[str, float | str]]]:
    """Return outputs and newest custom fields by version."""
    outputs: dict[int, list[OutputRecord]] = {}
    fields: dict[int, Mapping[str, float | str]] = {}
    for record in records:
        if isinstance(record, OutputRecord):
            outputs.setdefault(record.version, []).append(record)
        elif isinstance(record, FieldsRecord):
            fields[record.version] = record.values
    return outputs, fields


def excuse_missing(describe: Describe) -> Describe:
    """Return a ``describe`` that says in a sentence that a description is gone, and raises
    nothing.
    """

    def describe_or_excuse(digest: str) -> Mapping[str, Any]:
        try:
            return describe(digest)
        except UsageError as error:
            return {"gone": str(error)}

    return describe_or_excuse


def list_facts(description: Mapping[str, Any]) -> list[Fact]:
    """Return a description as lines with dotted names: ``code.commit``, ``handler.kind``."""
    return list(_flatten(description, ""))


def _flatten(value: Any, name: str) -> Iterator[Fact]:  # noqa: ANN401 - a description is any JSON
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flatten(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        yield Fact(name, " ".join(map(str, value)))
    else:
        yield Fact(name, "" if value is None else str(value))


def spell_command(argv: Sequence[str]) -> str:
    """Return a job's command line as a shell takes it; a job without one calls a function."""
    return shlex.join(argv) or "a call of the function"
