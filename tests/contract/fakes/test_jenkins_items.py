"""Items of the fake of Jenkins: names, createItem, folders, copies, switches, renaming, views."""

from __future__ import annotations

import pytest

from tests.contract.fakes.jenkins_scene import FOLDER, FORM, PROJECT, XML, Person, pipeline
from tests.fakes.jenkins import Jenkins, Site

NOTHING_MADE = "/api/json?tree=jobs[name]"
MODE = "com.cloudbees.hudson.plugins.folder.Folder"
SECRET_JOB = pipeline(more="<authToken>sesame</authToken>")


def names(person: Person, where: str = "") -> list[str]:
    """Return the names of what lies somewhere."""
    return [one["name"] for one in person.get(f"{where}{NOTHING_MADE}").json["jobs"]]


@pytest.mark.parametrize(
    ("name", "error"),
    [("", "No name"), (".", "not an allowed"), ("..", "not an allowed"), ("a.", "cannot end")]
    + [("a\x07", "control character"), ("a\x7f", "control character")]
    + [(f"a{one}b", "is an unsafe character") for one in "?*/\\%!@#$^&|<>[]:;"],
)
def test_bad_names_are_refused(ada: Person, name: str, error: str) -> None:
    """A name that no item may have is 400, and the header X-Error says why."""
    reply = ada.create(name, pipeline())
    assert (reply.status, error in reply.headers["X-Error"]) == (400, True)
    assert names(ada) == []


def test_a_site_may_refuse_more_names() -> None:
    """A naming strategy of the site refuses names that would do elsewhere."""
    with Jenkins(Site(naming="[a-z]+")) as server:
        ada = Person(server.port, "ada", server.add_user("ada").token)
        assert ada.create("B", pipeline()).status == 400
        assert ada.create("b", pipeline()).status == 200


@pytest.mark.parametrize("media_type", ["text/xml", "application/xml;charset=UTF-8"])
def test_an_item_is_made_of_xml(ada: Person, media_type: str) -> None:
    """A config.xml makes an item and is answered with 200 and nothing."""
    headers = {"Content-Type": media_type}
    reply = ada.post("/createItem", pipeline(), headers, name="Run 7_x.y-z")
    assert (reply.status, reply.body) == (200, b"")
    assert ada.get("/job/Run%207_x.y-z/api/json?tree=name").json["name"] == "Run 7_x.y-z"


def test_a_name_is_taken_whatever_its_case(ada: Person) -> None:
    """A second item of a name is 400; only Latin-1 stands in the header, so quotes are lost."""
    ada.create("b", pipeline())
    for name in ("b", "B"):
        reply = ada.create(name, pipeline())
        assert reply.status == 400
        assert reply.headers["X-Error"] == f"A job already exists with the name ?{name}?"
    assert ada.get("/job/B/api/json?tree=name").json["name"] == "b"


@pytest.mark.parametrize(
    ("query", "headers", "error"),
    [
        ({"name": "b"}, {}, "No Content-Type header set"),
        ({}, XML, "Query parameter 'name' is required"),
        ({"name": "b"}, FORM, "No mode given"),
        ({"name": "b", "mode": "hudson.Nothing"}, FORM, "No item type ?hudson.Nothing? is known"),
        ({"name": "b", "mode": "copy", "from": "c"}, {}, "No such job: c"),
    ],
)
def test_an_incomplete_wish_is_refused(
    ada: Person, query: dict[str, str], headers: dict[str, str], error: str
) -> None:
    """What is missing in a wish for an item is told by X-Error."""
    reply = ada.post("/createItem", pipeline(), headers, **query)
    assert (reply.status, reply.headers["X-Error"]) == (400, error)
    assert names(ada) == []


@pytest.mark.parametrize("config", ["<flow-definition>", "no xml", "", "<project/>"])
def test_broken_xml_makes_nothing(ada: Person, config: str) -> None:
    """What is no XML, or of an unknown class, is 500 and leaves nothing."""
    reply = ada.create("b", config)
    assert (reply.status, b"IOException" in reply.body) == (500, True)
    assert names(ada) == []


def test_a_folder_may_restrict_what_it_holds(ada: Person, jenkins_server: Jenkins) -> None:
    """A class that a folder does not allow is 403 and leaves nothing."""
    jenkins_server.add_folder("a").allowed = {MODE}
    assert ada.create("b", pipeline(), "/job/a").status == 403
    assert ada.create("c", FOLDER, "/job/a").status == 200
    assert names(ada, "/job/a") == ["c"]


def test_a_folder_is_made_by_a_form(ada: Person, jenkins_server: Jenkins) -> None:
    """A form makes a folder and leads to its configuration, which needs Item/Configure."""
    reply = ada.post("/createItem", f"name=a&mode={MODE}", FORM)
    assert (reply.status, reply.headers["Location"]) == (302, "/job/a/configure")
    assert ada.get("/job/a/configure").status == 200
    jenkins_server.state.users["ada"].permissions -= {"Item/Configure"}
    assert ada.get("/job/a/configure").status == 403
    assert ada.get("/job/a/api/json").json["_class"] == MODE


def test_items_lie_in_folders(ada: Person) -> None:
    """A folder of a folder is addressed by ``job`` twice; a missing one is 404."""
    ada.create("a", FOLDER)
    ada.create("b", FOLDER, "/job/a")
    assert ada.create("c", pipeline(), "/job/a/job/b").status == 200
    assert ada.get("/job/a/job/b/job/c/api/json").json["fullName"] == "a/b/c"
    assert ada.create("c", pipeline(), "/job/missing").status == 404
    assert ada.create("d", pipeline(), "/job/a/job/b/job/c").status == 404


def test_nothing_is_made_in_a_multibranch_project(ada: Person) -> None:
    """The jobs of a multibranch project are computed, so one can make none."""
    ada.create("m", f"<{PROJECT}/>")
    assert ada.create("b", pipeline(), "/job/m").status == 404


def test_an_item_is_copied(ada: Person) -> None:
    """A copy of what is named from here or from the root leads to its configuration."""
    ada.create("a", FOLDER)
    ada.create("b", pipeline(script="mine"), "/job/a")
    for query in ({"name": "c", "from": "b"}, {"name": "d", "from": "/a/b"}):
        reply = ada.post("/job/a/createItem", "", {}, mode="copy", **query)
        assert (reply.status, reply.headers["Location"]) == (
            302,
            f"/job/a/job/{query['name']}/configure",
        )
        assert b"mine" in ada.get(f"/job/a/job/{query['name']}/config.xml").body


def test_a_config_is_changed_and_saved_each_time(ada: Person, jenkins_server: Jenkins) -> None:
    """A POST of a config.xml saves and starts the triggers, even of one that is the same."""
    ada.create("b", pipeline(script="one"))
    for count in (2, 3):
        assert ada.post("/job/b/config.xml", pipeline(script="two"), XML).status == 200
        assert jenkins_server.job("b").saves == count
    assert b"two" in ada.get("/job/b/config.xml").body


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("POST", FOLDER, 500), ("POST", "<flow", 500), ("PUT", pipeline(), 400), ("DELETE", "", 400)],
)
def test_a_config_is_not_changed(ada: Person, method: str, body: str, status: int) -> None:
    """A config.xml of another class is 500, another method 400; the item stays as it was."""
    ada.create("b", pipeline(script="one"))
    reply = ada(method, "/job/b/config.xml", body.encode(), {**ada.who, **XML})
    assert reply.status == status
    if body == FOLDER:
        assert f"Expecting class flow-definition but got class {MODE}" in reply.body.decode()
    assert b"one" in ada.get("/job/b/config.xml").body


def test_secrets_are_stars_without_the_right_to_configure(
    ada: Person, jenkins_server: Jenkins
) -> None:
    """With ExtendedRead alone a secret is shown as stars, with Configure sealed; to send the stars
    back is a violation.
    """
    ada.create("b", SECRET_JOB)
    sealed = ada.get("/job/b/config.xml").body
    assert b"{AQAAABAAAAAQ" in sealed
    assert b"sesame" not in sealed
    assert ada.post("/job/b/config.xml", sealed.decode(), XML).status == 200
    assert ada.get("/job/b/config.xml").body == sealed
    jenkins_server.state.users["ada"].only["b"] = {"Item/Read", "Item/ExtendedRead"}
    shown = ada.get("/job/b/config.xml").body
    assert b"<authToken>********</authToken>" in shown
    jenkins_server.state.users["ada"].only.clear()
    with jenkins_server.violation("a secret that was hidden is sent back"):
        ada.post("/job/b/config.xml", shown.decode(), XML)


def test_switches_and_deletion(ada: Person) -> None:
    """An item is disabled, enabled and deleted by POST alone."""
    ada.create("a", FOLDER)
    ada.create("b", pipeline(), "/job/a")
    path = "/job/a/job/b"
    for verb in ("disable", "enable", "doDelete"):
        reply = ada.get(f"{path}/{verb}")
        assert (reply.status, reply.headers["Allow"]) == (405, "POST")
    for verb, disabled in (("disable", True), ("enable", False)):
        reply = ada.post(f"{path}/{verb}")
        assert (reply.status, reply.headers["Location"]) == (302, ".")
        shown = ada.get(f"{path}/api/json?tree=disabled,buildable,color").json
        assert (shown["disabled"], shown["buildable"]) == (disabled, not disabled)
        assert shown["color"] == ("disabled" if disabled else "notbuilt")
        text = f"<disabled>{str(disabled).lower()}</disabled>"
        assert text.encode() in ada.get(f"{path}/config.xml").body
    reply = ada.post(f"{path}/doDelete")
    assert (reply.status, reply.headers["Location"]) == (302, "/job/a/")
    assert ada.get(f"{path}/api/json").status == 404
    assert ada.post(f"{path}/doDelete").status == 404


@pytest.mark.parametrize("verb", ["confirmRename", "doRename"])
def test_an_item_is_renamed(ada: Person, verb: str) -> None:
    """A new name leads to the new address; a bad one, or one that is taken, is 400."""
    ada.create("b", pipeline())
    ada.create("c", pipeline())
    for name in ("c", "x?", ""):
        assert ada.post(f"/job/b/{verb}", newName=name).status == 400
    reply = ada.post(f"/job/b/{verb}", newName="d")
    assert (reply.status, reply.headers["Location"]) == (302, "/job/d/")
    assert names(ada) == ["c", "d"]


VIEW = (
    "<hudson.model.ListView><name>old</name>"
    "<jobNames><string>b</string></jobNames>{}</hudson.model.ListView>"
)


def test_a_view_is_made_of_xml(ada: Person, jenkins_server: Jenkins) -> None:
    """A view gets the name of the address; a second of the name is 400, an unknown root 500."""
    assert ada.post("/createView", VIEW.format(""), XML, name="new").status == 200
    assert b"<name>new</name>" in ada.get("/view/new/config.xml").body
    assert ada.get("/view/old/api/json?tree=name").status == 404
    assert ada.post("/createView", VIEW.format(""), XML, name="new").status == 400
    assert ada.post("/createView", VIEW.format(""), XML).status == 400
    assert ada.post("/createView", "<hudson.Nothing/>", XML, name="x").status == 500
    with jenkins_server.violation("columnz"):
        assert ada.post("/createView", VIEW.format("<columnz/>"), XML, name="y").status == 500


CREDENTIALS = "/job/a/credentials/store/folder/domain/_"
TAG = "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl"


def credential(secret: str, more: str = "") -> str:
    """Return a secret text as it is posted."""
    named = "<scope>GLOBAL</scope><id>store</id><description>d</description>"
    return f"<{TAG}>{named}<secret>{secret}</secret>{more}</{TAG}>"


def test_a_folder_keeps_credentials(ada: Person, jenkins_server: Jenkins) -> None:
    """A secret is kept, replaced and deleted, and is never shown; a second of an id is 409."""
    jenkins_server.add_folder("a")
    one = f"{CREDENTIALS}/credential/store"
    assert ada.get(f"{one}/api/json").status == 404
    assert ada.post(f"{CREDENTIALS}/createCredentials", credential("xyzzy"), XML).status == 200
    assert ada.post(f"{CREDENTIALS}/createCredentials", credential("plugh"), XML).status == 409
    assert ada.get(f"{one}/api/json").json["id"] == "store"
    listed = ada.get(f"{CREDENTIALS}/api/json?tree=credentials[id]").json["credentials"]
    assert listed == [{"id": "store"}]
    shown = ada.get(f"{one}/config.xml").body
    assert b"<secret-redacted" in shown
    assert b"xyzzy" not in shown
    assert ada.post(f"{one}/config.xml", credential("fee fie"), XML).status == 200
    assert jenkins_server.add_folder("a").credentials["store"].secret == "fee fie"  # noqa: S105
    assert ada("DELETE", f"{one}/config.xml", headers=ada.who).status == 200
    assert ada.get(f"{one}/config.xml").status == 404


def test_only_a_folder_keeps_credentials(ada: Person, jenkins_server: Jenkins) -> None:
    """A job has no store, an unknown element is refused, and a kept secret is watched."""
    ada.create("b", pipeline())
    jenkins_server.add_folder("a")
    path = "/job/b/credentials/store/folder/domain/_/api/json"
    assert ada.get(path).status == 404
    with jenkins_server.violation("secrit"):
        body = credential("xyzzy", "<secrit/>")
        assert ada.post(f"{CREDENTIALS}/createCredentials", body, XML).status == 500
    ada.post(f"{CREDENTIALS}/createCredentials", credential("xyzzy"), XML)
    with jenkins_server.violation("a secret appears in the text"):
        ada.post("/job/b/config.xml", pipeline(script="xyzzy"), XML)
