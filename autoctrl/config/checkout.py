"""A project that was deployed: where it lies says its environment and who decides its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.config.deployment import (
    BRANCHES,
    DEPLOYMENT_FILE,
    RELEASES,
    Deployment,
    Environment,
    find_deployment,
    load_deployment,
)
from autoctrl.config.layers import read_variables
from autoctrl.config.ownership import refuse_foreign
from autoctrl.config.settings import FILE_NAME
from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from autoctrl.config.layers import Layer


class Checkout(NamedTuple):
    """One deployed project.

    deployment   what the administrator says
    environment  the environment in whose folder it lies
    folder       the project's folder, links followed
    """

    deployment: Deployment
    environment: Environment
    folder: Path


def find_checkout(folder: Path) -> Checkout | None:
    """Return the deployed project in ``folder``, None if nobody has deployed it.

    Raises ``SettingsError`` if the folder lies below an administrator's file, but is not the
    project of a checkout there, or leads out of one.
    """
    root, real = find_deployment(folder), folder.resolve()
    _check_way(folder, root)
    if root is None:
        return None
    deployment = load_deployment(root)
    environment = deployment.environment(real.relative_to(root).parts[0])
    _check_place(deployment, environment, real)
    _check_file(real)
    return Checkout(deployment, environment, real)


def _check_place(deployment: Deployment, environment: Environment, folder: Path) -> None:
    """Raise ``SettingsError`` unless a folder is where the project of a checkout would be."""
    inner = (BRANCHES, "*", RELEASES, "*") if environment.branches else (RELEASES, "*")
    wanted = (*inner, *deployment.project.parts)
    found = folder.relative_to(environment.folder).parts
    if len(found) != len(wanted) or any(
        word not in {"*", name} for word, name in zip(wanted, found, strict=True)
    ):
        message = f"{folder} lies below {deployment.file}, but is not the project of a checkout."
        where = environment.folder.joinpath(*wanted)
        raise SettingsError(message, hint=f"Projects that were deployed lie in {where}.")


def _check_way(folder: Path, root: Path | None) -> None:
    """Raise ``SettingsError`` if a link leads out of the folders that an administrator's file
    governs.
    """
    above = reversed(folder.absolute().parents)
    entered = next((one.resolve() for one in above if (one / DEPLOYMENT_FILE).is_file()), None)
    if entered is not None and entered != root:
        message = f"{folder} is a link that leads out of {entered}, to {folder.resolve()}."
        raise SettingsError(message, hint="A deployed project must lie in its checkout itself.")


def _check_file(folder: Path) -> None:
    """Raise ``SettingsError`` if the settings file of a checkout is a link."""
    if (folder / FILE_NAME).is_symlink():
        message = f"{folder / FILE_NAME} is a link, which a deployed project must not have there."
        raise SettingsError(message, hint="Put the file itself into the branch or tag.")


def check_position(checkout: Checkout, chosen: str) -> None:
    """Raise ``SettingsError`` if another environment is chosen than the one of the folder."""
    name = checkout.environment.name
    if chosen and chosen != name:
        message = (
            f"{checkout.folder} is deployed in environment '{name}', so that it cannot be used as "
            f"'{chosen}'."
        )
        raise SettingsError(
            message,
            hint="Where a deployed project lies decides: leave out --environment and "
            "AUTOCTRL_ENVIRONMENT.",
        )


def layer_deployed(
    checkout: Checkout,
    base: Layer,
    overlays: Mapping[str, Layer],
    environ: Mapping[str, str],
) -> Layer:
    """Return the whole layer of a deployed project: the ref's file, its table of the environment,
    the administrator's file, and variables.

    A Jenkinsfile comes with the ref and says variables too, so they are refused like the ref's file
    for whatever belongs to the administrator. Raises ``SettingsError`` that names all of it.
    """
    name, ours = checkout.environment.name, checkout.environment.settings
    layer = {**base, **overlays.get(name, {}), **ours}
    variables = read_variables(environ, layer)
    given = [base, *overlays.values(), variables]
    refuse_foreign(given, ours, checkout.deployment.file, name)
    return {**layer, **variables}
