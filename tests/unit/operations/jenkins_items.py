"""Settings and items for the tests of what Jenkins shall have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.config import parse_settings
from autoctrl.operations.jenkins.jobs import list_items

if TYPE_CHECKING:
    from autoctrl.config import Settings
    from autoctrl.operations.jenkins.jobs import Item

TOP = 'name = "camera"\n'
HOME = """
[jenkins]
url = "https://jenkins.example.org"
user = "robot"
token_file = "token"
home = "/srv/camera/current"
"""
REPOSITORY = """
[jenkins]
url = "https://jenkins.example.org"
repository = "https://git.example.org/camera.git"
repository_login = "deploy-key"
reference = "refs/tags/prod-7"
"""
MIRROR = 'mirror_repository = "https://git.example.org/camera.git"\nmirror_branches = "try/.*"\n'


def settings_of(text: str = HOME) -> Settings:
    """Return the settings of a project with this text below its name."""
    return parse_settings(TOP + text, Path("/project"), environment="", environ={})


def items_of(text: str = HOME, *workflows: str) -> dict[str, Item]:
    """Return what Jenkins shall have, by name."""
    found = list_items(settings_of(text), workflows or ("reco",))
    return {item.name: item for item in found}
