"""Multibranch projects: their branches are looked through, and become jobs or cease to be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from tests.fakes.jenkins import cron, git
from tests.fakes.jenkins.elements import GIT_SOURCE, PERIODIC, REGEX_TRAIT
from tests.fakes.jenkins.settings import BINDER, values_of
from tests.fakes.jenkins.state import PIPELINE, Cause, Job, Multibranch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fakes.jenkins.core import Core
    from tests.fakes.jenkins.engine import Engine
    from tests.fakes.jenkins.state import Item

CAUSE = Cause("jenkins.branch.BranchIndexingCause", "Branch indexing")
SOURCE = f"sources/data/jenkins.branch.BranchSource/source[@class='{GIT_SOURCE}']"


class Indexing:
    """Looks through the repositories of projects."""

    def __init__(self, core: Core, engine: Engine, home: Callable[[], Path]) -> None:
        self.core = core
        self.engine = engine
        self.home = home

    def fire(self, now: float) -> None:
        """Look through the projects whose time it is; their interval must be over as well."""
        for item in list(self.core.state.root.walk()):
            if isinstance(item, Multibranch) and item.is_buildable and self._is_due(item, now):
                self.index(item)

    def _is_due(self, project: Multibranch, now: float) -> bool:
        trigger = project.config.find(f"triggers/{PERIODIC}")
        if trigger is None:
            return False
        spec, interval = trigger.findtext("spec") or "", trigger.findtext("interval") or "0"
        is_over = now - project.indexed_at >= int(interval) / 1000
        return is_over and cron.parse(spec, project.full_name).matches(now)

    def index(self, project: Multibranch) -> None:
        """Make the branches with a Jenkinsfile jobs, build what is new, remove what is gone."""
        project.indexings += 1
        project.indexed_at = self.core.now
        source = project.config.find(SOURCE)
        path = project.config.findtext("factory/scriptPath") or "Jenkinsfile"
        if source is None:
            return
        try:
            found = self._heads(source, path)
        except git.GitError as error:
            self.core.log.append(f"{project.full_name}: {error}")
            return
        for branch, commit in found.items():
            self._take_in(project, branch, commit, path)
        names = {encode(branch).lower() for branch in found}
        for name in sorted(project.children.keys() - names):
            self._let_go(project, project.children[name])

    def _heads(self, source: Element, path: str) -> dict[str, str]:
        """Return the branches that have a Jenkinsfile, with their commits."""
        place = git.mirror(source.findtext("remote") or "", self.home())
        patterns = [one.findtext("regex") or "" for one in source.findall(f"traits/{REGEX_TRAIT}")]
        return {
            branch: commit
            for branch, commit in git.branches(place).items()
            if all(re.fullmatch(pattern, branch) for pattern in patterns)
            and git.has(place, commit, path)
        }

    def _take_in(self, project: Multibranch, branch: str, commit: str, path: str) -> None:
        """Make a job of a branch, or build it anew if its head has moved."""
        name = encode(branch)
        job = project.child(name)
        if job is None:
            job = Job(name, project, _config(project, branch, path), branch=branch)
            project.add(job)
        assert isinstance(job, Job)
        if job.head != commit:
            job.head = commit
            self.engine.queue.add(job, values_of(job, {}), CAUSE)

    def _let_go(self, project: Multibranch, item: Item) -> None:
        """Remove the job of a branch that is gone, unless dead branches are kept."""
        if project.config.findtext("orphanedItemStrategy/pruneDeadBranches") == "true":
            self.engine.forget(item)
            project.remove(item)
        else:
            item.is_disabled = True


def encode(branch: str) -> str:
    """Return the name of a branch's job: a slash becomes ``%2F``, and so on; most letters stay."""
    return "".join(f"%{ord(one):02X}" if one in "#%/?[]\\" else one for one in branch)


def _config(project: Multibranch, branch: str, path: str) -> Element:
    """Return the config.xml of a branch's job, which is computed."""
    config = Element(PIPELINE, {"plugin": "workflow-job@7"})
    SubElement(config, "keepDependencies").text = "false"
    definition = SubElement(config, "definition", {"class": BINDER})
    SubElement(definition, "scriptPath").text = path
    source = project.config.find(SOURCE)
    assert source is not None
    SubElement(definition, "remote").text = source.findtext("remote")
    SubElement(definition, "head").text = f"refs/heads/{branch}"
    SubElement(config, "disabled").text = "false"
    return config
