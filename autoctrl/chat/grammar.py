"""What may be asked in the chat: a table of verbs, and how a text is read by it. Pure.

Verbs and options are those of the command line. What is not in the table does not exist in chat.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.chat.words import Word, split_words
from autoctrl.errors import UsageError, nearest
from autoctrl.model.actor import LONGEST_REASON
from autoctrl.model.role import Role
from autoctrl.model.verb import VERBS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAM = "/autoctrl"
FLAG = ""
DURATION = re.compile(r"[0-9.]+(s|min|h)")
NO_REASON, MAY_HAVE_REASON, NEEDS_REASON = range(3)
OF_CAMPAIGN = {"campaign": "NAME"}
OF_TASKS = {**OF_CAMPAIGN, "dry-run": FLAG}


class Shape(NamedTuple):
    """How a verb is said.

    role     who may say it
    does     what it does
    takes    the words that follow it; those in brackets may be left out
    options  what each option is called, by its name; a flag has none
    reason   whether a reason follows
    """

    role: Role
    does: str
    takes: tuple[str, ...] = ()
    options: Mapping[str, str] = OF_CAMPAIGN
    reason: int = NO_REASON


def _shape(verb: str, takes: tuple[str, ...], options: Mapping[str, str], reason: int) -> Shape:
    """Return how one of the operator's verbs is said in the chat."""
    return Shape(*VERBS[verb], takes, options, reason)


RUNS = ("RUNS", "WORKFLOW")
SHAPES: Mapping[str, Shape] = {
    "status": Shape(
        Role.VIEWER,
        "where the newest runs stand, and why tasks wait or failed",
        options={**OF_CAMPAIGN, "runs": "RUNS", "limit": "N"},
    ),
    "why": Shape(Role.VIEWER, "where a run's task stands, and why", ("RUN", "WORKFLOW")),
    "failed": Shape(Role.VIEWER, "what has failed for good"),
    "incidents": Shape(
        Role.VIEWER,
        "the open incidents, or one",
        ("[ID]",),
        {**OF_CAMPAIGN, "all": FLAG},
    ),
    "quota": Shape(Role.VIEWER, "how much room is left", options={}),
    "help": Shape(Role.NOBODY, "what you may say here", ("[VERB]",), {}),
    "retry": _shape("retry", RUNS, OF_TASKS, NEEDS_REASON),
    "skip": _shape("skip", RUNS, OF_TASKS, NEEDS_REASON),
    "ack": _shape("ack", ("ID",), OF_CAMPAIGN, MAY_HAVE_REASON),
    "mute": _shape("mute", ("ID", "[TIME]"), {**OF_CAMPAIGN, "for": "TIME"}, NEEDS_REASON),
    "reprocess": _shape("reprocess", RUNS, {**OF_TASKS, "downstream": FLAG}, NEEDS_REASON),
    "fail": _shape("fail", RUNS, OF_TASKS, NEEDS_REASON),
    "complete": _shape("complete", RUNS, OF_TASKS, NEEDS_REASON),
    "pause": _shape("pause", ("WORKFLOW",), OF_CAMPAIGN, NEEDS_REASON),
    "resume": _shape("resume", ("WORKFLOW",), OF_CAMPAIGN, MAY_HAVE_REASON),
    "deploy": _shape("deploy", ("ENV", "[REF]"), {}, NO_REASON),
}


class Asked(NamedTuple):
    """What a person asks for.

    verb     one of the table
    words    what follows it, by what it is called in the table without brackets
    options  what was given, by name; a flag is empty
    reason   why, empty if nothing was said
    """

    verb: str
    words: Mapping[str, str]
    options: Mapping[str, str]
    reason: str = ""


def read_text(text: str) -> Asked:
    """Return what a text asks for; nothing at all asks for help. Raises ``UsageError``."""
    words = split_words(text)
    if words and words[0].text in {"autoctrl", PROGRAM}:  # as it is said on the command line
        words = words[1:]
    if not words:
        return Asked("help", {}, {})
    return _read_verb(_find_verb(words[0].text), words[1:])


def _find_verb(text: str) -> str:
    """Return the verb that a word means. Raises ``UsageError`` if there is none."""
    verb = text.lower()
    if verb not in SHAPES:
        message = f"There is no verb '{text[:40]}' in chat. {nearest(verb, SHAPES)}"
        raise UsageError(message, hint=f"Say {PROGRAM} help.")
    return verb


def _read_verb(verb: str, words: Sequence[Word]) -> Asked:
    shape = SHAPES[verb]
    allowed = {**shape.options, **({"reason": "TEXT"} if shape.reason else {})}
    given, rest = _split_options(verb, allowed, words)
    taken, others = _take(verb, shape, rest)
    said = given.pop("reason", "")
    reason = " ".join(said.split()) or " ".join(word.text for word in others)
    if others and (said or shape.reason == NO_REASON):
        message = f"'{others[0].text[:40]}' is too much."
        raise UsageError(message, hint=spell_usage(verb))
    if not reason and shape.reason == NEEDS_REASON:
        message = f"{verb} needs a reason, for those who read the history."
        raise UsageError(message, hint=spell_usage(verb))
    if len(reason) > LONGEST_REASON:
        message = f"The reason has more than {LONGEST_REASON} characters."
        raise UsageError(message, hint="Say it in fewer words.")
    return Asked(verb, taken, given, reason)


def _split_options(
    verb: str, allowed: Mapping[str, str], words: Sequence[Word]
) -> tuple[dict[str, str], list[Word]]:
    """Return the options, wherever they stand, and the other words. Raises ``UsageError``."""
    given: dict[str, str] = {}
    rest: list[Word] = []
    waiting = iter(words)
    for word in waiting:
        if not word.is_option:
            rest.append(word)
            continue
        name, equals, value = word.text[2:].partition("=")
        what = _find_option(verb, allowed, name)
        if what != FLAG and not equals:
            value = next(waiting, Word("")).text
        if bool(value) != (what != FLAG):
            message = f"--{name} needs {what or 'no value'}."
            raise UsageError(message, hint=spell_usage(verb))
        given[name] = value
    return given, rest


def _find_option(verb: str, allowed: Mapping[str, str], name: str) -> str:
    """Return what an option's value is called. Raises ``UsageError`` if there is no such option."""
    if name in allowed:
        return allowed[name]
    known = nearest(f"--{name}", [f"--{one}" for one in allowed])
    message = f"{verb} has no option --{name[:40]} in chat. {known}"
    raise UsageError(message, hint="A reason that begins like an option stands in quotes.")


def _take(verb: str, shape: Shape, rest: Sequence[Word]) -> tuple[dict[str, str], Sequence[Word]]:
    """Return the words that a verb takes, and those behind them. Raises ``UsageError``."""
    taken: dict[str, str] = {}
    position = 0
    for name in shape.takes:
        is_there = position < len(rest)
        if name == "[TIME]":
            is_there = is_there and bool(DURATION.fullmatch(rest[position].text))
        if is_there:
            taken[name.strip("[]")] = rest[position].text
            position += 1
        elif not name.startswith("["):
            message = f"{verb} needs {' '.join(shape.takes)}."
            raise UsageError(message, hint=spell_usage(verb))
    return taken, rest[position:]


def spell_usage(verb: str) -> str:
    """Return how a verb is said."""
    shape = SHAPES[verb]
    options = [f"[--{name}{f' {value}' if value else ''}]" for name, value in shape.options.items()]
    reason = ("", "[reason…]", "reason…")[shape.reason]
    return f"Say {' '.join(filter(None, [PROGRAM, verb, *shape.takes, reason, *options]))}"


def list_help(role: Role, verb: str = "") -> list[str]:
    """Return what somebody of a role may say, or how one verb is said. Raises ``UsageError``."""
    if verb:
        verb = _find_verb(verb)
        return [f"{spell_usage(verb)}", f"{verb}: {SHAPES[verb].does} ({SHAPES[verb].role})"]
    mine = {name: shape for name, shape in SHAPES.items() if shape.role <= role}
    heads = {name: spell_usage(name).removeprefix(f"Say {PROGRAM} ") for name in mine}
    width = max((len(_without_options(head)) for head in heads.values()), default=0)
    return [
        f"{_without_options(heads[name]):<{width}}  {shape.does}" for name, shape in mine.items()
    ]


def _without_options(usage: str) -> str:
    return usage.partition(" [--")[0]
