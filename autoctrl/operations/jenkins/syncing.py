"""Brings Jenkins to what the table of jobs says: looks, decides in ``plan``, acts one by one.

Each item carries its mark from the moment when it is there, so whoever was killed in the middle is
simply run again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.config import FILE_NAME
from autoctrl.errors import SettingsError
from autoctrl.handlers.modules import find_modules
from autoctrl.operations.jenkins.config_xml import read_config
from autoctrl.operations.jenkins.failure import FORBIDDEN, Refused
from autoctrl.operations.jenkins.jobs import list_items, mirror_name
from autoctrl.operations.jenkins.plan import Verb, plan_sync
from autoctrl.operations.jenkins.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from autoctrl.config import Settings
    from autoctrl.operations.jenkins.jobs import Item
    from autoctrl.operations.jenkins.plan import Action


class Sync(NamedTuple):
    """What is to be done, and where; ``act`` does it."""

    server: Server
    actions: list[Action]

    def act(self) -> Iterator[Action]:
        """Do one action after the other, and yield each when it is done.

        Raises ``JenkinsError`` for the first that cannot be done.
        """
        for action in self.actions:
            if action.verb is Verb.CREATE:
                self.server.create(action.name, action.config)
            elif action.verb is Verb.REMOVE:
                self.server.remove(action.name)
            elif action.acts:
                self.server.update(action.name, action.config)
            yield action


def prepare_sync(
    settings: Settings, *, is_adopting: bool = False, is_pruning: bool = False
) -> Sync:
    """Look at Jenkins and return what is to be done; nothing is changed yet.

    Raises ``SettingsError``, ``WorkflowError`` or ``JenkinsError``.
    """
    project = name_project(settings)
    wanted = list_wanted(settings)
    server = Server.of(settings)
    found = _find_configs(server, settings, wanted)
    actions = plan_sync(wanted, found, project, is_adopting=is_adopting, is_pruning=is_pruning)
    return Sync(server, actions)


def list_wanted(settings: Settings) -> list[Item]:
    """Return what Jenkins shall have, as the settings and the folders of the workflows say."""
    workflows = [path.parent.name for path in find_modules(settings.folder)]
    return list_items(settings, workflows)


def name_project(settings: Settings) -> str:
    """Return what the items of this project are marked with.

    Raises ``SettingsError`` if the project has no name, for that of its folder is another on each
    machine, or if no description of a job could hold it.
    """
    if not settings.project.name:
        message = f"{FILE_NAME}: the project has no name, by which its jobs in Jenkins are known."
        raise SettingsError(message, hint="Write at the top of it: name = 'NAME'")
    if not settings.project.name.isprintable():
        message = f"{FILE_NAME}: name = {settings.project.name!r} cannot be shown by Jenkins."
        raise SettingsError(message, hint="Use letters, digits and signs, on one line.")
    environment = settings.environment
    return f"{settings.project.name}/{environment}" if environment else settings.project.name


def _find_configs(server: Server, settings: Settings, wanted: list[Item]) -> dict[str, Element]:
    """Return the configurations that matter: one request for each, and one for the list."""
    folder, mirror = settings.jenkins.folder, mirror_name(settings.jenkins)
    names = {item.name for item in wanted}
    listed = server.list_jobs(folder, "name")
    inside = [] if listed is None else [f"{folder}/{job['name']}" for job in listed]
    above = [mirror] if listed is None else [folder, mirror]
    found = {}
    for name in [*above, *inside]:
        config = _find_config(server, name, is_wanted=name in names)
        if config is not None:
            found[name] = config
    return found


def _find_config(server: Server, name: str, *, is_wanted: bool) -> Element | None:
    """Return a configuration, None if there is none; nor is there one of others that we may not
    read.
    """
    try:
        text = server.find_config(name)
    except Refused as error:
        if is_wanted or error.failure.status != FORBIDDEN:
            raise
        return None
    return None if text is None else read_config(name, text)
