"""What came of an operator's verb, in sentences. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.unit import format_runs, is_group, spell_unit
from autoctrl.views.reasons import without_unit
from autoctrl.views.spelling import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autoctrl.model.outcome import Answer, Outcome

MANY = 4
ABOUT = "the run / "  # how the sentence about one task begins, its run left out


class Sentence(NamedTuple):
    """One sentence about tasks.

    text        the sentence
    is_refused  it says why nothing was done
    """

    text: str
    is_refused: bool


def spell_outcome(outcome: Outcome, *, dry_run: bool = False) -> list[Sentence]:
    """Return what came of a verb: a sentence per task, or one for many tasks that share it."""
    if not outcome.answers:
        return [Sentence("There is nothing to do.", is_refused=False)]
    alike: dict[tuple[bool, str], dict[str, str]] = {}
    for answer in outcome.answers:
        text = answer.refusal or spell_answer(answer, outcome.verb, dry_run=dry_run)
        group = (bool(answer.refusal), without_unit(text, answer.unit))
        alike.setdefault(group, {})[answer.unit] = text
    return [
        Sentence(text, is_refused)
        for (is_refused, shared), texts in alike.items()
        for text in _join(shared, texts)
    ]


def _join(shared: str, texts: Mapping[str, str]) -> list[str]:
    """Return one sentence about many runs, or the sentence about each of few tasks or of groups."""
    if len(texts) <= MANY or any(is_group(unit) for unit in texts):
        return [*texts.values()]
    runs = f"runs {format_runs([int(unit) for unit in texts])}"
    if shared.startswith(ABOUT):
        return [shared.replace(ABOUT, f"{runs} / ", 1)]
    return [f"{runs}: {shared}"]


def spell_answer(answer: Answer, verb: str, *, dry_run: bool = False) -> str:
    """Return what a verb did, or would do, to one task."""
    task = f"{spell_unit(answer.unit)} / {answer.workflow}"
    if verb == "fail":
        return f"{task}: its jobs {'would be' if dry_run else 'are being'} removed, then it fails."
    version = f" (version {answer.version})" if verb == "reprocess" else ""
    went = "would go" if dry_run else "went"
    return f"{task} {went} from {answer.before} to {answer.after}{version}."


def spell_registration(runs: Mapping[str, Sequence[int]], *, dry_run: bool = False) -> str:
    """Return what became of registered runs, e.g. ``3 runs added (1-3), 1 run changed (4)``.

    ``runs`` are their numbers by what was done with them.
    """
    parts = [
        f"{count(numbers, 'run')} {done} ({format_runs(list(numbers))})"
        for done, numbers in runs.items()
        if numbers
    ]
    return f"{'Would do: ' if dry_run else ''}{', '.join(parts)}."


def spell_pause(workflow: str, *, is_paused: bool, is_changed: bool) -> str:
    """Return where a workflow stands after ``pause`` or ``resume``."""
    if is_paused:
        return f"{workflow} is paused {'now' if is_changed else 'already'}."
    return f"{workflow} is {'resumed' if is_changed else 'not paused'}."


def spell_created(campaign: str, *, dry_run: bool) -> str:
    """Return that a campaign was created, and how it is processed."""
    if dry_run:
        return f"Campaign {campaign} would be created."
    process = f"autoctrl loop --until-idle --campaign {campaign}"
    return f"Campaign {campaign} is created. Process it: {process}"


def spell_edited(campaign: str, *, is_changed: bool, dry_run: bool) -> str:
    """Return whether a campaign was changed."""
    if not is_changed:
        return "Nothing is different."
    return f"Campaign {campaign} {'would be' if dry_run else 'is'} changed."


def spell_closed(campaign: str, *, is_changed: bool) -> str:
    """Return that a campaign is closed, and how it is opened again."""
    already = "" if is_changed else " already"
    again = f"Open it again: autoctrl campaign edit {campaign} --reopen"
    return f"Campaign {campaign} is closed{already}. {again}"
