"""The image, built without a registry and run as OpenShift runs it: as a user that nobody knows, of
group 0, with nothing to write to but its volumes, and its settings a farm of links.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.services import LACKING, ROOT, services

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_S = 900
USER = "1000650000:0"
TAG = "localhost/autoctrl-test"
STORAGE = ROOT / ".cache/podman"  # keeps the base from one run to the next
SETTINGS = """
name = "image"

[state]
folder = "/data/state"

[outputs]
root = "/data/outputs"
"""
HANDLER = """
import sys
from autoctrl import BatchHandler

handler = BatchHandler("reco", run_line="sh -c 'id -u >{output}'", outputs={"output": "reco.txt"})

if __name__ == "__main__":
    sys.exit(handler())
"""
# What a pod does, in one container; each line's output begins with the words after `--`.
LIFE = """
set -eu
echo "-- who $(id -u) $(id -g)"
! touch /project/x 2>/dev/null
! touch /settings/x 2>/dev/null
autoctrl doctor --format json >/data/doctor.json
autoctrl runs add 1-2
autoctrl loop --every 0.2s --until-idle
autoctrl reprocess 2 reco --reason "again"
autoctrl cycle
autoctrl status --format json >/data/status.json
autoctrl history 2 reco --format json >/data/history.json
autoctrl serve --host 127.0.0.1 --port 8080 >/data/serve.log 2>&1 &
python3 - <<'END'
import http.client, time

for path in ("/health", "/campaigns/prompt", "/static/style.css", "/metrics"):
    page = http.client.HTTPConnection("127.0.0.1", 8080, timeout=60)
    deadline = time.monotonic() + 100
    while page.sock is None:
        try:
            page.connect()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "nobody listens"
            time.sleep(0.1)
    page.request("GET", path)
    print("-- page", path, page.getresponse().status)
END
kill -TERM %1
wait %1 || true
python3 - <<'END'
import os
from pathlib import Path

for path in (Path("/project"), *Path("/project").rglob("*")):
    found = path.lstat()
    assert found.st_gid == 0, path
    assert path.is_symlink() or found.st_mode >> 3 & 7 == found.st_mode >> 6 & 7, path
assert {path.lstat().st_gid for path in Path("/data").rglob("*")} == {0}
print("-- groups are right")
END
"""

# A busy machine that builds the base's layers for the first time is patient.
pytestmark = pytest.mark.timeout(1200)


class Image(NamedTuple):
    """An image that was built, with the words that begin a call of podman."""

    podman: tuple[str, ...]
    facts: dict[str, object]


def podman_words(driver: str) -> tuple[str, ...]:
    """Return how podman is called with a storage of our own."""
    root, runs = str(STORAGE / driver), str(STORAGE / f"{driver}-runs")
    return ("podman", "--root", root, "--runroot", runs, "--storage-driver", driver)


@pytest.fixture(scope="module")
def project() -> Iterator[Path]:
    """Make a project's folder of one workflow, open to the user of the container."""
    with tempfile.TemporaryDirectory(prefix="autoctrl-", dir="/var/tmp") as folder:
        handler = Path(folder, "workflows/reco/handler.py")
        handler.parent.mkdir(parents=True)
        handler.write_text(HANDLER)
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def image(project: Path) -> Iterator[Image]:
    found = services("where", "podman")
    if found.returncode == LACKING:
        pytest.skip(found.stderr.strip().splitlines()[-1])
    base = f"{found.stdout.strip()}/root.tar"
    STORAGE.mkdir(parents=True, exist_ok=True)
    # A kernel or file system that stacks no folders has them copied, which takes longer.
    done = build(podman_words("overlay"), base, project)
    podman = podman_words("overlay" if done.returncode == 0 else "vfs")
    if done.returncode:
        done = build(podman, base, project)
    assert done.returncode == 0, done.stdout + done.stderr
    said = run(*podman, "image", "inspect", TAG)
    yield Image(podman, json.loads(said.stdout)[0]["Config"])
    run(*podman, "image", "rm", "--force", TAG)


def build(podman: tuple[str, ...], base: str, project: Path) -> subprocess.CompletedProcess[str]:
    """Build the image with little in it: what all need, and the page."""
    words = ("--tag", TAG, "--base", base, "--project", str(project), "web")
    environment = {"PODMAN": " ".join(podman), "WHEEL_PYTHON": "/usr/bin/python3"}
    return run(str(ROOT / "scripts/image"), *words, **environment)


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command and return how it ended."""
    return subprocess.run(
        words,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_the_image_says_what_it_is(image: Image) -> None:
    """Its user is a number that is not root's, its group root's; it names the commit that it is."""
    assert image.facts["User"] == "1001:0"
    labels = image.facts["Labels"]
    assert isinstance(labels, dict)
    commit = run("git", "-C", str(ROOT), "rev-parse", "HEAD").stdout.strip() or "unknown"
    assert str(labels["org.opencontainers.image.revision"]).removesuffix("-changed") == commit


def test_a_pod_of_it_lives(image: Image, project: Path) -> None:
    """As OpenShift's user it examines itself, brings a run to done, and shows it on the page."""
    data, words = container(image, project, "life")
    done = run(*words, "--rm", TAG, "bash", "-c", LIFE)
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("-- ")]
    assert said[0] == "-- who 1000650000 0"
    assert [line.split()[-1] for line in said if line.startswith("-- page")] == ["200"] * 4
    assert said[-1] == "-- groups are right"
    found = json.loads((data / "doctor.json").read_text())["services"]
    assert all(item["ok"] for item in found), found
    runs = json.loads((data / "status.json").read_text())["runs"]
    assert runs[0]["status"] == "done", runs
    assert "uid 1000650000" in (data / "history.json").read_text()
    outputs = [path.read_text() for path in (data / "outputs").rglob("reco.txt")]
    assert {*outputs} == {"1000650000\n"}


def test_a_pod_that_is_stopped_ends_at_once(image: Image, project: Path) -> None:
    """The loop, a container's first process, hears that it shall end, and need not be killed."""
    data, words = container(image, project, "stopped")
    began = run(*words, "--detach", TAG, "autoctrl", "loop", "--every", "1s")
    assert began.returncode == 0, began.stderr
    name = began.stdout.strip()
    deadline = time.monotonic() + LIMIT_S
    while not (data / "state/state.sqlite").exists():
        assert time.monotonic() < deadline, run(*image.podman, "logs", name).stderr
        time.sleep(0.1)
    run(*image.podman, "stop", "--time", "200", name)
    said = run(*image.podman, "logs", name)
    ended = run(*image.podman, "inspect", "--format", "{{.State.ExitCode}}", name)
    run(*image.podman, "rm", "--force", name)
    assert ended.stdout.strip() == "130", said.stdout + said.stderr


def container(image: Image, project: Path, name: str) -> tuple[Path, tuple[str, ...]]:
    """Return the volume of a container as OpenShift would run it, and the words that begin it."""
    data, settings = project / name / "data", project / name / "settings"
    (settings / "..2026").mkdir(parents=True)  # as Kubernetes lays a ConfigMap out
    (settings / "..2026/autoctrl.toml").write_text(SETTINGS)
    (settings / "..data").symlink_to("..2026")
    (settings / "autoctrl.toml").symlink_to("..data/autoctrl.toml")
    data.mkdir()
    data.chmod(0o775)
    words = (
        *(*image.podman, "--runtime", "/usr/sbin/runc", "--cgroup-manager", "cgroupfs", "run"),
        *("--network", "none", "--user", USER, "--passwd=false", "--read-only"),
        *("--cap-drop", "all", "--security-opt", "no-new-privileges"),
        *("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"),
        *("--tmpfs", "/tmp:rw,mode=1777", "-v", f"{data}:/data", "-v", f"{settings}:/settings:ro"),  # noqa: S108 - a container's
    )
    return data, words
