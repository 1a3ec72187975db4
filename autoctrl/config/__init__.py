"""Typed settings: defaults < autoctrl.toml < its [environments.NAME] < AUTOCTRL_*."""

from __future__ import annotations

from autoctrl.config.listing import SettingInfo, every_setting
from autoctrl.config.loading import find_project, load_settings, parse_settings
from autoctrl.config.sections import (
    SEVERITIES,
    CycleSettings,
    FilesSourceSettings,
    HTCondorExecutorSettings,
    InputSettings,
    LocalExecutorSettings,
    LogNotifierSettings,
    OutputSettings,
    ProjectSettings,
    StoreSettings,
    TableSourceSettings,
    WorkflowSettings,
)
from autoctrl.config.settings import FILE_NAME, Settings

__all__ = [
    "FILE_NAME",
    "SEVERITIES",
    "CycleSettings",
    "FilesSourceSettings",
    "HTCondorExecutorSettings",
    "InputSettings",
    "LocalExecutorSettings",
    "LogNotifierSettings",
    "OutputSettings",
    "ProjectSettings",
    "SettingInfo",
    "Settings",
    "StoreSettings",
    "TableSourceSettings",
    "WorkflowSettings",
    "every_setting",
    "find_project",
    "load_settings",
    "parse_settings",
]
