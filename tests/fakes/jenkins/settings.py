"""What the config.xml of a job says: parameters, times, concurrency, what is kept, what is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.jenkins import cron
from tests.fakes.jenkins.configs import unseal
from tests.fakes.jenkins.elements import (
    BOOLEAN,
    CHOICE,
    CONCURRENCY,
    CPS,
    CPS_SCM,
    DISCARDER,
    PARAMETERS,
    RESUME,
    TIMER,
    TRIGGERS,
)
from tests.fakes.jenkins.pages import refused

# The definition of a branch's job, which is computed.
BINDER = "org.jenkinsci.plugins.workflow.multibranch.SCMBinder"

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element

    from tests.fakes.jenkins.state import Job


@dataclass(frozen=True)
class Parameter:
    """A parameter that a job declares; the first choice is the default."""

    kind: str
    name: str
    default: str
    choices: tuple[str, ...] = ()
    is_trimmed: bool = False

    def value_of(self, given: str | None) -> str:
        """Return the value of a build; 500 for a choice that is not offered."""
        if given is None:
            return self.default
        if self.kind == BOOLEAN:
            return "true" if given.lower() == "true" else "false"
        if self.kind == CHOICE and given not in self.choices:
            raise refused(500, f"Illegal choice for parameter {self.name}: {given}")
        return given.strip() if self.is_trimmed else given


@dataclass(frozen=True)
class Source:
    """Where the Jenkinsfile is: in the job itself, or in a repository at a branch."""

    script: str | None = None
    url: str = ""
    spec: str = ""
    script_path: str = "Jenkinsfile"


def parameters_of(job: Job) -> list[Parameter]:
    """Return the parameters that a job declares."""
    found = job.config.find(f"properties/{PARAMETERS}/parameterDefinitions")
    return [] if found is None else [_parameter(one) for one in found]


def _parameter(one: Element) -> Parameter:
    choices = tuple(choice.text or "" for choice in one.findall("choices/a/string"))
    default = choices[0] if choices else one.findtext("defaultValue") or ""
    is_trimmed = one.findtext("trim") == "true"
    return Parameter(one.tag, one.findtext("name") or "", default, choices, is_trimmed)


def values_of(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of a build; what is not declared is ignored."""
    return {one.name: one.value_of(given.get(one.name)) for one in parameters_of(job)}


def timetables_of(job: Job) -> list[cron.Timetable]:
    """Return the times at which a job starts by itself; a bad line starts none."""
    specs = job.config.findall(f"properties/{TRIGGERS}/triggers/{TIMER}/spec")
    texts = [spec.text or "" for spec in specs]
    return [cron.parse(text, job.full_name) for text in texts if not cron.problem_of(text)]


def is_concurrent(job: Job) -> bool:
    """Say whether several builds of a job may run at a time."""
    return job.config.find(f"properties/{CONCURRENCY}") is None


def aborts_previous(job: Job) -> bool:
    """Say whether a new build of a job ends the one that runs."""
    return job.config.findtext(f"properties/{CONCURRENCY}/abortPrevious") == "true"


def is_resumable(job: Job) -> bool:
    """Say whether the builds of a job survive a restart."""
    return job.config.find(f"properties/{RESUME}") is None


def quiet_seconds(job: Job) -> float | None:
    """Return the quiet period of a job, if it sets one."""
    text = job.config.findtext("quietPeriod")
    return None if text is None else float(text)


def auth_token(job: Job) -> str:
    """Return the token that starts a job from outside, or nothing."""
    return unseal(job.config.findtext("authToken") or "")


def kept(job: Job, name: str) -> int:
    """Return ``numToKeep`` or ``daysToKeep``; -1 is no limit."""
    return int(job.config.findtext(f"properties/{DISCARDER}/strategy/{name}") or -1)


def source_of(job: Job) -> Source | None:
    """Return where a job's Jenkinsfile is; nothing if it has no definition."""
    definition = job.config.find("definition")
    kind = "" if definition is None else definition.get("class")
    if definition is None or kind not in (CPS, CPS_SCM, BINDER):
        return None
    if kind == BINDER:
        texts = {name: definition.findtext(name) or "" for name in ("remote", "head", "scriptPath")}
        return Source(url=texts["remote"], spec=texts["head"], script_path=texts["scriptPath"])
    if kind == CPS:
        return Source(script=definition.findtext("script") or "")
    scm = "scm/userRemoteConfigs/hudson.plugins.git.UserRemoteConfig/url"
    branch = "scm/branches/hudson.plugins.git.BranchSpec/name"
    return Source(
        url=definition.findtext(scm) or "",
        spec=definition.findtext(branch) or "",
        script_path=definition.findtext("scriptPath") or "Jenkinsfile",
    )
