"""What came of an operator's verb, in sentences. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.unit import format_runs, is_group, spell_unit
from autoctrl.views.reasons import without_unit

if TYPE_CHECKING:
    from autoctrl.model.outcome import Answer, Outcome

MANY = 4


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
    sentences: list[Sentence] = []
    for (is_refused, shared), texts in alike.items():
        if len(texts) > MANY and not any(is_group(unit) for unit in texts):
            runs = format_runs([int(unit) for unit in texts])
            sentences.append(Sentence(f"runs {runs}: {shared}", is_refused))
        else:
            sentences += [Sentence(text, is_refused) for text in texts.values()]
    return sentences


def spell_answer(answer: Answer, verb: str, *, dry_run: bool = False) -> str:
    """Return what a verb did, or would do, to one task."""
    task = f"{spell_unit(answer.unit)} / {answer.workflow}"
    if verb == "fail":
        return f"{task}: its jobs {'would be' if dry_run else 'are being'} removed, then it fails."
    version = f" (version {answer.version})" if verb == "reprocess" else ""
    went = "would go" if dry_run else "went"
    return f"{task} {went} from {answer.before} to {answer.after}{version}."
