"""Root deploys as the user whose environment it is: real users, real files."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING

import pytest

from autoctrl.cli import main
from autoctrl.errors import DeploymentError
from autoctrl.operations.deployment import standing_in
from autoctrl.operations.deployment.mirror import Mirror
from autoctrl.operations.deployment.sites import open_deployment
from autoctrl.operations.deployment.standing_in import find_stand_in, refuse_others, stand_in
from autoctrl.process import SystemClock
from tests.integration.deployed import NOBODY
from tests.integration.deploying import install

if TYPE_CHECKING:
    from pathlib import Path

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
MIRROR = '[environments.mirror]\nbranches = "dev-.*"\nuser = "nobody"\n'
SHELL = """
id -u; id -G; env
echo "words: $*"
cat
(: </dev/tty) 2>/dev/null && echo a terminal
exit 7
"""


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a shell tell what the program would have got."""
    monkeypatch.setattr(standing_in, "PROGRAM", ("sh", "-c", SHELL, "autoctrl"))


@as_root
@pytest.mark.usefixtures("shell")
def test_another_user_gets_nothing_of_ours(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It has its number, groups and home, who called and whether a build did; no secret, no
    terminal.
    """
    monkeypatch.setenv("AUTOCTRL_STORE_TOKEN", "s3cret")
    monkeypatch.setenv("BUILD_TAG", "jenkins-7")
    found = find_stand_in("nobody")
    assert found is not None
    assert stand_in(found, ["deploy", "a b"]) == 7
    said = capfd.readouterr().out
    assert said.startswith(f"{NOBODY}\n{NOBODY}\n")
    assert {"USER=nobody", f"LOGNAME={getpass.getuser()}", "BUILD_TAG=jenkins-7"} <= {
        *said.splitlines()
    }
    assert "words: deploy a b" in said
    assert "s3cret" not in said
    assert "a terminal" not in said


@as_root
@pytest.mark.usefixtures("shell")
def test_root_touches_nothing_where_the_user_may_put_links(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Links in the mirror's folder to what is production's are followed by nobody."""
    site = install(tmp_path, MIRROR)
    treasure = tmp_path / "treasure"
    (treasure / "release").mkdir(parents=True)
    branch = site.root / "mirror/branches/dev-x-8ac8f1"
    branch.mkdir(parents=True)
    (branch / "trash").symlink_to(treasure)
    (branch.parent / ".dev-x-8ac8f1.lock").symlink_to(treasure / "records")
    (treasure / "records").write_text("precious")
    words = ("deploy", "mirror", "dev-x", "--cycle", "--reason", "-x", "--root", str(site.root))
    assert main([*words, "--junit", "report.xml"]) == 7
    assert (treasure / "release").is_dir()
    assert (treasure / "records").read_text() == "precious"
    told = next(line for line in capfd.readouterr().out.splitlines() if line.startswith("words:"))
    report = os.path.abspath("report.xml")  # noqa: PTH100 - as the other user has to find it
    assert told == (
        f"words: deploy --format=text --root={site.root} --reason=-x --cycle "
        f"--junit={report} -- mirror dev-x"
    )
    with pytest.raises(DeploymentError, match="runs as nobody, and you are root"):
        Mirror(open_deployment(site.root), "mirror", SystemClock(), lambda _: None)


def test_a_user_must_be_there_and_ours_to_become(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who is unknown, or whom we cannot become, is refused; ourselves we are already."""
    with pytest.raises(DeploymentError, match="There is no user 'nobody-at-all'"):
        refuse_others("nobody-at-all")
    assert find_stand_in("") is None
    assert find_stand_in(getpass.getuser()) is None
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(DeploymentError, match="runs as root, and you are somebody else"):
        find_stand_in("root")
