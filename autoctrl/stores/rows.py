"""Record ⇄ row of the SQLite tables, pure.

A row's columns stand in the order of the table's definition. Rows that are older than an actor's
subject, or the time when a job began, lack these columns, which are the last ones.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from autoctrl.model.actor import Actor
from autoctrl.model.job import FileInfo, JobKey, JobRecord, JobSpec
from autoctrl.model.output import FieldsRecord, LocationState, MarkRecord, OutputRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.status import Failure, JobStatus, Role, TaskStatus
from autoctrl.model.task import InputRef, TaskRecord
from autoctrl.model.unit import TaskKey
from autoctrl.stores.json_values import decode_list, decode_mapping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

    from autoctrl.stores.json_values import Encoder

    Row = tuple[Any, ...]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGAN = 35  # column of ``job_records``


def micros(moment: datetime) -> int:
    """Return µs since 1970, exactly."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(count: int) -> datetime:
    """Return the time ``count`` µs since 1970, aware UTC."""
    return EPOCH + timedelta(0, 0, count)


def _micros(when: datetime | None) -> int | None:
    return None if when is None else micros(when)


def _moment(count: int | None) -> datetime | None:
    return None if count is None else moment(count)


def _texts(kind: type[StrEnum]) -> Mapping[Any, str]:
    # sqlite3 binds a plain str at once, a subclass only after looking for an adapter.
    return {member: str(member.value) for member in kind}


_TASK_STATUS, _JOB_STATUS, _ROLE = _texts(TaskStatus), _texts(JobStatus), _texts(Role)
_FAILURE: Mapping[Any, str | None] = {None: None, **_texts(Failure)}
_TASK_STATUS_OF = {text: member for member, text in _TASK_STATUS.items()}
_JOB_STATUS_OF = {text: member for member, text in _JOB_STATUS.items()}
_ROLE_OF = {text: member for member, text in _ROLE.items()}
_FAILURE_OF = {text: member for member, text in _FAILURE.items()}


# Thousands of records contain the same words, and share one copy of each.
_word = lru_cache(maxsize=4096)(str)
_actor = lru_cache(maxsize=256)(Actor)


def _task_key(row: Row) -> TaskKey:
    return TaskKey(_word(row[0]), _word(row[1]), row[2])


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(","))) if text else ()


def task_row(record: TaskRecord, encode: Encoder) -> Row:
    """Return the row of ``task_records``."""
    inputs = None
    if record.inputs:
        inputs = encode(record.inputs, lambda refs: [ref._asdict() for ref in refs])
    time, since = record.time, record.since
    written = micros(time)
    return (
        *record.key,
        record.sequence,
        record.epoch,
        _TASK_STATUS[record.status],
        written,
        ",".join(map(str, record.members)),
        record.version,
        record.reason,
        _micros(record.until),
        record.actor.name,
        record.actor.via,
        record.environment,
        written if since is time else _micros(since),
        record.renewals,
        int(record.stopping),
        inputs,
        record.provenance,
        record.log,
        int(record.is_growing),
        record.actor.subject,
    )


def task_record(row: Row) -> TaskRecord:
    """Return the record of a row of ``task_records``."""
    (sequence, epoch, status, time, members, version, reason, until, actor, via) = row[3:13]
    (environment, since, renewals, stopping, inputs, provenance, log, is_growing, *subject) = row[
        13:
    ]
    written = moment(time)
    return TaskRecord(
        _task_key(row),
        _TASK_STATUS_OF[status],
        written,
        _numbers(members),
        version,
        reason,
        _moment(until),
        _actor(actor, via, *subject),
        sequence,
        epoch,
        _word(environment),
        written if since == time else _moment(since),
        renewals,
        bool(stopping),
        tuple(InputRef(**ref) for ref in decode_list(inputs)) if inputs else (),
        _word(provenance),
        log,
        bool(is_growing),
    )


def job_row(record: JobRecord, encode: Encoder) -> Row:
    """Return the row of ``job_records``."""
    spec = record.spec
    return (
        *record.key.task,
        record.key.version,
        record.key.index,
        record.sequence,
        record.epoch,
        record.attempt,
        _JOB_STATUS[record.status],
        micros(record.time),
        _ROLE[record.role],
        encode(spec, _plain_spec),
        encode(spec.environment),
        record.used,
        record.reason,
        _FAILURE[record.failure],
        _micros(record.not_before),
        record.actor.name,
        record.actor.via,
        record.environment,
        record.handle,
        record.starts,
        record.host,
        record.exit_code,
        record.signal,
        record.wall_s,
        record.cpu_s,
        record.peak_memory_mb,
        record.log,
        encode(record.files, lambda files: [file._asdict() for file in files]),
        encode(record.fields),
        _micros(record.asked),
        encode(record.spent),
        record.late,
        record.actor.subject,
        _micros(record.began),
    )


def _plain_spec(spec: JobSpec) -> dict[str, object]:
    return {
        "argv": spec.argv,
        "outputs": spec.outputs,
        "inputs": spec.inputs,
        "memory_mb": spec.memory_mb,
        "time_limit_s": spec.time_limit_s,
        "cpus": spec.cpus,
        "executor": spec.executor,
        "events": spec.events,
        "place": spec.place,
        "avoid": spec.avoid,
        **({"setup": spec.setup} if spec.setup else {}),
    }


@lru_cache(maxsize=64)
def _variables(text: str | None) -> dict[str, str]:
    # Thousands of jobs share one environment; each record gets a copy of its own.
    return decode_mapping(text)


def _spec(text: str, variables: str | None) -> JobSpec:
    plain = decode_mapping(text)
    events = plain["events"]
    return JobSpec(
        tuple(map(_word, plain["argv"])),
        plain["outputs"],
        {name: tuple(urls) for name, urls in plain["inputs"].items()},
        dict(_variables(variables)),
        plain["memory_mb"],
        plain["time_limit_s"],
        plain["cpus"],
        _word(plain["executor"]),
        None if events is None else tuple(events),
        _word(plain.get("place", "")),
        tuple(plain.get("avoid", ())),
        tuple(plain.get("setup", ())),
    )


def _job_key(row: Row) -> JobKey:
    return JobKey(_task_key(row), row[3], row[4])


def _files(text: str | None) -> tuple[FileInfo, ...]:
    return tuple(FileInfo(**file) for file in decode_list(text)) if text else ()


def _began(row: Row) -> datetime | None:
    return _moment(row[BEGAN]) if len(row) > BEGAN else None


def job_record(row: Row) -> JobRecord:
    """Return the record of a row of ``job_records``."""
    sequence, epoch, attempt, status, time, role = row[5:11]
    used, reason, failure, not_before, actor, via, environment, handle, starts, host = row[13:23]
    exit_code, signal, wall_s, cpu_s, peak_memory_mb, log, files, fields = row[23:31]
    asked, spent, late = row[31:34]
    return JobRecord(
        _job_key(row),
        _ROLE_OF[role],
        attempt,
        _JOB_STATUS_OF[status],
        moment(time),
        _spec(*row[11:13]),
        used,
        reason,
        _FAILURE_OF[failure],
        _moment(not_before),
        _actor(actor, via, *row[34:35]),
        sequence,
        epoch,
        _word(environment),
        handle,
        starts,
        _word(host),
        exit_code,
        signal,
        wall_s,
        cpu_s,
        peak_memory_mb,
        log,
        _files(files),
        decode_mapping(fields),
        _moment(asked),
        tuple(map(Failure, decode_list(spent))) if spent else (),
        late,
        _began(row),
    )


def run_row(record: RunRecord, encode: Encoder) -> Row:
    """Return the row of ``run_records``, without its position."""
    return (
        record.number,
        record.sequence,
        encode(record.attributes),
        int(record.is_closed),
        micros(record.time),
        *record.actor,
    )


def run_record(row: Row) -> RunRecord:
    """Return the record of a row of ``run_records``."""
    _, number, sequence, attributes, is_closed, time, *actor = row
    return RunRecord(
        number,
        decode_mapping(attributes),
        bool(is_closed),
        moment(time),
        _actor(*actor),
        sequence,
    )


def mark_row(record: MarkRecord, encode: Encoder) -> Row:
    """Return the row of ``mark_records``."""
    return (
        *record[:3],
        record.sequence,
        encode(record.values),
        micros(record.time),
        record.actor.name,
        record.actor.via,
        record.reason,
        record.actor.subject,
    )


def mark_record(row: Row) -> MarkRecord:
    """Return the record of a row of ``mark_records``."""
    kind, campaign, name, sequence, contents, time, actor, via, reason, *subject = row
    values = decode_mapping(contents)
    return MarkRecord(
        kind, campaign, name, values, moment(time), _actor(actor, via, *subject), reason, sequence
    )


def output_row(record: OutputRecord, encode: Encoder) -> Row:
    """Return the row of ``output_records``, without its arrival."""
    return (
        *record.task,
        record.version,
        record.name,
        record.url,
        str(record.state.value),
        record.bytes,
        encode(record.checksums),
        encode(record.entries),
        ",".join(map(str, record.members)),
        record.friend_of,
        micros(record.time),
    )


def output_record(row: Row) -> OutputRecord:
    """Return the record of a row of ``output_records``."""
    version, name, url, state, size, checksums, entries, members, friend_of, time = row[4:]
    return OutputRecord(
        TaskKey._make(row[1:4]),
        version,
        name,
        url,
        LocationState(state),
        size,
        decode_mapping(checksums),
        decode_mapping(entries),
        _numbers(members),
        friend_of,
        moment(time),
    )


def fields_row(record: FieldsRecord, encode: Encoder) -> Row:
    """Return the row of ``fields_records``, without its arrival."""
    return (*record.task, record.version, encode(record.values), micros(record.time))


def fields_record(row: Row) -> FieldsRecord:
    """Return the record of a row of ``fields_records``."""
    return FieldsRecord(TaskKey._make(row[1:4]), row[4], decode_mapping(row[5]), moment(row[6]))
