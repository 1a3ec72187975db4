"""The overlays on a real API server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from autoctrl.config import load_settings
from openshift.examine import examine, templates_of
from tests.acceptance.openshift.server import OVERLAYS, cluster_of, may
from tests.integration.jobs import until
from tests.services import ROOT

if TYPE_CHECKING:
    from tests.services import Kube

Things = list[dict[str, Any]]
OWN = ("jenkins", "watch", "hooks", "one-node")  # the components of an overlay that a site has


def test_the_check_takes_our_overlays(kube: Kube, tmp_path: Path) -> None:
    """``openshift/check``, on a server of its own, applies every overlay, and finds nothing to
    change afterwards; it leaves nothing behind.
    """
    assert kube.pids(), "it can be had"
    done = subprocess.run(
        [str(ROOT / "openshift/check")],
        env=os.environ | {"TMPDIR": str(tmp_path), "KUBECONFIG": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.rpartition(" ")[2] for line in done.stdout.splitlines()] == ["taken"] * 2
    assert not [*tmp_path.iterdir()]


def test_the_deployer_may_deploy_and_no_more(kube: Kube, production: Things) -> None:
    """The account of a Jenkins changes images and settings, and reads no secret."""
    assert production
    cluster_of(kube).must("apply", "-k", str(OVERLAYS / "production"))
    user = "system:serviceaccount:camera:autoctrl-deployer"
    until(lambda: may(kube, user, "camera", "patch", "apps/deployments"), "what the role permits")
    assert may(kube, user, "camera", "create", "configmaps")
    forbidden = [("get", "secrets"), ("create", "pods"), ("delete", "apps/deployments")]
    assert not [words for words in forbidden if may(kube, user, "camera", *words)]


def test_an_overlay_of_a_site_is_taken(kube: Kube, production: Things, tmp_path: Path) -> None:
    """It chooses among the components, here those that a Jenkins outside needs."""
    assert production, "the server has what OpenShift adds"
    shutil.copytree(ROOT / "openshift", tmp_path / "openshift")
    overlay = tmp_path / "openshift/overlays/own"
    overlay.mkdir()
    digest = "sha256:" + "1" * 64
    (overlay / "kustomization.yaml").write_text(
        json.dumps(
            {
                "namespace": "own",
                "resources": ["../../base"],
                "components": [f"../../components/{name}" for name in OWN],
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
    files = (settings.store.token_file, settings.web.client_secret_file)
    assert all(file.startswith("/secrets/") for file in files)


def test_nothing_listens_that_nobody_has_declared(production: Things, mirror: Things) -> None:
    """A listener without anything to listen for ends the page at its start."""
    for things, environment in ((production, "production"), (mirror, "mirror")):
        settings = load_settings(ROOT / "openshift/base", environment=environment)
        is_told = any(source.type == "hook" for source in settings.sources.values())
        commands = [
            container["command"]
            for _, template in templates_of(things)
            for container in template["spec"]["containers"]
        ]
        assert any("--hooks" in command for command in commands) == is_told


def test_the_pool_is_shown_a_token_that_nobody_else_reads(tmp_path: Path, mirror: Things) -> None:
    """A pod copies the token, which its group may read, to where its configuration looks for it."""
    (template,) = (one for thing, one in templates_of(mirror) if thing["kind"] == "CronJob")
    (container,) = template["spec"]["containers"]
    shell, option, line = container["command"]
    where = f"{tmp_path}/tokens.d"
    secret = tmp_path / "pool-token"
    secret.write_text("a token")
    secret.chmod(0o440)
    configured = (ROOT / "openshift/base/condor.conf").read_text()
    assert "SEC_TOKEN_DIRECTORY = /tmp/tokens.d\n" in configured
    line = line.replace("/tmp/tokens.d", where).replace("/secrets/pool-token", str(secret))  # noqa: S108 - a container's
    line = line.replace("exec autoctrl", "exec echo")
    done = subprocess.run(
        [shell, option, line], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout == "cycle\n"
    (copy,) = Path(where).iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600


def test_every_component_is_tested() -> None:
    """There is no overlay beside those of the tests above, and no component that none of them
    has.
    """
    assert {path.name for path in OVERLAYS.iterdir()} == {"production", "mirror"}
    files = [*(ROOT / "openshift").glob("*/*/kustomization.yaml")]
    named = {
        Path(folder).name
        for file in files
        for folder in yaml.safe_load(file.read_text()).get("components", [])
    }
    assert named | {*OWN} == {path.name for path in (ROOT / "openshift/components").iterdir()}
