"""What the inspecting command may say, and how it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autoctrl.errors import SettingsError
from autoctrl.sources.files.inspection import FileFacts, Inspection, read_answer


def test_an_answer_holds_attributes_with_the_number_of_events() -> None:
    """``events`` becomes an attribute like the others, so that jobs can be split by it."""
    content = {
        "schema": 1,
        "run": 4501,
        "attributes": {"fill": 8222},
        "events": 50,
        "is_closed": True,
        "state": "closed",
    }
    assert read_answer(content) == FileFacts(4501, {"fill": 8222, "events": 50}, is_closed=True)


def test_an_open_file_is_no_problem_but_a_corrupt_one_is() -> None:
    """Only a corrupt file has a problem; an open one just has no end yet."""
    still_open = {"run": 1, "state": "open", "problem": "no end of run"}
    assert read_answer(still_open) == FileFacts(1, {}, is_closed=False)
    assert read_answer({**still_open, "state": "corrupt", "problem": "at 512"}).problem == "at 512"


@pytest.mark.parametrize(
    "content",
    [{"schema": 2, "run": 1}, {"attributes": {}}, {"run": "x"}, {"run": 1, "events": "many"}],
)
def test_another_answer_is_refused(content: dict[str, Any]) -> None:
    """An answer of another schema, without a run or with nonsense in it, is none."""
    with pytest.raises((ValueError, LookupError)):
        read_answer(content)


@pytest.mark.parametrize(
    ("line", "part"), [("inspect", "contains neither"), ("inspect '{path}", "cannot be split")]
)
def test_a_command_that_reads_nothing_is_refused(line: str, part: str) -> None:
    """A command without a place for the file, or with an open quote, is a settings error."""
    with pytest.raises(SettingsError, match=part):
        Inspection(line, Path(), 1, "[sources.raw]")
