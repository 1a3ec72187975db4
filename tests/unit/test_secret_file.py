"""Secrets in files: read as they are needed, never said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.config import read_secret_lines
from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cret" * 8


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


def complaint(file: Path, *, shortest: int = 32) -> str:
    with pytest.raises(SettingsError) as refusal:
        read_secret_lines(file, "[hooks] secret_file", shortest=shortest)
    assert refusal.value.hint
    assert "[hooks] secret_file" in refusal.value.message
    assert SECRET not in str(refusal.value)
    return str(refusal.value)


def test_one_line_or_two_are_read(file: Path) -> None:
    """The second is the one that is going, or coming."""
    assert read_secret_lines(file, "x", shortest=32) == (SECRET,)
    file.write_text(f"{'n' * 40}\n\n{SECRET}\n")
    assert read_secret_lines(file, "x", shortest=32) == ("n" * 40, SECRET)


def test_what_is_wrong_is_said(file: Path) -> None:
    """Missing, empty, too many, too short, no text, open to everybody: each has its sentence."""
    assert "No such file" in complaint(file.with_name("none"))
    assert "fewer than 50 characters" in complaint(file, shortest=50)
    for text, words in {"": "0 words", "a\nb\nc": "3 words", "é": "plain letters"}.items():
        file.write_text(text, encoding="utf-8")
        assert words in complaint(file)
    file.write_text(SECRET)
    file.chmod(0o604)
    assert "everybody may read it. Say: chmod 600" in complaint(file)
