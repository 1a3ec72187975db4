"""Our small definition of a Route says nothing that OpenShift's own does not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tests.services import ROOT

NAME = Path("shared/contracts/data/route.crd.yaml")
OURS = ROOT / "openshift/cluster/route.yaml"
SAME = ("type", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern", "default")


def schema_of(path: Path) -> Any:
    """Return what a definition of a kind demands of its objects."""
    return yaml.safe_load(path.read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def theirs() -> Any:
    """Return what OpenShift demands of a Route; skips where the file is not."""
    found = [parent / NAME for parent in Path(__file__).parents if (parent / NAME).is_file()]
    if not found:
        pytest.skip("OpenShift's definition of a Route does not lie beside the repository")
    return without_nothing(schema_of(found[0]))


def without_nothing(part: Any) -> Any:
    """Return a schema without the keys that hold nothing, which a validator takes for mistakes."""
    if isinstance(part, dict):
        return {key: without_nothing(item) for key, item in part.items() if item is not None}
    return [without_nothing(item) for item in part] if isinstance(part, list) else part


def differences(ours: Any, other: Any, where: str = "") -> list[str]:
    """Return where ours allows what the other does not know, or what it does not allow."""
    found = []
    for key in SAME:
        if key == "enum" and "enum" in ours:
            found += [f"{where}: {word}" for word in {*ours[key]} - {*other[key]}]
        elif ours.get(key, other.get(key)) != other.get(key):
            found.append(f"{where}: {key}")
    for name, part in ours.get("properties", {}).items():
        if name not in other.get("properties", {}):
            found += [f"{where}.{name}"] * (where.count(".") > 0)  # beside spec they say nothing
        else:
            found += differences(part, other["properties"][name], f"{where}.{name}")
    return found


def test_our_definition_is_a_part_of_theirs() -> None:
    """Every field of ours is one of theirs, with the same type, bounds and words."""
    assert differences(schema_of(OURS), theirs()) == []


@pytest.mark.parametrize("name", ["base/route.yaml", "components/hooks/hooks.yaml"])
def test_openshift_takes_our_routes(name: str) -> None:
    """Each Route keeps to their definition, as far as a schema says it."""
    validator = jsonschema_rs.validator_for(theirs())
    routes = [
        thing
        for thing in yaml.safe_load_all((ROOT / "openshift" / name).read_text())
        if thing["kind"] == "Route"
    ]
    assert routes
    for route in routes:
        assert [str(error) for error in validator.iter_errors(route)] == []
