"""Typed settings: defaults < autoctrl.toml < its [environments.NAME] < AUTOCTRL_*."""

from __future__ import annotations

from autoctrl.config.adapters import Adapter, StoreAdapter, find_store, list_words, open_section
from autoctrl.config.listing import SettingInfo, every_setting
from autoctrl.config.loading import find_project, load_settings, parse_settings
from autoctrl.config.sections import (
    SEVERITIES,
    CycleSettings,
    ExecutorSettings,
    HookSettings,
    InputSettings,
    NotifierSettings,
    OutputSettings,
    ProjectSettings,
    SourceSettings,
    StoreSettings,
    WorkflowSettings,
    setting,
)
from autoctrl.config.settings import FILE_NAME, Settings

__all__ = [
    "FILE_NAME",
    "SEVERITIES",
    "Adapter",
    "CycleSettings",
    "ExecutorSettings",
    "HookSettings",
    "InputSettings",
    "NotifierSettings",
    "OutputSettings",
    "ProjectSettings",
    "SettingInfo",
    "Settings",
    "SourceSettings",
    "StoreAdapter",
    "StoreSettings",
    "WorkflowSettings",
    "every_setting",
    "find_project",
    "find_store",
    "list_words",
    "load_settings",
    "open_section",
    "parse_settings",
    "setting",
]
