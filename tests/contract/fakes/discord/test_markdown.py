"""Whom a text calls, and what of it stays inside code."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.discord import NOBODY, Mentions, Message, blocks, mentions

TEXT = "@everyone @here <@11> <@!12> <@&13> <#14>"
USERS = frozenset({"11", "12"})
ROLES = frozenset({"13"})


def message(content: str, allowed: dict[str, Any] | None, **more: Any) -> Message:
    given: dict[str, Any] = {
        "id": "1",
        "webhook_id": "2",
        "channel_id": "3",
        "content": content,
        "embeds": (),
        "username": "alarms",
        "avatar_url": None,
        "is_spoken": False,
        "flags": 0,
        "allowed_mentions": allowed,
        "posted_s": 0.0,
    }
    return Message(**{**given, **more})


@pytest.mark.parametrize(
    ("allowed", "called"),
    [
        ({"parse": []}, NOBODY),
        ({}, NOBODY),
        (None, Mentions(users=USERS)),
        ({"parse": ["everyone"]}, Mentions(is_everyone=True, is_here=True)),
        ({"parse": ["users"]}, Mentions(users=USERS)),
        ({"parse": ["roles"]}, Mentions(roles=ROLES)),
        ({"parse": [], "users": ["12", "99"]}, Mentions(users=frozenset({"12"}))),
        ({"parse": [], "roles": ["13"]}, Mentions(roles=ROLES)),
        ({"parse": ["users"], "roles": ["99"]}, Mentions(users=USERS)),
    ],
)
def test_only_who_may_be_called_is(allowed: dict[str, Any] | None, called: Mentions) -> None:
    """A message notifies whom its text names and its permission covers."""
    assert mentions(message(TEXT, allowed)) == called


@pytest.mark.parametrize("text", ["everyone", "@ everyone", "@\u200beveryone", "<@x>", "<@&>", ""])
def test_text_that_names_nobody_calls_nobody(text: str) -> None:
    """What only looks like a mention notifies nobody, whatever is allowed."""
    assert mentions(message(text, {"parse": ["everyone", "users", "roles"]})) == NOBODY


@pytest.mark.parametrize("text", ["\\@everyone", "`@everyone`", "```\n@everyone\n```"])
def test_escapes_and_code_are_not_trusted(text: str) -> None:
    """A mention counts although a backslash stands before it or code around it."""
    assert mentions(message(text, {"parse": ["everyone"]})) == Mentions(is_everyone=True)


def test_embeds_call_nobody() -> None:
    """A mention in an embed notifies nobody."""
    embeds = ({"title": TEXT, "description": TEXT},)
    called = mentions(message("", {"parse": ["everyone", "users", "roles"]}, embeds=embeds))
    assert called == NOBODY


@pytest.mark.parametrize(
    ("text", "inside", "spans", "outside"),
    [
        ("plain", (), (), "plain"),
        ("a ```\nx\ny\n``` b", ("x\ny",), (), "a  b"),
        ("```py\nx = 1\n```", ("x = 1",), (), ""),
        ("```x y```", ("x y",), (), ""),
        ("```\na\n``` ```\nb\n```", ("a", "b"), (), " "),
        ("```\na``` @b\n```\n", ("a",), (), " @b\n```\n"),
        ("```\na\n```\nOUT\n```\nb\n```", ("a", "b"), (), "\nOUT\n"),
        ("```a````", ("a",), (), "`"),
        ("```\na`` `b`\n```", ("a`` `b`",), (), ""),
        ("```\na\\```b", ("a\\",), (), "b"),
        ("```\na", (), (), "```\na"),
        ("``````", (), (), "``````"),
        ("say `x` and ``y`z``", (), ("x", "y`z"), "say  and "),
        ("`` ``` `` OUT", (), (" ``` ",), " OUT"),
        ("\\`\\`\\`\nx", (), (), "\\`\\`\\`\nx"),
        ("\\`x`", (), (), "\\`x`"),
    ],
)
def test_block_ends_at_the_first_three_backticks(
    text: str, inside: tuple[str, ...], spans: tuple[str, ...], outside: str
) -> None:
    """What follows three backticks in code has left it, whoever wrote them."""
    layout = blocks(text)
    assert layout.inside == inside
    assert layout.spans == spans
    assert layout.outside == outside


@pytest.mark.parametrize(
    ("text", "is_open"), [("```\na", True), ("```\na\n```", False), ("a ` b", False)]
)
def test_block_without_end_is_noticed(text: str, is_open: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Three backticks that nothing ends are noticed."""
    assert blocks(text).is_open is is_open


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("plain - text > 3 # 4", ""),
        ("*a* _b_ ~c~ |d| @e <f> [g]", "**__~~||@<[]"),
        ("\\*a\\* \\_b\\_ \\@c \\<d \\[e\\]", ""),
        ("```\n*a* @b\n``` `_c_`", ""),
        ("> a\n# b\n  - c", ">#-"),
        ("\\> a\n\\# b\n\\- c", ""),
        ("`open", "`"),
    ],
)
def test_marks_that_are_not_escaped_are_found(text: str, marks: str) -> None:
    """Markup counts outside of code and without a backslash, some of it only where lines begin."""
    assert blocks(text).marks == marks
