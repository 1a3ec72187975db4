"""Writes a job as Jenkins' config.xml, and joins it with the one that Jenkins has. Pure.

Jenkins keeps no text: it adds defaults, drops what is empty and sorts anew. So a configuration is
never replaced as a whole, which would wipe what others have set beside ours (a folder's
credentials, say), and never compared as text: see ``elements``.
"""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError, fromstring, tostring

from autoctrl.errors import JenkinsError
from autoctrl.operations.jenkins.elements import (
    FOLDER,
    MULTIBRANCH,
    PIPELINE,
    Mark,
    read_elements,
    write_mark,
)
from autoctrl.operations.jenkins.jobs import Folder, Inline, Job, Mirror

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.operations.jenkins.jobs import FromRepository, Item, Parameter

HEADER = "<?xml version='1.0' encoding='UTF-8'?>\n"
_PROPERTIES = "org.jenkinsci.plugins.workflow.job.properties"
EXCLUSIVE = f"{_PROPERTIES}.DisableConcurrentBuildsJobProperty"
NO_RESUME = f"{_PROPERTIES}.DisableResumeJobProperty"
TRIGGERS = f"{_PROPERTIES}.PipelineTriggersJobProperty"
DISCARDER = "jenkins.model.BuildDiscarderProperty"
PARAMETERS = "hudson.model.ParametersDefinitionProperty"
OUR_PROPERTIES = frozenset({EXCLUSIVE, NO_RESUME, TRIGGERS, DISCARDER, PARAMETERS})
FOR_EVER = "-1"
KEEP_LOST_BRANCHES_D = "7"
LOOK_EVERY_MS = "300000"  # Jenkins derives the trigger's spec from it: each minute
COMPUTED = "com.cloudbees.hudson.plugins.folder.computed"
MULTI = "org.jenkinsci.plugins.workflow.multibranch"


def write_item(item: Item, project: str) -> Element:
    """Return the configuration of an item, marked as that of ``project``."""
    root = _WRITERS[type(item)](item)
    description = root[0]
    described = read_elements(root)
    mark = write_mark(Mark(project, digest_elements(described)))
    description.text = f"{description.text}\n\n{mark}"
    return root


def digest_elements(elements: dict[str, str]) -> str:
    """Return a short digest of what is ours in a configuration."""
    text = json.dumps(elements, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_config(name: str, text: str) -> Element:
    """Return the configuration that Jenkins has. Raises ``JenkinsError`` if it cannot be read."""
    try:
        root: Element = fromstring(text.encode())  # noqa: S314 - what Jenkins answers; expat limits entities
    except ParseError as error:
        message = f"The configuration of {name} in Jenkins cannot be read: {error}."
        hint = "Save it once by its page in Jenkins, or remove it there."
        raise JenkinsError(message, hint=hint) from error
    return root


def spell_config(root: Element) -> str:
    """Return a configuration as it is sent."""
    return HEADER + tostring(root, encoding="unicode")


def join_configs(found: Element, wanted: Element) -> Element:
    """Return what Jenkins has, with our elements as they are wanted and all others left alone."""
    joined = deepcopy(found)
    for part in wanted:
        if part.tag == "properties":
            _join_properties(joined, part)
        elif _is_ours(wanted, part):
            _put(joined, part)
    return joined


def _is_ours(root: Element, part: Element) -> bool:
    """Say whether an element is replaced: of a folder the description alone."""
    return root.tag != FOLDER or part.tag == "description"


def _join_properties(joined: Element, wanted: Element) -> None:
    properties = joined.find("properties")
    if properties is None:
        properties = Element("properties")
        joined.append(properties)
    for found in [part for part in properties if part.tag in OUR_PROPERTIES]:
        properties.remove(found)
    properties.extend(wanted)


def _put(parent: Element, part: Element) -> None:
    """Put an element in the place of the one of that name, or behind all others."""
    places = [place for place, found in enumerate(parent) if found.tag == part.tag]
    if places:
        parent[places[0]] = part
    else:
        parent.append(part)


def _element(tag: str, *content: str | Element, kind: str = "") -> Element:
    """Return an element with a text or with others inside; ``kind`` is its class in Jenkins."""
    made = Element(tag, {"class": kind} if kind else {})
    for part in content:
        if isinstance(part, str):
            made.text = part
        else:
            made.append(part)
    return made


def _flag(tag: str, *, is_set: bool) -> Element:
    return _element(tag, str(is_set).lower())


def _write_folder(folder: Folder) -> Element:
    return _element(
        FOLDER,
        _element("description", folder.description),
        _element("properties"),
        _element("folderViews"),
        _element("healthMetrics"),
    )


def _write_job(job: Job) -> Element:
    properties = [
        _element(EXCLUSIVE, _flag("abortPrevious", is_set=False)),
        _element(NO_RESUME),
        _element(DISCARDER, _write_discarder(job.keep_builds)),
    ]
    if job.parameters:
        definitions = _element("parameterDefinitions", *map(_write_parameter, job.parameters))
        properties.append(_element(PARAMETERS, definitions))
    if job.cron:
        timer = _element("hudson.triggers.TimerTrigger", _element("spec", job.cron))
        properties.append(_element(TRIGGERS, _element("triggers", timer)))
    pipeline = job.pipeline
    return _element(
        PIPELINE,
        _element("description", job.description),
        _element("properties", *properties),
        _write_inline(pipeline) if isinstance(pipeline, Inline) else _write_checkout(pipeline),
        _flag("disabled", is_set=job.is_disabled),
    )


def _write_discarder(keep_builds: int) -> Element:
    return _element(
        "strategy",
        _element("daysToKeep", FOR_EVER),
        _element("numToKeep", str(keep_builds)),
        _element("artifactDaysToKeep", FOR_EVER),
        _element("artifactNumToKeep", FOR_EVER),
        kind="hudson.tasks.LogRotator",
    )


def _write_parameter(parameter: Parameter) -> Element:
    return _element(
        "hudson.model.StringParameterDefinition",
        _element("name", parameter.name),
        _element("description", parameter.explanation),
        _element("defaultValue", parameter.default),
        _flag("trim", is_set=True),
    )


def _write_inline(pipeline: Inline) -> Element:
    return _element(
        "definition",
        _element("script", pipeline.script),
        _flag("sandbox", is_set=True),
        kind="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition",
    )


def _write_checkout(pipeline: FromRepository) -> Element:
    remote = _element(
        "hudson.plugins.git.UserRemoteConfig",
        _element("url", pipeline.url),
        *_write_login(pipeline.login),
    )
    branch = _element("hudson.plugins.git.BranchSpec", _element("name", pipeline.reference))
    scm = _element(
        "scm",
        _element("configVersion", "2"),
        _element("userRemoteConfigs", remote),
        _element("branches", branch),
        _element("extensions"),
        kind="hudson.plugins.git.GitSCM",
    )
    return _element(
        "definition",
        scm,
        _element("scriptPath", pipeline.path),
        _flag("lightweight", is_set=True),
        kind="org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition",
    )


def _write_login(login: str) -> list[Element]:
    return [_element("credentialsId", login)] if login else []


def _write_mirror(mirror: Mirror) -> Element:
    lost = _element(
        "orphanedItemStrategy",
        _flag("pruneDeadBranches", is_set=True),
        _element("daysToKeep", KEEP_LOST_BRANCHES_D),
        _element("numToKeep", FOR_EVER),
        kind=f"{COMPUTED}.DefaultOrphanedItemStrategy",
    )
    timer = _element(
        f"{COMPUTED}.PeriodicFolderTrigger",
        _element("spec", "* * * * *"),
        _element("interval", LOOK_EVERY_MS),
    )
    return _element(
        MULTIBRANCH,
        _element("description", mirror.description),
        lost,
        _element("triggers", timer),
        _write_source(mirror),
        _element(
            "factory",
            _element("scriptPath", "Jenkinsfile"),
            kind=f"{MULTI}.WorkflowBranchProjectFactory",
        ),
    )


def _write_source(mirror: Mirror) -> Element:
    allowed = _element(
        "jenkins.scm.impl.trait.RegexSCMHeadFilterTrait", _element("regex", mirror.branches)
    )
    traits = _element(
        "traits", _element("jenkins.plugins.git.traits.BranchDiscoveryTrait"), allowed
    )
    # The same for ever: with another id all branches would be new jobs.
    source_id = hashlib.sha256(mirror.name.encode()).hexdigest()[:16]
    source = _element(
        "source",
        _element("id", f"autoctrl-{source_id}"),
        _element("remote", mirror.repository),
        *_write_login(mirror.login),
        traits,
        kind="jenkins.plugins.git.GitSCMSource",
    )
    branches = _element("data", _element("jenkins.branch.BranchSource", source))
    return _element("sources", branches, kind="jenkins.branch.MultiBranchProject$BranchSourceList")


_WRITERS: dict[type, Callable[..., Element]] = {
    Folder: _write_folder,
    Job: _write_job,
    Mirror: _write_mirror,
}
