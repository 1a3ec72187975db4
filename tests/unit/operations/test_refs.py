"""Which commit a REF means, and whether an environment takes it."""

from __future__ import annotations

import pytest

from autoctrl.errors import UsageError
from autoctrl.operations.deployment.refs import (
    Resolved,
    Rule,
    check_legal,
    choose_default,
    read_listing,
    resolve,
)

FIRST, SECOND, OTHER = "1" * 40, "2" * 40, "3" * 40
KNOWN = {
    "refs/tags/prod-1": FIRST,
    "refs/tags/prod-2": SECOND,
    "refs/tags/test-1": OTHER,
    "refs/heads/main": OTHER,
    "refs/heads/prod-2": OTHER,
    "refs/heads/feature/x": FIRST,
}
PRODUCTION = Rule("production", ("refs/tags/prod-*",))
MIRROR = Rule("mirror", branches="feature/.*|dev-.*")


@pytest.mark.parametrize(
    "text",
    [
        "--upload-pack=touch owned",
        "-d",
        "/etc/passwd",
        "../prod-1",
        "refs/tags/../heads/main",
        "a//b",
        ".hidden",
        "a/.hidden",
        "prod-1/",
        "prod-1.",
        "prod-1^{tree}",
        "prod-1~1",
        "prod-1:autoctrl.toml",
        "@{-1}",
        "@",
        "prod 1",
        "prod-1\n",
        "prod-1\x7f",
        "prod-1\u2028",
        "prod-\u202e1",
        "prod-\udcff",
        "prod-*",
        "prod-[1]",
        "a\\b",
        "ext::sh -c touch% owned",
        "prod-1.lock",
        "prod-1.lock/x",
        "x" * 300,
        "",
    ],
)
def test_a_text_that_is_no_name_is_refused(text: str) -> None:
    """Options, paths, revisions and patterns are no names of refs."""
    with pytest.raises(UsageError, match="cannot be the name of a tag or a branch"):
        check_legal(text)


@pytest.mark.parametrize("text", ["prod-1", "feature/a-b_c.d", "refs/tags/v1", "été", "a@b"])
def test_names_are_taken(text: str) -> None:
    """What git takes for a name is one."""
    check_legal(text)


@pytest.mark.parametrize(
    ("wanted", "rule", "ref"),
    [
        ("prod-1", PRODUCTION, "refs/tags/prod-1"),
        ("tags/prod-1", PRODUCTION, "refs/tags/prod-1"),
        ("refs/tags/prod-1", PRODUCTION, "refs/tags/prod-1"),
        ("prod-2", PRODUCTION, "refs/tags/prod-2"),
        (SECOND, PRODUCTION, "refs/tags/prod-2"),
        ("feature/x", MIRROR, "refs/heads/feature/x"),
        (FIRST, MIRROR, "refs/heads/feature/x"),
    ],
)
def test_a_name_means_the_ref_that_is_taken(wanted: str, rule: Rule, ref: str) -> None:
    """A short name, a whole name, or the commit at which an allowed ref stands."""
    assert resolve(wanted, KNOWN, rule) == Resolved(ref, KNOWN[ref])


@pytest.mark.parametrize(
    ("wanted", "rule", "sentence"),
    [
        ("main", PRODUCTION, "production takes refs/tags/prod-* only, and refs/heads/main is none"),
        ("refs/heads/prod-2", PRODUCTION, "refs/heads/prod-2 is none of these"),
        ("test-1", PRODUCTION, "It takes, for instance: prod-1, prod-2."),
        (OTHER, PRODUCTION, f"No ref that production takes stands at {OTHER}"),
        ("prod-3", PRODUCTION, "no branch 'prod-3' in the repository"),
        ("prod-1", MIRROR, "takes branches feature/.*|dev-.* only, and refs/tags/prod-1 is none"),
        ("xfeature/x", MIRROR, "no branch 'xfeature/x'"),
        ("main", Rule("nothing"), "nothing takes nothing only"),
    ],
)
def test_a_ref_that_is_not_taken_is_refused(wanted: str, rule: Rule, sentence: str) -> None:
    """The sentence says what the environment takes."""
    with pytest.raises(UsageError) as caught:
        resolve(wanted, KNOWN, rule)
    assert sentence in str(caught.value)


def test_the_expression_of_branches_must_match_the_whole_name() -> None:
    """A name that only begins like an allowed one is not allowed."""
    assert MIRROR.takes("refs/heads/dev-1")
    assert not MIRROR.takes("refs/heads/xdev-1")
    assert not MIRROR.takes("refs/heads/main/dev-1")
    assert not MIRROR.takes("dev-1")
    assert not MIRROR.takes("refs/tags/dev-1")


def test_a_listing_gives_the_commit_that_a_tag_names() -> None:
    """An annotated tag stands at the commit behind it; nonsense is left out."""
    listing = (
        f"{FIRST}\trefs/tags/prod-1\n{SECOND}\trefs/tags/prod-1^{{}}\n{OTHER}\trefs/heads/main\n"
        f"warning: nonsense\n{OTHER}\t\n{OTHER}\trefs/heads/-x y\nshort\trefs/heads/a\n"
    )
    assert read_listing(listing) == {"refs/tags/prod-1": SECOND, "refs/heads/main": OTHER}


def test_a_name_that_cannot_be_shown_is_left_out_and_pretends_to_be_no_other() -> None:
    """What some take for the end of a line is none; what is no UTF-8 cannot be deployed."""
    names = ("refs/heads/main\u2028x", "refs/heads/main\x85", "refs/heads/\udcff", "refs/heads/é")
    listing = "".join(f"{FIRST}\t{name}\n" for name in names)
    assert read_listing(listing) == {"refs/heads/é": FIRST}


def test_what_an_environment_follows() -> None:
    """One plain ref is what it follows; of several, one must be named."""
    assert choose_default(Rule("stage", ("refs/heads/main",))) == "refs/heads/main"
    for rule in (PRODUCTION, Rule("stage", ("refs/heads/a", "refs/heads/b")), MIRROR):
        with pytest.raises(UsageError, match="Say which ref to deploy"):
            choose_default(rule)
