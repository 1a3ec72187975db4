"""What may be asked in the chat, and how a text is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.chat.grammar import SHAPES, list_help, read_text, spell_usage
from autoctrl.errors import UsageError
from autoctrl.model.role import Role
from autoctrl.model.verb import VERBS

CONTRACT = {
    Role.NOBODY: {"help"},
    Role.VIEWER: {"status", "why", "failed", "incidents", "quota"},
    Role.SHIFTER: {"retry", "skip", "ack", "mute"},
    Role.OPERATOR: {"reprocess", "fail", "complete", "pause", "resume"},
    Role.ADMIN: {"deploy"},
}


def test_each_role_has_its_verbs() -> None:
    """As the table of the roles has it, and no others."""
    found = {role: {name for name, one in SHAPES.items() if one.role is role} for role in Role}
    assert found == CONTRACT


def test_nothing_leads_out_of_the_chat() -> None:
    """What names files, folders, programs or other projects does not exist here."""
    options = {name for shape in SHAPES.values() for name in shape.options}
    assert options == {"campaign", "dry-run", "runs", "limit", "all", "for", "downstream"}


@pytest.mark.parametrize(
    ("text", "words", "options", "reason"),
    [
        ("", {}, {}, ""),
        ("help why", {"VERB": "why"}, {}, ""),
        ("autoctrl STATUS --limit 5", {}, {"limit": "5"}, ""),
        ("status --limit=5", {}, {"limit": "5"}, ""),
        ("why 1 reco --campaign re", {"RUN": "1", "WORKFLOW": "reco"}, {"campaign": "re"}, ""),
        (
            "retry 1-3,5 reco the node was down --dry-run",
            {"RUNS": "1-3,5", "WORKFLOW": "reco"},
            {"dry-run": ""},
            "the node was down",
        ),
        (
            'retry 1 reco --reason "the  node"',
            {"RUNS": "1", "WORKFLOW": "reco"},
            {},
            "the node",
        ),
        ('pause reco "--all of it"', {"WORKFLOW": "reco"}, {}, "--all of it"),
        ("resume reco", {"WORKFLOW": "reco"}, {}, ""),
        ("mute 3f 2h access to it", {"ID": "3f", "TIME": "2h"}, {}, "access to it"),
        ("mute 3f access to it", {"ID": "3f"}, {}, "access to it"),
        ("mute 3f --for 2h access", {"ID": "3f"}, {"for": "2h"}, "access"),
        ("ack 3f", {"ID": "3f"}, {}, ""),
        ("incidents --all", {}, {"all": ""}, ""),
        ("deploy prod v1", {"ENV": "prod", "REF": "v1"}, {}, ""),
    ],
)
def test_a_text_is_read(
    text: str, words: dict[str, str], options: dict[str, str], reason: str
) -> None:
    """Options stand anywhere; what is behind the words that a verb takes is the reason."""
    asked = read_text(text)
    assert (dict(asked.words), dict(asked.options), asked.reason) == (words, options, reason)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("statsu", "Did you mean 'status'?"),
        ("rm -rf", "There is no verb 'rm' in chat."),
        ("retry 1", "retry needs RUNS WORKFLOW. Say /autoctrl retry RUNS WORKFLOW reason…"),
        ("retry 1 reco", "retry needs a reason"),
        ("retry 1 reco --reason ''", "--reason needs TEXT."),
        ("retry 1 reco why --reason x", "'why' is too much."),
        ("retry 1 reco x --dryrun", "Did you mean '--dry-run'?"),
        ("retry 1 reco x --dry-run=no", "--dry-run needs no value."),
        ("retry 1 reco x --project /tmp", "retry has no option --project in chat."),
        ("complete 1 reco x --output /etc/passwd", "no option --output"),
        ("status --environment mirror", "no option --environment"),
        ("status --code HEAD", "no option --code"),
        ("status --debug", "no option --debug"),
        ("status --reason x", "no option --reason"),
        ("status --limit", "--limit needs N."),
        ("status now", "'now' is too much. Say /autoctrl status [--campaign NAME]"),
        (f"pause reco {'x' * 501}", "more than 500 characters"),
        ("help nowhere", ""),
    ],
)
def test_what_cannot_be_read_is_said(text: str, complaint: str) -> None:
    """With what is nearest, and how it is said."""
    if not complaint:
        with pytest.raises(UsageError, match="no verb 'nowhere'"):
            list_help(Role.ADMIN, "nowhere")
        return
    with pytest.raises(UsageError) as refusal:
        read_text(text)
    assert complaint in str(refusal.value)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing that a person types breaks it."""
    try:
        assert read_text(text).verb in SHAPES
    except UsageError as error:
        assert error.message  # noqa: PT017 - it either is read or says why not


def test_help_lists_what_one_may_say() -> None:
    """A line each, in columns; of one verb all of its options."""
    assert list_help(Role.NOBODY) == ["help [VERB]  what you may say here"]
    lines = list_help(Role.SHIFTER)
    assert len(lines) == 10
    assert len({line.index(SHAPES[line.split()[0]].does) for line in lines}) == 1
    usage = spell_usage("retry")
    assert usage == "Say /autoctrl retry RUNS WORKFLOW reason… [--campaign NAME] [--dry-run]"
    assert list_help(Role.VIEWER, "Retry") == [usage, f"retry: {VERBS['retry'].does} (shifter)"]
