"""Tokens on the page: made once, seen by their owner, ended with their owner's role."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.exceptions import HTTPException

from autoctrl.login.book import Book
from autoctrl.login.keyring import Keyring
from autoctrl.login.tokens import SHAPE, Maker
from autoctrl.model.role import Role
from autoctrl.web.entry.visitor import Visitor
from tests.unit.web.desk import Desk, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from httpx2 import Response

    from autoctrl.login.tokens import Token
    from autoctrl.web.site.state import Site

ANNA = Visitor(Role.SHIFTER, "anna", "iam 1", session="s1")
BERT = Visitor(Role.VIEWER, "bert", "iam 2", session="s2")
ROOT = Visitor(Role.ADMIN, "root", "iam 3", session="s3")
SECRET = re.compile(r"ac_[a-z0-9]{8}_[A-Za-z0-9_-]{43}")


class People:
    """Whoever sits at the desk, and the tokens that the page keeps."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk, self.now = Desk(), ANNA
        app: Any = self.desk.app
        self.site: Site = app.app.state.site
        self.site.gate.keyring = Keyring(Book(folder / "login.sqlite"))
        self._real = self.site.gate.visitor
        monkeypatch.setattr("autoctrl.web.entry.gate.Gate.is_closed", True)
        monkeypatch.setattr(self.site.gate, "visitor", self._say)

    def _say(self, headers: Any, peer: str) -> Visitor:
        if "authorization" in headers:
            known: Visitor = self._real(headers, peer)
            return known
        return self.now

    def page(self, code: int = 200) -> str:
        """Return what the page says to whoever sits there."""
        return self.desk.get("/tokens", code)

    def send(self, verb: str, **fields: str) -> Response:
        """Send the form."""
        cookie = self.desk.browser.cookies.get("autoctrl_form") or ""
        token = self.site.guard.token(cookie, self.now.session)
        form = {"verb": verb, "token": token, **fields}
        return self.desk.browser.post("/tokens", data=form, headers={"Origin": "http://127.0.0.1"})

    def make(self, role: str = "viewer", **changes: str) -> Response:
        """Have a token made."""
        return self.send(
            "create-token", **{"reason": "a notebook", "role": role, "span": "30d"} | changes
        )

    def tokens(self) -> list[Token]:
        """Return the tokens that are kept."""
        return self.site.gate.keyring.list()

    def read(self, secret: str) -> int:
        """Return how a program with a token is answered."""
        headers = {"Authorization": f"Bearer {secret}"}
        return self.desk.browser.get("/api/campaigns", headers=headers).status_code

    def comes(self, visitor: Visitor, role: Role) -> None:
        """Let somebody come by a login that gives them a role."""
        self.site.gate._admit(role, visitor)


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> People:
    made = People(tmp_path, monkeypatch)
    made.page()
    return made


def secret_in(answer: Response) -> str:
    """Return the token that a page shows; it stands there once."""
    assert answer.status_code == 200, answer.text
    (secret,) = SECRET.findall(answer.text)
    return str(secret)


def test_a_token_is_shown_once(people: People) -> None:
    """It opens the page as its maker; its page lists it without what it is, and only to its maker
    and to an admin; revoked it opens nothing.
    """
    secret = secret_in(people.make("shifter"))
    assert SHAPE.fullmatch(secret)
    assert people.read(secret) == 200
    page = people.page()
    assert secret not in page
    assert "a notebook" in text_of(page)
    assert "1 token" in text_of(page)
    (token,) = people.tokens()
    assert (token.maker, token.subject, token.role) == ("anna", "iam 1", Role.SHIFTER)
    assert token.expires - token.made == timedelta(days=30)
    people.now = BERT
    assert "0 tokens" in text_of(people.page())
    assert "You have no token" in people.send("revoke-token", id=token.id).text
    assert people.read(secret) == 200
    people.now = ROOT
    assert "anna" in text_of(people.page())
    gone = people.send("revoke-token", id=token.id)
    assert gone.status_code == 303
    assert f"Token {token.id} is revoked" in people.desk.get(gone.headers["location"])
    assert people.read(secret) == 401


def test_an_owner_revokes(people: People) -> None:
    """What was revoked is gone from the list."""
    people.make()
    (token,) = people.tokens()
    assert people.send("revoke-token", id=token.id).status_code == 303
    assert people.tokens() == []


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"role": "operator"}, 409, "cannot be made by somebody of the role shifter"),
        ({"role": "owner"}, 409, "that the form offers"),
        ({"span": "9999d"}, 409, "that the form offers"),
        ({"reason": ""}, 400, "Give a reason"),
        ({"token": "x"}, 403, "This form is older"),
    ],
)
def test_what_is_refused(people: People, changes: dict[str, str], code: int, words: str) -> None:
    """Nobody makes more than they are, for ever, or from another page."""
    answer = people.make(**changes)
    assert answer.status_code == code
    assert words in answer.text
    assert people.tokens() == []


def test_not_too_many(people: People) -> None:
    """One person has fifty at most; another one has fifty of their own."""
    keyring, now = people.site.gate.keyring, people.desk.scene.clock.now()
    for _ in range(50):
        keyring.make("x", Role.VIEWER, Maker("anna", Role.SHIFTER, "iam 1"), now, timedelta(1))
    assert "You have 50 tokens" in people.make().text
    people.now = BERT
    people.page()
    assert people.make().status_code == 200


def test_only_people_make_tokens(people: People) -> None:
    """Neither one of the public nor a program sees the page, nor does a program make one there."""
    people.now = Visitor(Role.VIEWER, is_known=False, is_member=False)
    assert "log in" in people.page(403)
    people.now = ANNA._replace(via="api", subject="token t1", session="")
    assert "A token makes and revokes none" in people.page(403)
    assert people.make().status_code == 403


def test_a_token_ends_with_its_makers_role(people: People) -> None:
    """When its maker comes with a lesser role it opens no more than that, with none nothing; with
    the role it comes back. One that was made on the server is bound to nobody.
    """
    secret = secret_in(people.make("shifter"))
    clock, gate = people.desk.scene.clock, people.site.gate
    theirs = gate.keyring.make("ci", Role.OPERATOR, Maker("root"), clock.now(), timedelta(days=1))
    headers: Any = {"authorization": f"Bearer {secret}"}
    for role, may in ((Role.VIEWER, Role.VIEWER), (Role.ADMIN, Role.SHIFTER)):
        people.comes(ANNA, role)
        assert people._real(headers, "127.0.0.1").role is may
        clock.advance(120)
    people.comes(BERT, Role.NOBODY)
    assert people.read(secret) == 200
    people.comes(ANNA, Role.VIEWER)
    assert "viewer was made as shifter" in text_of(people.page())
    people.comes(ANNA, Role.NOBODY)
    with pytest.raises(HTTPException, match="not good"):
        people._real(headers, "127.0.0.1")
    assert people.read(theirs) == 200


def test_a_file_of_an_earlier_time(tmp_path: Path, people: People) -> None:
    """Tokens that were made before makers were kept open what they did."""
    clock = people.desk.scene.clock
    secret = people.site.gate.keyring.make(
        "old", Role.VIEWER, Maker("root"), clock.now(), timedelta(days=1)
    )
    with Book(tmp_path / "login.sqlite").writing() as connection:
        connection.execute("DROP TABLE owners")
        connection.execute("DROP TABLE people")
    token = Keyring(Book(tmp_path / "login.sqlite")).recognise(secret, clock.now())
    assert token is not None
    assert token.may is Role.VIEWER
