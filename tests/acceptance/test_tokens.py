"""Tokens and logins of programs, as a person at the command line meets them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from autoctrl.login.tokens import SHAPE
from tests.acceptance.project import ask
from tests.fakes.oidc import FakeProvider

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "autoctrl.toml").write_text("")
    return tmp_path


def test_a_token_is_shown_once(folder: Path) -> None:
    """It is printed alone, listed without what it is, and gone when it is revoked."""
    made = ask(folder, "token", "create", "--role", "shifter", "--name", "a notebook")
    token = made.out.strip()
    assert SHAPE.fullmatch(token)
    assert "not shown again" in made.err
    listed = ask(folder, "token", "list").out
    assert token[3:11] in listed
    assert "shifter" in listed
    assert "a notebook" in listed
    assert "never" in listed
    assert token not in listed
    (known,) = json.loads(ask(folder, "token", "list", "--format", "json").out)["tokens"]
    assert (known["id"], known["role"], known["used"]) == (token[3:11], "shifter", None)
    assert ask(folder, "token", "revoke", token[3:11]).code == 0
    assert ask(folder, "token", "list").out == "There is no token.\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("token", "create", "--expires", "soon"), "'soon' is not a duration."),
        (("token", "create", "--expires", "0"), "must last for a while"),
        (("token", "create", "--role", "owner"), "owner"),
        (("token", "revoke", "00000000"), "There is no token '00000000'."),
        (("login", "nowhere"), "is not the address of a page that answers"),
    ],
)
def test_what_makes_no_sense_is_said(folder: Path, words: tuple[str, ...], says: str) -> None:
    """With what to do instead."""
    said = ask(folder, *words)
    assert said.code == 2
    assert says in said.err


def test_a_page_without_this_login(folder: Path) -> None:
    """Whatever else answers at an address is no page that lets programs in."""
    with FakeProvider() as other, other.violation("/login/device"):
        said = ask(folder, "login", other.url)
    assert said.code == 2
    assert "does not offer this login" in said.err
