"""The label of the node that a Jenkinsfile asks for, read without running it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.fakes.jenkins import git
from tests.fakes.jenkins.settings import source_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.jenkins.state import Job

LABEL = re.compile(r"agent\s*\{\s*(?:node\s*\{\s*)?label\s*\(?\s*['\"]([^'\"]+)['\"]")


def label_in(job: Job, home: Path) -> str:
    """Return the label of a job's first agent; nothing if there is none or no Jenkinsfile."""
    source = source_of(job)
    if source is None:
        return ""
    text = source.script
    if text is None:
        try:
            place = git.mirror(source.url, home)
            text = git.show(place, git.resolve(place, source.spec), source.script_path)
        except git.GitError:
            return ""
    found = LABEL.search(text)
    return found[1] if found else ""
