"""What came of a verb, in sentences."""

from __future__ import annotations

import pytest

from autoctrl.model.outcome import Answer, Outcome
from autoctrl.model.status import TaskStatus
from autoctrl.views import Sentence, spell_outcome
from autoctrl.views.outcomes import (
    spell_closed,
    spell_created,
    spell_edited,
    spell_pause,
    spell_registration,
)

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
        Sentence("runs 1-5 / reco went from failed to new.", is_refused=False),
        Sentence("run 9 has no task in reco.", is_refused=True),
    ]
    groups = Outcome("retry", tuple(moved(f"fill:{fill}") for fill in range(6)))
    assert len(spell_outcome(groups)) == 6


def test_an_empty_outcome_is_said_too() -> None:
    """A verb that meant no task says so."""
    assert [one.text for one in spell_outcome(Outcome("reprocess", ()))] == [
        "There is nothing to do."
    ]


def test_a_registration_counts_runs_by_what_was_done() -> None:
    """Words without runs are left out."""
    done = {"added": (1, 2, 3), "changed": (7,), "unchanged": ()}
    assert spell_registration(done) == "3 runs added (1-3), 1 run changed (7)."
    assert spell_registration({"added": (4,)}, dry_run=True) == "Would do: 1 run added (4)."


def test_a_pause_says_whether_anything_changed() -> None:
    """Asking twice does no harm, and is said."""
    assert spell_pause("reco", is_paused=True, is_changed=True) == "reco is paused now."
    assert spell_pause("reco", is_paused=False, is_changed=False) == "reco is not paused."


def test_a_closed_campaign_can_be_opened_again() -> None:
    """The sentence says how."""
    again = "Open it again: autoctrl campaign edit old --reopen"
    assert spell_closed("old", is_changed=True) == f"Campaign old is closed. {again}"
    assert spell_closed("old", is_changed=False) == f"Campaign old is closed already. {again}"


def test_many_refusals_alike_are_one_sentence() -> None:
    """A sentence that does not begin with the run is said of the runs before it."""
    answers = (Answer("reco", str(n), (n,), FAILED, NEW, 2, "it was busy") for n in range(1, 7))
    assert spell_outcome(Outcome("retry", tuple(answers))) == [
        Sentence("runs 1-6: it was busy", is_refused=True)
    ]


def test_what_became_of_a_campaign_is_said_as_done_or_as_a_forecast() -> None:
    """A dry run claims nothing."""
    assert spell_created("again", dry_run=True) == "Campaign again would be created."
    assert spell_created("again", dry_run=False).startswith("Campaign again is created. Process it")
    assert (
        spell_edited("again", is_changed=True, dry_run=True) == "Campaign again would be changed."
    )
    assert spell_edited("again", is_changed=True, dry_run=False) == "Campaign again is changed."
    assert spell_edited("again", is_changed=False, dry_run=True) == "Nothing is different."
