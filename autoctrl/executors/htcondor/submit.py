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

SAFE = " {}[]:,/=+-_.@!*()~"  # readable, and without meaning for submit descriptions and ClassAd strings
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


class Rows(NamedTuple):
    """What a submission consists of.

    common   description that all rows share, encoded
    lines    one line of items for each row, columns as in ``COLUMNS``
    aliases  by alias: the input that has to be linked under it, because its name is odd or taken
    """

    common: str
    lines: list[str]
    aliases: dict[str, str]


def encoded(content: object) -> str:
    """Return JSON as one word of plain ASCII that means nothing to HTCondor's two languages; a
    string stays bare.
    """
    text = content if isinstance(content, str) else json.dumps(content, separators=(",", ":"))
    return quote(text, safe=SAFE)


def rows(orders: Sequence[JobOrder], manner: Manner, exists: Callable[[str], bool]) -> Rows:
    """Return the rows of one submission, in the order of the orders; row = ProcId.

    ``exists`` says whether an input is there; a job whose input is not will say so itself, as a
    failure of its own.
    """
    environments = [order.spec.environment for order in orders]
    shared = (
        environments[0]
        if all(environment == environments[0] for environment in environments)
        else None
    )
    common: dict[str, object] = {"grace_s": manner.grace_s}
    if shared is not None:
        common["environment"] = environment_of(orders[0].spec, manner)
    aliases: dict[str, str] = {}
    items = []
    for number, order in enumerate(orders):
        spec = described(order.spec, manner)
        if shared is None or order.spec.cpus != orders[0].spec.cpus:
            spec["environment"] = environment_of(order.spec, manner)
        inputs, files, linked = transfers(local_files(order.spec), number, manner, exists)
        spec["inputs"] = inputs
        aliases |= linked
        items.append((order, ",".join(files), spec))
    nothing = NOTHING if any(files for _, files, _ in items) else ""
    lines = [
        line(number, order, files or nothing, spec)
        for number, (order, files, spec) in enumerate(items)
    ]
    return Rows(encoded(common), lines, aliases)


def line(number: int, order: JobOrder, files: str, spec: Mapping[str, object]) -> str:
    """Return the items of one row."""
    wanted = order.spec
    avoid = ",".join(encoded(host) for host in wanted.avoid)
    numbers = (
        str(number),
        encoded(order.tag),
        str(wanted.memory_mb),
        str(wanted.cpus),
        str(wanted.time_limit_s),
    )
    return (
        SEPARATOR.join((*numbers, avoid or NOBODY, files, encoded(spec), encoded(order.folder)))
        + "\n"
    )


def parsed(line: str) -> tuple[str, str, dict[str, str]]:
    """Return tag, folder and outputs of a row."""
    items = line.rstrip("\n").split(SEPARATOR)
    spec = json.loads(unquote(items[COLUMNS.index("spec")]))
    return (
        unquote(items[COLUMNS.index("tag")]),
        unquote(items[COLUMNS.index("folder")]),
        spec["outputs"],
    )


def described(spec: JobSpec, manner: Manner) -> dict[str, object]:
    """Return a job's own part of the wrapper's description; its limits lie somewhat above those of
    HTCondor.
    """
    argv = list(spec.argv)
    if manner.python and argv[0] == manner.interpreter:
        argv[0] = manner.python
    return {
        "argv": argv,
        "outputs": dict(spec.outputs),
        "memory_mb": int(spec.memory_mb * MEMORY_MARGIN) + MEMORY_MARGIN_MB,
        "time_limit_s": int(spec.time_limit_s * TIME_MARGIN) + TIME_MARGIN_S,
    }


def environment_of(spec: JobSpec, manner: Manner) -> dict[str, str]:
    """Return what is set for a job: as many numeric threads as cores, variables for hints, its
    own.
    """
    return {**dict.fromkeys(THREADS, str(max(1, spec.cpus))), **manner.hints, **spec.environment}


def local_files(spec: JobSpec) -> list[str]:
    """Return the inputs that are files here, each once; addresses (``root://…``) are the job's own
    business.
    """
    urls = dict.fromkeys(url for urls in spec.inputs.values() for url in urls)
    return [url for url in urls if "://" not in url]


def transfers(
    paths: Iterable[str], number: int, manner: Manner, exists: Callable[[str], bool]
) -> tuple[dict[str, str | None], list[str], dict[str, str]]:
    """Return a job's inputs with their names on the node (None if missing here), what to transfer,
    and its aliases.
    """
    if not manner.travels:
        return {path: path for path in paths}, [], {}
    inputs: dict[str, str | None] = dict(manner.common)
    files: list[str] = []
    aliases: dict[str, str] = {}
    taken = set(manner.common.values())
    for path in paths:
        if path in inputs:
            continue
        if not exists(path):
            inputs[path] = None
            continue
        name = path.rstrip("/").rpartition("/")[2]
        if name in taken or not PLAIN.fullmatch(path):
            name = f"{number}-{len(files)}-{ODD.sub('_', name)}"
            aliases[name] = path
            files.append(f"inputs/{name}")
        else:
            files.append(path)
        taken.add(name)
        inputs[path] = name
    return inputs, files, aliases


def prologue(batch: Mapping[str, str], max_idle: int) -> str:
    """Return the macros that differ from batch to batch; the template knows them by name."""
    lines = [f"autoctrl_{name} = {value}" for name, value in batch.items()]
    return "\n".join([*lines, *([f"max_idle = {max_idle}"] if max_idle else [])]) + "\n"


def literal(text: str) -> str:
    """Return text that stands for itself in a submit description."""
    return text.replace("$", "$(DOLLAR)")
