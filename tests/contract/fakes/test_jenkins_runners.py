"""What builds of the fake of Jenkins do: Jenkinsfiles by Groovy, their lines alone, processes."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pytest

from tests.contract.fakes.jenkins_repository import SCRIPT_PATH, Repository
from tests.contract.fakes.jenkins_scene import (
    FORM,
    ONE_AT_A_TIME,
    Person,
    pipeline,
    wait_for_file,
)
from tests.fakes.jenkins import (
    Build,
    Cause,
    GroovyRunner,
    Jenkins,
    ShellRunner,
    Site,
    plan,
    problem_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POST = "\n".join(
    f"{name} {{ sh 'echo post {name}' }}"
    for name in (
        "cleanup",
        "success",
        "failure",
        "aborted",
        "unstable",
        "unsuccessful",
        "changed",
        "fixed",
        "regression",
        "always",
        "notBuilt",
    )
)
WHOLE = f"""
pipeline {{
  agent {{ label 'grid' }}
  options {{ timeout(time: 5, unit: 'MINUTES'); disableResume() }}
  parameters {{
    string(name: 'RUN', defaultValue: '7', description: 'the run')
    choice(name: 'MODE', choices: ['good', 'bad', 'shaky'])
  }}
  triggers {{ cron('H * * * *') }}
  environment {{
    PLACE = "${{JOB_NAME}}/data"
    TOKEN = credentials('store')
  }}
  stages {{
    stage('first') {{
      steps {{
        sh 'echo "$PLACE $TOKEN $BUILD_TAG $RUN"'
        script {{
          def said = sh(returnStdout: true, script: 'echo heard').trim()
          def status = sh(returnStatus: true, script: 'exit 4')
          if (said == 'heard' && status == 4) {{ echo "run ${{params.RUN}}" }}
        }}
      }}
    }}
    stage('second') {{
      environment {{ EXTRA = 'e' }}
      when {{ expression {{ params.RUN != '0' }} }}
      steps {{
        withCredentials([file(credentialsId: 'key', variable: 'KEY')]) {{ sh 'cat "$KEY"; echo' }}
        catchError(buildResult: 'SUCCESS', stageResult: 'FAILURE') {{
          sh 'echo $EXTRA; false'
          sh 'echo unreached'
        }}
        sh 'if [ "$MODE" = bad ]; then exit 3; fi'
        script {{ if (params.MODE == 'shaky') {{ unstable('it shakes') }} }}
        sh 'mkdir -p out; echo x > out/a.txt'
        archiveArtifacts artifacts: 'out/*.txt'
      }}
      post {{ unsuccessful {{ sh 'echo post second' }} }}
    }}
    stage('third') {{ steps {{ sh 'echo third' }} }}
  }}
  post {{
    {POST}
  }}
}}
"""


@pytest.fixture(scope="module")
def groovy() -> Iterator[GroovyRunner]:
    with GroovyRunner() as runner:
        yield runner


@pytest.fixture
def server() -> Iterator[Jenkins]:
    with Jenkins(Site(soft_kill_seconds=0.5)) as server:
        server.add_node("lxplus", ["grid"], executors=4)
        server.add_credential("a", "store", "xyzzy")
        server.add_credential("a", "key", "plugh", file_name="key.pem")
        yield server


@pytest.fixture
def eve(server: Jenkins) -> Person:
    return Person(server.port, "eve", server.add_user("eve").token)


def start(server: Jenkins, **values: str) -> Build:
    """Let a build of ``a/b`` with parameters begin, and return it when it has ended."""
    server.engine.queue.add(server.job("a/b"), values, CAUSE, 0)
    server.tick()
    return server.builds[-1]


def add(server: Jenkins, jenkinsfile: str, properties: str = "") -> None:
    """Make the job ``a/b``."""
    server.add_item("a/b", pipeline(properties, script=html.escape(jenkinsfile)))


def posts(build: Build) -> list[str]:
    """Return the conditions after the pipeline in the order in which they ran."""
    stages = [line.stage for line in build.lines]
    return [one.split()[1].rstrip(")") for one in stages if one.startswith("(post")]


CAUSE = Cause("hudson.model.Cause$UserIdCause", "Started by user eve", "eve")
GOOD = ["always", "changed", "success", "cleanup"]
BAD = ["always", "regression", "failure", "unsuccessful", "cleanup"]
# The builds of a job in a row: the mode, the result, the stages, what runs after them.
ROW = [
    ("good", "SUCCESS", ["first", "second", "third"], GOOD),
    ("bad", "FAILURE", ["first", "second"], ["always", "changed", *BAD[1:]]),
    ("good", "SUCCESS", ["first", "second", "third"], ["always", "changed", "fixed", *GOOD[2:]]),
    ("good", "SUCCESS", ["first", "second", "third"], ["always", "success", "cleanup"]),
]


def check_row(server: Jenkins) -> None:
    """Run the builds of a row and look at what they did."""
    for mode, result, stages, conditions in ROW:
        build = start(server, RUN="8", MODE=mode)
        assert build.result == result, build.console
        seen = [line.stage for line in build.lines if "post" not in line.stage]
        assert list(dict.fromkeys(seen)) == stages
        assert posts(build) == conditions
        assert "unreached" not in build.console
        assert ("post second" in build.console) is (mode == "bad")


def test_groovy_runs_a_jenkinsfile(server: Jenkins, groovy: GroovyRunner) -> None:
    """Stages run in order until one fails, and conditions after them in the fixed order."""
    server.run_with(groovy)
    server.read_labels()
    add(server, WHOLE)
    check_row(server)
    build = server.builds[0]
    first = build.lines[0]
    assert build.node.name == "lxplus"
    assert first.environment["PLACE"] == "a/b/data"
    assert first.environment["TOKEN"] == "xyzzy"  # noqa: S105 - what the test gave
    assert first.environment["BUILD_TAG"] == "jenkins-a-b-1"
    assert "a/b/data **** jenkins-a-b-1 8" in build.console
    assert "run 8" in build.console
    assert "plugh" not in build.console
    assert build.artifacts == ["out/a.txt"]
    assert start(server, RUN="8", MODE="shaky").result == "UNSTABLE"
    assert posts(server.builds[-1])[-2:] == ["unsuccessful", "cleanup"]
    skipped = start(server, RUN="0", MODE="bad")
    assert "second" not in {line.stage for line in skipped.lines}


def test_lines_are_replayed_without_groovy(server: Jenkins, groovy: GroovyRunner) -> None:
    """The lines of a Jenkinsfile that Groovy walked through once do the same by themselves."""
    made = plan(groovy, WHOLE, ["RUN", "MODE"])
    assert made.agent == "grid"
    server.run_with(ShellRunner(made))
    add(server, WHOLE)
    check_row(server)
    build = server.builds[0]
    assert build.lines[0].environment["PLACE"] == "a/b/data"
    assert "a/b/data **** jenkins-a-b-1 8" in build.console
    assert "plugh" not in build.console


def test_what_a_jenkinsfile_declares_holds_after_its_build(
    server: Jenkins, eve: Person, groovy: GroovyRunner
) -> None:
    """A fresh job has no timer and no parameters of its Jenkinsfile until one build has run; what
    the next one declares no more is removed, what was set from outside stays.
    """
    server.run_with(groovy)
    add(server, WHOLE, ONE_AT_A_TIME)
    assert eve.post("/job/a/job/b/buildWithParameters?RUN=8").status == 400
    server.tick(7200)
    assert server.builds == []
    assert start(server).result == "SUCCESS"
    assert eve.post("/job/a/job/b/buildWithParameters?RUN=8&delay=0sec").status == 201
    shown = eve.get("/job/a/job/b/config.xml").body.decode()
    assert all(text in shown for text in ("H * * * *", "DisableResume", "<name>MODE</name>"))
    server.tick(3600)
    assert len(server.builds) == 3
    other = "pipeline { agent any; stages { stage('s') { steps { echo 'x' } } } }"
    job = server.job("a/b")
    script = job.config.find("definition/script")
    assert script is not None
    script.text = other
    assert start(server).result == "SUCCESS"
    shown = eve.get("/job/a/job/b/config.xml").body.decode()
    assert not any(text in shown for text in ("H * * * *", "DisableResume", "<name>MODE</name>"))
    assert "DisableConcurrentBuilds" in shown


STAGES = "stages { stage('s') { steps { sh 'echo never' } } }"
WRONG = {
    'Undefined section "stagez"': f"pipeline {{ agent any; stagez {{ }}; {STAGES} }}",
    'Missing required section "agent"': f"pipeline {{ {STAGES} }}",
    'Missing required section "stages"': "pipeline { agent any }",
    "Multiple occurrences of the agent": f"pipeline {{ agent any; agent none; {STAGES} }}",
    "No variables specified": f"pipeline {{ agent any; environment {{ }}; {STAGES} }}",
    "No options specified": f"pipeline {{ agent any; options {{ }}; {STAGES} }}",
    "Invalid option type": f"pipeline {{ agent any; options {{ fly() }}; {STAGES} }}",
    "Duplicate option": f"pipeline {{ agent any; options {{ retry(2); retry(3) }}; {STAGES} }}",
    "Invalid trigger type": f"pipeline {{ agent any; triggers {{ moon('x') }}; {STAGES} }}",
    "Post can not be empty": f"pipeline {{ agent any; {STAGES}; post {{ }} }}",
    'Undefined section "often"': f"pipeline {{ agent any; {STAGES}; post {{ often {{ }} }} }}",
    "Duplicate stage name": "pipeline { agent any; stages { stage('s') { }; stage('s') { } } }",
    "exactly one of steps": "pipeline { agent any; stages { stage('s') { } } }",
    "must be a string": f"pipeline {{ agent any; environment {{ A = 3 }}; {STAGES} }}",
    "Empty when": "pipeline { agent any; stages { stage('s') { when { }; steps { } } } }",
    'Invalid step "node"': "pipeline { agent any; stages { stage('s') { steps { node { } } } } }",
    "Only one pipeline": f"pipeline {{ agent any; {STAGES} }}\npipeline {{ agent any; {STAGES} }}",
    "unexpected": "pipeline {",
}


def test_a_wrong_jenkinsfile_is_found(eve: Person, server: Jenkins, groovy: GroovyRunner) -> None:
    """A Jenkinsfile with unknown, missing, double or empty sections is told what is wrong with it;
    the server's own check of Jenkinsfiles says the same.
    """
    for text, jenkinsfile in WRONG.items():
        assert text in problem_of(groovy, jenkinsfile), jenkinsfile
    assert problem_of(groovy, WHOLE) == ""
    server.validator = lambda text: problem_of(groovy, text)
    path = "/pipeline-model-converter/validateJenkinsfile"
    bad = eve.post(path, "jenkinsfile=pipeline+%7B+agent+any+%7D", FORM).json
    assert (bad["status"], bad["data"]["result"]) == ("ok", "failure")
    assert "stages" in bad["data"]["errors"][0]["error"][0]
    good = f"jenkinsfile=pipeline {{ agent any; {STAGES} }}".replace(" ", "+")
    assert eve.post(path, good.replace(";", "%3B"), FORM).json["data"] == {"result": "success"}
    with server.violation("the form has no jenkinsfile"):
        assert eve.post(path, "x=y", FORM).status == 400


def test_what_fails_before_and_between_stages(server: Jenkins, groovy: GroovyRunner) -> None:
    """A wrong Jenkinsfile runs nothing, a missing secret ends a stage, an unknown step the test."""
    server.run_with(groovy)
    add(server, WRONG['Undefined section "stagez"'])
    build = start(server)
    assert (build.result, build.lines) == ("FAILURE", [])
    step = "withCredentials([string(credentialsId: 'no', variable: 'T')]) { sh 'echo never' }"
    job = server.job("a/b").config.find("definition/script")
    assert job is not None
    job.text = f"pipeline {{ agent any; stages {{ stage('s') {{ steps {{ {step} }} }} }} }}"
    build = start(server)
    assert "Could not find credentials entry with ID 'no'" in build.console
    assert (build.result, build.lines) == ("FAILURE", [])
    job.text = job.text.replace(step, "fly 'to the moon'")
    with server.violation("the step fly"):
        assert start(server).result == "FAILURE"


def test_reports_and_limits(server: Jenkins, groovy: GroovyRunner) -> None:
    """Failed tests make a build unstable, a missing report and a limit of time end it."""
    server.run_with(groovy)
    report = '<testsuite><testcase name="x"><failure/></testcase></testsuite>'
    body = """pipeline { agent any; stages {
      stage('write') { steps { writeFile file: 'r.xml', text: '%s'; junit 'r.xml' } }
      stage('limit') { steps { retry(2) { sh 'echo again; [ -e once ] || { touch once; false; }' }
        timeout(time: 1, unit: 'SECONDS') { sh 'sleep 60' } } }
      stage('never') { steps { junit 'none.xml' } } }
      post { aborted { junit 'none.xml' } } }"""
    add(server, body % report)
    build = start(server)
    assert build.reports == ["r.xml"]
    assert build.console.count("again") == 4
    assert "Timeout has been exceeded" in build.console
    assert "No test report files were found" in build.console
    assert build.result == "ABORTED"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    step = "sh 'cat data.txt; echo $GIT_COMMIT'"
    body = f"pipeline {{ agent any; stages {{ stage('s') {{ steps {{ {step} }} }} }} }}"
    made.commit({SCRIPT_PATH: body, "data.txt": "one\n"})
    return made


def test_a_job_is_built_from_git(
    server: Jenkins, groovy: GroovyRunner, repository: Repository
) -> None:
    """A branch is followed, a tag and a commit are pinned, what is not there fails."""
    server.run_with(groovy)
    repository.tag("prod-1")
    second = repository.commit({"data.txt": "two\n"})
    for spec, data in (("*/main", "two"), ("refs/tags/prod-1", "one"), (second, "two")):
        server.add_item("a/b", repository.job(spec))
        build = start(server)
        assert (build.result, f"\n{data}\n" in build.console) == ("SUCCESS", True), build.console
    assert second in server.builds[-1].console
    server.add_item("a/b", repository.job("*/gone"))
    assert "Couldn't find any revision to build" in start(server).console
    server.add_item("a/b", repository.job().replace(SCRIPT_PATH, "nowhere/Jenkinsfile"))
    assert "Unable to find nowhere/Jenkinsfile" in start(server).console
    server.add_item("a/b", "<flow-definition/>")
    assert "No flow definition" in start(server).console
    assert {one.result for one in server.builds[-3:]} == {"FAILURE"}


ENDLESS = """pipeline { agent any; stages {
  stage('long') { steps { sh 'touch begun; sleep 300' } }
  stage('never') { steps { sh 'echo never' } } }
  post { aborted { sh 'echo it was aborted' }
    cleanup { sh 'echo clean' } } }"""


@pytest.mark.parametrize("is_replayed", [False, True])
def test_after_an_abortion_comes_what_is_left_to_do(
    server: Jenkins, groovy: GroovyRunner, *, is_replayed: bool
) -> None:
    """A stopped build skips the stages that are left, and does what is due after an abortion."""
    server.run_with(ShellRunner(plan(groovy, ENDLESS)) if is_replayed else groovy)
    add(server, ENDLESS)
    server.engine.queue.add(server.job("a/b"), {}, CAUSE, 0)
    server.tick(wait_s=0)
    (build,) = server.builds
    assert build.run is not None
    wait_for_file(build.run.workspace / "begun")
    server.stop_build(build)
    assert server.wait_for(build).result == "ABORTED"
    scripts = [line.script for line in build.lines]
    assert scripts == ["touch begun; sleep 300", "echo it was aborted", "echo clean"]
