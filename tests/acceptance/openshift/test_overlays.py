"""The overlays on a real API server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.config import load_settings
from openshift.examine import examine, templates_of
from tests.acceptance.openshift.server import OVERLAYS, cluster_of
from tests.services import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services import Kube

Things = list[dict[str, Any]]
# The components that a site's own overlay may choose, by who makes the cycles.
WAYS = {"loop": ("hooks",), "cronjob": ("one-node", "watch"), "jenkins": ("monitoring",)}


def test_the_check_takes_our_overlays(kube: Kube) -> None:
    """``openshift/check`` applies every overlay, and finds nothing to change afterwards."""
    done = subprocess.run(
        [str(ROOT / "openshift/check")],
        env=os.environ | {"KUBECONFIG": kube.config, "KUBECTL": kube.kubectl},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.rpartition(" ")[2] for line in done.stdout.splitlines()] == ["taken"] * 2


@pytest.mark.parametrize("maker", WAYS)
def test_each_way_to_make_cycles_is_taken(
    kube: Kube, production: Things, tmp_path: Path, maker: str
) -> None:
    """An overlay of a site's own may have any of the three make the cycles, and more beside it."""
    assert production, "the server has what OpenShift adds"
    shutil.copytree(ROOT / "openshift", tmp_path / "openshift")
    overlay = tmp_path / "openshift/overlays/own"
    overlay.mkdir()
    digest = "sha256:" + "1" * 64
    (overlay / "kustomization.yaml").write_text(
        json.dumps(
            {
                "namespace": f"own-{maker}",
                "resources": ["../../base"],
                "components": [f"../../components/{name}" for name in (maker, *WAYS[maker])],
                "images": [{"name": "registry.example.org/camera/autoctrl", "digest": digest}],
            }
        )
    )
    assert examine(cluster_of(kube), overlay) == []


def test_a_bad_overlay_is_refused_with_its_reason(kube: Kube, tmp_path: Path) -> None:
    """What the API server says of an overlay is said on, and nothing of it is applied."""
    (tmp_path / "kustomization.yaml").write_text("resources: [a.yaml]\nnamespace: bad\n")
    (tmp_path / "a.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {port: 1}\n"
    )
    (fault,) = examine(cluster_of(kube), tmp_path)
    assert 'unknown field "spec.port"' in fault
    assert cluster_of(kube).must("get", "services", "-n", "bad") == ""


def test_environments_are_apart(production: Things, mirror: Things) -> None:
    """Each overlay has a namespace and an environment of its own, and all its pods are in it."""
    for things, namespace, environment in (
        (production, "camera", "production"),
        (mirror, "camera-mirror", "mirror"),
    ):
        assert {one["metadata"].get("namespace") for one in things} == {namespace}
        variables = [
            item["value"]
            for _, template in templates_of(things)
            for container in template["spec"]["containers"]
            for item in container["env"]
            if item["name"] == "AUTOCTRL_ENVIRONMENT"
        ]
        assert variables
        assert {*variables} == {environment}


@pytest.mark.parametrize("environment", ["production", "mirror"])
def test_the_settings_are_good(environment: str) -> None:
    """The settings that the overlays hand out load, and write into the volume alone."""
    settings = load_settings(ROOT / "openshift/base", environment=environment)
    assert settings.state_folder.is_relative_to("/data")
    assert settings.outputs.root.startswith(f"/data/{environment}/")
    assert settings.store.token_file.startswith("/secrets/")


def test_every_overlay_is_tested() -> None:
    """There is no overlay beside those of the tests above."""
    assert {path.name for path in OVERLAYS.iterdir()} == {"production", "mirror"}
