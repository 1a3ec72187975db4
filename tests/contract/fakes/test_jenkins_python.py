"""python-jenkins talks to the fake of Jenkins; what it does by itself is written down here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.fakes.jenkins_scene import ONE_AT_A_TIME, choice, parameters, pipeline
from tests.contract.fakes.test_jenkins_items import TAG, VIEW, credential
from tests.fakes.jenkins import Jenkins, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

jenkins = pytest.importorskip("jenkins")
requests = pytest.importorskip("requests")


@pytest.fixture
def client(jenkins_server: Jenkins) -> Any:
    """Return a client of somebody with a token."""
    user = jenkins_server.add_user("ada")
    return jenkins.Jenkins(jenkins_server.url, "ada", user.token, timeout=20)


@pytest.fixture
def job(jenkins_server: Jenkins) -> str:
    jenkins_server.add_item("a/b", pipeline(ONE_AT_A_TIME))
    return "a/b"


def lines(server: Jenkins, after: int = 0) -> list[str]:
    """Return what was asked from a place on."""
    return [f"{one.method} {one.path} {one.status}" for one in server.ledger[after:]]


def test_the_crumb_is_asked_for_once_and_sent_with_everything(
    client: Any, jenkins_server: Jenkins
) -> None:
    """The first request is for the crumb, which every later one carries, those that read, too."""
    client.get_info()
    client.get_all_jobs()
    assert lines(jenkins_server)[0] == "GET /crumbIssuer/api/json 200"
    assert len(jenkins_server.requests("GET /crumbIssuer")) == 1
    assert all(one.header("Jenkins-Crumb") for one in jenkins_server.requests("GET /api/json"))


def test_a_crumb_is_never_renewed(jenkins_server: Jenkins, job: str) -> None:
    """After a restart a client with a password is refused for ever, one with a token is not."""
    user = jenkins_server.add_user("bob", has_password=True)
    by_password = jenkins.Jenkins(jenkins_server.url, "bob", user.password, timeout=20)
    by_token = jenkins.Jenkins(jenkins_server.url, "bob", user.token, timeout=20)
    for client in (by_password, by_token):
        client.disable_job(job)
    jenkins_server.restart()
    for _ in range(2):
        with pytest.raises(jenkins.JenkinsException, match=r"403.*\n.*No valid crumb"):
            by_password.enable_job(job)
    by_token.enable_job(job)
    assert len(jenkins_server.requests("GET /crumbIssuer")) == 2


def test_items_are_made_and_changed(client: Any, jenkins_server: Jenkins) -> None:
    """Folders, jobs, copies, renaming, switches and deletion are what the client says."""
    client.create_folder("a")
    client.create_folder("a/c")
    client.create_job("a/c/d", pipeline(script="one"))
    client.reconfig_job("a/c/d", pipeline(script="two"))
    assert "two" in client.get_job_config("a/c/d")
    client.copy_job("a/c/d", "a/c/e")
    client.rename_job("a/c/e", "a/c/f")
    client.disable_job("a/c/f")
    client.enable_job("a/c/f")
    assert [one["fullname"] for one in client.get_all_jobs()] == ["a", "a/c", "a/c/d", "a/c/f"]
    client.delete_job("a/c/f")
    assert client.job_exists("a/c/f") is None
    assert client.get_job_info("a/c/d")["fullName"] == "a/c/d"
    assert "POST /job/a/job/c/job/e/doRename 302" in lines(jenkins_server)


def test_a_folder_needs_the_right_to_configure(client: Any, jenkins_server: Jenkins) -> None:
    """create_folder follows to the configuration, so without the right it says that it failed."""
    jenkins_server.state.users["ada"].permissions -= {"Item/Configure"}
    with pytest.raises(jenkins.JenkinsException, match="Item/Configure"):
        client.create_folder("a")
    assert jenkins_server.item("a") is not None


def test_what_is_there_already_is_an_error_of_http(client: Any, jenkins_server: Jenkins) -> None:
    """A job that another client made meanwhile is a plain error of HTTP, 400."""
    jenkins_server.add_item("b", pipeline())
    request = requests.Request(
        "POST",
        f"{jenkins_server.url}/createItem?name=b",
        data=pipeline(),
        headers={"Content-Type": "text/xml; charset=utf-8"},
    )
    with pytest.raises(requests.HTTPError) as failed:
        client.jenkins_open(request)
    assert failed.value.response.status_code == 400
    with pytest.raises(jenkins.JenkinsException, match="already exists"):
        client.create_job("b", pipeline())
    with pytest.raises(jenkins.JenkinsException, match="folder for the job does not exist"):
        client.create_job("missing/b", pipeline())


def test_a_build_is_followed(client: Any, jenkins_server: Jenkins, job: str) -> None:
    """From the wish to the end: the item, the number, the console, the result, the queue."""
    jenkins_server.run_with(lambda _: Outcome("FAILURE", "oh\n", 60))
    number = client.build_job(job)
    assert client.get_queue_item(number)["why"].startswith("In the quiet period")
    assert [one["id"] for one in client.get_queue_info()] == [number]
    jenkins_server.tick(10)
    build = client.get_queue_item(number)["executable"]["number"]
    assert client.get_build_info(job, build)["building"] is True
    assert client.get_running_builds()[0]["number"] == build
    jenkins_server.tick(60)
    assert client.get_build_info(job, build)["result"] == "FAILURE"
    assert "oh" in client.get_build_console_output(job, build)
    with pytest.raises(jenkins.JenkinsException, match="does not exist"):
        client.get_build_info(job, 77)
    jenkins_server.tick(300)
    with pytest.raises(jenkins.JenkinsException, match="does not exist"):
        client.get_queue_item(number)


def test_what_waits_and_runs_is_stopped(client: Any, jenkins_server: Jenkins, job: str) -> None:
    """An item is cancelled and a build is stopped; the client hides what is not there."""
    jenkins_server.run_with(lambda _: Outcome(seconds=600))
    client.cancel_queue(client.build_job(job))
    client.cancel_queue(77)
    client.build_job(job)
    jenkins_server.tick(10)
    client.stop_build(job, 1)
    assert jenkins_server.builds[0].result == "ABORTED"


def test_an_equal_wish_with_parameters_is_an_empty_answer(
    client: Any, jenkins_server: Jenkins
) -> None:
    """A wish that folds into one that waits is followed to a page without an address."""
    jenkins_server.add_item("b", pipeline(parameters(choice("MODE", "fast", "slow"))))
    assert client.build_job("b", {"MODE": "slow"}) == 1
    (request,) = jenkins_server.requests("POST /job/b/buildWithParameters")
    assert (request.query, request.body) == ({"MODE": "slow"}, b"")
    with pytest.raises(jenkins.EmptyResponseException):
        client.build_job("b", {"MODE": "slow"})
    with pytest.raises(jenkins.JenkinsException, match="Illegal choice"):
        client.build_job("b", {"MODE": "warp"})


def test_a_refused_wish_is_an_empty_answer(client: Any, jenkins_server: Jenkins, job: str) -> None:
    """While Jenkins is about to shut down a wish leads to the job's page; 409 is plain HTTP."""
    jenkins_server.state.users["ada"].permissions.add("Overall/Administer")
    client.quiet_down()
    with pytest.raises(jenkins.EmptyResponseException):
        client.build_job(job)
    jenkins_server.is_quieting_down = False
    client.disable_job(job)
    with pytest.raises(requests.HTTPError) as failed:
        client.build_job(job)
    assert failed.value.response.status_code == 409


def test_nodes_are_told(client: Any, jenkins_server: Jenkins) -> None:
    """get_nodes sends one request and says which nodes are offline."""
    jenkins_server.add_node("lxplus", ["grid"], executors=4)
    jenkins_server.take_offline("lxplus", "Connection was broken")
    client.get_info()
    before = len(jenkins_server.ledger)
    assert client.get_nodes() == [
        {"name": "Built-In Node", "offline": False},
        {"name": "lxplus", "offline": True},
    ]
    (entry,) = jenkins_server.ledger[before:]
    assert (entry.method, entry.path, entry.query) == ("GET", "/computer/api/json", {"depth": "0"})
    told = client.get_node_info("lxplus")
    assert (told["offlineCauseReason"], told["temporarilyOffline"]) == (
        "Connection was broken",
        False,
    )
    assert (told["numExecutors"], told["idle"]) == (4, True)
    jenkins_server.bring_online("lxplus")
    jenkins_server.take_offline("lxplus", "maintenance", is_on_purpose=True)
    assert client.get_node_info("lxplus")["temporarilyOffline"] is True
    assert client.node_exists("Built-In Node")
    assert not client.node_exists("missing")


def test_views_and_credentials(client: Any, jenkins_server: Jenkins) -> None:
    """Views and secrets of folders are made, read, changed and deleted."""
    jenkins_server.add_item("b", pipeline())
    client.create_view("v", VIEW.format(""))
    client.reconfig_view("v", VIEW.format("<recurse>true</recurse>"))
    assert "<recurse>true</recurse>" in client.get_view_config("v")
    assert [one["fullname"] for one in client.get_jobs(view_name="v")] == ["b"]
    assert "v" in [one["name"] for one in client.get_views()]
    client.delete_view("v")
    client.create_folder("a")
    client.create_credential("a", credential("xyzzy"))
    client.reconfig_credential("a", credential("plugh"))
    assert client.list_credentials("a") == [{"id": "store"}]
    assert TAG in client.get_credential_config("store", "a")
    client.delete_credential("store", "a")
    with pytest.raises(jenkins.JenkinsException, match="is not a folder"):
        client.list_credentials("b")


def test_a_hidden_job_is_not_there(client: Any, jenkins_server: Jenkins, job: str) -> None:
    """What one may not see does not exist; what one may not do says which right is missing."""
    user = jenkins_server.state.users["ada"]
    user.only[job] = set()
    assert client.job_exists(job) is None
    user.only[job] = {"Item/Read"}
    with pytest.raises(jenkins.JenkinsException, match="Item/Build"):
        client.build_job(job)


def start(server: Jenkins) -> None:
    server.be_starting(times=2)


def sign_on(server: Jenkins) -> None:
    server.be_behind_login(times=2)


@pytest.mark.parametrize(
    ("break_it", "error"),
    [(start, "HTTPError"), (sign_on, "JSONDecodeError"), (Jenkins.cut, "ConnectionError")],
)
def test_what_goes_wrong_is_of_several_kinds(
    client: Any, jenkins_server: Jenkins, break_it: Callable[[Jenkins], None], error: str
) -> None:
    """A server that starts, a login page and a cut connection raise what python-jenkins has not
    named.
    """
    break_it(jenkins_server)
    with pytest.raises(Exception, match=r".") as failed:
        client.job_exists("b")
    assert type(failed.value).__name__ == error
    jenkins_server.faults.clear()
    assert client.job_exists("b") is None


def test_a_lost_answer_is_a_build_all_the_same(
    client: Any, jenkins_server: Jenkins, job: str
) -> None:
    """When the answer is lost the wish is in the queue, and a second one folds into it."""
    client.get_info()
    jenkins_server.lose_answer()
    with pytest.raises(requests.ConnectionError):
        client.build_job(job)
    assert client.build_job(job) == 1
    jenkins_server.tick(10)
    assert len(jenkins_server.builds) == 1


def test_a_slow_server_is_given_up(jenkins_server: Jenkins) -> None:
    """A client gives a slow server up after its time."""
    token = jenkins_server.add_user("ada").token
    client = jenkins.Jenkins(jenkins_server.url, "ada", token, timeout=0.05)
    jenkins_server.be_slow(0.3, times=2)
    with pytest.raises(jenkins.TimeoutException):
        client.get_info()
    jenkins_server.wait_until(lambda: len(jenkins_server.exchanges) > 0)
