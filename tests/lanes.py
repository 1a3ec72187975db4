"""The lanes of the tests: which tests run in one process, beside those of the other lanes.

Every test belongs to exactly one lane, by the servers that it asks for and by where its file lies.
A lane has servers of its own, so that no lane waits for another. ``--lane NAME`` chooses one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.services import ROOT, SERVERS

if TYPE_CHECKING:
    from collections.abc import Iterable

WITH_SERVERS = ("tests/contract", "tests/integration", "tests/acceptance")
WITH_INFLUX = (
    "tests/contract",
    "tests/integration",
    "tests/acceptance/test_store_copy.py",
    "tests/acceptance/test_web.py",
)


class Lane(NamedTuple):
    """A group of tests that run one after the other.

    servers      a test that asks for exactly these servers runs in this lane
    roots        where such tests lie
    homes        a test without servers runs in the lane whose home, perhaps a pattern, fits best
    tools        what else is installed for it where CI is set
    is_measured  whether it counts the branches of the pure modules
    is_patient   whether it mostly computes, and gives way to the lanes that wait for servers
    """

    servers: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    is_measured: bool = False
    is_patient: bool = False


# Those that take longest begin first.
LANES = {
    "pair": Lane(("influxdb2", "htcondor"), ("tests/acceptance/production",), tools=("influxdb1",)),
    "condor": Lane(("htcondor",), ("tests/contract", "tests/integration")),
    "influx2": Lane(("influxdb2",), WITH_INFLUX),
    "influx1": Lane(("influxdb1",), WITH_INFLUX),
    "keycloak": Lane(("keycloak",), ("tests/integration",)),
    "kube": Lane(
        ("kube",),
        ("tests/acceptance/openshift", "tests/integration/test_services.py"),
        homes=("tests/acceptance/openshift",),
        tools=("podman",),
    ),
    "embedded": Lane(homes=("tests/contract", "tests/acceptance/exactly_once"), is_measured=True),
    "desk": Lane(homes=("tests/acceptance",), is_patient=True),
    "local": Lane(homes=("tests/integration",), is_patient=True),
    "camera": Lane(homes=("tests/acceptance/test_camera*", "workflows"), is_patient=True),
    "science": Lane(homes=("tests/unit/science",), is_patient=True),
    "core": Lane(homes=("tests/unit",), is_measured=True, is_patient=True),
    "house": Lane(homes=("tests/house", "tests/contract/fakes"), is_patient=True),
}


def lane_of(path: str, servers: Iterable[str] = ()) -> str:
    """Return the lane of a test by its file's path in the repository and the servers it needs."""
    needed = set(servers) if path.startswith(WITH_SERVERS) else set()
    if needed >= {"influxdb1", "influxdb2"}:
        needed -= {"influxdb1"}  # a lane of the newer server starts the older one beside it
    if needed:
        return next(name for name, lane in LANES.items() if set(lane.servers) == needed)
    fitting = [
        (len(home), name)
        for name, lane in LANES.items()
        for home in lane.homes
        if path.startswith(home.rstrip("*"))
    ]
    return max(fitting)[1]


def where(name: str) -> list[str]:
    """Return what pytest is told to collect for a lane, so that it reads little of the others."""
    lane = LANES[name]
    if lane.servers:
        return [*lane.roots]
    found = [str(path) for home in lane.homes for path in sorted(ROOT.glob(home))]
    others = [home for other in LANES.values() for home in other.homes if home not in lane.homes]
    inner = [home for home in others if home.startswith(lane.homes)]
    return [*found, *(f"--ignore-glob={ROOT / home}" for home in inner)]


def servers_of(item: pytest.Item) -> set[str]:
    """Return the servers that a test names among its fixtures or in its parameters."""
    words = {*getattr(item, "fixturenames", ())}
    callspec = getattr(item, "callspec", None)
    for value in callspec.params.values() if callspec else ():
        words.update(value.split() if isinstance(value, str) else ())
    return {name for name in SERVERS if name in words}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--lane``."""
    parser.addoption("--lane", choices=[*LANES], help="only the tests of this lane")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of other lanes; refuse one that its lane would not find."""
    chosen = config.getoption("--lane")
    if chosen is None:
        return
    ours: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        path = str(item.path.relative_to(config.rootpath))
        name = lane_of(path, servers_of(item))
        if LANES[name].roots and not path.startswith(LANES[name].roots):
            message = f"{path} belongs to lane {name}: add it to its roots in tests/lanes.py"
            raise pytest.UsageError(message)
        (ours if name == chosen else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = ours
