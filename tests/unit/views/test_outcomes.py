"""What came of a verb, in sentences."""

from __future__ import annotations

import pytest

from autoctrl.model.outcome import Answer, Outcome
from autoctrl.model.status import TaskStatus
from autoctrl.views import Sentence, spell_outcome

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus


def moved(unit: str) -> Answer:
    """Return the answer about a failed task that is new again."""
    return Answer("reco", unit, (1,), FAILED, NEW, 2)


@pytest.mark.parametrize(
    ("verb", "did", "would"),
    [
        ("retry", " went from failed to new.", " would go from failed to new."),
        (
            "reprocess",
            " went from failed to new (version 2).",
            " would go from failed to new (version 2).",
        ),
        (
            "fail",
            ": its jobs are being removed, then it fails.",
            ": its jobs would be removed, then it fails.",
        ),
    ],
)
def test_a_sentence_says_what_a_verb_did(verb: str, did: str, would: str) -> None:
    """Where the task stood and stands now, or would; a new version is named."""
    outcome, task = Outcome(verb, (moved("4"),)), "run 4 / reco"
    assert spell_outcome(outcome) == [Sentence(task + did, is_refused=False)]
    assert spell_outcome(outcome, dry_run=True) == [Sentence(task + would, is_refused=False)]


def test_many_runs_share_a_sentence() -> None:
    """From five runs on they are one selection; refusals are told apart; groups stay alone."""
    few = Outcome("retry", tuple(moved(str(run)) for run in range(1, 5)))
    assert len(spell_outcome(few)) == 4
    refused = Answer("reco", "9", (9,), None, None, 0, "run 9 has no task in reco.")
    many = Outcome("retry", (*few.answers, moved("5"), refused))
    assert spell_outcome(many) == [
        Sentence("runs 1-5: the run / reco went from failed to new.", is_refused=False),
        Sentence("run 9 has no task in reco.", is_refused=True),
    ]
    groups = Outcome("retry", tuple(moved(f"fill:{fill}") for fill in range(6)))
    assert len(spell_outcome(groups)) == 6


def test_an_empty_outcome_is_said_too() -> None:
    """A verb that meant no task says so."""
    assert [one.text for one in spell_outcome(Outcome("reprocess", ()))] == [
        "There is nothing to do."
    ]
