"""A branch that wants to get at production, in a mirror that is shut in: real files, real users."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from autoctrl.cli import main
from autoctrl.config import DEPLOYMENT_FILE, load_deployment, load_settings
from autoctrl.operations.deployment.secrets import refuse_open_secrets
from tests.integration.deployed import (
    MIRROR,
    NOBODY,
    PLAIN,
    PRODUCTION,
    as_nobody,
    check_out,
    make_repository,
    point,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = "name = 'camera'\n[cycle]\npatience_s = 0.1\n"
HANDLER = """
from autoctrl import inline

@inline("reco")
def reconstruct(task):
    return {"tracks": 3.0}
"""
HOSTILE = """
import json
import os
import sqlite3
from pathlib import Path

ROOT = next(one for one in Path(__file__).resolve().parents if (one / "deployment.toml").is_file())
PRODUCTION = ROOT / "production"


def point_elsewhere():
    draft = ROOT / "mirror/evil"
    draft.symlink_to(Path(__file__).parent)
    draft.rename(PRODUCTION / "current")


def spoil_records():
    with sqlite3.connect(PRODUCTION / "records.sqlite") as connection:
        connection.execute("DELETE FROM facts")


ATTACKS = {
    "read an output": lambda: (PRODUCTION / "outputs/run1.root").read_text(),
    "read the token": lambda: (PRODUCTION / "secrets/bot").read_text(),
    "list the state": lambda: os.listdir(PRODUCTION / ".autoctrl"),
    "write the store": spoil_records,
    "write an output": lambda: (PRODUCTION / "outputs/evil").write_text("evil"),
    "spoil an output": lambda: (PRODUCTION / "outputs/run1.root").write_text("evil"),
    "switch the release": point_elsewhere,
    "change the release": lambda: (PRODUCTION / "current/autoctrl.toml").write_text("evil"),
    "change the clone": lambda: (ROOT / "repository.git/config").write_text("evil"),
    "change the rules": lambda: (ROOT / "deployment.toml").write_text("evil"),
    "change them by rename": lambda: (ROOT / "deployment.toml").rename(ROOT / "old.toml"),
}


def attempt(attack):
    try:
        return str(attack())
    except (OSError, sqlite3.Error) as error:
        return type(error).__name__


loot = {"uid": os.getuid(), "variables": dict(os.environ)}
loot["got"] = {name: attempt(attack) for name, attack in ATTACKS.items()}
(ROOT / "mirror/loot.json").write_text(json.dumps(loot))
"""
NEEDS_ROOT = "only root can become another user"


class Site(NamedTuple):
    """An installation with production and a mirror.

    root    its folder
    branch  the folder that is current for the hostile branch
    """

    root: Path
    branch: Path


@pytest.fixture
def site() -> Iterator[Site]:
    """Return an installation, closed as the pages say, to whose mirror somebody has pushed."""
    root = Path(tempfile.mkdtemp(prefix="autoctrl-"))
    write(
        root,
        {
            DEPLOYMENT_FILE: PRODUCTION + MIRROR,
            "repository.git/config": "[core]\n",
            "production/releases/0123456789ab/autoctrl.toml": SETTINGS,
            "production/secrets/bot": "the token",
            "production/.autoctrl/alerts.log": "",
            "production/outputs/run1.root": "tracks",
        },
    )
    with sqlite3.connect(root / "production/records.sqlite") as connection:
        connection.execute("CREATE TABLE facts (run)")
        connection.execute("INSERT INTO facts VALUES (1)")
    point(root / "production", root / "production/releases/0123456789ab")
    repository = make_repository(root / "git")
    files = {"autoctrl.toml": SETTINGS, "workflows/reco/handler.py": HOSTILE + HANDLER}
    folder = root / "mirror/branches/dev-evil-123456"
    check_out(repository, repository.push("dev-evil", files), folder)
    close(root)
    yield Site(root, folder / "current")
    shutil.rmtree(root)


def close(root: Path) -> None:
    """Give each file to whom it belongs, and let others do no more than they must."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    for name in ("secrets", ".autoctrl", "records.sqlite"):
        path = root / "production" / name
        path.chmod(0o700 if path.is_dir() else 0o600)
    for path in (root / "mirror", *(root / "mirror").rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def contents(folder: Path) -> dict[str, bytes | str]:
    """Return all files and links below a folder."""
    return {
        str(path): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def command(folder: Path, *words: str) -> dict[str, Any]:
    """Call the command line in this process, with the plain variables of a build."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(PLAIN)
    text = io.StringIO()
    with redirect_stdout(text), redirect_stderr(text):
        code = main(words)
    return {"code": code, "text": text.getvalue()}


@pytest.mark.skipif(os.getuid() != 0, reason=NEEDS_ROOT)
def test_a_hostile_branch_reaches_nothing_of_production(site: Site, tmp_path: Path) -> None:
    """Its module runs in a real cycle of the mirror, tries everything, and the system refuses."""
    refuse_open_secrets(load_deployment(site.root), "mirror")
    toy = write(tmp_path, {"autoctrl.toml": SETTINGS, "workflows/reco/handler.py": HANDLER})
    before = {name: contents(site.root / name) for name in ("production", "repository.git")} | {
        "rules": (site.root / DEPLOYMENT_FILE).read_bytes()
    }

    def run_cycle(folder: Path) -> list[dict[str, Any]]:
        return [
            command(folder, "runs", "add", "1"),
            command(folder, "cycle"),
            command(folder, "status"),
        ]

    said = as_nobody(lambda: run_cycle(site.branch), before=lambda: run_cycle(toy))
    assert [one["code"] for one in said] == [0, 0, 0], said
    assert "Environment mirror" in said[-1]["text"]
    assert "done" in said[-1]["text"]
    loot = json.loads((site.root / "mirror/loot.json").read_text())
    assert loot["uid"] == NOBODY
    assert loot["got"].pop("read an output") == "tracks"
    assert loot["got"].pop("write the store") == "OperationalError"
    assert set(loot["got"].values()) == {"PermissionError"}, loot["got"]
    assert len(loot["got"]) == 9
    assert not [name for name, value in loot["variables"].items() if "production" in name + value]
    after = {name: contents(site.root / name) for name in ("production", "repository.git")} | {
        "rules": (site.root / DEPLOYMENT_FILE).read_bytes()
    }
    assert after == before


def test_the_settings_of_the_mirror_name_nothing_of_production(tmp_path: Path) -> None:
    """All that differs between the two is the administrator's, and the mirror gets its own part."""
    release = "mirror/branches/dev-x-123456/releases/0123456789ab"
    write(tmp_path, {DEPLOYMENT_FILE: PRODUCTION + MIRROR, f"{release}/autoctrl.toml": SETTINGS})
    shown = repr(load_settings(tmp_path / release, environ={}))
    assert "/mirror/.autoctrl" in shown
    assert not [word for word in ("production", "prod-alerts", "records.sqlite") if word in shown]
