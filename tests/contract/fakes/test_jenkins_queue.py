"""The queue of the fake of Jenkins: wishes for builds, what they need, and why they wait."""

from __future__ import annotations

import pytest

from tests.contract.fakes.jenkins_scene import (
    DECLARED,
    DEFAULTS,
    FORM,
    JOB,
    ONE_AT_A_TIME,
    PROJECT,
    WITH,
    Person,
    lasting,
    number_of,
    pipeline,
    queued,
)
from tests.fakes.jenkins import Jenkins, Outcome, Run


def test_a_build_is_asked_for(ada: Person, jenkins_server: Jenkins) -> None:
    """A wish is 201 with the address of an item, which an equal wish gets, too, while it waits."""
    jenkins_server.add_item("a/b", pipeline())
    reply = ada.post(f"{JOB}/build")
    assert reply.status == 201
    assert reply.headers["Location"] == f"{jenkins_server.url}/queue/item/1/"
    again = ada.post(f"{JOB}/build")
    assert (again.status, number_of(again)) == (201, 1)
    jenkins_server.tick(10)
    assert len(jenkins_server.builds) == 1
    assert number_of(ada.post(f"{JOB}/build")) == 2


@pytest.mark.parametrize("verb", ["build", "buildWithParameters?RUN=8"])
def test_refused_wishes(ada: Person, jenkins_server: Jenkins, verb: str) -> None:
    """A disabled job is 409, a wish that is turned away 302 to the job, a GET 405."""
    jenkins_server.add_item("a/b", pipeline(DECLARED if "RUN" in verb else ""))
    reply = ada.get(f"{JOB}/{verb}")
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")
    jenkins_server.refuse_queueing("a/b")
    reply = ada.post(f"{JOB}/{verb}")
    assert (reply.status, reply.headers["Location"]) == (302, ".")
    jenkins_server.engine.queue.refused.clear()
    jenkins_server.is_quieting_down = True
    assert ada.post(f"{JOB}/{verb}").status == 302
    jenkins_server.is_quieting_down = False
    for place in ("a", "a/b"):
        item = jenkins_server.item(place)
        assert item is not None
        item.is_disabled = True
        reply = ada.post(f"{JOB}/{verb}")
        assert (reply.status, b"a/b is not buildable" in reply.body) == (409, True)
        item.is_disabled = False
    assert jenkins_server.state.queue == {}


def test_parameters_and_none_are_two_addresses(ada: Person, jenkins_server: Jenkins) -> None:
    """A job with parameters wants them, one without refuses them, both with 400."""
    jenkins_server.add_item("a/b", pipeline(DECLARED))
    jenkins_server.add_item("a/c", pipeline())
    assert ada.post(f"{JOB}/build").status == 400
    reply = ada.post("/job/a/job/c/buildWithParameters?RUN=8")
    assert (reply.status, b"a/c is not parameterized" in reply.body) == (400, True)
    assert ada.post("/job/a/build").status == 404


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("RUN=8", {"RUN": "8"}),
        ("", {}),
        ("RUN=8&DRY=yes&UNDECLARED=1", {"RUN": "8", "DRY": "false"}),
        ("DRY=True&MODE=slow&NOTE=%20x%20", {"MODE": "slow", "NOTE": "x"}),
        ("RUN=8&delay=0sec", {"RUN": "8"}),
    ],
)
def test_parameters_are_as_declared(
    ada: Person, jenkins_server: Jenkins, query: str, values: dict[str, str]
) -> None:
    """What is declared is taken or has its default; what is not declared is ignored in silence."""
    jenkins_server.add_item("a/b", pipeline(DECLARED))
    seen: list[dict[str, str]] = []

    def watch(run: Run) -> Outcome:
        seen.append({name: run.environment[name] for name in DEFAULTS})
        return Outcome()

    jenkins_server.run_with(watch, "a/b")
    assert ada.post(f"{WITH}?{query}").status == 201
    jenkins_server.tick(10)
    assert seen == [DEFAULTS | values]
    actions = ada.get(f"{JOB}/1/api/json?tree=actions[parameters[name,value]]").json["actions"]
    shown = {
        one["name"]: one["value"] for action in actions for one in action.get("parameters", [])
    }
    assert shown == DEFAULTS | values


def test_a_form_carries_parameters_too(ada: Person, jenkins_server: Jenkins) -> None:
    """Parameters may be sent as a form."""
    jenkins_server.add_item("a/b", pipeline(DECLARED))
    assert ada.post(WITH, "RUN=9", FORM).status == 201
    assert jenkins_server.state.queue[1].parameters["RUN"] == "9"


def test_equal_parameters_are_one_wish(ada: Person, jenkins_server: Jenkins) -> None:
    """An equal wish is 303 with the item's address, another one 201; an item has a page."""
    jenkins_server.add_item("a/b", pipeline(DECLARED))
    assert number_of(ada.post(f"{WITH}?RUN=8")) == 1
    reply = ada.post(f"{WITH}?RUN=8")
    assert (reply.status, number_of(reply)) == (303, 1)
    assert ada.get("/queue/item/1/").status == 200
    assert ada.get("/queue/item/77/").status == 404
    other = ada.post(f"{WITH}?RUN=9")
    assert (other.status, number_of(other)) == (201, 2)


def test_a_choice_must_be_offered(ada: Person, jenkins_server: Jenkins) -> None:
    """A choice that is not offered is 500 and starts nothing."""
    jenkins_server.add_item("a/b", pipeline(DECLARED))
    reply = ada.post(f"{WITH}?MODE=warp")
    assert (reply.status, b"Illegal choice for parameter MODE: warp" in reply.body) == (500, True)
    assert jenkins_server.state.queue == {}


def test_a_job_may_be_started_by_its_own_token(jenkins_server: Jenkins) -> None:
    """The right token needs no right to build, a wrong one or one too many is 403."""
    jenkins_server.add_item("a/b", pipeline(more="<authToken>sesame</authToken>"))
    jenkins_server.add_item("a/c", pipeline())
    rights = {"Overall/Read", "Item/Discover", "Item/Read"}
    eve = Person(jenkins_server.port, "eve", jenkins_server.add_user("eve", rights).token)
    assert eve.post(f"{JOB}/build").status == 403
    assert eve.post(f"{JOB}/build?token=sesame").status == 201
    for path in (f"{JOB}/build?token=open", "/job/a/job/c/build?token=sesame"):
        reply = eve.post(path)
        assert (reply.status, b"Invalid token provided." in reply.body) == (403, True)


def test_a_quiet_period(ada: Person, jenkins_server: Jenkins) -> None:
    """The period is the site's, the job's or the wish's own; a broken one is a violation."""
    jenkins_server.add_item("a/b", pipeline())
    jenkins_server.add_item("a/c", pipeline(more="<quietPeriod>30</quietPeriod>"))
    for path, seconds in ((f"{JOB}/build", 5), ("/job/a/job/c/build", 30)):
        item = queued(ada, number_of(ada.post(path)))
        assert item["_class"] == "hudson.model.Queue$WaitingItem"
        assert item["why"] == f"In the quiet period. Expires in {seconds} sec"
        assert item["timestamp"] == int((jenkins_server.now + seconds) * 1000)
    ada.post(f"{JOB}/build?delay=0sec")
    jenkins_server.tick()
    assert [one.job.name for one in jenkins_server.builds] == ["b"]
    with jenkins_server.violation("a delay of 'soon'"):
        assert ada.post(f"{JOB}/build?delay=soon").status == 400


def test_a_queue_item_passes_its_stages(ada: Person, jenkins_server: Jenkins) -> None:
    """An item waits, is blocked, leaves with its build, and is forgotten after five minutes."""
    jenkins_server.run_with(lasting(60))
    jenkins_server.add_item("a/b", pipeline(ONE_AT_A_TIME))
    ada.post(f"{JOB}/build?delay=0sec")
    jenkins_server.tick()
    number = number_of(ada.post(f"{JOB}/build"))
    jenkins_server.tick(10)
    item = queued(ada, number)
    assert (item["_class"], item["blocked"]) == ("hudson.model.Queue$BlockedItem", True)
    assert str(item["why"]).startswith("Build #1 is already in progress")
    assert ada.get("/queue/api/json?tree=items[id]").json["items"] == [
        {"_class": "hudson.model.Queue$BlockedItem", "id": number}
    ]
    shown = ada.get(f"{JOB}/api/json?tree=inQueue,queueItem[id]").json
    assert (shown["inQueue"], shown["queueItem"]["id"]) == (True, number)
    jenkins_server.tick(60)
    item = queued(ada, number)
    assert (item["_class"], item["cancelled"]) == ("hudson.model.Queue$LeftItem", False)
    assert item["executable"] == {
        "_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun",
        "number": 2,
        "url": f"{jenkins_server.url}{JOB}/2/",
    }
    jenkins_server.tick(299)
    assert ada.get(f"/queue/item/{number}/api/json").status == 404
    assert ada.get(f"{JOB}/2/api/json?tree=queueId").json["queueId"] == number


@pytest.mark.parametrize(
    ("label", "why"),
    [
        ("moon", "There are no nodes with the label ‘moon’"),  # noqa: RUF001 - as it is said
        ("grid", "‘lxplus’ is offline"),  # noqa: RUF001 - as above
        ("farm", "All nodes of label ‘farm’ are offline"),  # noqa: RUF001 - as above
        ("busy", "Waiting for next available executor on ‘busy’"),  # noqa: RUF001 - as above
    ],
)
def test_an_item_says_why_it_waits(
    ada: Person, jenkins_server: Jenkins, label: str, why: str
) -> None:
    """An item that no node takes says why, and is stuck after long; a node that comes takes it."""
    jenkins_server.add_node("lxplus", ["grid", "farm"])
    jenkins_server.add_node("other", ["farm"])
    jenkins_server.add_node("small", ["busy"], executors=0)
    for name in ("lxplus", "other"):
        jenkins_server.take_offline(name, "Connection was broken")
    jenkins_server.add_item("a/b", pipeline())
    jenkins_server.require_label("a/b", label)
    ada.post(f"{JOB}/build?delay=0sec")
    item = queued(ada, 1)
    assert (item["_class"], item["buildable"]) == ("hudson.model.Queue$BuildableItem", True)
    assert (item["why"], item["stuck"]) == (why, False)
    jenkins_server.tick(86_401)
    assert queued(ada, 1)["stuck"] is True
    jenkins_server.add_node("new", [label])
    jenkins_server.tick()
    assert jenkins_server.builds[0].run is not None
    assert jenkins_server.builds[0].run.environment["NODE_NAME"] == "new"


def test_without_a_label_any_free_node_will_do(ada: Person, jenkins_server: Jenkins) -> None:
    """A node has so many executors, and what finds none free waits for the next."""
    jenkins_server.run_with(lasting(60))
    jenkins_server.add_item("a/b", pipeline())
    for _ in range(3):
        ada.post(f"{JOB}/build?delay=0sec")
        jenkins_server.tick()
    assert len(jenkins_server.builds) == 2
    assert queued(ada, 3)["why"] == "Waiting for next available executor"
    jenkins_server.tick(60)
    assert len(jenkins_server.builds) == 3


def test_what_waits_may_be_cancelled(ada: Person, jenkins_server: Jenkins) -> None:
    """Cancelling is 204, without the right 422, of what is not there 404."""
    jenkins_server.add_item("a/b", pipeline())
    ada.post(f"{JOB}/build")
    user = jenkins_server.state.users["ada"]
    user.permissions.discard("Item/Cancel")
    assert ada.post("/queue/cancelItem?id=1").status == 422
    user.permissions.add("Item/Cancel")
    assert ada.post("/queue/cancelItem?id=1").status == 204
    assert [ada.post(f"/queue/cancelItem?id={one}").status for one in ("1", "9", "x")] == [404] * 3
    item = queued(ada, 1)
    assert (item["cancelled"], item["executable"]) == (True, None)
    jenkins_server.tick(60)
    assert jenkins_server.builds == []


def test_a_project_of_branches_is_looked_through(ada: Person, jenkins_server: Jenkins) -> None:
    """A wish for a multibranch project leads back and fills no queue; a disabled one is 500."""
    jenkins_server.add_item("m", f"<{PROJECT}/>")
    reply = ada.post("/job/m/build?delay=0", "", {"Referer": f"{jenkins_server.url}/"})
    assert (reply.status, reply.headers["Location"]) == (302, f"{jenkins_server.url}/")
    assert jenkins_server.state.queue == {}
    ada.post("/job/m/disable")
    assert ada.post("/job/m/build?delay=0").status == 500
