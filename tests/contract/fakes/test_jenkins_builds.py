"""Builds of the fake of Jenkins: running, told about, stopped, restarted, forgotten."""

from __future__ import annotations

import math

import pytest

from tests.contract.fakes.jenkins_scene import (
    JOB,
    NO_RESUME,
    ONE_AT_A_TIME,
    Person,
    lasting,
    pipeline,
)
from tests.fakes.jenkins import Jenkins, Outcome, Run, Site


def test_builds_run_side_by_side_unless_forbidden(jenkins_server: Jenkins, ada: Person) -> None:
    """Without the property a job has several builds at once, each in a directory of its own; with
    ``abortPrevious`` the newer ends the older.
    """
    places: list[str] = []

    def watch(run: Run) -> Outcome:
        places.append(run.workspace.name)
        return Outcome(seconds=math.inf)

    jenkins_server.run_with(watch)
    aborting = ONE_AT_A_TIME.replace(
        "/>", f"><abortPrevious>true</abortPrevious></{ONE_AT_A_TIME[1:-2]}>"
    )
    jenkins_server.add_item("a/b", pipeline())
    jenkins_server.add_item("a/c", pipeline(aborting))
    for _ in range(2):
        ada.post(f"{JOB}/build?delay=0sec")
        jenkins_server.tick()
    assert places == ["b", "b@2"]
    jenkins_server.state.nodes["Built-In Node"].executors = 9
    for _ in range(2):
        ada.post("/job/a/job/c/build?delay=0sec")
        jenkins_server.tick()
    assert [one.result for one in jenkins_server.builds] == [None, None, "ABORTED", None]


@pytest.mark.parametrize(
    ("result", "color"),
    [("SUCCESS", "blue"), ("UNSTABLE", "yellow"), ("FAILURE", "red"), ("NOT_BUILT", "notbuilt")],
)
def test_a_build_runs_and_ends(
    ada: Person, jenkins_server: Jenkins, result: str, color: str
) -> None:
    """While a build runs it has no result and no duration; then both, and the job a colour."""
    jenkins_server.run_with(lambda _: Outcome(result, "hello\n", 60))
    jenkins_server.add_item("a/b", pipeline())
    ada.post(f"{JOB}/build?delay=0sec")
    jenkins_server.tick(10)
    build = ada.get(f"{JOB}/1/api/json").json
    assert (build["result"], build["building"], build["inProgress"]) == (None, True, True)
    assert (build["duration"], build["estimatedDuration"]) == (0, -1)
    assert ada.get(f"{JOB}/api/json?tree=color").json["color"] == "notbuilt_anime"
    jenkins_server.tick(60)
    build = ada.get(f"{JOB}/1/api/json").json
    assert (build["result"], build["building"], build["duration"]) == (result, False, 60_000)
    assert (build["estimatedDuration"], build["timestamp"]) == (60_000, 1_700_000_000_000)
    assert (build["number"], build["id"], build["displayName"]) == (1, "1", "#1")
    assert build["url"] == f"{jenkins_server.url}{JOB}/1/"
    assert build["actions"][0]["causes"][0]["userId"] == "ada"
    assert ada.get(f"{JOB}/api/json?tree=color").json["color"] == color
    text = ada.get(f"{JOB}/1/consoleText").body.decode()
    assert text == f"Started by user ada\nhello\nFinished: {result}\n"


def test_a_console_is_read_as_it_grows(ada: Person, jenkins_server: Jenkins) -> None:
    """The progressive text says where to go on and whether more may come; beyond the end it begins
    anew.
    """
    jenkins_server.run_with(lambda _: Outcome("SUCCESS", "hello\n", 60))
    jenkins_server.add_item("a/b", pipeline())
    ada.post(f"{JOB}/build?delay=0sec")
    jenkins_server.tick()
    path = f"{JOB}/1/logText/progressiveText"
    first = ada.get(f"{path}?start=0")
    assert (first.body, first.headers["X-More-Data"]) == (b"Started by user ada\nhello\n", "true")
    size = first.headers["X-Text-Size"]
    jenkins_server.tick(60)
    rest = ada.get(f"{path}?start={size}")
    assert rest.body == b"Finished: SUCCESS\n"
    assert "X-More-Data" not in rest.headers
    assert ada.get(f"{path}?start=9999").body == first.body + rest.body
    with jenkins_server.violation("a start of 'x'"):
        ada.get(f"{path}?start=x")


def test_a_build_is_stopped(ada: Person, jenkins_server: Jenkins) -> None:
    """A stopped build is ABORTED at once; it needs Item/Cancel; a second time changes nothing."""
    jenkins_server.run_with(lasting(math.inf))
    jenkins_server.add_item("a/b", pipeline())
    ada.post(f"{JOB}/build?delay=0sec")
    jenkins_server.tick(86_400)
    user = jenkins_server.state.users["ada"]
    user.permissions.discard("Item/Cancel")
    assert ada.post(f"{JOB}/1/stop").status == 403
    user.permissions.add("Item/Cancel")
    for _ in range(2):
        reply = ada.post(f"{JOB}/1/stop")
        assert (reply.status, reply.headers["Location"]) == (302, f"{JOB}/1/")
        assert ada.get(f"{JOB}/1/api/json?tree=result").json["result"] == "ABORTED"
    assert ada.get(f"{JOB}/1/").status == 200
    assert ada.get(f"{JOB}/api/json?tree=color").json["color"] == "aborted"
    assert b"Aborted by ada" in ada.get(f"{JOB}/1/consoleText").body
    assert ada.post(f"{JOB}/2/stop").status == 404


def test_the_newest_builds_are_shown(ada: Person, jenkins_server: Jenkins) -> None:
    """A job shows 100 builds, all of them on demand, and the last ones of each kind."""
    results = ["SUCCESS", "UNSTABLE", "FAILURE", *["ABORTED"] * 100]
    jenkins_server.run_with(lambda run: Outcome(results[run.number - 1]))
    jenkins_server.add_item("a/b", pipeline())
    for _ in results:
        ada.post(f"{JOB}/build?delay=0sec")
        jenkins_server.tick(1)
    job = ada.get(f"{JOB}/api/json").json
    assert [one["number"] for one in job["builds"]] == list(range(103, 3, -1))
    assert "allBuilds" not in job
    lasts = {name: job[f"last{name}Build"]["number"] for name in ("Stable", "Successful", "Failed")}
    assert lasts == {"Stable": 1, "Successful": 2, "Failed": 3}
    assert (job["firstBuild"]["number"], job["nextBuildNumber"]) == (1, 104)
    every = ada.get(f"{JOB}/api/json?tree=allBuilds[number],builds[number]{{0,2}}").json
    assert len(every["allBuilds"]) == 103
    assert [one["number"] for one in every["builds"]] == [103, 102]


@pytest.mark.parametrize("rule", ["<numToKeep>2</numToKeep>", "<daysToKeep>1</daysToKeep>"])
def test_old_builds_are_deleted(ada: Person, jenkins_server: Jenkins, rule: str) -> None:
    """What the rotation deletes is 404; the last good build is kept in any case."""
    keep = (
        '<jenkins.model.BuildDiscarderProperty><strategy class="hudson.tasks.LogRotator">'
        f"{rule}</strategy></jenkins.model.BuildDiscarderProperty>"
    )
    jenkins_server.run_with(lambda run: Outcome("SUCCESS" if run.number == 1 else "FAILURE"))
    jenkins_server.add_item("a/b", pipeline(keep))
    for _ in range(5):
        ada.post(f"{JOB}/build?delay=0sec")
        jenkins_server.tick(50_000)
    statuses = [ada.get(f"{JOB}/{number}/api/json").status for number in range(1, 6)]
    assert statuses == [200, 404, 404, 200, 200]
    assert len(jenkins_server.builds) == 5


def test_a_tree_chooses_fields(ada: Person, jenkins_server: Jenkins) -> None:
    """A tree chooses fields, those of no class or with broken brackets are violations."""
    jenkins_server.add_item("a/b", pipeline())
    whole = ada.get("/api/json?tree=jobs[name,color,jobs[name,color,jobs]]").json
    (folder,) = whole["jobs"]
    assert folder["jobs"][0]["name"] == "b"
    assert "color" not in folder
    assert ada.get("/api/json?tree=jobs").json["jobs"][0].keys() == {"_class"}
    with jenkins_server.violation("has no field colour"):
        ada.get(f"{JOB}/api/json?tree=colour")
    with jenkins_server.violation("is broken"):
        ada.get(f"{JOB}/api/json?tree=builds[number")


def test_a_deep_question_is_too_much_for_a_large_server() -> None:
    """On a large server ``depth=2`` is 500, a tree is fine."""
    with Jenkins(Site(is_large=True)) as server:
        ada = Person(server.port, "ada", server.add_user("ada").token)
        assert ada.get("/api/json?depth=2").status == 500
        assert ada.get("/api/json?depth=1").status == 200
        assert ada.get("/api/json?tree=jobs[name]&depth=2").status == 200


def test_a_restart_keeps_what_may_resume(ada: Person, jenkins_server: Jenkins) -> None:
    """A restart ends the builds of jobs without resume; others, the queue and the tokens stay."""
    jenkins_server.run_with(lasting(600))
    jenkins_server.add_item("a/b", pipeline(NO_RESUME))
    jenkins_server.add_item("a/c", pipeline())
    for path in (JOB, "/job/a/job/c"):
        ada.post(f"{path}/build?delay=0sec")
    jenkins_server.tick()
    ada.post(f"{JOB}/build")
    jenkins_server.restart(is_starting=True)
    reply = ada.get("/api/json")
    assert (reply.status, reply.headers["Retry-After"]) == (503, "10")
    assert b"Please wait while Jenkins is getting ready" in reply.body
    jenkins_server.be_ready()
    assert [one.result for one in jenkins_server.builds] == ["ABORTED", None]
    assert len(ada.get("/queue/api/json").json["items"]) == 1
    jenkins_server.tick(600)
    assert [one.result for one in jenkins_server.builds] == ["ABORTED", "SUCCESS", None]


def test_deleting_a_job_stops_it(ada: Person, jenkins_server: Jenkins) -> None:
    """What runs and what waits of a deleted folder ends."""
    jenkins_server.run_with(lasting(math.inf))
    jenkins_server.add_item("a/b", pipeline(ONE_AT_A_TIME))
    for _ in range(2):
        ada.post(f"{JOB}/build?delay=0sec")
        jenkins_server.tick()
    ada.post("/job/a/doDelete")
    jenkins_server.tick(60)
    assert [one.result for one in jenkins_server.builds] == ["ABORTED"]
    assert jenkins_server.state.waiting() == []


def test_a_runner_that_raises_fails_the_test(ada: Person, jenkins_server: Jenkins) -> None:
    """A runner is the test's own, so its error is a violation, and the build fails."""

    def broken(run: Run) -> Outcome:
        raise ZeroDivisionError(run.job)

    jenkins_server.run_with(broken, "a/b")
    jenkins_server.add_item("a/b", pipeline())
    ada.post(f"{JOB}/build?delay=0sec")
    with jenkins_server.violation("ZeroDivisionError"):
        jenkins_server.tick()
    assert jenkins_server.builds[0].result == "FAILURE"


def test_a_secret_in_a_console_is_a_violation(ada: Person, jenkins_server: Jenkins) -> None:
    """A secret that a build prints without binding it fails the test; a bound one is masked."""
    jenkins_server.add_credential("a", "store", "xyzzy")

    def tell(run: Run) -> Outcome:
        if run.number == 2:
            run.secrets.add(run.credential("store").secret)
        run.write("it is xyzzy\n")
        return Outcome()

    jenkins_server.run_with(tell)
    jenkins_server.add_item("a/b", pipeline())
    ada.post(f"{JOB}/build?delay=0sec")
    with jenkins_server.violation("a secret appears in the console of a/b #1"):
        jenkins_server.tick()
    ada.post(f"{JOB}/build?delay=0sec")
    jenkins_server.tick()
    assert b"it is ****" in ada.get(f"{JOB}/2/consoleText").body
