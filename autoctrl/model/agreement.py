"""What a person agreed to: the tasks that a verb would move, each as it stood when it was shown.

Pure. One text carries it through a form, a button or a request of a program: for each workflow its
name and a digest, as ``count:3f0c… reverse:91ab…``.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from autoctrl.model.outcome import Answer

DIGEST_BYTES = 16


def spell_agreement(answers: Iterable[Answer]) -> str:
    """Return the text that stands for the tasks which a verb would move, in the state they are in.

    Another text once any of them has moved, or once it would be others.
    """
    by_workflow: dict[str, list[Answer]] = {}
    for answer in answers:
        if not answer.refusal:
            by_workflow.setdefault(answer.workflow, []).append(answer)
    digests = ((workflow, _digest_of(moved)) for workflow, moved in sorted(by_workflow.items()))
    return " ".join(f"{workflow}:{digest}" for workflow, digest in digests)


def read_agreement(text: str) -> Mapping[str, str]:
    """Return the digest of each workflow; what is no agreement is one to nothing."""
    return {workflow: digest for workflow, _, digest in (w.partition(":") for w in text.split())}


def is_agreed(agreed: str, workflow: str, answers: Sequence[Answer]) -> bool:
    """Say whether what would be moved in a workflow is what somebody has agreed to."""
    moved = [answer for answer in answers if not answer.refusal]
    return read_agreement(agreed).get(workflow) == (_digest_of(moved) if moved else None)


def _digest_of(moved: Iterable[Answer]) -> str:
    lines = sorted(f"{one.unit}\0{one.sequence}\0{one.runs}" for one in moved)
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=DIGEST_BYTES).hexdigest()
