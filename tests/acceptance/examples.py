"""Runs the examples of a document in a temporary folder, as CONTRIBUTING.md says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.warm import installed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"(?ms)^(?P<indent> *)(?P<fence>`{3,})(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=indent)(?P=fence) *$"
)
LIMIT_S = 280
SHELL = """. {state}
{line}
code=$?
{{ echo "cd '$PWD'"; export -p; }} >{state}
exit $code
"""


class Block(NamedTuple):
    """One fenced block.

    place     document and line, for the reader of a failure
    language  first word after the fence, empty if none
    flags     the other words: ``no-run``, ``run``, ``file=PATH``, ``exit=N``
    body      the text between the fences
    """

    place: str
    language: str
    flags: dict[str, str]
    body: str


class Command(NamedTuple):
    """One line after a ``$``, and what the document shows below it (None: nothing is shown,
    anything may come).
    """

    line: str
    shown: str | None


def blocks(text: str, name: str) -> list[Block]:
    """Return the fenced blocks of a Markdown text, in order."""
    found = []
    for match in FENCE.finditer(text):
        language, *words = [*shlex.split(match["info"]), ""]
        flags = dict(word.partition("=")[::2] for word in words if word)
        body = re.sub(rf"(?m)^{match['indent']}", "", match["body"])
        found.append(
            Block(f"{name}:{text.count(chr(10), 0, match.start()) + 1}", language, flags, body)
        )
    return found


def commands(body: str) -> list[Command]:
    """Return the commands of a console block: ``$ `` begins one, ``> `` or a backslash before it
    continues it.
    """
    found: list[tuple[str, list[str]]] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and not found[-1][1] and (line.startswith("> ") or found[-1][0].endswith("\\")):
            found[-1] = (f"{found[-1][0]}\n{line.removeprefix('> ')}", [])
        elif found:
            found[-1][1].append(line)
        else:
            message = f"a console block begins with a command, not with {line!r}"
            raise AssertionError(message)
    return [
        Command(line, "\n".join(shown).strip("\n") if any(shown) else None) for line, shown in found
    ]


def matches(shown: str, printed: str) -> bool:
    """Whether the output is as shown; ``...`` stands for any text in its line, alone on a line for
    any lines.
    """
    pattern = ""
    for line in shown.splitlines():
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += (
                r".*".join(re.escape(part.rstrip()) for part in line.split("...")) + r"[ \t]*\n"
            )
    return re.fullmatch(pattern, printed.strip("\n") + "\n") is not None


class Reader:
    """A person who follows a document: one shell, whose folder and exported variables last from
    block to block.
    """

    def __init__(self, folder: Path, warm: Sequence[str] = ()) -> None:
        """Begin in an empty folder; those of our programs that are named begin warm."""
        self.folder = folder
        self.warm = warm
        self.project = folder / "project"
        self.project.mkdir()
        self.state = folder / "state.sh"
        self.state.write_text(f"cd {shlex.quote(str(self.project))}\n")
        self.done = ""

    def follow(self, block: Block) -> None:
        """Do what a block asks for; raises AssertionError where the document is not true."""
        if "file" in block.flags:
            self.write(block)
        if "no-run" in block.flags:
            return
        if block.language == "console":
            listed = commands(block.body)
            for command in listed:
                self.run(
                    command, block, int(block.flags.get("exit", 0)) if command is listed[-1] else 0
                )
        elif block.language == "sh" and "file" not in block.flags:
            self.run(Command(block.body, None), block, int(block.flags.get("exit", 0)))
        elif block.language in READERS:
            READERS[block.language](block.body)
            if "run" in block.flags:
                self.run(Command(f"python - <<'END'\n{block.body}END", None), block, 0)

    def write(self, block: Block) -> None:
        """Write a block's body to the file that it names, executable if it begins with a
        shebang.
        """
        path = self.here() / block.flags["file"]
        assert path.resolve().is_relative_to(self.folder.resolve()), (
            f"{block.place} writes outside of its folder"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.body)
        path.chmod(0o755 if block.body.startswith("#!") else 0o644)

    def here(self) -> Path:
        """Return the folder that the shell is in."""
        return Path(shlex.split(self.state.read_text().splitlines()[0])[1])

    def run(self, command: Command, block: Block, expected_exit: int) -> None:
        """Run one command and compare its exit code and output with the document."""
        script = SHELL.format(state=shlex.quote(str(self.state)), line=command.line)
        answer = subprocess.run(
            ["bash", "-c", script],
            env=environment(self.folder, self.warm),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT_S,
            check=False,
        )
        printed = answer.stdout.decode("utf-8", "replace")
        self.done += f"$ {command.line}\n{printed}"
        assert answer.returncode == expected_exit, (
            f"{block.place}: exit {answer.returncode}\n{self.done}"
        )
        if command.shown is not None:
            assert matches(command.shown, printed), (
                f"{block.place} shows\n{command.shown}\n\nbut\n{self.done}"
            )


def environment(home: Path, warm: Sequence[str]) -> dict[str, str]:
    """Return what a person's shell would hold, and nothing of the one that runs the tests."""
    ours = str(Path(sys.executable).parent)
    # scripts/test names the installed wheel, so that the documentation holds for what a site has.
    theirs = os.environ.get("INSTALLED_BIN", ours)
    found = [str(installed(theirs, program).programs) for program in warm]
    path = os.pathsep.join([*found, theirs, ours, os.environ.get("PATH", os.defpath)])
    fixed = {
        "PATH": path,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "NO_COLOR": "1",
    }
    return {**fixed, "COLUMNS": "120", "USER": "ada", "LOGNAME": "ada"}


def _check_python(text: str) -> None:
    compile(text, "example", "exec", dont_inherit=True)


READERS: dict[str, Callable[[str], object]] = {
    "python": _check_python,
    "toml": tomllib.loads,
    "json": json.loads,
}
