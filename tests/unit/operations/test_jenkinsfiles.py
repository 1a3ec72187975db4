"""Judgements on Jenkinsfiles, as people and programs read them."""

from __future__ import annotations

from autoctrl.operations.pipelines.jenkinsfiles import (
    Finding,
    Judgement,
    PretendedBuild,
    describe_all,
    judgement_values,
    read_judgement,
    spell_judgement,
)

RIGHT = Judgement("a/Jenkinsfile", (), ("one", "two"))
WRONG = Judgement("b/Jenkinsfile", (Finding(3, "jenkins", "No."), Finding(5, "project", "Nor.")))


def test_an_answer_of_groovy_is_read() -> None:
    """A line that the parser does not know is the first; builds come with what they would do."""
    build = {"exit": 1, "result": "UNSTABLE", "stages": {"a": "UNSTABLE"}, "sh": ["true"]}
    finding = {"line": -1, "rule": "project", "text": "No."}
    answer = {"file": "x", "findings": [finding], "stages": ["a"], "builds": [build]}
    assert read_judgement(answer) == Judgement(
        "x",
        (Finding(1, "project", "No."),),
        ("a",),
        (PretendedBuild(1, "UNSTABLE", {"a": "UNSTABLE"}, ("true",)),),
    )


def test_a_right_file_is_one_line_and_another_one_for_each_finding() -> None:
    """Each names the place as editors and compilers do."""
    assert spell_judgement(RIGHT) == ["a/Jenkinsfile: right, 2 stages"]
    assert spell_judgement(WRONG) == ["b/Jenkinsfile:3: No.", "b/Jenkinsfile:5: Nor."]
    assert describe_all([RIGHT]) == "1 Jenkinsfile, none refused."
    assert describe_all([RIGHT, WRONG]) == "2 Jenkinsfiles, 1 refused."


def test_json_says_what_the_text_says() -> None:
    """A program need not read sentences to learn whether a file is right."""
    assert judgement_values(RIGHT) == {
        "file": "a/Jenkinsfile",
        "right": True,
        "findings": [],
        "stages": ["one", "two"],
    }
    assert judgement_values(WRONG)["findings"][1] == {"line": 5, "rule": "project", "text": "Nor."}
