"""Every workflow can be run by Jenkins, and one owner says when: the job's configuration."""

from __future__ import annotations

import re

from autoctrl.cli.scaffold import render_jenkinsfile
from autoctrl.operations.pipelines.places import find_jenkinsfiles
from tests.house.source import ROOT

OWNED = re.compile(
    r"\b(triggers|parameters)\s*\{"
    r"|\b(buildDiscarder|disableConcurrentBuilds|disableResume|quietPeriod|properties)\b"
)
INTERPOLATED = re.compile(r'\b(sh|script:)\s*\(?\s*"')


def test_every_workflow_has_the_jenkinsfile_that_new_workflow_makes() -> None:
    """Its only difference is the name, so that a change of one is a change of all."""
    folders = [path.parent for path in ROOT.glob("workflows/*/handler.py")]
    assert not [
        folder.name
        for folder in folders
        if (folder / "Jenkinsfile").read_text() != render_jenkinsfile(folder.name)
    ]


def test_no_jenkinsfile_says_what_belongs_to_the_job() -> None:
    """What a Jenkinsfile declares there replaces, at its first build, what the job was given."""
    texts = {path.relative_to(ROOT): path.read_text() for path in find_jenkinsfiles(ROOT)}
    assert not [path for path, text in texts.items() if OWNED.search(text)]
    assert not [path for path, text in texts.items() if INTERPOLATED.search(text)]
