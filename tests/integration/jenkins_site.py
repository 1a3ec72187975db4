"""A project and the Jenkins that starts what it does, for the tests of the two together."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.config import load_settings
from tests.acceptance.project import Said, ask
from tests.fakes.jenkins import Jenkins

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autoctrl.config import Settings
    from tests.fakes.jenkins import User

SETTINGS = """
name = "camera"

[jenkins]
url = "{url}"
user = "robot"
token_file = "token"
home = "/srv/camera/current"
"""
MIRROR = 'mirror_repository = "https://git.example.org/camera.git"\nmirror_branches = "try/.*"\n'


class Site(NamedTuple):
    """A Jenkins, a user of it, and the folder of a project that knows both."""

    server: Jenkins
    robot: User
    folder: Path

    def ask(self, *words: str) -> Said:
        """Call ``autoctrl jenkins``."""
        return ask(self.folder, "jenkins", *words)

    def actions(self, *words: str) -> dict[str, str]:
        """Return what a sync does with each item, by its name."""
        said = self.ask("sync", *words, "--format", "json")
        assert said.code in (0, 1), said.err
        return {one["name"]: one["verb"] for one in json.loads(said.out)["actions"]}

    def read(self, *words: str) -> Any:
        """Return the JSON that a verb prints."""
        return json.loads(self.ask(*words, "--format", "json").out)

    def settings(self) -> Settings:
        """Return the settings of the project."""
        return load_settings(self.folder, environ={})

    def set(self, text: str) -> None:
        """Write the settings anew, with further lines of [jenkins] and further tables."""
        file = self.folder / "autoctrl.toml"
        file.write_text(SETTINGS.format(url=self.server.url) + text)

    def add_workflows(self, *names: str) -> None:
        """Give the project further workflows, which nobody loads here."""
        for name in names:
            folder = self.folder / "workflows" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "handler.py").write_text("")


@contextmanager
def open_site(folder: Path) -> Iterator[Site]:
    """Start a Jenkins, and make a project with the workflow reco and a mirror."""
    with Jenkins() as server:
        site = Site(server, server.add_user("robot"), folder)
        (folder / "token").write_text(f"{site.robot.token}\n")
        site.set(MIRROR)
        site.add_workflows("reco")
        yield site
