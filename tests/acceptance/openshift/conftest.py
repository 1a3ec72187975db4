"""The objects of our overlays, as a server that has what OpenShift adds would keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.openshift.server import OVERLAYS, cluster_of

if TYPE_CHECKING:
    from tests.services import Kube

Things = list[dict[str, Any]]


@pytest.fixture(scope="session")
def production(kube: Kube) -> Things:
    return _render(kube, "production")


@pytest.fixture(scope="session")
def mirror(kube: Kube) -> Things:
    return _render(kube, "mirror")


def _render(kube: Kube, name: str) -> Things:
    cluster = cluster_of(kube)
    cluster.prepare()
    cluster.make_namespaces(OVERLAYS / name)
    return cluster.render(OVERLAYS / name)
