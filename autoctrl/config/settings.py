"""The settings of one project as a value, and what its parts owe one another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoctrl.config.sections import (
    ChatSettings,
    CycleSettings,
    ExecutorSettings,
    GrafanaSettings,
    HintSettings,
    HookSettings,
    InputSettings,
    JenkinsSettings,
    NotifierSettings,
    OutputSettings,
    ProjectSettings,
    SourceSettings,
    StateSettings,
    StoreSettings,
    WorkflowSettings,
    settings_of,
)
from autoctrl.errors import SettingsError, nearest
from autoctrl.model.software import read_setup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.config.quota_section import QuotaSettings
    from autoctrl.config.web import WebSettings

FILE_NAME = "autoctrl.toml"
WHOLE = 100


@dataclass(frozen=True)
class Settings:
    """Everything that a project sets.

    folder       the project's folder, absolute
    environment  name of the chosen environment, empty if none
    digest       SHA-256 over all values, secrets left out
    project      keys at the top: name, timezone, executor, log_url
    state, store, hints, hooks, chat, grafana, jenkins   one section each
    inputs, outputs, cycle, defaults   one section each
    attributes   type word by run attribute
    executors, sources, notifiers, quotas, workflows  one section by name
    """

    folder: Path
    environment: str
    digest: str
    project: ProjectSettings
    state: StateSettings
    store: StoreSettings
    hints: HintSettings
    hooks: HookSettings
    chat: ChatSettings
    web: WebSettings
    grafana: GrafanaSettings
    jenkins: JenkinsSettings
    inputs: InputSettings
    outputs: OutputSettings
    cycle: CycleSettings
    defaults: WorkflowSettings
    attributes: Mapping[str, str]
    executors: Mapping[str, ExecutorSettings]
    sources: Mapping[str, SourceSettings]
    notifiers: Mapping[str, NotifierSettings]
    quotas: Mapping[str, QuotaSettings]
    workflow_tables: Mapping[str, Mapping[str, Any]]

    def workflow(
        self, name: str, declared_values: Mapping[str, Any] | None = None
    ) -> WorkflowSettings:
        """Return the settings of one workflow: [defaults] < what its handler declares <
        [workflows.name].

        Raises ``SettingsError`` if its executor does not exist, or if ``declared_values`` has an
        unknown key.
        """
        given = {**(declared_values or {}), **self.workflow_tables.get(name, {})}
        known = settings_of(WorkflowSettings)
        for key in given:
            if key not in known:
                message = f"Workflow '{name}' declares {key}, which is not a setting."
                raise SettingsError(message, hint=nearest(key, known))
        merged = replace(self.defaults, **given)
        executor = merged.executor or self.project.executor
        if executor not in self.executors:
            message = f"Workflow '{name}' runs on executor '{executor}', which does not exist."
            raise SettingsError(message, hint=nearest(executor, self.executors))
        return replace(merged, executor=executor)

    @property
    def state_folder(self) -> Path:
        """Folder of what autoctrl writes for itself: jobs, bodies, what sources have read."""
        return self.path(self.state.folder)

    def path(self, text: str) -> Path:
        """Return a path of the settings file, relative ones counted from the project's folder."""
        return self.folder / Path(text).expanduser()


def check_together(settings: Settings) -> None:
    """Raise ``SettingsError`` for values that contradict one another."""
    if settings.project.timezone != "UTC":
        _check_timezone(settings.project.timezone)
    _check_hints(settings)
    _check_quotas(settings)
    for name, executor in settings.executors.items():
        if executor.submit_deadline_s >= settings.cycle.lease_s:
            message = (
                f"{FILE_NAME}: [executors.{name}] submit_deadline_s must be shorter than "
                "[cycle] lease_s."
            )
            raise SettingsError(
                message,
                hint="Otherwise somebody could repeat a submission that is still under way.",
            )
    for name in ("", *settings.workflow_tables):
        workflow = settings.workflow(name)
        section = f"workflows.{name}" if name else "defaults"
        read_setup(workflow.setup, f"{FILE_NAME}: [{section}] setup")
        if workflow.memory_mb > workflow.max_memory_mb:
            message = f"{FILE_NAME}: [{section}] memory_mb is larger than its max_memory_mb."
            raise SettingsError(message, hint="Raise max_memory_mb, or ask for less memory.")


def _check_hints(settings: Settings) -> None:
    url = settings.hints.url
    if url and not settings.hints.token_file:
        message = f"{FILE_NAME}: [hints] url is given without the file of its token."
        raise SettingsError(
            message,
            hint="Name one with a token for that bucket alone: [hints] token_file = 'PATH'.",
        )
    if url and url == settings.store.url.partition("?")[0]:
        message = (
            f"{FILE_NAME}: [hints] url is the store's. What jobs report would be mixed with the "
            "records."
        )
        raise SettingsError(
            message, hint="Make a bucket for hints alone, with a token for it alone."
        )


def _check_quotas(settings: Settings) -> None:
    for name, quota in settings.quotas.items():
        bound = min((one for one in (quota.warn, quota.hold) if one), default=quota.margin + 1)
        why = hint = ""
        if max(quota.warn, quota.hold) > WHOLE:
            why, hint = "is more than 100 percent", "Nothing is fuller than full."
        elif 0 < quota.hold <= quota.warn:
            why, hint = "holds jobs before it warns", "Let warn be smaller than hold."
        elif quota.margin >= bound:
            why, hint = "has a margin as large as its bound", "It could never be over."
        if why:
            message = f"{FILE_NAME}: [quotas.{name}] {why}."
            raise SettingsError(message, hint=hint)


def _check_timezone(name: str) -> None:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = (
            f"{FILE_NAME}: timezone = '{name}' is not a time zone. "
            f"{nearest(name, zoneinfo.available_timezones())}"
        )
        raise SettingsError(message, hint="Write it as in Europe/Zurich.") from error
