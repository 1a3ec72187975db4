"""Which commit a REF means, and whether an environment takes it. Pure: a REF is data."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BRANCH = "refs/heads/"
TAG = "refs/tags/"
LONGEST_REF = 200
COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
ILLEGAL = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(^|/)\.|\.lock(/|\Z)|[/.]\Z|\A[-/]|\A@\Z"
)
NEWEST = 5


class Rule(NamedTuple):
    """Which refs an environment takes.

    environment  its name
    patterns     patterns of whole ref names, as ``refs/tags/prod-*``
    branches     regular expression over whole names of branches, empty: none
    """

    environment: str
    patterns: tuple[str, ...] = ()
    branches: str = ""

    def takes(self, ref: str) -> bool:
        """Say whether the environment takes a ref, given by its full name."""
        branch = ref.removeprefix(BRANCH)
        if self.branches and branch != ref and re.fullmatch(self.branches, branch):
            return True
        return any(fnmatchcase(ref, pattern) for pattern in self.patterns)

    def __str__(self) -> str:
        """Say what is taken."""
        named = [*self.patterns, *([f"branches {self.branches}"] if self.branches else [])]
        return " and ".join(named) or "nothing"


class Resolved(NamedTuple):
    """What a REF means: the full name of a ref, and the commit at which it stands."""

    ref: str
    commit: str


def is_legal(ref: str) -> bool:
    """Say whether a text can be the name of a ref, and be shown to people."""
    is_short = 0 < len(ref) <= LONGEST_REF
    return is_short and ref.isprintable() and not ILLEGAL.search(ref)


def check_legal(ref: str) -> None:
    """Raise ``UsageError`` for a text that cannot be the name of a ref."""
    if not is_legal(ref):
        shown = ascii(ref[:LONGEST_REF])
        message = f"{shown} cannot be the name of a tag or a branch."
        raise UsageError(message, hint="Give a name as git shows it, such as prod-2026-11.")


def resolve(wanted: str, known: Mapping[str, str], rule: Rule) -> Resolved:
    """Return the ref that ``wanted`` means among the ``known`` ones, whose commits are given.

    A commit is taken where an allowed ref stands at it. Raises ``UsageError`` for a text that names
    no ref, and for a ref that the environment does not take.
    """
    check_legal(wanted)
    allowed = {ref: known[ref] for ref in sorted(known) if rule.takes(ref)}
    if COMMIT.fullmatch(wanted):
        refusal = f"No ref that {rule.environment} takes stands at {wanted}."
        return _only((ref for ref, at in allowed.items() if at == wanted), refusal, allowed)
    names = [name for name in _full_names(wanted) if name in known]
    if not names:
        message = f"There is no tag and no branch '{wanted}' in the repository."
        close = nearest(wanted, map(_short, [*allowed][-NEWEST:] or known))
        raise UsageError(message, hint=f"{close} It may have been deleted.")
    refusal = f"{rule.environment} takes {rule} only, and {names[0]} is none of these."
    return _only(filter(allowed.__contains__, names), refusal, allowed)


def choose_default(rule: Rule) -> str:
    """Return the ref that an environment follows when nobody names one.

    Raises ``UsageError`` where it may take several: then one must be named.
    """
    if len(rule.patterns) == 1 and not any(letter in rule.patterns[0] for letter in "*?["):
        return rule.patterns[0]
    message = f"Say which ref to deploy: {rule.environment} takes {rule}."
    raise UsageError(message, hint=f"As: autoctrl deploy {rule.environment} REF")


def _only(found: Iterable[str], refusal: str, allowed: Mapping[str, str]) -> Resolved:
    """Return the first of these refs. Raises ``UsageError`` if there is none."""
    ref = next(iter(found), None)
    if ref is None:
        some = ", ".join(map(_short, [*allowed][-NEWEST:]))
        raise UsageError(refusal, hint=f"It takes, for instance: {some}." if some else "")
    return Resolved(ref, allowed[ref])


def _full_names(wanted: str) -> tuple[str, ...]:
    if wanted.startswith("refs/"):
        return (wanted,)
    return (f"{TAG}{wanted}", f"{BRANCH}{wanted}", f"refs/{wanted}")


def _short(ref: str) -> str:
    return ref.removeprefix(BRANCH).removeprefix(TAG)


def read_listing(text: str) -> dict[str, str]:
    """Return the commit of every ref in what ``git ls-remote`` printed; a tag's is what it names.

    Lines that are no legal ref at a commit are left out, and so are names that are no UTF-8 or that
    a terminal cannot show: whoever pushes one names nothing that could be deployed.
    """
    refs: dict[str, str] = {}
    for line in text.split("\n"):
        commit, _, ref = line.partition("\t")
        name = ref.removesuffix("^{}")  # the commit that an annotated tag names follows the tag
        if COMMIT.fullmatch(commit) and is_legal(name):
            refs[name] = commit
    return refs
