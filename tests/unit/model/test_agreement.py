"""What a person agreed to, as one text."""

from __future__ import annotations

import pytest

from autoctrl.model.agreement import is_agreed, spell_agreement
from autoctrl.model.outcome import Answer
from autoctrl.model.status import TaskStatus

RECO = Answer("reco", "1", (1,), TaskStatus.DONE, TaskStatus.NEW, 2, sequence=3)
OTHER = RECO._replace(unit="2", runs=(2,))
PLOTS = RECO._replace(workflow="plots")
REFUSED = OTHER._replace(refusal="it is new")


def test_each_workflow_stands_for_itself() -> None:
    """What was shown of one workflow is agreed to whatever stands beside it, in any order."""
    agreed = spell_agreement((RECO, OTHER, PLOTS))
    assert is_agreed(agreed, "reco", (OTHER, RECO))
    assert is_agreed(agreed, "plots", (PLOTS,))
    assert agreed.count(" ") == 1


def test_refusals_are_nothing_to_agree_to() -> None:
    """A task that would be refused plays no part; a workflow of refusals alone is agreed to."""
    assert spell_agreement((RECO, REFUSED)) == spell_agreement((RECO,))
    assert is_agreed(spell_agreement((RECO,)), "plots", (REFUSED._replace(workflow="plots"),))


@pytest.mark.parametrize(
    "moved",
    [
        (RECO, OTHER),
        (RECO._replace(sequence=4),),
        (RECO._replace(runs=(1, 2)),),
        (OTHER,),
        (REFUSED,),
    ],
)
def test_anything_else_is_not_agreed_to(moved: tuple[Answer, ...]) -> None:
    """Another task, another record of the same one, other runs of a group, or none at all."""
    assert not is_agreed(spell_agreement((RECO,)), "reco", moved)


@pytest.mark.parametrize("text", ["", "reco", "reco:", "nonsense here:", "plots:00"])
def test_what_is_no_agreement_agrees_to_nothing(text: str) -> None:
    """Texts that somebody made up let nothing pass."""
    assert not is_agreed(text, "reco", (RECO,))
