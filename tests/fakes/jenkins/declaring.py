"""What a Jenkinsfile declares in options, triggers and parameters, as properties of its job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement

from tests.fakes.jenkins.elements import (
    BOOLEAN,
    CHOICE,
    CONCURRENCY,
    DISCARDER,
    PARAMETERS,
    PROPERTIES,
    RESUME,
    ROTATOR,
    STRING,
    TEXT,
    TIMER,
    TRIGGERS,
)
from tests.fakes.jenkins.running import Declared
from tests.fakes.jenkins.shapes import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = {"string": STRING, "text": TEXT, "booleanParam": BOOLEAN, "choice": CHOICE}


class UndeclarableError(Exception):
    """Something that the fake knows no property for."""


def declared(message: Mapping[str, Any]) -> Declared:
    """Return the properties of what a Jenkinsfile declares; UndeclarableError for what is unknown.

    ``message`` has ``options``, ``triggers`` and ``parameters``, each a list of names and args.
    """
    made = [found for one in message["options"] if (found := _option(one)) is not None]
    if message["triggers"]:
        made.append(_triggers(message["triggers"]))
    if message["parameters"]:
        made.append(_parameters(message["parameters"]))
    root = Element("properties")
    root.extend(made)
    reading = Reading()
    kept = reading.read(root, PROPERTIES, "Jenkinsfile")
    if reading.problems:
        raise UndeclarableError("; ".join(reading.problems))
    return Declared(tuple(kept) if kept is not None else ())


def _text(parent: Element, name: str, value: object) -> None:
    SubElement(parent, name).text = str(value).lower() if isinstance(value, bool) else str(value)


def _option(option: Mapping[str, Any]) -> Element | None:
    """Return the property that an option is; others take effect in the build alone."""
    arguments = option["args"][0] if option["args"] else {}
    if option["name"] == "disableResume":
        return Element(RESUME)
    if option["name"] == "disableConcurrentBuilds":
        made = Element(CONCURRENCY)
        _text(made, "abortPrevious", bool(arguments.get("abortPrevious", False)))
        return made
    if option["name"] == "buildDiscarder":
        made = Element(DISCARDER)
        strategy = SubElement(made, "strategy", {"class": ROTATOR})
        rotator = arguments["logRotator"][0]
        for name, value in rotator.items():
            _text(strategy, name.removesuffix("Str"), value)
        return made
    return None


def _triggers(triggers: list[Mapping[str, Any]]) -> Element:
    made = Element(TRIGGERS)
    inside = SubElement(made, "triggers")
    for one in triggers:
        if one["name"] != "cron":
            message = f"the trigger {one['name']}"
            raise UndeclarableError(message)
        _text(SubElement(inside, TIMER), "spec", one["args"][0])
    return made


def _parameters(parameters: list[Mapping[str, Any]]) -> Element:
    made = Element(PARAMETERS)
    inside = SubElement(made, "parameterDefinitions")
    for one in parameters:
        if one["name"] not in KINDS:
            message = f"the parameter {one['name']}"
            raise UndeclarableError(message)
        definition = SubElement(inside, KINDS[one["name"]])
        for name, value in one["args"][0].items():
            if name == "choices":
                _choices(definition, value)
            else:
                _text(definition, name, value)
    return made


def _choices(definition: Element, value: object) -> None:
    """Add the choices, given as a list or as lines."""
    names = value if isinstance(value, list) else str(value).splitlines()
    choices = SubElement(definition, "choices", {"class": "java.util.Arrays$ArrayList"})
    inside = SubElement(choices, "a", {"class": "string-array"})
    for name in names:
        _text(inside, "string", name)
