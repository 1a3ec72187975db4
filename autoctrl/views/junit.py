"""What a cycle did as a JUnit file, which Jenkins and others read as test results. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

CYCLE = "cycle"
ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


class Case(NamedTuple):
    """One test case: a task that moved, or the cycle of a workflow.

    name     the task's unit, or ``cycle``
    text     what happened, empty if there is nothing to say
    failure  why a task failed for good, empty if it did not
    error    why a cycle could not work, empty if it could
    log      address of the log worth reading, empty if none
    time_s   how long it took, 0 if nobody knows
    """

    name: str
    text: str = ""
    failure: str = ""
    error: str = ""
    log: str = ""
    time_s: float = 0.0


class Suite(NamedTuple):
    """The test cases of one workflow's cycle.

    project, campaign, workflow  whose cases these are
    cases                        one or more: a report without a case counts as broken
    """

    project: str
    campaign: str
    workflow: str
    cases: Sequence[Case]

    @property
    def class_name(self) -> str:
        """``project.campaign.workflow``; a point inside one of them becomes a dash."""
        words = (self.project, self.campaign, self.workflow)
        return ".".join(word.replace(".", "-") for word in words)


def junit_document(suites: Sequence[Suite], at: datetime) -> bytes:
    """Return a JUnit document of these suites, in UTF-8; ``at`` is when the cycle began, aware UTC.

    What XML cannot hold is left out of the texts.
    """
    root = ET.Element("testsuites", _totals([case for suite in suites for case in suite.cases]))
    root.extend(_suite_element(suite, at) for suite in suites)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _suite_element(suite: Suite, at: datetime) -> ET.Element:
    when = at.strftime("%Y-%m-%dT%H:%M:%S")
    facts = {"name": clean(suite.workflow), **_totals(suite.cases), "timestamp": when}
    element = ET.Element("testsuite", facts)
    element.extend(_case_element(case, clean(suite.class_name)) for case in suite.cases)
    return element


def _case_element(case: Case, class_name: str) -> ET.Element:
    facts = {"name": clean(case.name), "classname": class_name, "time": f"{case.time_s:.3f}"}
    element = ET.Element("testcase", facts)
    for kind, reason in (("failure", case.failure), ("error", case.error)):
        if reason:
            told = ET.SubElement(element, kind, {"message": clean(reason), "type": kind})
            told.text = clean(f"{reason}\nlog: {case.log}" if case.log else reason)
    if case.text:
        ET.SubElement(element, "system-out").text = clean(case.text)
    return element


def _totals(cases: Sequence[Case]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(bool(case.failure) for case in cases)),
        "errors": str(sum(bool(case.error) for case in cases)),
        "skipped": "0",
        "time": f"{sum(case.time_s for case in cases):.3f}",
    }


def clean(text: str) -> str:
    """Return a text without what XML 1.0 cannot hold: most control characters, lone surrogates."""
    return ILLEGAL.sub("", text)
