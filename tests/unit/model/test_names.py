"""Names that several rooms must spell alike."""

from __future__ import annotations

from autoctrl.model import names


def test_leases_of_different_things_have_different_names() -> None:
    """No two things that are held are held under one name."""
    held = [
        names.RUNS_LEASE,
        names.CAMPAIGNS_LEASE,
        names.COPY_LEASE,
        names.workflow_lease("prompt", "reco"),
        names.loop_lease("prompt"),
        names.incidents_lease("prompt"),
    ]
    assert len(set(held)) == len(held)
    assert names.workflow_lease("prompt", "reco") == "prompt/reco"
