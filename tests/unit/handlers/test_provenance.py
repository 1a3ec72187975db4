"""What made a version."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

import autoctrl
from autoctrl.errors import UsageError
from autoctrl.handlers.batch import BatchHandler
from autoctrl.handlers.provenance import allowed, body_path, commit_of, describe, read_body, write_body

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
    kept = allowed(environ)
    assert list(kept) == ["AUTOCTRL_API_KEY", "AUTOCTRL_MATTERMOST_TOKEN", "AUTOCTRL_STORE_URL", "LC_ALL", "PATH"]
    assert "s3cret" not in json.dumps(kept)
    assert kept["AUTOCTRL_API_KEY"] == "(redacted)"


def test_a_description_says_what_made_the_version(tmp_path: Path) -> None:
    """Package, Python, commit, settings, declaration and environment."""
    handler = BatchHandler("reco", "tool {run}")
    handler.folder = tmp_path
    told = describe(handler, "d1", {"PATH": "/bin"})
    assert (told["schema"], told["autoctrl"], told["settings"]) == (1, autoctrl.__version__, "d1")
    assert (told["code"], told["environment"]) == ({"commit": None, "is_clean": None}, {"PATH": "/bin"})
    assert told["handler"]["run_line"] == "tool {run}"


def test_a_body_is_written_once_and_named_by_its_content(tmp_path: Path) -> None:
    """Equal descriptions share one file whatever their order, another has its own, and each is read back."""
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


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_is_that_of_the_workflows_own_folder(tmp_path: Path) -> None:
    """A commit elsewhere does not change it; an edited or new file makes it unclean."""
    folder = tmp_path / "w"
    folder.mkdir()

    def git(*words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        command = ["git", "-C", str(tmp_path), *who, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    assert commit_of(folder) == {"commit": None, "is_clean": None}
    (folder / "handler.py").write_text("1")
    git("add", ".")
    git("commit", "-qm", "one")
    commit = git("rev-parse", "HEAD")
    (tmp_path / "other").write_text("1")
    git("add", ".")
    git("commit", "-qm", "two")
    assert commit_of(folder) == {"commit": commit, "is_clean": True}
    (folder / "handler.py").write_text("2")
    assert commit_of(folder) == {"commit": commit, "is_clean": False}
    assert commit_of(tmp_path / "gone") == {"commit": None, "is_clean": None}
