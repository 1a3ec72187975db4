"""What made a version."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import pytest

import autoctrl
from autoctrl.errors import UsageError
from autoctrl.handlers.batch import BatchHandler
from autoctrl.machine.provenance import (
    body_path,
    commit_of,
    describe,
    deviation,
    read_body,
    select_allowed,
    write_body,
)
from autoctrl.model.secret import REDACTED

if TYPE_CHECKING:
    from pathlib import Path


def test_the_environment_is_an_allow_list_without_secrets() -> None:
    """Unknown variables are left out; one that looks secret is named and not shown."""
    environ = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "AUTOCTRL_STORE_URL": "x",
        "AUTOCTRL_MATTERMOST_TOKEN": "s3cret",
        "AUTOCTRL_API_KEY": "s3cret",
        "HOME": "/anywhere",
        "DB_PASSWORD": "s3cret",
        "PATHOLOGY": "x",
    }
    kept = select_allowed(environ)
    assert list(kept) == [
        "AUTOCTRL_API_KEY",
        "AUTOCTRL_MATTERMOST_TOKEN",
        "AUTOCTRL_STORE_URL",
        "LC_ALL",
        "PATH",
    ]
    assert "s3cret" not in json.dumps(kept)
    assert kept["AUTOCTRL_API_KEY"] == "(redacted)"


def test_a_description_says_what_made_the_version(tmp_path: Path) -> None:
    """Package, Python, commit, settings, declaration and environment."""
    handler = BatchHandler("reco", "tool {run}")
    handler.folder = tmp_path
    told = describe(handler, "d1", {"PATH": "/bin"})
    assert (told["schema"], told["autoctrl"], told["settings"]) == (1, autoctrl.__version__, "d1")
    assert (told["code"], told["environment"]) == (
        {"commit": None, "is_clean": None},
        {"PATH": "/bin"},
    )
    assert told["handler"]["run_line"] == "tool {run}"


def test_no_secret_of_a_workflow_is_described() -> None:
    """What a workflow sets for its jobs is shown without values that look secret and without
    passwords in addresses.
    """
    given = {
        "DB_PASSWORD": "s3cret",
        "RUN_LOG": "mysql://me:s3cret@db/log",
        "MODE": "fast",
        "TOKEN": "",
    }
    handler = BatchHandler("reco", argv=["tool", "http://me:s3cret@db/x"], environment=given)
    told = describe(handler, "d1", {"AUTOCTRL_STORE_URL": "influx://me:s3cret@db"})
    assert "s3cret" not in json.dumps(told)
    assert told["handler"]["environment"] == {
        "DB_PASSWORD": "(redacted)",
        "RUN_LOG": f"mysql://me:{REDACTED}@db/log",
        "MODE": "fast",
        "TOKEN": "",
    }
    assert told["handler"]["run_line"] == ["tool", f"http://me:{REDACTED}@db/x"]
    assert told["environment"] == {"AUTOCTRL_STORE_URL": f"influx://me:{REDACTED}@db"}


def test_a_body_is_written_once_and_named_by_its_content(tmp_path: Path) -> None:
    """Equal descriptions share one file whatever their order, another has its own, and each is read
    back.
    """
    first = write_body(tmp_path, {"a": 1, "b": [2]})
    written = body_path(tmp_path, first).stat()
    assert write_body(tmp_path, {"b": [2], "a": 1}) == first
    assert body_path(tmp_path, first).stat().st_mtime_ns == written.st_mtime_ns
    second = write_body(tmp_path, {"a": 2})
    assert second != first
    assert read_body(tmp_path, first) == {"a": 1, "b": [2]}
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2


def test_a_body_that_is_gone_is_said(tmp_path: Path) -> None:
    """With the place where it should be, and what may bring it back."""
    with pytest.raises(UsageError, match=r"abc.* is not in .*bodies any more.*backup"):
        read_body(tmp_path, "abc")


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    command = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_is_that_of_the_workflows_own_folder(tmp_path: Path) -> None:
    """A commit elsewhere does not change it; an edited or new file makes it unclean, but not what
    Python compiled.
    """
    folder, git = tmp_path / "w", partial(_git, tmp_path)
    folder.mkdir()
    git("init", "-q")
    assert commit_of(folder) == {"commit": None, "is_clean": None}
    (folder / "handler.py").write_text("1")
    git("add", ".")
    git("commit", "-qm", "one")
    commit = git("rev-parse", "HEAD")
    (tmp_path / "other").write_text("1")
    git("add", ".")
    git("commit", "-qm", "two")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "handler.pyc").write_text("1")
    assert commit_of(folder) == {"commit": commit, "is_clean": True}
    (folder / "handler.py").write_text("2")
    assert commit_of(folder) == {"commit": commit, "is_clean": False}
    assert commit_of(tmp_path / "gone") == {"commit": None, "is_clean": None}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_pinned_code_is_compared_file_by_file(tmp_path: Path) -> None:
    """A commit that left the folder alone pins it as well; another content, also one not committed,
    deviates.
    """
    folder, git = tmp_path / "w", partial(_git, tmp_path)
    folder.mkdir()
    git("init", "-q")
    assert deviation(folder, "HEAD") == "no commit"
    commits = []
    for place, text in (
        (folder / "handler.py", "1"),
        (tmp_path / "other", "1"),
        (folder / "handler.py", "2"),
    ):
        place.write_text(text)
        git("add", ".")
        git("commit", "-qm", "next")
        commits.append(git("rev-parse", "HEAD"))
    first, elsewhere, last = commits
    assert [deviation(folder, commit) for commit in (first, elsewhere, last, last[:10])] == [
        last[:12]
    ] * 2 + ["", ""]
    assert deviation(folder, "0123456789abcdef") == deviation(folder, "--help") == last[:12]
    git("checkout", "-q", elsewhere)
    assert deviation(folder, first) == deviation(folder, elsewhere) == ""
    (folder / "handler.py").write_text("3")
    assert deviation(folder, first) == f"{first[:12]} with changes that are not committed"
