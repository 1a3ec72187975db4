"""Groovy holds Jenkinsfiles to what Jenkins takes: every rule, the right form and the wrong one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from autoctrl.operations.pipelines.groovy import judge_files
from tests.groovy import find_groovy
from tests.integration.jenkinsfiles import DEEDS, FOREIGN, RIGHT, WRONG

if TYPE_CHECKING:
    from autoctrl.operations.pipelines.jenkinsfiles import Judgement


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judgement]:
    """Return the judgement on every text above, from one start of Groovy."""
    folder = tmp_path_factory.mktemp("jenkinsfiles")
    texts = {f"right: {name}": text for name, text in RIGHT.items()}
    texts |= {f"wrong: {name}": text for name, (text, _) in WRONG.items()}
    texts |= {f"foreign: {name}": text for name, (text, _) in FOREIGN.items()}
    texts |= {f"deeds: {name}": text for name, (text, _, _) in DEEDS.items()}
    files = [folder / str(number) for number in range(len(texts))]
    for file, text in zip(files, texts.values(), strict=True):
        file.write_text(text)
    environ = {**os.environ, "GROOVY_JAR": str(find_groovy())}
    return dict(zip(texts, judge_files(files, environ=environ), strict=True))


@pytest.mark.parametrize("name", RIGHT)
def test_what_jenkins_takes_is_right(judged: dict[str, Judgement], name: str) -> None:
    """Nothing is found in it, and builds of it can be pretended."""
    judgement = judged[f"right: {name}"]
    assert not judgement.findings
    assert [build.exit for build in judgement.builds] == [0, 1, 2]


@pytest.mark.parametrize("name", WRONG)
def test_what_jenkins_refuses_is_found(judged: dict[str, Judgement], name: str) -> None:
    """Each finding says what is wrong; there is none beside those that are meant."""
    findings = judged[f"wrong: {name}"].findings
    expected = WRONG[name][1]
    assert len(findings) == len(expected), findings
    assert all(words in one.text for one, words in zip(findings, expected, strict=True)), findings
    assert {one.rule for one in findings} & {"groovy", "jenkins", "build"}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_belongs_elsewhere_is_found(judged: dict[str, Judgement], name: str) -> None:
    """The job's configuration owns it, or the shell would execute what somebody wrote."""
    (finding,) = judged[f"foreign: {name}"].findings
    assert (finding.rule, FOREIGN[name][1][0] in finding.text) == ("project", True), finding


@pytest.mark.parametrize("name", DEEDS)
def test_a_build_is_pretended_as_jenkins_makes_it(judged: dict[str, Judgement], name: str) -> None:
    """Its commands come in the order of a build, and its result is the worst that remained."""
    judgement = judged[f"deeds: {name}"]
    assert not judgement.findings
    build = judgement.builds[1]
    assert (" ".join(build.commands), build.result) == DEEDS[name][1:]
