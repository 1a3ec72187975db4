"""The settings of one project, loaded and checked."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import MISSING
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import autoctrl
from autoctrl.config.adapters import SECTION_BASES
from autoctrl.config.checkout import check_position, find_checkout, layer_deployed
from autoctrl.config.environments import check_separation
from autoctrl.config.layers import (
    BUILT_IN,
    Layer,
    check,
    is_secret,
    kind_of,
    known_settings,
    names_in,
    read_table,
    read_variables,
)
from autoctrl.config.placing import expand_store
from autoctrl.config.reading import parse_toml, read_text
from autoctrl.config.requirement import check_requirement
from autoctrl.config.sections import ATTRIBUTES, SECTIONS, WORKFLOWS, ProjectSettings
from autoctrl.config.settings import FILE_NAME, Settings, check_together
from autoctrl.errors import SettingsError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

PRODUCTION = "production"


def find_project(start: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the nearest folder at or above ``start`` that has an autoctrl.toml.

    Without ``start``, ``AUTOCTRL_PROJECT`` names the folder, else the search begins in the working
    directory. Raises ``SettingsError`` if there is none.
    """
    begin = Path(start or environ.get("AUTOCTRL_PROJECT") or ".").absolute()
    for folder in (begin, *begin.parents):
        if (folder / FILE_NAME).is_file():
            return folder
    message = f"There is no {FILE_NAME} in {begin} or above it, so this is not an autoctrl project."
    raise SettingsError(message, hint="Make one with: autoctrl init DIR")


def load_settings(
    folder: Path,
    *,
    environment: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Return the settings of the project in ``folder``, whole and checked.

    ``environment`` chooses an [environments.NAME]; without it AUTOCTRL_ENVIRONMENT does. Raises
    ``SettingsError`` with the file, the key and the nearest known key for anything that is unknown,
    of the wrong type or contradictory, and if `production` exists but no environment is chosen.
    """
    folder = folder.absolute()
    checkout = find_checkout(folder)
    file = (checkout.folder if checkout else folder) / FILE_NAME
    return parse_settings(read_text(file), folder, environment=environment, environ=environ)


def parse_settings(
    text: str,
    folder: Path,
    *,
    environment: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Return what ``load_settings`` would if the autoctrl.toml in ``folder`` had this ``text``."""
    tree = parse_toml(text, folder / FILE_NAME)
    check_requirement(tree.get("autoctrl"), autoctrl.__version__)
    overlays = _overlays(tree)
    chosen = environment if environment is not None else environ.get("AUTOCTRL_ENVIRONMENT", "")
    base = {**BUILT_IN, **read_table(tree, FILE_NAME)}
    layers = {
        name: read_table(overlay, FILE_NAME, ("environments", name))
        for name, overlay in overlays.items()
    }
    checkout = find_checkout(folder)
    if checkout is not None:
        check_position(checkout, chosen)
        layer = layer_deployed(checkout, base, layers, environ)
        check(layer)
        return _build(checkout.folder, checkout.environment.name, layer)
    _check_choice(chosen, overlays)
    return _choose(folder, chosen, base, layers, environ)


def _choose(
    folder: Path,
    chosen: str,
    base: Layer,
    overlays: Mapping[str, Layer],
    environ: Mapping[str, str],
) -> Settings:
    """Return the settings of one environment of a project that nobody has deployed, all checked."""
    layers = {name: {**base, **overlay} for name, overlay in overlays.items()}
    if PRODUCTION not in layers:
        layers[""] = {**base}
    layers[chosen].update(read_variables(environ, layers[chosen]))
    for layer in layers.values():
        check(layer)
    whole = {name: expand_store(layer) for name, layer in layers.items()}
    settings = {name: _build(folder, name, layer) for name, layer in whole.items()}
    check_separation(str(folder), whole)
    return settings[chosen]


def _overlays(tree: dict[str, Any]) -> dict[str, dict[str, Any]]:
    overlays = tree.pop("environments", {})
    if not isinstance(overlays, dict) or not all(
        isinstance(overlay, dict) for overlay in overlays.values()
    ):
        message = f"{FILE_NAME}: [environments] contains something that is not a table."
        raise SettingsError(
            message, hint="Write the settings of an environment as [environments.NAME.section]."
        )
    return overlays


def _check_choice(chosen: str, overlays: Mapping[str, Any]) -> None:
    if chosen and chosen not in overlays:
        message = f"There is no environment '{chosen}' in {FILE_NAME}. {nearest(chosen, overlays)}"
        raise SettingsError(message, hint=f"Declare it as [environments.{chosen}].")
    if not chosen and PRODUCTION in overlays:
        message = (
            f"{FILE_NAME} declares [environments.{PRODUCTION}], so an environment must be chosen."
        )
        hint = (
            "Use --environment NAME or set AUTOCTRL_ENVIRONMENT; the environments are: "
            f"{', '.join(sorted(overlays))}."
        )
        raise SettingsError(message, hint=hint)


def _build(folder: Path, environment: str, layer: Layer) -> Settings:
    _refuse_missing(layer)
    sections = {name: kind(**_values(layer, (name,))) for name, kind in SECTIONS.items()}
    named = {section: _tables(layer, section) for section in SECTION_BASES}
    settings = Settings(
        folder=folder,
        environment=environment,
        digest=_digest(environment, layer),
        project=ProjectSettings(**_values(layer, ())),
        attributes=_values(layer, ATTRIBUTES),
        workflow_tables={
            name: _values(layer, (WORKFLOWS, name)) for name in names_in(layer, WORKFLOWS)
        },
        **cast("dict[str, Any]", {**sections, **named}),
    )
    check_together(settings)
    return settings


def _refuse_missing(layer: Layer) -> None:
    """Raise ``SettingsError`` for the first setting without a default that is not given."""
    for path, item in known_settings(layer).items():
        if item.default is MISSING and path not in layer:
            section, _, key = ".".join(path).rpartition(".")
            message = f"{FILE_NAME}: [{section}] lacks {key}."
            raise SettingsError(message, hint=f"It means: {item.metadata['doc']}")


def _tables(layer: Layer, section: str) -> dict[str, Any]:
    """Return the tables of a section by name, each of the class that its ``type`` chooses."""
    return {
        name: kind_of(layer, section, name)(**_values(layer, (section, name)))
        for name in names_in(layer, section)
    }


def _values(layer: Layer, prefix: tuple[str, ...]) -> dict[str, Any]:
    return {
        path[-1]: entry.value
        for path, entry in layer.items()
        if path[:-1] == prefix and entry.value != {}
    }


def _digest(environment: str, layer: Layer) -> str:
    known = known_settings(layer)
    resolved = {
        path: layer[path].value if path in layer else item.default for path, item in known.items()
    }
    shown = {".".join(path): value for path, value in resolved.items() if not is_secret(path[-1])}
    text = json.dumps({"environment": environment, **shown}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
