"""What must not happen in the house."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.house.source import ROOT, definitions, findings, imported, modules, name_of, tree

if TYPE_CHECKING:
    from pathlib import Path

# Whatever reads a clock, the disk, the network, the environment or chance.
OUTSIDE_WORLD = {
    "asyncio",
    "glob",
    "http",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
}
OUTSIDE_WORLD |= {
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "uuid",
}
# What an author reads and writes is a Path; the model only names files and opens none.
NAMES_FILES = {"autoctrl/model/task.py"}
NOW = frozenset({"now", "utcnow", "today", "fromtimestamp"})
HEAVY = {
    "awkward",
    "influxdb_client",
    "jinja2",
    "matplotlib",
    "numpy",
    "rich",
    "scipy",
    "sklearn",
    "starlette",
    "uproot",
}
EMPTY_MODULE_NAMES = re.compile(r"(^|_)(utils?|helpers?|misc|common|managers?|tools)(_|$)")
EMPTY_CLASS_NAMES = re.compile(r"^_?Base[A-Z]|(Manager|Helper|Utils?|Controller)$")


def test_the_model_knows_no_clock_and_no_outside_world() -> None:
    """The model imports only the pure part of the standard library and never asks for the time."""
    assert not findings(modules("autoctrl/model"), outside_world)


def outside_world(path: Path) -> list[str]:
    """Return what a module imports and calls that is not pure."""
    names = imported(path) - {"autoctrl"} - (sys.stdlib_module_names - OUTSIDE_WORLD)
    names -= {"pathlib"} if name_of(path) in NAMES_FILES else set()
    calls = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    names |= {call.attr for call in calls if isinstance(call, ast.Attribute)} & NOW
    names |= {call.id for call in calls if isinstance(call, ast.Name)} & {"open", "print", "input"}
    return sorted(names)


@pytest.mark.parametrize("name", ["wrapper", "hint"])
def test_what_goes_to_the_node_travels_alone(name: str) -> None:
    """The wrapper and the way to give hints are one file each, of the standard library, that Python
    3.9 can parse.
    """
    path = ROOT / f"autoctrl/node/{name}.py"
    assert imported(path) <= sys.stdlib_module_names
    ast.parse(path.read_text(), feature_version=(3, 9))
    assert not [node for node in ast.walk(tree(path)) if isinstance(node, ast.Match)]


def test_names_say_what_a_thing_is() -> None:
    """No module or class has a name that fits everything."""
    assert not findings(modules("autoctrl", "workflows"), empty_names)


def empty_names(path: Path) -> list[str]:
    """Return the names in a module, its own included, that would fit any other."""
    parts = name_of(path).removesuffix(".py").split("/")
    classes = [name for name, node in definitions(path) if isinstance(node, ast.ClassDef)]
    return [part for part in parts if EMPTY_MODULE_NAMES.search(part)] + [
        name for name in classes if EMPTY_CLASS_NAMES.search(name.rpartition(".")[2])
    ]


@pytest.mark.parametrize("entrance", ["autoctrl", "autoctrl.compose", "autoctrl.cli"])
def test_heavy_packages_are_imported_when_they_are_needed(entrance: str) -> None:
    """Importing what an idle cycle needs imports no package that takes long to import."""
    program = f"import sys, {entrance}; print(*sorted({HEAVY!r} & sys.modules.keys()))"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert not answer.stdout.split()
