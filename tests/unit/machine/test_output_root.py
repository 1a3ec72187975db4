"""The folder of outputs belongs to one store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import SubmitRefused
from autoctrl.handlers.batch import BatchHandler
from autoctrl.machine.output_root import claim_output_root
from tests.unit.machine.room import Room

if TYPE_CHECKING:
    from pathlib import Path


def test_the_first_store_that_writes_owns_the_folder(tmp_path: Path) -> None:
    """The owner may write again; another store is refused, and told whose folder it is."""
    claim_output_root(tmp_path / "outputs", "one")
    claim_output_root(tmp_path / "outputs", "one")
    with pytest.raises(SubmitRefused, match="belongs to the store one, not to this one"):
        claim_output_root(tmp_path / "outputs", "two")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """The reason is the system's own."""
    (tmp_path / "outputs").write_text("a file")
    with pytest.raises(SubmitRefused, match="cannot be written"):
        claim_output_root(tmp_path / "outputs", "one")


def test_no_job_of_a_new_store_writes_among_the_outputs_of_an_old_one(tmp_path: Path) -> None:
    """The task keeps its intent and says why nothing is submitted; no attempt is used up."""
    room = Room(tmp_path)
    room.has_run(1)
    claim_output_root(tmp_path / "outputs", "another")
    summary = room.cycle(BatchHandler("reco", "tool {output}", outputs={"output": "a.txt"}))
    assert "belongs to the store another" in summary.problems[0]
    assert room.jobs.orders == []
    assert [record.attempt for record in room.history("reco")] == [1, 1]
