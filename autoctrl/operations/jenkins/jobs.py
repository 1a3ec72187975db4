"""The table of jobs: what Jenkins shall have for a project. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.config import FILE_NAME
from autoctrl.errors import SettingsError, WorkflowError
from autoctrl.operations.jenkins.cron import find_problem
from autoctrl.operations.jenkins.pipelines import (
    Surroundings,
    write_cycle,
    write_deploy,
    write_verb,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.config import JenkinsSettings, Settings

CYCLE, DISCOVER, DEPLOY, WATCH, MIRROR = "cycle-", "discover", "deploy", "watch", "-mirror"
LEGAL_NAME = re.compile(r"[a-z][a-z0-9_-]*")
KEPT = "Kept by `autoctrl jenkins sync`: what is changed here by hand is set back by the next one."
REFERENCE = r"refs/(heads|tags)/[^\s*?\[\\^~:]+|[0-9a-f]{40}"
# What each setting must look like that is written into a script or an address, and how to say so.
FORMS = {
    "url": (r"https?://[^\s/@]+(/\S*)?", "an address as https://jenkins.example.org"),
    "folder": (
        r"[A-Za-z0-9][\w -]*(\.[\w -]+)*(/[A-Za-z0-9][\w -]*(\.[\w -]+)*)*",
        "names of letters, digits, dots, dashes and blanks, with / between",
    ),
    "agent": (r"[\w .&|!()<>=:-]*", "a label, or labels joined with && and ||"),
    "home": (r"(/[\w.+@/-]*)?", "an absolute path without blanks and quotes"),
    "path": (r"(/[\w.+@/-]*(:/[\w.+@/-]*)*)?", "absolute paths without blanks, with : between"),
    "reference": (REFERENCE, "refs/heads/NAME, refs/tags/NAME or the 40 digits of a commit"),
    "repository": (r"[^\s'\"-][^\s'\"]*|", "an address without blanks and quotes"),
    "mirror_repository": (r"[^\s'\"-][^\s'\"]*|", "an address without blanks and quotes"),
}


class Parameter(NamedTuple):
    """A text that a build is given: its name, an explanation, its default, and whether a build
    makes no sense without it.
    """

    name: str
    explanation: str
    default: str = ""
    is_needed: bool = False


class Inline(NamedTuple):
    """A pipeline whose script stands in the job."""

    script: str


class FromRepository(NamedTuple):
    """A pipeline whose script is a file in a git repository.

    url        of the repository
    reference  what is checked out: refs/heads/NAME, refs/tags/NAME or a commit
    login      id of the credential in Jenkins, empty if none is needed
    path       of the script
    """

    url: str
    reference: str
    login: str
    path: str


class Folder(NamedTuple):
    """The folder that holds the jobs: its full name, a description."""

    name: str
    description: str

    @property
    def gist(self) -> str:
        """What it is, in a few words."""
        return "folder"


class Job(NamedTuple):
    """A pipeline job, of which one build runs at a time, and which does not survive a restart.

    name         full name, with its folders
    description  for people, without our mark
    pipeline     what it runs
    keep_builds  so many of the newest builds are kept
    cron         when it is started, empty if by hand alone
    parameters   texts that a build is given
    is_disabled  nobody can start it
    """

    name: str
    description: str
    pipeline: Inline | FromRepository
    keep_builds: int
    cron: str = ""
    parameters: tuple[Parameter, ...] = ()
    is_disabled: bool = False

    @property
    def gist(self) -> str:
        """What it is, in a few words."""
        when = "disabled" if self.is_disabled else self.cron or "by hand"
        return f"pipeline, {' · '.join(when.splitlines())}"


class Mirror(NamedTuple):
    """A multibranch project: a job for each branch that has a Jenkinsfile.

    name         full name; it lies beside the folder, whose credentials it cannot use
    description  for people, without our mark
    repository   in which branches are looked for
    login        id of the credential in Jenkins, empty if none is needed
    branches     pattern that the name of a branch must match
    """

    name: str
    description: str
    repository: str
    login: str
    branches: str

    @property
    def gist(self) -> str:
        """What it is, in a few words."""
        return f"multibranch, branches {self.branches}"


Item = Folder | Job | Mirror


def list_items(settings: Settings, workflows: Iterable[str]) -> list[Item]:
    """Return what Jenkins shall have for a project with these folders of workflows.

    The folder comes first. Raises ``SettingsError`` for settings from which no job can be made, and
    ``WorkflowError`` for a workflow whose folder's name no job can have.
    """
    wanted = settings.jenkins
    check_settings(wanted)
    if not wanted.home and not wanted.repository:
        message = f"{FILE_NAME}: [jenkins] has neither home nor repository: jobs have no project."
        hint = "Name the folder on the agent in which the project is deployed: home = '/PATH'."
        raise SettingsError(message, hint=hint)
    if not re.fullmatch(r"[\w.-]*", settings.environment):
        _refuse("[environments]", settings.environment, "Call it by letters, digits and dashes.")
    title = settings.project.name or wanted.folder
    items: list[Item] = [Folder(wanted.folder, f"{title}, processed by autoctrl. {KEPT}")]
    surroundings = Surroundings(
        wanted.agent, wanted.home, wanted.path, settings.environment, wanted.build_limit_s
    )
    if wanted.home:
        items += _list_small_ones(wanted, surroundings)
    for workflow in workflows:
        _check_workflow(workflow)
        items.append(_plan_cycle(settings, workflow, surroundings))
    if wanted.mirror_branches:
        items.append(_plan_mirror(wanted))
    return items


def mirror_name(wanted: JenkinsSettings) -> str:
    """Return the full name of the multibranch project."""
    return f"{wanted.folder}{MIRROR}"


def check_settings(wanted: JenkinsSettings) -> None:
    """Raise ``SettingsError`` for a value that Jenkins or a shell would not take as it is meant."""
    for name, (form, meaning) in FORMS.items():
        value = getattr(wanted, name)
        if not re.fullmatch(form, value):
            _refuse(f"[jenkins] {name}", value, f"Write {meaning}.")
    _check_cron("[jenkins] cron", wanted.cron)
    _check_cron("[jenkins] watch_cron", wanted.watch_cron)
    try:
        re.compile(wanted.mirror_branches)
    except re.error as error:
        _refuse("[jenkins] mirror_branches", wanted.mirror_branches, f"No pattern: {error}.")
    if wanted.mirror_branches and not (wanted.mirror_repository or wanted.repository):
        message = f"{FILE_NAME}: [jenkins] mirror_branches is given without a repository."
        raise SettingsError(message, hint="Name it: [jenkins] mirror_repository = 'ADDRESS'.")


def _check_cron(setting: str, spec: str) -> None:
    problem = find_problem(spec)
    if problem:
        hint = f"{problem}. Five fields, as in 'H/15 * * * *'; Jenkins would never start it."
        _refuse(setting, spec, hint[0].upper() + hint[1:])


def _refuse(setting: str, value: str, hint: str) -> None:
    message = f"{FILE_NAME}: {setting} = {value!r} cannot be used."
    raise SettingsError(message, hint=hint)


def _check_workflow(workflow: str) -> None:
    if not LEGAL_NAME.fullmatch(workflow):
        message = f"workflows/{workflow} cannot have a job: its name is not a workflow's."
        hint = "Use small letters, digits, dashes and underscores; begin with a letter."
        raise WorkflowError(message, hint=hint)


def _list_small_ones(wanted: JenkinsSettings, surroundings: Surroundings) -> list[Item]:
    """Return the jobs that call one verb in the project's folder."""
    discover = Job(
        f"{wanted.folder}/{DISCOVER}",
        f"Asks the sources for new runs. {KEPT}",
        Inline(write_verb(surroundings, "discover")),
        wanted.keep_builds,
        wanted.cron,
    )
    watch = Job(
        f"{wanted.folder}/{WATCH}",
        f"Looks whether all is well, and tells people what is due. {KEPT}",
        Inline(write_verb(surroundings, "watch")),
        wanted.keep_builds,
        wanted.watch_cron,
    )
    deploy = Job(
        f"{wanted.folder}/{DEPLOY}",
        f"Exchanges the workflows of an environment for those of a reference. {KEPT}",
        Inline(write_deploy(surroundings)),
        wanted.keep_builds,
        parameters=(
            Parameter("ENVIRONMENT", "What is deployed: production, mirror.", is_needed=True),
            Parameter("REF", "Tag, branch or commit; empty: what the environment follows."),
        ),
    )
    return [discover, deploy, watch]


def _plan_cycle(settings: Settings, workflow: str, surroundings: Surroundings) -> Job:
    """Return the job that makes the cycles of a workflow.

    Its script is its own where the project is deployed; else the Jenkinsfile beside the handler.
    """
    wanted, own = settings.jenkins, settings.workflow(workflow)
    _check_cron(f"[workflows.{workflow}] cron", own.cron)
    path = f"workflows/{workflow}/Jenkinsfile"
    return Job(
        f"{wanted.folder}/{CYCLE}{workflow}",
        f"Makes a cycle of workflow {workflow}. {KEPT}",
        Inline(write_cycle(surroundings, workflow))
        if wanted.home
        else FromRepository(wanted.repository, wanted.reference, wanted.repository_login, path),
        wanted.keep_builds,
        own.cron or wanted.cron,
        is_disabled=not own.enabled,
    )


def _plan_mirror(wanted: JenkinsSettings) -> Mirror:
    return Mirror(
        mirror_name(wanted),
        f"Tries each branch in the mirror, never in production. {KEPT}",
        wanted.mirror_repository or wanted.repository,
        wanted.mirror_login,
        wanted.mirror_branches,
    )
