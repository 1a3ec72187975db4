"""Who may ask the fake of Jenkins, with what, and what it says to all others."""

from __future__ import annotations

import json
import re

import pytest

from tests.contract.fakes.caller import Caller, Reply
from tests.contract.fakes.jenkins_scene import FORM, Person, basic, pipeline
from tests.fakes.jenkins import READER, Jenkins, Site, User

ISSUER = "/crumbIssuer/api/json"
TOKENS = "/user/{}/descriptorByName/jenkins.security.ApiTokenProperty/generateNewToken"


@pytest.fixture
def bob(jenkins_server: Jenkins) -> User:
    """Who has a password."""
    return jenkins_server.add_user("bob", has_password=True)


@pytest.fixture(autouse=True)
def job(jenkins_server: Jenkins) -> None:
    jenkins_server.add_item("a/b", pipeline())


def test_a_token_needs_no_crumb(ada: Person, jenkins_server: Jenkins) -> None:
    """A token has 34 characters, and a POST by it needs no crumb; a wrong crumb is no matter."""
    assert re.fullmatch("11[0-9a-f]{32}", jenkins_server.state.users["ada"].token)
    assert ada.post("/job/a/job/b/disable").status == 302
    assert ada.post("/job/a/job/b/enable", headers={"Jenkins-Crumb": "wrong"}).status == 302


@pytest.mark.parametrize(
    "header",
    [
        basic("nobody", "11" + "a" * 32),
        basic("ada", "11" + "a" * 32),
        basic("ada", "wrong"),
        basic("ada", ""),
        {"Authorization": "Basic ada"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic YWRh"},
    ],
)
def test_wrong_credentials_are_never_anonymous(
    jenkins_server: Jenkins, header: dict[str, str]
) -> None:
    """A wrong user, password or token, or a broken header, is 401 even where all may read."""
    jenkins_server.add_user("ada")
    jenkins_server.access.anonymous.permissions = set(READER)
    reply = Caller(jenkins_server.port)("GET", "/api/json", headers=header)
    assert reply.status == 401
    assert "Basic" in reply.headers["WWW-Authenticate"]


def test_other_credentials_are_unknown(jenkins_server: Jenkins) -> None:
    """The contract knows no other kind of credentials."""
    header = {"Authorization": "Bearer x"}
    with jenkins_server.violation("Bearer"):
        assert Caller(jenkins_server.port)("GET", "/api/json", headers=header).status == 403


def test_an_expired_token_is_refused(ada: Person, jenkins_server: Jenkins) -> None:
    """A token that has ended is 401."""
    assert ada.get("/api/json").status == 200
    jenkins_server.expire_tokens(jenkins_server.state.users["ada"])
    assert ada.get("/api/json").status == 401


def test_anonymous_sees_what_all_may_see(jenkins_server: Jenkins) -> None:
    """Without credentials one is refused with a page that leads to the login, or served."""
    nobody = Caller(jenkins_server.port)
    reply = nobody("GET", "/api/json")
    assert (reply.status, b"/login" in reply.body) == (403, True)
    jenkins_server.access.anonymous.permissions = set(READER)
    assert nobody("GET", "/job/a/job/b/api/json?tree=name").json["name"] == "b"
    assert nobody("POST", "/job/a/job/b/build").status == 403


def issue(server: Jenkins, user: User) -> tuple[str, str]:
    """Return a crumb and the cookie of its session."""
    reply = Person(server.port, user.name, user.password).get(ISSUER)
    assert reply.json.keys() == {"_class", "crumb", "crumbRequestField"}
    assert reply.json["_class"] == "hudson.security.csrf.DefaultCrumbIssuer"
    assert reply.json["crumbRequestField"] == "Jenkins-Crumb"
    assert re.fullmatch("[0-9a-f]{64}", reply.json["crumb"])
    cookie = reply.headers["Set-Cookie"]
    assert re.fullmatch(r"JSESSIONID\.[0-9a-f]{8}=\w+; Path=/; HttpOnly", cookie)
    return reply.json["crumb"], cookie.partition(";")[0]


def disable(server: Jenkins, user: User, crumb: str, cookie: str) -> Reply:
    """Send a POST by a password."""
    headers = {"Jenkins-Crumb": crumb, "Cookie": cookie}
    return Person(server.port, user.name, user.password).post("/job/a/job/b/disable", "", headers)


def test_a_password_needs_crumb_and_session(jenkins_server: Jenkins, bob: User) -> None:
    """A POST by a password needs a crumb and the session of it; both die with a restart."""
    crumb, cookie = issue(jenkins_server, bob)
    assert disable(jenkins_server, bob, crumb, cookie).status == 302
    refused = [
        disable(jenkins_server, bob, "", cookie),
        disable(jenkins_server, bob, crumb, ""),
        disable(jenkins_server, bob, "0" * 64, cookie),
        disable(jenkins_server, bob, crumb, issue(jenkins_server, bob)[1]),
    ]
    assert {reply.status for reply in refused} == {403}
    assert b"No valid crumb was included in the request" in refused[0].body
    jenkins_server.restart()
    assert disable(jenkins_server, bob, crumb, cookie).status == 403
    assert disable(jenkins_server, bob, *issue(jenkins_server, bob)).status == 302


def test_a_crumb_belongs_to_its_user(jenkins_server: Jenkins, bob: User) -> None:
    """A crumb of one user is worth nothing to another in the same session."""
    eve = jenkins_server.add_user("eve", has_password=True)
    crumb, cookie = issue(jenkins_server, bob)
    assert disable(jenkins_server, eve, crumb, cookie).status == 403


def test_a_crumb_may_stand_in_the_form(jenkins_server: Jenkins, bob: User) -> None:
    """A form field carries a crumb as well as a header, and a GET needs none."""
    crumb, cookie = issue(jenkins_server, bob)
    headers = {**FORM, "Cookie": cookie}
    person = Person(jenkins_server.port, bob.name, bob.password)
    assert person.get("/api/json").status == 200
    assert person.post("/job/a/job/b/enable", f"Jenkins-Crumb={crumb}", headers).status == 302


def test_csrf_protection_may_be_off() -> None:
    """Without the protection there is no issuer, and a POST needs no crumb."""
    with Jenkins(Site(is_csrf_on=False)) as server:
        bob = server.add_user("bob", has_password=True)
        server.add_item("a/b", pipeline())
        assert Person(server.port, "bob", bob.password).get(ISSUER).status == 404
        assert disable(server, bob, "", "").status == 302


def test_a_token_is_made_and_shown_once(ada: Person, jenkins_server: Jenkins) -> None:
    """One makes tokens of one's own, with an expiry in days or none."""
    path = TOKENS.format("ada")
    reply = ada.post(path, "newTokenName=ci&expirationDuration=never", FORM).json
    assert reply["status"] == "ok"
    names = {"tokenUuid", "tokenName", "tokenValue", "expirationDate", "aboutToExpire"}
    assert reply["data"].keys() == names
    short = ada.post(path, "newTokenName=ci&expirationDuration=1", FORM).json["data"]["tokenValue"]
    for value in (reply["data"]["tokenValue"], short):
        assert Person(jenkins_server.port, "ada", value).get("/api/json").status == 200
    jenkins_server.tick(86_400)
    assert Person(jenkins_server.port, "ada", short).get("/api/json").status == 401


def test_tokens_of_others_are_for_administrators(ada: Person, jenkins_server: Jenkins) -> None:
    """One makes no token of somebody else, nor of nobody, nor with an unknown expiry."""
    jenkins_server.add_user("eve")
    assert ada.post(TOKENS.format("eve"), "newTokenName=x", FORM).status == 403
    assert ada.post(TOKENS.format("nobody"), "newTokenName=x", FORM).status == 404
    with jenkins_server.violation("an expiry of 'soon'"):
        assert ada.post(TOKENS.format("ada"), "expirationDuration=soon", FORM).status == 400


# What is asked, the permission that it needs, and the answer to those who have it.
NEEDED = [
    ("GET", "/api/json", "Overall/Read", 200),
    ("GET", "/job/a/job/b/config.xml", "Item/ExtendedRead", 200),
    ("POST", "/job/a/job/b/config.xml", "Item/Configure", 500),
    ("GET", "/job/a/job/b/configure", "Item/Configure", 200),
    ("POST", "/job/a/job/b/doDelete", "Item/Delete", 302),
    ("POST", "/job/a/job/b/disable", "Item/Configure", 302),
    ("POST", "/job/a/job/b/confirmRename?newName=c", "Item/Configure", 302),
    ("POST", "/job/a/createItem?name=c", "Item/Create", 400),
    ("POST", "/job/a/job/b/build", "Item/Build", 201),
    ("POST", "/job/a/createView?name=c", "View/Create", 400),
    ("GET", "/job/a/credentials/store/folder/domain/_/api/json", "Credentials/View", 200),
    ("POST", "/quietDown", "Overall/Administer", 302),
]


@pytest.mark.parametrize("needed", NEEDED)
def test_a_missing_permission_is_named(
    jenkins_server: Jenkins, needed: tuple[str, str, str, int]
) -> None:
    """Who lacks a permission is refused with 403 and told which; who has it is not."""
    method, path, permission, status = needed
    some = set(READER) - {permission, "Credentials/View"}
    user = jenkins_server.add_user("eve", some)
    eve = Person(jenkins_server.port, "eve", user.token)
    reply = eve(method, path, b"", eve.who)
    assert (reply.status, permission in reply.body.decode()) == (403, True)
    user.permissions |= {permission}
    if "createView" in path:
        with jenkins_server.violation("a view is made from XML"):
            assert eve(method, path, b"", eve.who).status == status
    else:
        assert eve(method, path, b"", eve.who).status == status


def test_a_hidden_job_looks_like_a_missing_one(ada: Person, jenkins_server: Jenkins) -> None:
    """Without Item/Discover a job is 404 and in no list, with it alone 403, with Read there."""
    user = jenkins_server.state.users["ada"]
    path = "/job/a/job/b/api/json?tree=name"
    for only, status in (
        (set[str](), 404),
        ({"Item/Discover"}, 403),
        ({"Item/Discover", "Item/Read"}, 200),
        ({"Item/Read"}, 200),
    ):
        user.only["a/b"] = only
        assert ada.get(path).status == status
        assert bool(ada.get("/job/a/api/json").json["jobs"]) is (status == 200)
    assert ada.get("/job/a/job/missing/api/json").status == 404


def test_an_administrator_may_all(jenkins_server: Jenkins) -> None:
    """Overall/Administer implies every other permission."""
    token = jenkins_server.add_user("root", {"Overall/Administer"}).token
    root = Person(jenkins_server.port, "root", token)
    assert root.get("/job/a/job/b/config.xml").status == 200
    with pytest.raises(ValueError, match="Item/Fly"):
        jenkins_server.add_user("eve", {"Item/Fly"})


def test_what_no_row_covers_fails_the_test(ada: Person, jenkins_server: Jenkins) -> None:
    """An unknown path, method or parameter is a violation, and so is a slash sent as %2F."""
    jenkins_server.add_item("b", pipeline())
    for method, path, status, text in (
        ("GET", "/job/b/ws/", 404, "the path is unknown"),
        ("GET", "/computer/", 404, "the path is unknown"),
        ("DELETE", "/job/b/", 405, "the method is unknown"),
        ("PUT", "/api/json", 405, "the method is unknown"),
        ("GET", "/api/json?pretty=true", 200, "the parameter pretty is unknown"),
        ("GET", "/job/a%2Fb/api/json", 400, "%252F"),
    ):
        with jenkins_server.violation(text):
            assert ada(method, path, headers=ada.who).status == status
    ada.get("/job/b/ws/")
    with pytest.raises(AssertionError, match="the path is unknown"):
        jenkins_server.check()
    jenkins_server.violations.clear()


def test_secrets_are_seen_in_the_wrong_place(ada: Person, jenkins_server: Jenkins) -> None:
    """A token in an address or in a config.xml is a violation."""
    token = jenkins_server.state.users["ada"].token
    with jenkins_server.violation("a secret appears in the URL"):
        ada.get(f"/job/{token}/api/json")
    with jenkins_server.violation("a secret appears in the text"):
        ada.create("b", pipeline(script=token))


def test_the_ledger_tells_who_asked_what(ada: Person, jenkins_server: Jenkins) -> None:
    """Every request is in the ledger with its user and status, and the POSTs can be counted."""
    ada.get("/api/json")
    Caller(jenkins_server.port)("GET", "/api/json")
    before = len(jenkins_server.ledger)
    ada.create("b", pipeline())
    assert [(one.method, one.path, one.user, one.status) for one in jenkins_server.ledger] == [
        ("GET", "/api/json", "ada", 200),
        ("GET", "/api/json", "", 403),
        ("POST", "/createItem", "ada", 200),
    ]
    assert len(jenkins_server.posts(after=before)) == 1
    assert json.dumps(jenkins_server.ledger[-1].query) == '{"name": "b"}'
