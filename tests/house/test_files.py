"""What lies in the repository is fit to be seen by everybody, and works from everywhere."""

from __future__ import annotations

import re
import tempfile
import tomllib
from pathlib import Path

import pytest

from tests.house.source import ROOT, texts, tracked

FORBIDDEN = {
    "a user's home": re.compile(r"/(home|Users)/(?!<|\{|\$|user\b|me\b)\w"),
    "a package registry's address": re.compile(
        r"pypi\.(org|python)|pythonhosted\.org|registry\.npmjs|crates\.io|deb\.debian|conda\.anaconda|proxy\.golang"
    ),
    "a private key": re.compile(r"-{5}BEGIN [A-Z ]*PRIVATE KEY"),
    "a token": re.compile(
        r"\b(AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|glpat-[\w-]{20}|xox[abp]-[\w-]{10,})"
    ),
    "a password in an address": re.compile(r"://[^/\s:@{}<>$]+:[^/\s:@{}<>$]{8,}@"),
    "a secret as a value": re.compile(
        r"""(?i)(password|passwd|secret|token)["']?\s*[:=]\s*["'](?=\S*\d)[\w+/=-]{16,}["']"""
    ),
    "a number of some tracker": re.compile(r"(?i)\b(issue|ticket|phase)s? #?\d"),
    "a merge that was not finished": re.compile(r"(?m)^(<{7}|>{7}) "),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    """No tracked file holds anything private, secret or true only for one machine."""
    found = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for path, text in texts().items()
        for match in FORBIDDEN[what].finditer(text)
    ]
    assert not found


def test_no_file_knows_where_this_clone_lies() -> None:
    """No tracked file names the folder of this clone, its parent, or the home of whoever works in
    it.
    """
    ours = {ROOT, ROOT.parent, Path.home()}
    places = {str(place) for place in ours - {Path("/"), Path(tempfile.gettempdir())}}
    pattern = re.compile(
        rf"(?<![\w.}}~-])({'|'.join(map(re.escape, sorted(places, reverse=True)))})/"
    )
    assert not [path for path, text in texts().items() if pattern.search(text)]


def test_commands_can_be_executed() -> None:
    """A file is executable exactly if it begins with a shebang; scripts and workflow files do."""
    executable = {path for path, mode in tracked().items() if mode == "100755"}
    assert executable == {path for path, text in texts().items() if text.startswith("#!")}
    commands = {path for path in tracked() if path.startswith(("scripts/", ".ci/"))}
    commands.remove(".ci/Jenkinsfile")  # Jenkins reads it
    commands |= {path for path in tracked() if re.fullmatch(r"workflows/[^/]+/handler\.py", path)}
    assert commands <= executable


def test_the_changelog_is_kept() -> None:
    """The changelog has a section for what comes next, or for the present version."""
    version = tomllib.loads(texts()["pyproject.toml"])["project"]["version"]
    assert re.search(rf"(?mi)^## \[?(unreleased|{re.escape(version)})\b", texts()["CHANGELOG.md"])


def test_the_version_is_said_once() -> None:
    """The package and its metadata name the same version."""
    version = tomllib.loads(texts()["pyproject.toml"])["project"]["version"]
    assert f'__version__ = "{version}"' in texts()["autoctrl/__init__.py"]
