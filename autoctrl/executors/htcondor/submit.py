"""Orders → rows of a submission: pure.

Whatever a job is given travels encoded in its ad, never on a command line.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from autoctrl.executors.environment import THREADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.model.job import JobSpec
    from autoctrl.ports import JobOrder

SAFE = " {}[]:,/=+-_.@!*()~"  # readable, and without meaning in submit descriptions and ClassAds
ODD = re.compile(r"[^\w.+=-]", re.ASCII)
PLAIN = re.compile(r"[\w@%+=:./-]+", re.ASCII)  # a path that a list of files can hold as it is
SEPARATOR = "\x1f"
COLUMNS = ("row", "tag", "memory_mb", "cpus", "time_limit_s", "avoid", "inputs", "spec", "folder")
NOTHING = "nothing"  # an empty file: an empty item would take over the value of the first row
NOBODY = "-"
MEMORY_MARGIN, MEMORY_MARGIN_MB = 1.1, 64
TIME_MARGIN, TIME_MARGIN_S = 1.05, 60


class Manner(NamedTuple):
    """How the jobs of a submission get what they need.

    travels      files travel with the job; else nodes see this machine's file system
    python       interpreter on the node that stands in for ``interpreter``, empty if that one is
                 there too
    interpreter  the controller's own interpreter, which handlers write into argv
    grace_s      seconds between SIGTERM and SIGKILL
    common       inputs of every job: local path → name on the node
    hints        variables for hints, with paths of this machine
    """

    travels: bool
    python: str
    interpreter: str
    grace_s: float
    common: Mapping[str, str]
    hints: Mapping[str, str]


class JobRow(NamedTuple):
    """One job as it was submitted: identity, where its outputs belong, their files by name."""

    tag: str
    folder: str
    outputs: Mapping[str, str]


class Transfers(NamedTuple):
    """How the inputs of one job get to its node.

    inputs   by path here: the name on the node, None if it is missing here
    files    what HTCondor is to transfer
    aliases  by alias: the input that has to be linked under it, because its name is odd or taken
    """

    inputs: dict[str, str | None]
    files: list[str]
    aliases: dict[str, str]


class Rows(NamedTuple):
    """What a submission consists of.

    common   description that all rows share, encoded
    lines    one line of items for each row, columns as in ``COLUMNS``
    aliases  by alias: the input that has to be linked under it, because its name is odd or taken
    """

    common: str
    lines: list[str]
    aliases: dict[str, str]


def encode(content: object) -> str:
    """Return JSON as one word of ASCII that means nothing to HTCondor; a string stays bare."""
    text = content if isinstance(content, str) else json.dumps(content, separators=(",", ":"))
    return quote(text, safe=SAFE)


def build_rows(orders: Sequence[JobOrder], manner: Manner, exists: Callable[[str], bool]) -> Rows:
    """Return the rows of one submission, in the order of the orders; row = ProcId.

    ``exists`` says whether an input is there; a job whose input is not will say so itself, as a
    failure of its own.
    """
    first = orders[0].spec
    is_shared = all(order.spec.environment == first.environment for order in orders)
    common = describe_all(manner, build_environment(first, manner) if is_shared else None)
    moved = [
        plan_transfers(list_local_files(order.spec), number, manner, exists)
        for number, order in enumerate(orders)
    ]
    nothing = NOTHING if any(transfer.files for transfer in moved) else ""
    lines = []
    for number, order in enumerate(orders):
        spec = describe_job(order.spec, manner, moved[number])
        if not is_shared or order.spec.cpus != first.cpus:
            spec["environment"] = build_environment(order.spec, manner)
        lines.append(build_line(number, order, ",".join(moved[number].files) or nothing, spec))
    return Rows(encode(common), lines, join_aliases(moved))


def describe_all(manner: Manner, environment: Mapping[str, str] | None) -> dict[str, object]:
    """Return the part of the wrapper's description that all jobs share."""
    grace: dict[str, object] = {"grace_s": manner.grace_s}
    return grace if environment is None else grace | {"environment": environment}


def join_aliases(moved: Iterable[Transfers]) -> dict[str, str]:
    """Return the aliases of all jobs; no two jobs have one in common."""
    return {alias: path for transfer in moved for alias, path in transfer.aliases.items()}


def build_line(number: int, order: JobOrder, files: str, spec: Mapping[str, object]) -> str:
    """Return the items of one row."""
    wanted = order.spec
    avoid = ",".join(encode(host) for host in wanted.avoid)
    items = (
        str(number),
        encode(order.tag),
        str(wanted.memory_mb),
        str(wanted.cpus),
        str(wanted.time_limit_s),
        avoid or NOBODY,
        files,
        encode(spec),
        encode(order.folder),
    )
    return SEPARATOR.join(items) + "\n"


def parse_row(line: str) -> JobRow:
    """Return what a row says of its job's outputs."""
    items = dict(zip(COLUMNS, line.rstrip("\n").split(SEPARATOR), strict=True))
    spec = json.loads(unquote(items["spec"]))
    return JobRow(unquote(items["tag"]), unquote(items["folder"]), spec["outputs"])


def describe_job(spec: JobSpec, manner: Manner, moved: Transfers) -> dict[str, object]:
    """Return a job's own part of the wrapper's description.

    Its limits lie somewhat above those of HTCondor.
    """
    argv = spec.argv
    if manner.python and argv[0] == manner.interpreter:
        argv = (manner.python, *argv[1:])
    return {
        "argv": list(spec._replace(argv=argv).command),
        "outputs": dict(spec.outputs),
        "inputs": moved.inputs,
        "memory_mb": int(spec.memory_mb * MEMORY_MARGIN) + MEMORY_MARGIN_MB,
        "time_limit_s": int(spec.time_limit_s * TIME_MARGIN) + TIME_MARGIN_S,
    }


def build_environment(spec: JobSpec, manner: Manner) -> dict[str, str]:
    """Return the variables of a job: as many threads as cores, those for hints, its own."""
    return {**dict.fromkeys(THREADS, str(max(1, spec.cpus))), **manner.hints, **spec.environment}


def list_local_files(spec: JobSpec) -> list[str]:
    """Return the inputs that are files here, each once; the job reads addresses by itself."""
    urls = dict.fromkeys(url for urls in spec.inputs.values() for url in urls)
    return [url for url in urls if "://" not in url]


def plan_transfers(
    paths: Iterable[str], number: int, manner: Manner, exists: Callable[[str], bool]
) -> Transfers:
    """Return how the inputs of the job in row ``number`` get to its node."""
    if not manner.travels:
        return Transfers({path: path for path in paths}, [], {})
    found = Transfers(dict(manner.common), [], {})
    taken = set(manner.common.values())
    for path in paths:
        if path in found.inputs:
            continue
        if not exists(path):
            found.inputs[path] = None
            continue
        name = path.rstrip("/").rpartition("/")[2]
        is_plain = PLAIN.fullmatch(path) is not None
        if is_plain and name not in taken:
            found.files.append(path)
        else:
            name = f"{number}-{len(found.files)}-{ODD.sub('_', name)}"
            found.aliases[name] = path
            found.files.append(f"inputs/{name}")
        taken.add(name)
        found.inputs[path] = name
    return found


def write_prologue(batch: Mapping[str, str], max_idle: int) -> str:
    """Return the macros that differ from batch to batch; the template knows them by name."""
    lines = [f"autoctrl_{name} = {value}" for name, value in batch.items()]
    return "\n".join([*lines, *([f"max_idle = {max_idle}"] if max_idle else [])]) + "\n"


def escape(text: str) -> str:
    """Return text that stands for itself in a submit description."""
    return text.replace("$", "$(DOLLAR)")
