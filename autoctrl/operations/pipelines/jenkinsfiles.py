"""What is found wrong in Jenkinsfiles, as values, lines and JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.views.spelling import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Finding(NamedTuple):
    """One thing that is wrong in a Jenkinsfile.

    line  line of the file, from 1
    rule  ``groovy`` (it is no Groovy), ``jenkins`` (Jenkins would refuse it), ``project`` (it
          belongs elsewhere), ``build`` (a build would break) or ``time`` (the check had no more)
    text  a sentence
    """

    line: int
    rule: str
    text: str


class PretendedBuild(NamedTuple):
    """What a build would come to if every command in it ended with the same exit code.

    exit      that exit code
    result    ``SUCCESS``, ``UNSTABLE`` or ``FAILURE``
    stages    result by stage, of those that were entered
    commands  what the shell would have been given
    """

    exit: int
    result: str
    stages: Mapping[str, str]
    commands: tuple[str, ...]


class Judgement(NamedTuple):
    """What the check says about one Jenkinsfile.

    file      its path, as it was given or found
    findings  what is wrong in it, by line; none if Jenkins would take it
    stages    names of its stages
    builds    builds that were pretended; none if it is wrong
    """

    file: str
    findings: tuple[Finding, ...]
    stages: tuple[str, ...] = ()
    builds: tuple[PretendedBuild, ...] = ()


def read_judgement(values: Mapping[str, Any]) -> Judgement:
    """Return the judgement that one line of the check's answer holds."""
    builds = [
        PretendedBuild(build["exit"], build["result"], build["stages"], tuple(build["sh"]))
        for build in values["builds"]
    ]
    findings = [
        Finding(max(1, one["line"]), one["rule"], one["text"]) for one in values["findings"]
    ]
    return Judgement(values["file"], tuple(findings), tuple(values["stages"]), tuple(builds))


def spell_judgement(judgement: Judgement) -> list[str]:
    """Return one line about a file that is right, and one per finding about another."""
    if not judgement.findings:
        return [f"{judgement.file}: right, {count(judgement.stages, 'stage')}"]
    return [f"{judgement.file}:{one.line}: {one.text}" for one in judgement.findings]


def judgement_values(judgement: Judgement) -> dict[str, Any]:
    """Return a judgement as plain values for JSON."""
    return {
        "file": judgement.file,
        "right": not judgement.findings,
        "findings": [one._asdict() for one in judgement.findings],
        "stages": list(judgement.stages),
    }


def describe_all(judgements: Sequence[Judgement]) -> str:
    """Return one sentence about all files."""
    wrong = sum(bool(one.findings) for one in judgements)
    return f"{count(judgements, 'Jenkinsfile')}, {wrong or 'none'} refused."
