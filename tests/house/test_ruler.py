"""What is read must be easy to read: the ruler measures difficulty, not lines alone."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.house.source import FUNCTIONS, code_lines, definitions, findings, modules, name_of, tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.house.source import Definition

MODULE_LINES = 400
FUNCTION_LINES = 40
FUNCTION_NODES = 250
COMPLEXITY = 10
NESTED_COMPREHENSIONS = 2
UNNAMED_FIELDS = 2

OURS = modules("autoctrl", "workflows")
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp)

# Modules that may be longer, and why.
LONG = {
    "autoctrl/node/wrapper.py": "travels to worker nodes alone, so it cannot be several files",
}
# Functions that may return three or more values without names, and why.
UNNAMED = {
    "autoctrl/cli/app.py: Verbs.resolve_command": "the signature is click's",
    "autoctrl/cli/session.py: VerbGroup.resolve_command": "the signature is click's",
    "autoctrl/executors/htcondor/bindings.py: Calls.ping": "named where it leaves its process",
    "autoctrl/executors/htcondor/bindings.py: factory": "named where it leaves its process",
    "autoctrl/model/unit.py: unit_order": "a key to sort by, never taken apart",
    "autoctrl/node/wrapper.py: Start.collect": "used in the wrapper alone, which starts in no time",
    "autoctrl/stores/ordering.py: mark_key": "a key to look up by, never taken apart",
    "autoctrl/stores/ordering.py: task_order": "a key to sort by, never taken apart",
}


def functions(path: Path) -> list[tuple[str, Definition]]:
    """Return every function of a module with its dotted name, nested ones too."""
    return [(name, node) for name, node in definitions(path) if isinstance(node, FUNCTIONS)]


def lines_of(path: Path, node: Definition) -> int:
    """Return how many lines of code a function has; of one that is short anyhow, how many lines."""
    lines = range(node.lineno, (node.end_lineno or 0) + 1)
    return len(lines) if len(lines) <= FUNCTION_LINES else len(code_lines(path) & set(lines))


def nodes_of(node: ast.AST) -> int:
    """Return how many nodes the syntax tree of a function has."""
    return sum(1 for _ in ast.walk(node))


def decisions(node: ast.AST) -> int:
    """Return how many decisions one node of the syntax tree stands for."""
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    if isinstance(node, ast.Match):
        return len(node.cases) - 1
    return int(isinstance(node, BRANCHES))


def complexity(function: ast.AST) -> int:
    """Return one more than the number of decisions in a function, boolean operators counted."""
    return 1 + sum(decisions(node) for node in ast.walk(function))


def depth(node: ast.AST) -> int:
    """Return how many comprehensions lie inside one another in a node, itself included."""
    inner = max((depth(child) for child in ast.iter_child_nodes(node)), default=0)
    return inner + isinstance(node, COMPREHENSIONS)


def holds_another(node: ast.AST) -> bool:
    """Say whether a conditional expression holds another one."""
    return any(isinstance(inner, ast.IfExp) for inner in ast.walk(node) if inner is not node)


def unnamed_fields(function: Definition) -> int:
    """Return how many values a function returns as a plain tuple of a fixed length."""
    returns = None if isinstance(function, ast.ClassDef) else function.returns
    if not (isinstance(returns, ast.Subscript) and ast.unparse(returns.value) == "tuple"):
        return 0
    fields = returns.slice.elts if isinstance(returns.slice, ast.Tuple) else []
    is_sequence = any(ast.unparse(field) == "..." for field in fields)
    return 0 if is_sequence else len(fields)


def test_modules_are_short() -> None:
    """No module has more than 400 lines, those apart that say why."""
    lengths = {
        name_of(path): len(path.read_text().splitlines())
        for path in modules("autoctrl", "workflows", "tests")
    }
    assert {name for name, length in lengths.items() if length > MODULE_LINES} == LONG.keys()


def test_functions_are_short() -> None:
    """No function has more than 40 lines of code, in the tests neither."""

    def long_ones(path: Path) -> dict[str, int]:
        lengths = {name: lines_of(path, node) for name, node in functions(path)}
        return {name: length for name, length in lengths.items() if length > FUNCTION_LINES}

    assert findings(modules("autoctrl", "workflows", "tests"), long_ones) == {}


def test_functions_hold_little() -> None:
    """No function has more than 250 syntax nodes."""

    def large_ones(path: Path) -> dict[str, int]:
        sizes = {name: nodes_of(node) for name, node in functions(path)}
        return {name: size for name, size in sizes.items() if size > FUNCTION_NODES}

    assert findings(OURS, large_ones) == {}


def test_functions_decide_little() -> None:
    """No function has a complexity above 10, boolean operators and comprehensions counted."""

    def tangled_ones(path: Path) -> dict[str, int]:
        found = {name: complexity(node) for name, node in functions(path)}
        return {name: value for name, value in found.items() if value > COMPLEXITY}

    assert findings(OURS, tangled_ones) == {}


def test_expressions_are_flat() -> None:
    """No comprehension lies three deep, and no conditional expression inside another."""

    def deep_ones(path: Path) -> set[int]:
        nodes = list(ast.walk(tree(path)))
        deep = [node for node in nodes if isinstance(node, COMPREHENSIONS)]
        nested = [node for node in nodes if isinstance(node, ast.IfExp) and holds_another(node)]
        return {node.lineno for node in deep if depth(node) > NESTED_COMPREHENSIONS} | {
            node.lineno for node in nested
        }

    assert findings(OURS, deep_ones) == {}


def test_what_crosses_modules_has_names() -> None:
    """No public function returns three values or more without names, those apart that say why."""
    unnamed = {
        f"{name_of(path)}: {name}"
        for path in OURS
        for name, node in functions(path)
        if not any(part.startswith("_") for part in name.split("."))
        and unnamed_fields(node) > UNNAMED_FIELDS
    }
    assert unnamed == UNNAMED.keys()
