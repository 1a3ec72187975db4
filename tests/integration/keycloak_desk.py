"""A page whose people log in at a real Keycloak, for tests in their own process."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.testclient import TestClient

from autoctrl.compose import Project
from autoctrl.config import parse_settings
from autoctrl.model.status import TaskStatus
from autoctrl.web import create_app
from tests.integration.login_site import HERE
from tests.realms import DEVICE, PAGE, SECRET
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response

    from autoctrl.testing import FakeClock
    from tests.integration.walker import Walker
    from tests.keycloak import Keycloak

SETTINGS = """
store.url = "memory:"
[environments.mirror]
store.url = "memory:mirror"
outputs.root = "mirror"
[web]
client_id = "{client}"
client_secret_file = "secret"
issuer = "{issuer}"
viewers = "cygno"
shifters = "cygno/shifters"
device_client_id = "{device}"
"""


class Desk(NamedTuple):
    """A served page with a failed task of run 1, its clock, and the provider of its logins."""

    app: Any
    scene: Scene
    keycloak: Keycloak
    clock: FakeClock

    def browser(self) -> TestClient:
        """Return a browser of its own."""
        return TestClient(self.app, base_url=HERE, follow_redirects=False)

    def log_in(
        self, walker: Walker, browser: TestClient | None = None
    ) -> tuple[TestClient, Response]:
        """Return a browser in which somebody has just come back from the provider."""
        browser = browser or self.browser()
        there = browser.get("/login").headers["location"]
        return browser, browser.get(walker.log_in(there))


def make_desk(folder: Path, keycloak: Keycloak, realm: str) -> tuple[Desk, Project]:
    """Return a page whose people log in at a realm."""
    (folder / "secret").write_text(SECRET)
    (folder / "secret").chmod(0o600)
    text = SETTINGS.format(client=PAGE, issuer=keycloak.issuer(realm), device=DEVICE)
    settings = parse_settings(text, folder, environment="mirror", environ={})
    scene = Scene()
    scene.clock.time = datetime.now(UTC)
    scene.runs(1)
    scene.workflow("reco")
    scene.task(1, "reco", TaskStatus.FAILED)
    project = Project(settings, scene.clock)
    project.store = scene.store
    return Desk(create_app(project), scene, keycloak, scene.clock), project


@contextmanager
def open_desk(folder: Path, keycloak: Keycloak, realm: str) -> Iterator[Desk]:
    """Give a page whose people log in at a realm."""
    made, project = make_desk(folder, keycloak, realm)
    with project:
        yield made
        made.app.close()
