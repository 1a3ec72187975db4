"""Answers as Mattermost shows them: nobody is called, no block is broken, none is too long."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from autoctrl.chat.replies import MOST_LINES, Reply, as_click_answer, as_response, refuse, say
from autoctrl.chat.replies import spell_reply as spell
from autoctrl.mattermost.quoting import LONGEST_POST
from tests.fakes.mattermost import mentions
from tests.fakes.mattermost.slack import translate
from tests.unit.test_mattermost import HOSTILE


@given(st.lists(HOSTILE, max_size=6), st.lists(HOSTILE, max_size=6), HOSTILE)
def test_text_of_jobs_calls_nobody(sentences: list[str], lines: list[str], link: str) -> None:
    """Wherever it stands."""
    text = spell(Reply(sentences, lines, link))
    assert mentions(text) == mentions(translate(text)) == frozenset()
    assert len(text) <= LONGEST_POST


@given(st.lists(st.integers(1, 900)), st.lists(st.integers(1, 900)))
def test_whatever_is_not_shown_is_counted(sentences: list[int], lines: list[int]) -> None:
    """Whole lines are left out, of long ones sooner, and the last line says how many."""
    text = spell(Reply(["s" * size for size in sentences], ["x" * size for size in lines], "link"))
    found = re.search("^and ([0-9]+) more lines: `link`$", text, re.MULTILINE)
    shown = [line for line in text.splitlines() if line.startswith(("s", "x"))]
    left_out = int(found[1]) if found else 0
    assert len(shown) + left_out == len(sentences) + len(lines)
    assert len(shown) <= MOST_LINES
    assert len(text) <= LONGEST_POST


@given(st.lists(HOSTILE, min_size=1, max_size=3), st.text("`~", max_size=200))
def test_text_of_jobs_breaks_no_block(lines: list[str], fence: str) -> None:
    """What follows a table is outside of its block."""
    text = spell(Reply(["x"] * MOST_LINES, [fence, *lines], "the end @all"))
    assert text.splitlines()[-1].startswith("and ")
    assert mentions(text) == frozenset()


def test_long_answers_are_cut() -> None:
    """Fifty lines are shown, and where the rest is."""
    lines = [f"line {number}" for number in range(60)]
    text = spell(Reply(["head"], lines, "https://page/x"))
    assert text.splitlines()[0] == "head"
    assert text.splitlines()[-1] == "and 11 more lines: https://page/x"
    assert sum(line.startswith("line") for line in text.splitlines()) == 49
    assert spell(Reply([], lines)).endswith("and 10 more lines")
    assert spell(say(*lines)).splitlines()[-1] == "and 10 more lines"
    assert spell(Reply([], ["x\n" * 60])).endswith("and 10 more lines")
    assert spell(Reply([], ["x" * 400] * 50)).endswith("and 11 more lines")
    assert len(spell(Reply([], ["x" * 5000]))) < 500
    assert len(spell(Reply(["x" * 5000] * 50, ["y" * 5000] * 50, "z" * 5000))) <= LONGEST_POST


def test_answers_have_the_form_that_is_asked_for() -> None:
    """For the caller alone, and never translated from Slack's notation."""
    button = {"actions": [{"id": "x"}]}
    answer = as_response(Reply(["done"], attachments=[button]))
    assert answer == {
        "response_type": "ephemeral",
        "text": "done",
        "skip_slack_parsing": True,
        "attachments": [button],
    }
    assert "attachments" not in as_response(say("done"))
    assert as_click_answer(Reply()) == {}
    assert as_click_answer(refuse("no")) == {"ephemeral_text": "no", "skip_slack_parsing": True}
    assert refuse("no").is_refusal
