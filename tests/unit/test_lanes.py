"""The lanes of the tests: each test runs in one."""

from __future__ import annotations

import pytest

from tests.lanes import LANES, lane_of, where
from tests.services import ROOT


@pytest.mark.parametrize(
    ("path", "servers", "lane"),
    [
        ("tests/unit/model/test_run.py", (), "core"),
        ("tests/house/test_files.py", (), "house"),
        ("tests/unit/science/test_rootio.py", (), "science"),
        ("tests/unit/executors/test_htcondor_submit.py", ("htcondor",), "core"),
        ("tests/contract/test_store_leases.py", (), "embedded"),
        ("tests/contract/test_store_leases.py", ("influxdb1",), "influx1"),
        ("tests/integration/test_hints.py", ("influxdb2",), "influx2"),
        ("tests/integration/test_wrapper.py", (), "local"),
        ("tests/integration/test_keycloak.py", ("keycloak",), "keycloak"),
        ("tests/acceptance/test_docs.py", (), "desk"),
        ("tests/acceptance/test_store_copy.py", ("influxdb1", "influxdb2"), "influx2"),
        ("tests/acceptance/test_camera_chain.py", (), "camera"),
        ("tests/acceptance/exactly_once/test_kill_points.py", (), "embedded"),
        ("tests/acceptance/production/test_pair_kills.py", ("influxdb2", "htcondor"), "pair"),
        ("tests/acceptance/openshift/test_overlays.py", (), "kube"),
        ("tests/acceptance/openshift/test_mistakes.py", ("kube",), "kube"),
        ("workflows/camera-dq/test_handler.py", (), "camera"),
    ],
)
def test_a_test_runs_where_its_servers_are(path: str, servers: tuple[str, ...], lane: str) -> None:
    """A test's lane is that of its servers, and without any that of its folder."""
    assert lane_of(path, servers) == lane


@pytest.mark.parametrize("name", LANES)
def test_what_a_lane_collects_is_there(name: str) -> None:
    """Every file and folder that pytest is told to collect exists."""
    assert [word for word in where(name) if not word.startswith("-")]
    assert all((ROOT / word).exists() for word in where(name) if not word.startswith("-"))
