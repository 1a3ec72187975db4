"""Whether what a job wrote may be accepted: entries counted where they can be, friends aligned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.errors import AutoctrlError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autoctrl.handlers.handler import Handler
    from autoctrl.model.job import FileInfo, JobSpec


def check_files(
    handler: Handler, spec: JobSpec, files: Sequence[FileInfo]
) -> tuple[tuple[FileInfo, ...], str]:
    """Return the files with their entries counted, and why they cannot be accepted (empty if they
    can).

    Only ROOT files are looked into; where uproot is not installed nothing is counted.
    """
    checked: list[FileInfo] = []
    counts: list[Mapping[str, int]] = []
    for file in files:
        if not file.url.endswith(".root"):
            checked.append(file)
            continue
        try:
            entries = _count(file.url)
            counts.append(entries)
            checked.append(file._replace(entries=entries))
            problem = _compare(handler, spec, file, entries)
        except MissingExtra:
            checked.append(file)
            continue
        except AutoctrlError as error:
            return tuple(files), f"output {file.name} cannot be accepted: {error}"
        if problem:
            return tuple(files), problem
    problem = _explain_uncounted(handler, spec, counts)
    return (tuple(files), problem) if problem else (tuple(checked), "")


def _explain_uncounted(handler: Handler, spec: JobSpec, counts: Sequence[Mapping[str, int]]) -> str:
    """Say why a job's events cannot be counted, empty if they can: none of its ROOT files has the
    tree with one entry for each.
    """
    if (
        spec.events is None
        or not counts
        or any(handler.event_tree in entries for entries in counts)
    ):
        return ""
    found = ", ".join(tree for entries in counts for tree in entries) or "none"
    return (
        f"no output has the tree '{handler.event_tree}', whose entries are compared with the "
        f"job's events (trees found: {found}); name the right tree with event_tree= in the handler"
    )


def _count(path: str) -> dict[str, int]:
    from autoctrl.science import count_entries

    return count_entries(Path(path))


def _compare(handler: Handler, spec: JobSpec, file: FileInfo, entries: Mapping[str, int]) -> str:
    found = entries.get(handler.event_tree)
    if spec.events is not None and found is not None:
        wanted = spec.events[1] - spec.events[0]
        if found != wanted:
            return (
                f"output {file.name} has {found} entries, but should have {wanted}: events "
                f"[{spec.events[0]}, {spec.events[1]})"
            )
    source = handler.friend_of.get(file.name)
    if source is not None:
        for partner in spec.inputs.get(source, ()):
            _align(partner, file.url, spec.events or (0, None))
    return ""


def _align(partner: str, friend: str, span: tuple[int, int | None]) -> None:
    from autoctrl.science import check_alignment

    check_alignment(Path(partner), Path(friend), span=span)
