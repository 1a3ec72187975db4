"""Run lines: split first, filled after, never through a shell."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.errors import WorkflowError
from autoctrl.handlers.run_line import CannotFill, NotKnownYet, fill_line, parse_line

VALUES: dict[str, str | int | float | tuple[str, ...]] = {
    "run": 7,
    "raw": ("/a b.gz",),
    "many": ("/1", "/2"),
    "none": (),
    "run.x": 1.5,
    "run.kind": "physics; rm -rf /",
}
NAMES = set(VALUES)


def filled(line: str | list[str]) -> tuple[str, ...]:
    return fill_line(parse_line("reco: run_line", line, NAMES), VALUES)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tool {raw} -n {run:05d}", ("tool", "/a b.gz", "-n", "00007")),
        ("tool 'two words' --x={run.x:.2f}", ("tool", "two words", "--x=1.50")),
        ("merge {many} --into={raw}", ("merge", "/1", "/2", "--into=/a b.gz")),
        ("merge {none} end", ("merge", "end")),
        ("{run.kind}", ("physics; rm -rf /",)),
        ("a {{run}} '{{}}'", ("a", "{run}", "{}")),
        (["tool", "{raw} as it is", "$HOME"], ("tool", "/a b.gz as it is", "$HOME")),
        ("{run}{run}-{run}", ("77-7",)),
    ],
)
def test_a_line_is_filled_word_by_word(line: str | list[str], words: tuple[str, ...]) -> None:
    """A value never makes two words of one, several files in a word of their own do, and nothing
    reaches a shell.
    """
    assert filled(line) == words


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.text(
            st.characters(exclude_characters="{}", exclude_categories=["Cs", "Cc"]), min_size=1
        ),
        min_size=1,
    )
)
def test_words_without_placeholders_stay_as_they_are(words: list[str]) -> None:
    """As a list, and quoted as a line, what the author wrote is what the job gets."""
    assert filled(words) == tuple(words)
    assert filled(shlex.join(words)) == tuple(words)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            "tool {rw}",
            r"reco: run_line: unknown placeholder \{rw\} in '\{rw\}'. Did you mean 'raw'\?",
        ),
        ("tool {}", r"unknown placeholder \{\}"),
        ("tool {run!r}", r"unknown placeholder \{run\}"),
        ("tool {run:{raw}}", r"unknown placeholder \{run\}"),
        ("tool {run[0]}", r"unknown placeholder \{run\[0\]\}"),
        ("tool {run.}", r"unknown placeholder \{run\.\}"),
        ("tool {campaign.}", r"unknown placeholder"),
        ("tool {run", r"'\{run' is not a template"),
        ("tool run}", r"is not a template"),
        ("tool 'run", r"cannot be split into words"),
        ("", r"run_line is empty"),
        ("tool {run:q}", r"\{run:q\} can never be filled, because run is a number"),
        ("tool {unit:05d}", r"\{unit:05d\} can never be filled, because unit is a text"),
        ("tool {raw:.1f}", r"\{raw:.1f\} can never be filled, because raw is a text"),
        ("tool {run.fill:q}", r"because run.fill is a number or a text"),
    ],
)
def test_nonsense_is_refused_when_the_module_loads(line: str, text: str) -> None:
    """A misspelt placeholder names the nearest; unbalanced braces and quotes, and empty lines, are
    refused.
    """
    with pytest.raises(WorkflowError, match=text):
        filled(line)


@pytest.mark.parametrize(
    "name", ["campaign.global_tag", "run.fill", "unit", "version", "python", "memory_mb"]
)
def test_open_ended_and_common_names_are_always_known(name: str) -> None:
    """Settings of the campaign, attributes of the run, and the task's own facts need no
    declaration.
    """
    assert parse_line("reco", f"x {{{name}}}", ())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x --in={many}", "{many} stands for 2 files; make it a word of its own"),
        ("x --in={none}", "{none} stands for 0 files; make it a word of its own"),
        ("x {run.kind:05d}", "{run.kind:05d} does not fit 'physics; rm -rf /': Unknown format"),
    ],
)
def test_a_value_that_does_not_fit_can_never_be_filled_in(line: str, reason: str) -> None:
    """Waiting would not help; the error names the placeholder."""
    with pytest.raises(CannotFill) as caught:
        filled(line)
    assert str(caught.value).startswith(reason)


def test_a_value_that_is_missing_may_come() -> None:
    """The error is a reason to wait."""
    with pytest.raises(NotKnownYet, match=r"\{run.fill\} has no value yet"):
        filled("x {run.fill}")
