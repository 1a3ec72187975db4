"""Records with every field filled, drawn by Hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from autoctrl.model.actor import Actor
from autoctrl.model.job import FileInfo, JobKey, JobRecord, JobSpec
from autoctrl.model.output import FieldsRecord, LocationState, MarkRecord, OutputRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.status import Failure, JobStatus, Role, TaskStatus
from autoctrl.model.task import InputRef, TaskRecord
from autoctrl.model.unit import TaskKey

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz-_0123456789", min_size=1, max_size=12)
COUNTS = st.integers(0, 2**63 - 1)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds have no zone
MAYBE_TIMES = st.none() | TIMES
MEMBERS = st.lists(st.integers(0, 10**9), max_size=4).map(tuple)
ACTORS = st.builds(Actor, TEXTS, NAMES, TEXTS)
PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | NUMBERS | TEXTS
VALUES = st.dictionaries(
    NAMES,
    st.recursive(
        PLAIN,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=4,
)
ENTRIES = st.dictionaries(NAMES, COUNTS, max_size=3)
TEXT_MAPS = st.dictionaries(NAMES, TEXTS, max_size=3)

KEYS = st.builds(
    TaskKey, NAMES, NAMES, st.integers(1, 99999).map(str) | NAMES.map("fill:{}".format)
)

INPUTS = st.builds(
    InputRef,
    NAMES,
    TEXTS,
    COUNTS,
    TEXTS,
    st.none() | COUNTS,
    TEXTS,
    TEXTS,
    st.integers(0, 99),
    TEXTS,
)
TASKS = st.builds(
    TaskRecord,
    KEYS,
    st.sampled_from(TaskStatus),
    TIMES,
    MEMBERS,
    st.integers(1, 99),
    TEXTS,
    MAYBE_TIMES,
    ACTORS,
    st.just(1),
    COUNTS,
    TEXTS,
    MAYBE_TIMES,
    st.integers(0, 99),
    st.booleans(),
    st.lists(INPUTS, max_size=3).map(tuple),
    TEXTS,
    TEXTS,
    st.booleans(),
)
SPECS = st.builds(
    JobSpec,
    st.lists(TEXTS, max_size=4).map(tuple),
    TEXT_MAPS,
    st.dictionaries(NAMES, st.lists(TEXTS, max_size=3).map(tuple), max_size=3),
    TEXT_MAPS,
    COUNTS,
    COUNTS,
    st.integers(1, 99),
    NAMES,
    st.none() | st.tuples(COUNTS, COUNTS),
    TEXTS,
    st.lists(TEXTS, max_size=2).map(tuple),
)
FILES = st.builds(FileInfo, NAMES, TEXTS, COUNTS, TEXTS, ENTRIES)
JOBS = st.builds(
    JobRecord,
    st.builds(JobKey, KEYS, st.integers(1, 99), st.integers(-1, 10_000)),
    st.sampled_from(Role),
    st.integers(1, 99),
    st.sampled_from(JobStatus),
    TIMES,
    SPECS,
    st.integers(1, 99),
    TEXTS,
    st.none() | st.sampled_from(Failure),
    MAYBE_TIMES,
    ACTORS,
    st.just(1),
    COUNTS,
    TEXTS,
    TEXTS,
    st.integers(0, 99),
    TEXTS,
    st.none() | st.integers(-255, 255),
    st.none() | st.integers(1, 64),
    st.none() | NUMBERS,
    st.none() | NUMBERS,
    st.none() | NUMBERS,
    TEXTS,
    st.lists(FILES, max_size=3).map(tuple),
    VALUES,
    MAYBE_TIMES,
    st.lists(st.sampled_from(Failure), max_size=3).map(tuple),
    st.integers(0, 99),
)
RUNS = st.builds(
    RunRecord,
    st.integers(1, 10**9),
    st.dictionaries(
        NAMES, TEXTS | st.integers(-(2**53), 2**53) | NUMBERS | st.booleans() | TIMES, max_size=4
    ),
    st.booleans(),
    TIMES,
    ACTORS,
)
OUTPUTS = st.builds(
    OutputRecord,
    KEYS,
    st.integers(1, 99),
    NAMES,
    TEXTS,
    st.sampled_from(LocationState),
    COUNTS,
    TEXT_MAPS,
    ENTRIES,
    MEMBERS,
    TEXTS,
    TIMES,
)
FIELDS = st.builds(
    FieldsRecord,
    KEYS,
    st.integers(1, 99),
    st.dictionaries(NAMES, NUMBERS | TEXTS, max_size=4),
    TIMES,
)
MARKS = st.builds(MarkRecord, NAMES, NAMES, TEXTS, VALUES, TIMES, ACTORS, TEXTS)
