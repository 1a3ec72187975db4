"""Real servers for tests, started by ``scripts/services`` on demand, one of each for all tests.

``influxdb1`` and ``influxdb2`` are `Influx`, ``htcondor`` is a `Pool`, ``kube`` a `Kube`,
``keycloak`` a `Keycloak` (`tests.keycloak`). Give each test a bucket of its own
(`Influx.fresh_bucket`) or a folder (`Pool.fresh_folder`). A test that kills, stops or pauses a
server starts or resumes it before it ends, because the others use it too.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
LACKING = 77  # the exit code that says: this machine has no such server
PATIENCE_S = 600  # a start on a busy machine; less than what pytest grants a test
SERVERS = ("influxdb1", "influxdb2", "htcondor", "kube", "keycloak")


class Service:
    """A server with its data in ``folder``; what its start printed is in ``facts``."""

    name = ""
    facts: dict[str, str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts = {}

    def start(self) -> None:
        """Start it if it is not running, with the port, secrets and data that it had.

        Skips the test if the machine lacks the server.
        """
        done = self._script("start")
        if done.returncode == LACKING:
            pytest.skip(
                done.stderr.strip().splitlines()[-1]
            )  # conftest.py makes a failure of it where CI is set
        assert done.returncode == 0, (
            f"{self.name} did not start ({done.returncode}):\n{done.stderr}"
        )
        self.facts = pairs(done.stdout)

    def stop(self) -> None:
        """End it in good order, if it runs."""
        done = self._script("stop")
        assert done.returncode == 0, done.stderr

    def pids(self) -> dict[str, int]:
        """Return its processes by name: ``SERVER``, or ``MASTER``, ``SCHEDD`` and others of a pool.

        Empty if it is down.
        """
        return {name: int(pid) for name, pid in pairs(self._script("pids").stdout).items()}

    def kill(self, *names: str) -> None:
        """Kill (-9) these of its processes, all if none is named, and wait until they are gone."""
        pids = self._send(signal.SIGKILL, names)
        deadline = time.monotonic() + PATIENCE_S
        while any(pid in self.pids().values() for pid in pids):
            assert time.monotonic() < deadline, f"{pids} are not gone"

    def pause(self, *names: str) -> None:
        """Stop these of its processes (SIGSTOP), all if none is named.

        They still accept connections, but do not answer: every thread has stopped.
        """
        pids = self._send(signal.SIGSTOP, names)
        deadline = time.monotonic() + PATIENCE_S
        while not all(state == "T" for pid in pids for state in states_of(pid)):
            assert time.monotonic() < deadline, f"{pids} do not stop"
            time.sleep(0.01)

    def resume(self, *names: str) -> None:
        """Let these of its processes go on (SIGCONT), all if none is named."""
        self._send(signal.SIGCONT, names)

    def _send(self, what: signal.Signals, names: tuple[str, ...]) -> list[int]:
        """Send a signal and return to whom; a pool's master comes first, or it replaces others."""
        pids = self.pids()
        assert pids, f"{self.name} does not run"
        chosen = [pids[name] for name in names or pids]
        for pid in chosen:
            os.kill(pid, what)
        return chosen

    def _script(self, verb: str) -> subprocess.CompletedProcess[str]:
        return services(verb, self.name, str(self.folder))


def states_of(pid: int) -> list[str]:
    """Return the state of each thread of a process as the kernel has it, ``T`` for stopped."""
    stats = Path(f"/proc/{pid}/task").glob("*/stat")
    return [stat.read_text().rpartition(")")[2].split()[0] for stat in stats]


class Influx(Service):
    """An InfluxDB, spell_unit to by influxdb-client in the same way whether 1.8 or 2.7."""

    @property
    def url(self) -> str:
        return self.facts["URL"]

    @property
    def token(self) -> str:
        """The token that may do everything."""
        return self.facts["TOKEN"]

    @property
    def org(self) -> str:
        return self.facts["ORG"]

    @property
    def bucket(self) -> str:
        """The bucket that is there from the start."""
        return self.facts["BUCKET"]

    def fresh_bucket(self, retention_s: int = 0) -> str:
        """Make an empty bucket and return its name; its points live for ever unless a retention is
        given.
        """
        raise NotImplementedError

    def limited_token(self, bucket: str, *rights: str) -> str:
        """Make a token for this bucket alone with these rights, ``read`` and ``write`` if none are
        named.
        """
        raise NotImplementedError

    def ask(self, method: str, path: str, body: str, headers: dict[str, str]) -> Any:
        """Send a request and return what the answer's JSON says."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
        return json.loads(text)


class Influx1(Influx):
    """InfluxDB 1.8: a bucket is a database and retention policy, a token a user and password."""

    name = "influxdb1"

    def fresh_bucket(self, retention_s: int = 0) -> str:
        database = f"test_{secrets.token_hex(4)}"
        duration = (
            f" WITH DURATION {retention_s}s REPLICATION 1 NAME autogen" if retention_s else ""
        )
        self._query(f"CREATE DATABASE {database}{duration}")
        return f"{database}/autogen"

    def limited_token(self, bucket: str, *rights: str) -> str:
        user, password = f"user_{secrets.token_hex(4)}", secrets.token_hex(8)
        self._query(f"CREATE USER {user} WITH PASSWORD '{password}'")
        self._query(
            f"GRANT {rights[0] if len(rights) == 1 else 'ALL'} ON "
            f"{bucket.partition('/')[0]} TO {user}"
        )
        return f"{user}:{password}"

    def _query(self, statement: str) -> None:
        login = base64.b64encode(self.token.encode()).decode()
        headers = {
            "Authorization": f"Basic {login}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = self.ask("POST", "/query", urlencode({"q": statement}), headers)
        assert "error" not in json.dumps(answer), answer


class Influx2(Influx):
    """InfluxDB 2.7."""

    name = "influxdb2"

    def fresh_bucket(self, retention_s: int = 0) -> str:
        name = f"test-{secrets.token_hex(4)}"
        rules = [{"type": "expire", "everySeconds": retention_s}] if retention_s else []
        self._call(
            "POST",
            "/api/v2/buckets",
            {"orgID": self._org_id(), "name": name, "retentionRules": rules},
        )
        return name

    def limited_token(self, bucket: str, *rights: str) -> str:
        org_id = self._org_id()
        (found,) = self._call(
            "GET", f"/api/v2/buckets?{urlencode({'name': bucket, 'org': self.org})}"
        )["buckets"]
        resource = {"type": "buckets", "id": found["id"], "orgID": org_id}
        permissions = [
            {"action": action, "resource": resource} for action in rights or ("read", "write")
        ]
        return str(
            self._call(
                "POST", "/api/v2/authorizations", {"orgID": org_id, "permissions": permissions}
            )["token"]
        )

    def _org_id(self) -> str:
        (org,) = self._call("GET", f"/api/v2/orgs?{urlencode({'org': self.org})}")["orgs"]
        return str(org["id"])

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        text = json.dumps(body) if body else ""
        return self.ask(
            method,
            path,
            text,
            {"Authorization": f"Token {self.token}", "Content-Type": "application/json"},
        )


class Pool(Service):
    """A pool of HTCondor with two schedds.

    A process that speaks to it needs `environment` from its start.
    """

    name = "htcondor"

    @property
    def environment(self) -> dict[str, str]:
        """A client's environment to find the pool; its user on this machine identifies it."""
        return {"CONDOR_CONFIG": self.facts["CONDOR_CONFIG"]}

    @property
    def token_environment(self) -> dict[str, str]:
        """The same for a client that is identified by a token alone."""
        return {"CONDOR_CONFIG": self.facts["TOKEN_CLIENT_CONFIG"]}

    @property
    def config(self) -> Path:
        return Path(self.facts["CONDOR_CONFIG"])

    @property
    def token_config(self) -> Path:
        return Path(self.facts["TOKEN_CLIENT_CONFIG"])

    @property
    def token_file(self) -> Path:
        return Path(self.facts["TOKEN_FILE"])

    @property
    def collector(self) -> str:
        """Host and port."""
        return self.facts["COLLECTOR"]

    @property
    def schedd(self) -> str:
        """The name of the schedd of clients that do not name one."""
        return self.facts["SCHEDD"]

    @property
    def second_schedd(self) -> str:
        return self.facts["SECOND_SCHEDD"]

    @property
    def share(self) -> Path:
        """A folder where jobs, which run as `job_user`, may write.

        A job's log that cannot be written never appears.
        """
        return Path(self.facts["SHARE"])

    @property
    def job_user(self) -> str:
        return self.facts["JOB_USER"]

    @property
    def tools(self) -> Path:
        """The folder of condor_q and the like."""
        return Path(self.facts["BIN"])

    def fresh_folder(self) -> Path:
        """Make a folder in `share` that everybody may write to."""
        folder = self.share / f"test-{secrets.token_hex(4)}"
        folder.mkdir()
        folder.chmod(0o777)
        return folder


class Kube(Service):
    """The API server of a cluster in which nothing is ever scheduled."""

    name = "kube"

    @property
    def url(self) -> str:
        return self.facts["URL"]

    @property
    def config(self) -> str:
        """The file by which kubectl finds the server and may do everything."""
        return self.facts["KUBECONFIG"]

    @property
    def kubectl(self) -> str:
        return self.facts["KUBECTL"]

    @property
    def certificate(self) -> str:
        """The file with the server's certificate, which nobody else has signed."""
        return self.facts["CERTIFICATE"]

    @property
    def token(self) -> str:
        """The token of who may do everything."""
        return (self.folder / "token").read_text()


Started = TypeVar("Started", bound=Service)


def services(*words: str) -> subprocess.CompletedProcess[str]:
    """Run ``scripts/services`` and return what it said."""
    command = [str(ROOT / "scripts/services"), *words]
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def pairs(lines: str) -> dict[str, str]:
    """Return what lines of KEY=VALUE say."""
    return {key: value for key, _, value in (line.partition("=") for line in lines.splitlines())}


def job_bin() -> Path:
    """Return the folder of a python and an autoctrl-camera that a pool's jobs can execute."""
    folder = ROOT / ".cache/job-venv/bin"
    return folder if (folder / "python").exists() else Path(sys.executable).parent


@pytest.fixture(scope="session")
def service_folder() -> Iterator[Path]:
    """Jobs of a pool run as another user, who can enter neither pytest's folders nor, for DAGMan's
    log, use /tmp.
    """
    with tempfile.TemporaryDirectory(prefix="autoctrl-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def running(service: Started) -> Iterator[Started]:
    """Yield a server that was started, and stop it."""
    try:
        service.start()
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="session")
def influxdb1(service_folder: Path) -> Iterator[Influx]:
    yield from running(Influx1(service_folder / "influxdb1"))


@pytest.fixture(scope="session")
def influxdb2(service_folder: Path) -> Iterator[Influx]:
    yield from running(Influx2(service_folder / "influxdb2"))


@pytest.fixture(scope="session")
def htcondor(service_folder: Path) -> Iterator[Pool]:
    yield from running(Pool(service_folder / "htcondor"))


@pytest.fixture(scope="session")
def kube(service_folder: Path) -> Iterator[Kube]:
    yield from running(Kube(service_folder / "kube"))
