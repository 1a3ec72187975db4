"""``autoctrl jenkins check``: what is said of Jenkinsfiles, and of a machine without Groovy."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from autoctrl.errors import UsageError
from autoctrl.handlers.modules import load_module
from autoctrl.operations.pipelines.groovy import NoGroovy, find_jar, find_java, judge_files
from autoctrl.operations.pipelines.places import find_jenkinsfiles
from tests.acceptance.project import Said, ask
from tests.groovy import find_groovy

ROOT = Path(__file__).parents[2]
RIGHT = """pipeline {
    agent { kubernetes { } }
    stages { stage('a') { steps { slackSend 'x' } } }
}
"""
WRONG = """pipeline {
    agent any
    triggers { cron('@daily') }
    stages { stage('a') { step { sh 'x' } } }
}
"""
OWNED = (
    "belongs to the job, whose configuration `autoctrl jenkins sync` writes: "
    "a build would change it."
)
ONE_CONTENT = "A stage has exactly one of steps, stages, parallel and matrix; this one has none."
REFUSED = {
    "file": "/somewhere",
    "findings": [{"line": 3, "rule": "jenkins", "text": 'Undefined section "x".'}],
    "stages": ["a"],
    "builds": [],
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project that has just been made."""
    assert ask(tmp_path, "init", "there").code == 0
    return tmp_path / "there"


def check(folder: Path, *words: str) -> Said:
    """Call ``jenkins check`` with the Java and the Groovy of this machine."""
    where = {"PATH": os.environ["PATH"], "GROOVY_JAR": str(find_groovy())}
    java = {"JAVA_HOME": os.environ["JAVA_HOME"]} if "JAVA_HOME" in os.environ else {}
    return ask(folder, "jenkins", "check", *words, **where, **java)


def test_a_refused_file_is_told_line_by_line(project: Path) -> None:
    """Everything that is wrong is said at once, with the line; what plugins bring can be named."""
    (project / "Jenkinsfile").write_text(WRONG)
    (project / "workflows" / "hello" / "Jenkinsfile").write_text(RIGHT)
    known = ("--known", "slackSend", "--known", "kubernetes")
    said = check(project, *known)
    assert said.code == 1
    assert said.err.splitlines() == [
        f"Jenkinsfile:3: The section triggers {OWNED}",
        'Jenkinsfile:4: Undefined section "step". Did you mean steps?',
        f"Jenkinsfile:4: {ONE_CONTENT}",
    ]
    assert said.out.splitlines() == [
        "workflows/count/Jenkinsfile: right, 1 stage",
        "workflows/hello/Jenkinsfile: right, 1 stage",
        "3 Jenkinsfiles, 1 refused.",
    ]


def test_json_has_every_finding(project: Path) -> None:
    """And the exit code is that of the text."""
    java = make_java(project, f"echo '{json.dumps(REFUSED)}'")
    said = ask(project, "jenkins", "check", "autoctrl.toml", "--format", "json", **java)
    assert said.code == 1
    assert json.loads(said.out)["files"] == [
        {
            "file": "autoctrl.toml",
            "right": False,
            "findings": REFUSED["findings"],
            "stages": ["a"],
        }
    ]


def test_the_jenkinsfiles_of_this_repository_are_right() -> None:
    """A task that failed for good makes a build unstable, a cycle that cannot work lets it fail."""
    environ = {**os.environ, "GROOVY_JAR": str(find_groovy())}
    judged = {Path(one.file): one for one in judge_files(find_jenkinsfiles(ROOT), environ=environ)}
    assert not [one.findings for one in judged.values() if one.findings]
    results = {
        path.relative_to(ROOT): [build.result for build in one.builds]
        for path, one in judged.items()
    }
    assert results.pop(Path(".ci/Jenkinsfile")) == ["SUCCESS", "FAILURE", "FAILURE"]
    assert set(map(tuple, results.values())) == {("SUCCESS", "UNSTABLE", "FAILURE")}
    for handler in ROOT.glob("workflows/*/handler.py"):
        names = tuple(one.workflow for one in load_module(handler))
        assert judged[handler.with_name("Jenkinsfile")].stages == names
    tested = judged[ROOT / ".ci/Jenkinsfile"].builds[1].commands
    assert tested == ("scripts/check", "scripts/test")  # both, though the first fails
    (mirror,) = judged[ROOT / "Jenkinsfile"].builds[0].commands
    assert mirror.startswith('autoctrl deploy mirror --branch "$BRANCH_NAME" --cycle --junit ')


def test_a_machine_without_groovy_says_how_to_get_it(tmp_path: Path) -> None:
    """What is missing, why it is wanted, what to do."""
    with pytest.raises(NoGroovy, match=r"Java, which it needs, is not here.*JAVA_HOME"):
        find_java({"PATH": str(tmp_path)})
    with pytest.raises(NoGroovy, match=r"groovy-all-2\.4\.21\.jar does not exist.*mvn dependency"):
        find_jar({"HOME": str(tmp_path)})
    with pytest.raises(UsageError, match="none cannot be read"):
        judge_files([tmp_path / "none"])
    with pytest.raises(UsageError, match="There is no Jenkinsfile in"):
        find_jenkinsfiles(tmp_path)


def make_java(folder: Path, script: str) -> dict[str, str]:
    """Return the variables under which this shell script is Java, and something is Groovy."""
    command = folder / "bin" / "java"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    (folder / "groovy.jar").touch()
    return {"JAVA_HOME": str(folder), "GROOVY_JAR": str(folder / "groovy.jar")}


def test_a_jenkinsfile_sees_nothing_of_our_environment(tmp_path: Path) -> None:
    """It is code, perhaps of a stranger; a Java that cannot work is quoted, and shows that."""
    java = make_java(tmp_path, 'echo "$(env)" | tr "\\n" " " >&2; exit 3')
    environ = {**java, "DEPLOY_TOKEN": "swordfish"}
    with pytest.raises(NoGroovy, match="Groovy ended with code 3 and said: ") as refused:
        judge_files([tmp_path / "groovy.jar"], environ=environ)
    said = str(refused.value)
    assert "PATH=" in said
    assert not [name for name in ("swordfish", "HOME=", "PYTEST") if name in said]


def test_a_jenkinsfile_without_end_is_given_up(tmp_path: Path) -> None:
    """What was judged before it counts; those behind it were not looked at."""
    judged = json.dumps({"file": "a", "findings": [], "stages": [], "builds": []})
    java = make_java(tmp_path, f"echo '{judged}'; echo '{{\"begins\": \"b\"}}'; exec sleep 600")
    said = judge_files([tmp_path / "groovy.jar"] * 3, environ=java, limit_s=3)
    rules = [[finding.rule for finding in one.findings] for one in said]
    assert rules == [[], ["time"], ["time"]]
