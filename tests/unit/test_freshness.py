"""Which files that versions read have changed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from autoctrl.freshness import changed_files
from autoctrl.model.task import InputRef
from tests.unit.given import task

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, text: str) -> InputRef:
    """Write a file and return what a version that reads it records."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return InputRef(
        "constants", str(path), len(text), f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    )


def test_a_file_has_changed_when_its_content_has(tmp_path: Path) -> None:
    """Another content of the same or another size has changed; the same content written again has
    not.
    """
    same, other, longer = (
        written(tmp_path / name, "gain = 1") for name in ("same", "other", "longer")
    )
    tasks = [task(inputs=(same, other)), task(inputs=(other, longer)), task()]
    assert changed_files(tasks) == frozenset()
    written(tmp_path / "same", "gain = 1")
    written(tmp_path / "other", "gain = 2")
    written(tmp_path / "longer", "gain = 10")
    assert changed_files(tasks) == {other, longer}


def test_a_file_that_is_gone_has_changed_unless_nothing_can_be_seen(tmp_path: Path) -> None:
    """A file that was taken away has changed; where the whole folder is out of sight nothing is
    said.
    """
    gone, unseen = written(tmp_path / "gone", "a"), written(tmp_path / "folder" / "unseen", "b")
    (tmp_path / "gone").unlink()
    (tmp_path / "folder" / "unseen").unlink()
    (tmp_path / "folder").rmdir()
    assert changed_files([task(inputs=(gone, unseen))]) == {gone}


def test_other_inputs_are_not_read(tmp_path: Path) -> None:
    """Raw files without a checksum, outputs of workflows and checksums of an unknown kind never
    count as changed.
    """
    ref = written(tmp_path / "file", "a")
    others = (
        ref._replace(bytes=2, checksum=""),
        ref._replace(bytes=2, workflow="reco", unit="4521", version=1),
        ref._replace(checksum="odd:00"),
        ref._replace(url=str(tmp_path)),
    )
    assert changed_files([task(inputs=others)]) == frozenset()
