"""Where an administrator's file lets what be deployed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.config.deployment import DEPLOYMENT_FILE, find_deployment, load_deployment
from autoctrl.errors import SettingsError
from autoctrl.operations.deployment.engine import Site
from autoctrl.operations.deployment.layout import place_of
from autoctrl.operations.deployment.refs import Rule

if TYPE_CHECKING:
    from autoctrl.config.deployment import Deployment


def open_deployment(root: Path | None) -> Deployment:
    """Return what the administrator's file in a folder says; by default, the one above us.

    Raises ``SettingsError`` if there is none, or if it makes no sense.
    """
    if root is not None:
        return load_deployment(root)
    here = Path.cwd()
    found = here if (here / DEPLOYMENT_FILE).is_file() else find_deployment(here)
    if found is None:
        message = f"There is no {DEPLOYMENT_FILE} in {here} or above it."
        raise SettingsError(
            message, hint="Say where it lies: --root DIR. How to write one: docs/howto/deploy.md."
        )
    return load_deployment(found)


def site_of(deployment: Deployment, environment: str, branch: str = "") -> Site:
    """Return where and by which rules to deploy into an environment, or a branch of a mirror.

    Raises ``SettingsError`` for an environment that is not declared.
    """
    chosen = deployment.environment(environment)
    return Site(
        place=place_of(deployment, chosen, branch),
        address=deployment.repository,
        rule=Rule(chosen.name, chosen.refs, chosen.branches),
        keep=chosen.keep,
        user=chosen.user,
        is_signed=chosen.is_signed,
    )
