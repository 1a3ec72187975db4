"""The servers for tests: each serves its real client, comes back after a kill as it was, and leaves
nothing behind.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tests.integration.jobs import until
from tests.services import LACKING, ROOT, Influx, Influx2, Pool, Service, job_bin, pairs, services

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ["influxdb1", "influxdb2", "htcondor", "kube"]
# What a client does, in a process of its own: one small job for the schedd that is named; prints
# owner and exit code.
SUBMIT = """
import sys, time
import htcondor2

name, line, log = sys.argv[1:]
schedd = htcondor2.Schedd(htcondor2.Collector().locate(htcondor2.DaemonType.Schedd, name))
job = {"executable": "/bin/sh", "arguments": f"\\"-c '{line}'\\"", "log": log}
job |= {"transfer_executable": "False", "should_transfer_files": "NO"}
job |= {"leave_in_queue": "True", "request_disk": "1M"}
cluster = schedd.submit(htcondor2.Submit(job)).cluster()
deadline = time.monotonic() + 200
ended = f"ClusterId == {cluster} && JobStatus == 4"
while not (done := schedd.query(ended, ["Owner", "ExitCode"])):
    assert time.monotonic() < deadline, "the job did not end"
    time.sleep(0.05)
schedd.act(htcondor2.JobAction.Remove, f"ClusterId == {cluster}")
print(done[0]["Owner"], done[0]["ExitCode"])
"""


@pytest.fixture(params=NAMES)
def service(request: pytest.FixtureRequest) -> Service:
    return cast("Service", request.getfixturevalue(request.param))


@pytest.fixture(params=["influxdb1", "influxdb2"])
def influx(request: pytest.FixtureRequest) -> Influx:
    return cast("Influx", request.getfixturevalue(request.param))


@pytest.fixture
def own_service(service_folder: Path) -> Iterator[Service]:
    """Start a server that no other test uses."""
    service = Influx2(service_folder / "own")
    service.start()
    yield service
    service.stop()


def write(influx: Influx, bucket: str, status: str, token: str = "") -> None:
    """Write a point as any client would."""
    from influxdb_client.client.influxdb_client import InfluxDBClient
    from influxdb_client.client.write_api import SYNCHRONOUS

    with InfluxDBClient(influx.url, token or influx.token, org=influx.org) as client:
        point = f'task,unit=4521 status="{status}" {time.time_ns()}'
        client.write_api(write_options=SYNCHRONOUS).write(bucket, record=point)


def statuses(influx: Influx, bucket: str) -> list[str]:
    """Return by Flux what was written to a bucket, oldest first."""
    from influxdb_client.client.influxdb_client import InfluxDBClient

    with InfluxDBClient(influx.url, influx.token, org=influx.org) as client:
        tables = client.query_api().query(f'from(bucket: "{bucket}") |> range(start: -1h)')
    return [record.get_value() for table in tables for record in table.records]


def submit(pool: Pool, schedd: str, environment: dict[str, str], line: str = "exit 3") -> str:
    """Run a job by the bindings and return its owner and exit code."""
    command = [sys.executable, "-c", SUBMIT, schedd, line, str(pool.fresh_folder() / "log")]
    done = subprocess.run(
        command,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def is_answered(port: int) -> bool:
    """Whether anybody listens on a port of this machine."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of processes that were started for a server with its data in this
    folder.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"AUTOCTRL_SERVICE={folder}".encode() in (process / "environ").read_bytes().split(
                b"\0"
            ):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue  # it has ended meanwhile, or is somebody else's
    return found


def test_influxdb_keeps_what_its_client_writes(influx: Influx) -> None:
    """The client writes synchronously into a bucket of the test's own and reads it by Flux, on 1.8
    and 2.7 alike.
    """
    bucket, other = influx.fresh_bucket(), influx.fresh_bucket(retention_s=7200)
    for status in ("new", "processing"):
        write(influx, bucket, status)
    assert statuses(influx, bucket) == ["new", "processing"]
    assert statuses(influx, other) == []


def test_a_limited_token_opens_one_bucket(influx: Influx) -> None:
    """A token for one bucket can write there and is refused elsewhere."""
    from influxdb_client.rest import ApiException

    bucket, other = influx.fresh_bucket(), influx.fresh_bucket()
    token = influx.limited_token(bucket)
    write(influx, bucket, "new", token)
    assert statuses(influx, bucket) == ["new"]
    with pytest.raises(ApiException) as refused:
        write(influx, other, "new", token)
    assert refused.value.status in {401, 403, 404}
    assert statuses(influx, other) == []


def test_influxdb_comes_back_with_its_data(influx: Influx) -> None:
    """After a kill -9 a server started again has the address, token and points that it had."""
    before, bucket = dict(influx.facts), influx.fresh_bucket()
    write(influx, bucket, "new")
    influx.kill()
    assert not is_answered(int(before["PORT"]))
    influx.start()
    assert statuses(influx, bucket) == ["new"]
    assert influx.facts == before | {"PID": influx.facts["PID"]} != before


def test_a_paused_server_does_not_answer(influxdb2: Influx) -> None:
    """A server that is paused takes connections and answers nothing until it is resumed."""
    influxdb2.pause()
    try:
        with socket.create_connection(
            ("127.0.0.1", int(influxdb2.facts["PORT"])), timeout=1
        ) as client:
            client.sendall(b"GET /ping HTTP/1.0\r\n\r\n")
            with pytest.raises(TimeoutError):
                client.recv(1)
            influxdb2.resume()
            client.settimeout(100)
            assert client.recv(5) == b"HTTP/"
    finally:
        influxdb2.resume()


def test_a_pool_runs_jobs_by_either_schedd(htcondor: Pool) -> None:
    """Both schedds take jobs from a client known by its user or by a token, and run them as the
    pool's user.
    """
    answer = f"{htcondor.job_user} 3"
    assert submit(htcondor, htcondor.schedd, htcondor.environment) == answer
    assert submit(htcondor, htcondor.second_schedd, htcondor.token_environment) == answer
    assert htcondor.token_file.stat().st_mode & 0o777 == 0o600


def test_a_job_can_import_the_project(htcondor: Pool) -> None:
    """The user of the pool's jobs can execute the Python that tests give to them, and it has the
    project in it.
    """
    line = (
        f'"{job_bin() / "python"}" -c "import autoctrl.node.wrapper, autoctrl.science.camera, '
        'uproot"'
    ).replace('"', '""')
    assert submit(htcondor, htcondor.schedd, htcondor.environment, line) == f"{htcondor.job_user} 0"


def test_a_killed_schedd_is_replaced_with_its_queue(htcondor: Pool) -> None:
    """The master replaces each schedd that was killed, and the new one takes jobs."""
    before = htcondor.pids()
    htcondor.kill("SCHEDD", "SECOND_SCHEDD")
    until(lambda: htcondor.pids().keys() == before.keys(), "the return of both schedds")
    after = htcondor.pids()
    assert {name for name in after if after[name] != before[name]} == {"SCHEDD", "SECOND_SCHEDD"}
    for schedd in (htcondor.schedd, htcondor.second_schedd):
        until(lambda: has_answered(htcondor, schedd), schedd)  # noqa: B023 - asked here and now
        assert submit(htcondor, schedd, htcondor.environment) == f"{htcondor.job_user} 3"


def has_answered(pool: Pool, schedd: str) -> bool:
    """Whether a schedd said what is in its queue."""
    command = [str(pool.tools / "condor_q"), "-name", schedd]
    return (
        subprocess.run(
            command, env=pool.environment, capture_output=True, timeout=250, check=False
        ).returncode
        == 0
    )


def test_a_pool_comes_back_with_its_queue(htcondor: Pool) -> None:
    """After a kill -9 of the master and a start the pool has the address, token and queue that it
    had.
    """
    before, token = dict(htcondor.facts), htcondor.token_file.read_text()
    command = [
        str(htcondor.tools / "condor_submit"),
        "-terse",
        "executable=/bin/true",
        "hold=true",
        "-queue",
        "1",
    ]
    said = subprocess.run(
        command, env=htcondor.environment, capture_output=True, text=True, timeout=250, check=False
    )
    assert said.returncode == 0, said.stderr
    htcondor.kill("MASTER")
    htcondor.start()
    assert htcondor.facts == before | {"PID": htcondor.facts["PID"]} != before
    assert htcondor.token_file.read_text() == token
    listed = [str(htcondor.tools / "condor_q"), said.stdout.split(".")[0], "-af", "JobStatus"]
    queue = subprocess.run(
        listed, env=htcondor.environment, capture_output=True, text=True, timeout=250, check=False
    )
    assert queue.stdout.split() == ["5"], queue.stderr


def test_a_second_start_changes_nothing(service: Service) -> None:
    """To start a server that runs says the same as before, and so does its status."""
    before = dict(service.facts)
    service.start()
    assert (
        service.facts
        == before
        == pairs(services("status", service.name, str(service.folder)).stdout)
    )


def test_a_stopped_server_leaves_no_process(service: Service) -> None:
    """After a stop, even of a paused server, no process of it is left, and its status says so."""
    service.pause()
    service.stop()
    try:
        assert processes_of(service.folder) == []
        assert services("status", service.name, str(service.folder)).returncode == 1
        assert service.pids() == {}
    finally:
        service.start()


def test_what_a_server_holds_is_for_its_owner_only(service: Service) -> None:
    """Nobody else can read the file with the secrets."""
    assert (service.folder / "facts").stat().st_mode & 0o777 == 0o600


def test_a_foreign_process_is_never_ended(influxdb2: Influx, tmp_path: Path) -> None:
    """A recorded number that meanwhile belongs to another process is no reason to end that one."""
    with subprocess.Popen(["sleep", "60"]) as other:
        (tmp_path / "pid").write_text(f"{other.pid} 1\n")
        assert services("stop", influxdb2.name, str(tmp_path)).returncode == 0
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("start",),
        ("start", "influxdb2"),
        ("start", "postgres", "folder"),
        ("start", "influxdb2", "folder", "http"),
        ("stop", "../_setup", "folder"),
        ("install", "influxdb2", "postgres"),
        ("restart", "influxdb2", "folder"),
    ],
)
def test_wrong_words_are_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    """An unknown verb or server, or a word too few or too wrong, exits 2 and does nothing."""
    command = [str(ROOT / "scripts/services"), *words]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 2
    assert done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_installed_says_how_to_get_it(name: str, tmp_path: Path) -> None:
    """Where a server is not installed, a start installs nothing and names the command that
    would.
    """
    environment = os.environ | {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "CONDOR_SUITE": "nowhere",
    }
    command = [str(ROOT / "scripts/services"), "start", name, str(tmp_path / "data")]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == LACKING
    assert f"scripts/services install {name}" in done.stderr.splitlines()[-1]
