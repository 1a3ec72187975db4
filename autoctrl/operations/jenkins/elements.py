"""What is ours in a configuration of Jenkins, in words that people read: compared, and digested.

Pure. What is not ours is not looked at: Jenkins and other people may do with it as they like.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
PIPELINE = "flow-definition"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
KINDS = {FOLDER: "folder", PIPELINE: "pipeline", MULTIBRANCH: "multibranch"}
MARK = re.compile(
    r"\s*^autoctrl project=(?P<project>\S+) digest=(?P<digest>[0-9a-f]+)\s*$", re.MULTILINE
)
_TIMER = "hudson.triggers.TimerTrigger"
_RETENTION = ("daysToKeep", "numToKeep", "artifactDaysToKeep", "artifactNumToKeep")
_EXCLUSIVE = "DisableConcurrentBuildsJobProperty"
_NO_RESUME = "DisableResumeJobProperty"


class Mark(NamedTuple):
    """That an item is ours: the project, and the digest of what was ours in it when it was sent."""

    project: str
    digest: str


def write_mark(mark: Mark) -> str:
    """Return the line of a description that is the mark."""
    return f"autoctrl project={quote(mark.project, safe='/')} digest={mark.digest}"


def read_mark(root: Element) -> Mark | None:
    """Return the mark that a configuration carries, None if it carries none."""
    found = MARK.search(_text(root, "description"))
    return Mark(unquote(found["project"]), found["digest"]) if found else None


def kind_of(root: Element) -> str:
    """Return the word for what a configuration describes, else the name of its class."""
    return KINDS.get(root.tag, root.tag)


def read_elements(root: Element) -> dict[str, str]:
    """Return what is ours in a configuration, by a word for each; what is not there is empty."""
    described = MARK.sub("", _text(root, "description")).strip()
    own = _READERS.get(root.tag)
    return {"kind": kind_of(root), "description": described, **(own(root) if own else {})}


def _text(root: Element, path: str) -> str:
    return (root.findtext(path) or "").strip()


def _short(tag: str) -> str:
    """Return the last part of the name of a class."""
    return tag.rpartition(".")[2]


def _kind(root: Element, path: str) -> str:
    found = root.find(path)
    return "" if found is None else _short(found.get("class", ""))


def _texts(root: Element, path: str) -> str:
    return "\n".join((found.text or "").strip() for found in root.findall(path))


def _read_job(root: Element) -> dict[str, str]:
    properties = {_short(part.tag): part for part in root.findall("properties/*")}
    exclusive = properties.get(_EXCLUSIVE)
    at_once = "yes"
    if exclusive is not None:
        is_rude = _text(exclusive, "abortPrevious") == "true"
        at_once = "the newer aborts the older" if is_rude else "no"
    return {
        "disabled": _text(root, "disabled") or "false",
        "several builds at once": at_once,
        "resumed after a restart": "no" if _NO_RESUME in properties else "yes",
        **_read_discarder(properties.get("BuildDiscarderProperty")),
        "parameters": _read_parameters(properties.get("ParametersDefinitionProperty")),
        **_read_triggers(properties.get("PipelineTriggersJobProperty")),
        **_read_definition(root),
    }


def _read_discarder(discarder: Element | None) -> dict[str, str]:
    strategy = discarder.find("strategy") if discarder is not None else None
    if strategy is None:
        return {"builds kept": "all"}
    days, number, *artifacts = (_text(strategy, name) or "-1" for name in _RETENTION)
    limits = [] if days == "-1" else [f"{days} days"]
    limits += [] if number == "-1" else [number]
    limits += [] if artifacts == ["-1", "-1"] else [f"artifacts {' '.join(artifacts)}"]
    return {"builds kept": ", ".join(limits) or "all"}


def _read_parameters(declared: Element | None) -> str:
    definitions = [] if declared is None else declared.findall("parameterDefinitions/*")
    facts = ("name", "defaultValue", "trim", "description")
    lines = [
        " ".join([_short(one.tag), *(f"{fact}={_text(one, fact)!r}" for fact in facts)])
        for one in definitions
    ]
    return "\n".join(lines)


def _read_triggers(declared: Element | None) -> dict[str, str]:
    triggers = [] if declared is None else declared.findall("triggers/*")
    specs = [_text(one, "spec") for one in triggers if one.tag == _TIMER]
    others = [_short(one.tag) for one in triggers if one.tag != _TIMER]
    return {"cron": "\n".join(specs), "other triggers": ", ".join(others)}


def _read_definition(root: Element) -> dict[str, str]:
    return {
        "pipeline from": _kind(root, "definition"),
        "script": _text(root, "definition/script"),
        "sandbox": _text(root, "definition/sandbox"),
        "script path": _text(root, "definition/scriptPath"),
        "lightweight": _text(root, "definition/lightweight"),
        "version control": _kind(root, "definition/scm"),
        "repository": _texts(root, "definition/scm/userRemoteConfigs/*/url"),
        "login": _texts(root, "definition/scm/userRemoteConfigs/*/credentialsId"),
        "reference": _texts(root, "definition/scm/branches/*/name"),
        "extensions": ", ".join(
            _short(one.tag) for one in root.findall("definition/scm/extensions/*")
        ),
    }


def _read_mirror(root: Element) -> dict[str, str]:
    sources = "sources/data/*/source"
    traits = sorted(_short(one.tag) for one in root.findall(f"{sources}/traits/*"))
    lost = [
        _text(root, f"orphanedItemStrategy/{name}")
        for name in ("pruneDeadBranches", "daysToKeep", "numToKeep")
    ]
    return {
        "lost branches": " ".join(lost),
        "looks every, ms": _texts(root, "triggers/*/interval"),
        "sources": "\n".join(_short(one.get("class", "")) for one in root.findall(sources)),
        "source id": _texts(root, f"{sources}/id"),
        "repository": _texts(root, f"{sources}/remote"),
        "login": _texts(root, f"{sources}/credentialsId"),
        "branches": _texts(root, f"{sources}/traits/*/regex"),
        "traits": ", ".join(traits),
        "script path": _text(root, "factory/scriptPath"),
    }


_READERS: dict[str, Callable[[Element], dict[str, str]]] = {
    PIPELINE: _read_job,
    MULTIBRANCH: _read_mirror,
}
