"""How tokens are spelled."""

from __future__ import annotations

import pytest

from autoctrl.book import digest_of
from autoctrl.errors import UsageError
from autoctrl.login.tokens import SHAPE, check_role, id_in, spell_token
from autoctrl.model.role import Role


def test_a_token_says_what_it_is() -> None:
    """A scanner of files finds it by its beginning; its id stands in it; no two are alike."""
    tokens = {spell_token() for _ in range(50)}
    assert len(tokens) == 50
    assert all(SHAPE.fullmatch(token) and len(token) == 55 for token in tokens)
    assert {id_in(token) for token in tokens} == {token[3:11] for token in tokens}


@pytest.mark.parametrize("text", ["", "ac_", "ac_12345678_short", "xx" + "a" * 53])
def test_other_texts_have_no_id(text: str) -> None:
    """What is not spelled as a token is none."""
    assert id_in(text) is None


def test_what_is_kept_opens_nothing() -> None:
    """The digest differs for every token and is not the token."""
    assert digest_of("a") != digest_of("b")
    assert b"secret" not in digest_of("secret")


def test_nobody_makes_more_than_they_are() -> None:
    """A shifter makes tokens for shifters and viewers only."""
    check_role(Role.VIEWER, Role.SHIFTER)
    check_role(Role.SHIFTER, Role.SHIFTER)
    with pytest.raises(UsageError, match=r"role operator cannot be made by .* shifter"):
        check_role(Role.OPERATOR, Role.SHIFTER)
