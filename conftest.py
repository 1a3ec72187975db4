"""The rules for every test: what CI makes of a skip, and how long the long tests are."""

from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests import warm

if TYPE_CHECKING:
    from collections.abc import Generator

# How fast examples are found says something about the machine, nothing about the code.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")
# The fixtures of real servers, for the tests of every tier, the lanes that tests run in, and the
# camera's files.
pytest_plugins = [
    "tests.services",
    "tests.keycloak",
    "tests.xrootd",
    "tests.lanes",
    "tests.acceptance.camera",
]

# What may skip even in CI: the beginning of the reason, and why that is right.
ALLOWED_SKIPS: dict[str, str] = {
    "a small file system cannot be mounted": "mounting takes root's rights, also in a container",
    "the description of Mattermost's API": "a large file of others, which is not published with us",
    "the schemas of Grafana's dashboards": "large files of others, as above",
    "OpenShift's definition of a Route": "a large file of others, which is not published with us",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--long``."""
    parser.addoption(
        "--long", action="store_true", help="many more random trials: 500 kills instead of 50"
    )


@pytest.fixture(scope="session")
def is_long(pytestconfig: pytest.Config) -> bool:
    """Whether ``--long`` was given."""
    return bool(pytestconfig.getoption("--long"))


BUSY_S = pytest.StashKey[float]()  # when a test began, in processor time


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one in CI; note how long a test kept a processor busy."""
    if call.when == "teardown":
        took = _busy_s() - item.stash[BUSY_S]
        item.user_properties.append(("busy_s", f"{took:.2f}"))
    report = yield
    _refuse_skip(report, item.nodeid)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note when a test begins."""
    item.stash[BUSY_S] = _busy_s()


def _busy_s() -> float:
    """Return the processor time of this process and of its processes that have ended, in s."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages) + warm.busy_s


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped test module into a failed one in CI."""
    report = yield
    _refuse_skip(report, collector.nodeid)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport, what: str) -> None:
    """Make ``report`` a failure if it is a skip, CI is set, and no such reason is allowed."""
    if not os.environ.get("CI") or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(tuple(ALLOWED_SKIPS)):
        report.outcome = "failed"
        report.longrepr = f"{what} was skipped, which CI does not permit: {reason}"
