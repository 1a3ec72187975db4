"""The config.xml of items, views and credentials: read strictly, kept as the server keeps it, and
written as it writes it.
"""

from __future__ import annotations

import base64
from copy import deepcopy
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, indent, tostring

from tests.fakes.http import Answer
from tests.fakes.jenkins.elements import CONCURRENCY, ITEMS, PERIODIC, TRIGGERS
from tests.fakes.jenkins.pages import refused
from tests.fakes.jenkins.shapes import Block, Reading
from tests.fakes.jenkins.state import PIPELINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.jenkins.core import Core

HEADER = b"<?xml version='1.1' encoding='UTF-8'?>\n"
HIDDEN = "********"
SEALED = "{AQAAABAAAAAQ"
# What the spec of a folder's trigger becomes, by the greatest interval in ms.
FOLDER_SPECS = (
    (5 * 60_000, "* * * * *"),
    (30 * 60_000, "H/5 * * * *"),
    (60 * 60_000, "H/15 * * * *"),
    (8 * 3_600_000, "H/30 * * * *"),
)
DEFAULT_SPEC = "H H * * *"


def parse(core: Core, body: bytes, known: Mapping[str, Block]) -> Element:
    """Return a posted config.xml as the server keeps it.

    500 for what is no XML or has an unknown root. What is unknown in it is a violation and 500, or
    dropped if the site is lenient.
    """
    try:
        root = fromstring(body)  # noqa: S314 - what tests post to their own fake
    except ParseError as error:
        raise refused(500, f"java.io.IOException: Unable to read: {error}") from None
    if root.tag not in known:
        raise refused(500, f"java.io.IOException: Unable to read: {root.tag}")
    reading = Reading()
    kept = reading.read(root, known[root.tag], root.tag)
    if reading.problems and not core.site.is_lenient:
        for problem in reading.problems:
            core.violate(f"config.xml: {problem}")
        raise refused(500, "; ".join(reading.problems))
    core.log += [problem for problem in reading.problems if "cron" in problem]
    assert kept is not None
    return kept


def parse_item(core: Core, body: bytes) -> Element:
    """Return the config.xml of an item, old forms moved to where they are kept today."""
    if HIDDEN.encode() in body:
        core.violate("config.xml: a secret that was hidden is sent back")
    config = parse(core, body, ITEMS)
    if config.tag == PIPELINE:
        _move_old_forms(config)
    for trigger in config.findall(f"triggers/{PERIODIC}"):
        spec = trigger.find("spec")
        if spec is None:
            spec = Element("spec")
            trigger.insert(0, spec)
        spec.text = _folder_spec(int(trigger.findtext("interval", "0")))
    return config


def _folder_spec(interval_ms: int) -> str:
    """Return the spec that a folder's trigger has for an interval."""
    return next((spec for most, spec in FOLDER_SPECS if interval_ms <= most), DEFAULT_SPEC)


def _move_old_forms(config: Element) -> None:
    """Move ``concurrentBuild`` and ``triggers`` into the properties; seal ``authToken``."""
    concurrent, triggers = config.find("concurrentBuild"), config.find("triggers")
    if concurrent is not None:
        config.remove(concurrent)
        if concurrent.text == "false" and config.find(f"properties/{CONCURRENCY}") is None:
            made = Element(CONCURRENCY, {"plugin": "workflow-job@7"})
            SubElement(made, "abortPrevious").text = "false"
            set_property(config, made)
    if triggers is not None:
        config.remove(triggers)
        if config.find(f"properties/{TRIGGERS}") is None:
            made = Element(TRIGGERS, {"plugin": "workflow-job@7"})
            made.append(triggers)
            set_property(config, made)
    token = config.find("authToken")
    if token is not None:
        token.text = seal(unseal(token.text or ""))


def set_property(config: Element, made: Element) -> None:
    """Give a job a property in place of the one of its class."""
    properties = config.find("properties")
    if properties is None:
        properties = Element("properties")
        names = [child.tag for child in config]
        before = ("actions", "description", "displayName", "keepDependencies")
        config.insert(sum(name in before for name in names), properties)
    drop_property(config, made.tag, is_tidy=False)
    properties.append(made)
    properties[:] = sorted(properties, key=lambda one: one.tag)


def drop_property(config: Element, name: str, *, is_tidy: bool = True) -> None:
    """Take a property from a job, and the list if it is empty then."""
    properties = config.find("properties")
    if properties is None:
        return
    for found in properties.findall(name):
        properties.remove(found)
    if is_tidy and not len(properties):
        config.remove(properties)


def seal(text: str) -> str:
    """Return a secret as it lies on the disk."""
    return f"{SEALED}{base64.b64encode(text.encode()[::-1]).decode()}}}"


def unseal(text: str) -> str:
    """Return a secret that may be sealed."""
    if not text.startswith(SEALED):
        return text
    return base64.b64decode(text.removeprefix(SEALED).removesuffix("}"))[::-1].decode()


def written(config: Element, *, hides_secrets: bool = False) -> Answer:
    """Return an answer with a config.xml; without Configure its secrets are stars."""
    shown = deepcopy(config)
    for token in shown.findall("authToken") if hides_secrets else ():
        token.text = HIDDEN
    indent(shown)
    return Answer(200, HEADER + tostring(shown), "application/xml")
