"""The project's own files, as the house rules read them: parsed once, never imported."""

from __future__ import annotations

import ast
import io
import subprocess
import tokenize
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).parents[2]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text(), str(path))


def modules(*folders: str) -> list[Path]:
    """Return every Python file below these folders of the repository, in order."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """Return a file's path inside the repository."""
    return str(path.relative_to(ROOT))


def definitions(path: Path) -> list[tuple[str, Definition]]:
    """Return every class and function of a module with its dotted name, nested ones too."""
    found: list[tuple[str, Definition]] = []

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
                found.append((prefix + child.name, child))
                visit(child, f"{prefix}{child.name}.")
            else:
                visit(child, prefix)

    visit(tree(path), "")
    return found


def imported(path: Path) -> set[str]:
    """Return the first names of all modules that a file imports."""
    nodes = list(ast.walk(tree(path)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {
        name.partition(".")[0]
        for name in plain | {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}
    }


def findings(paths: Iterable[Path], find: Callable[[Path], object]) -> dict[str, object]:
    """Return what ``find`` says of each of these files, where it says anything."""
    return {name_of(path): found for path in paths if (found := find(path))}


@cache
def code_lines(path: Path) -> frozenset[int]:
    """Return the numbers of the lines that hold code: no blank line, comment or docstring."""
    ignored = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type not in ignored:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree(path)):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS))
            and ast.get_docstring(node, clean=False) is not None
        ):
            lines.difference_update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return frozenset(lines)


@cache
def tracked() -> dict[str, str]:
    """Return the mode of every file under version control that is there, by path."""
    command = ["git", "-C", str(ROOT), "ls-files", "--stage", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    files = {entry.partition("\t")[2]: entry.split()[0] for entry in listed.split("\0") if entry}
    return {path: mode for path, mode in files.items() if (ROOT / path).is_file()}


@cache
def texts() -> dict[str, str]:
    """Return the text of every tracked file that is one, by path."""
    found = {}
    for path in tracked():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content[:8192]:
            found[path] = content.decode("utf-8", "replace")
    return found
