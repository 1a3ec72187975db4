"""Numbers for Prometheus, in its text format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from autoctrl.web.activity import Counts
    from autoctrl.web.watch import Seen

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[dict[str, str], float]


def render(counts: Counts, runs: int, seen: Seen, now: datetime, environment: str) -> str:
    """Return all metrics as text; ages are in seconds."""
    return "".join(_lines(counts, runs, seen, now, environment))


def _lines(counts: Counts, runs: int, seen: Seen, now: datetime, environment: str) -> Iterator[str]:
    yield from _metric(
        "info",
        "Version and environment.",
        [({"version": __version__, "environment": environment}, 1)],
    )
    yield from _metric("runs", "Registered runs.", [({}, runs)])
    yield from _metric(
        "tasks",
        (
            "Tasks by campaign, workflow and status; done ones are counted once a minute or "
            "more rarely."
        ),
        [
            ({**_place(place), "status": status}, number)
            for (place, status), number in sorted(counts.tasks.items())
        ],
    )
    yield from _metric(
        "oldest_open_task_seconds",
        "How long the oldest new or processing task has had its status.",
        [
            (_place(place), (now - since).total_seconds())
            for place, since in sorted(counts.oldest.items())
        ],
    )
    places = sorted({place for place, _ in counts.tasks})
    yield from _metric(
        "workflow_paused",
        "1 if a person paused the workflow.",
        [(_place(place), float(place in counts.paused)) for place in places],
    )
    taken = [({"lease": name}, float(epoch)) for name, epoch in sorted(seen.epochs.items())]
    yield from _metric(
        "leases_taken_total", "Cycles and verbs that have worked on a workflow.", taken, "counter"
    )
    yield from _metric(
        "watched_seconds",
        "How long the server has looked.",
        [({}, (now - seen.since).total_seconds())],
    )
    if seen.newest is not None:
        age = (now - seen.newest).total_seconds()
        yield from _metric(
            "newest_lease_seconds", "Time since a cycle or a verb was last seen.", [({}, age)]
        )


def _metric(
    name: str, meaning: str, samples: Iterable[Sample], kind: str = "gauge"
) -> Iterator[str]:
    yield f"# HELP autoctrl_{name} {meaning}\n# TYPE autoctrl_{name} {kind}\n"
    for labels, number in samples:
        yield f"autoctrl_{name}{_labels(labels)} {number:.15g}\n"


def _labels(labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
    return f"{{{inside}}}" if inside else ""


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _place(place: tuple[str, str]) -> dict[str, str]:
    return {"campaign": place[0], "workflow": place[1]}
