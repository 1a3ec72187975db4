"""The documentation is complete: whatever a person can say or meet is explained."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import click
import pytest

from autoctrl.model.status import Failure, JobStatus, TaskStatus
from tests.house.source import ROOT, definitions, findings, modules, texts, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REFERENCE = "\n".join(path.read_text() for path in sorted((ROOT / "docs/reference").glob("*.md")))
CODE = frozenset(re.findall(r"`+([^`\n]+?)`+", REFERENCE))
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s#]+)")


def test_public_names_are_documented() -> None:
    """Every public module, class and function says what it does."""
    assert not findings(modules("autoctrl"), silent_names)


def silent_names(path: Path) -> list[str]:
    """Return the public names of a module that have no docstring."""
    silent = [] if ast.get_docstring(tree(path)) else ["the module"]
    for name, node in definitions(path):
        is_public = not re.search(r"(^|\.)_", name) and "<" not in name
        if is_public and not ast.get_docstring(node) and not is_nested(name, path):
            silent.append(name)
    return silent


def is_nested(name: str, path: Path) -> bool:
    """Whether a definition lies inside a function, where nobody outside can name it."""
    owner = name.rpartition(".")[0]
    return any(
        other == owner and not isinstance(node, ast.ClassDef) for other, node in definitions(path)
    )


def verbs() -> Iterator[tuple[str, click.Command]]:
    """Yield every verb of the command line with its words, e.g. ``runs add``."""
    from autoctrl.cli.app import app

    waiting: list[tuple[str, click.Group]] = [("", app)]
    while waiting:
        words, group = waiting.pop()
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield f"{words} {name}".strip(), command
            if isinstance(command, click.Group):
                waiting.append((f"{words} {name}".strip(), command))


def test_every_verb_is_documented() -> None:
    """Every verb and each of its options stands in the reference."""
    missing = []
    for words, command in verbs():
        mentioned = re.search(rf"\bautoctrl {words}\b|`{words}\b", REFERENCE)
        missing += [] if mentioned else [words]
        options = [
            name for parameter in command.params for name in parameter.opts if name.startswith("--")
        ]
        missing += [
            f"{words} {name}"
            for name in options
            if not re.search(rf"(?<![\w-]){name}(?![\w-])", REFERENCE)
        ]
    assert not missing


def test_every_verb_shows_an_example() -> None:
    """The help of every verb ends with an example."""
    helps = {
        words: command.get_help(click.Context(command, info_name=f"autoctrl {words}"))
        for words, command in verbs()
        if not isinstance(command, click.Group)
    }
    assert not [
        words for words, text in helps.items() if "autoctrl" not in text.strip().splitlines()[-1]
    ]


def test_every_setting_is_documented() -> None:
    """Every setting stands in the reference."""
    from autoctrl import config

    names = {item.name.partition(" ")[0] for item in config.every_setting()}
    assert not sorted(name for name in names if not any(name in text for text in CODE))


def test_every_lock_is_documented() -> None:
    """Every public name of the locks stands in the reference."""
    from autoctrl import locks

    assert not [
        name for name in locks.__all__ if not any(re.match(rf"{name}\b", text) for text in CODE)
    ]


@pytest.mark.parametrize("kind", [TaskStatus, JobStatus, Failure])
def test_every_status_is_documented(kind: type[TaskStatus | JobStatus | Failure]) -> None:
    """Every status of a task and a job, and every class of failure, stands in the reference."""
    assert not [member for member in kind if str(member) not in CODE]


def test_links_lead_somewhere() -> None:
    """Every relative link in a document points to a file that exists."""
    pages = [path for path in texts() if path.endswith(".md")]
    assert not [
        f"{page}: {target}"
        for page in pages
        for target in LINK.findall(texts()[page])
        if not (ROOT / page).parent.joinpath(target).exists()
    ]
