"""Typed settings: defaults < autoctrl.toml < its [environments.NAME] < AUTOCTRL_*."""

from __future__ import annotations

from autoctrl.config.adapters import Adapter, StoreAdapter, find_store, list_words, open_section
from autoctrl.config.declaration import ADMINISTRATOR, setting
from autoctrl.config.deployment import (
    DEPLOYMENT_FILE,
    Deployment,
    Environment,
    find_deployment,
    list_secrets,
    list_written,
    load_deployment,
    parse_deployment,
)
from autoctrl.config.listing import SettingInfo, every_setting
from autoctrl.config.loading import find_project, load_settings, parse_settings
from autoctrl.config.quota_section import QuotaSettings
from autoctrl.config.secret_file import read_secret_lines
from autoctrl.config.sections import (
    SEVERITIES,
    ChatSettings,
    CycleSettings,
    ExecutorSettings,
    HookSettings,
    InputSettings,
    JenkinsSettings,
    NotifierSettings,
    OutputSettings,
    ProjectSettings,
    SourceSettings,
    StoreSettings,
    WorkflowSettings,
)
from autoctrl.config.settings import FILE_NAME, Settings
from autoctrl.config.web import WebSettings

__all__ = [
    "ADMINISTRATOR",
    "DEPLOYMENT_FILE",
    "FILE_NAME",
    "SEVERITIES",
    "Adapter",
    "ChatSettings",
    "CycleSettings",
    "Deployment",
    "Environment",
    "ExecutorSettings",
    "HookSettings",
    "InputSettings",
    "JenkinsSettings",
    "NotifierSettings",
    "OutputSettings",
    "ProjectSettings",
    "QuotaSettings",
    "SettingInfo",
    "Settings",
    "SourceSettings",
    "StoreAdapter",
    "StoreSettings",
    "WebSettings",
    "WorkflowSettings",
    "every_setting",
    "find_deployment",
    "find_project",
    "find_store",
    "list_secrets",
    "list_words",
    "list_written",
    "load_deployment",
    "load_settings",
    "open_section",
    "parse_deployment",
    "parse_settings",
    "read_secret_lines",
    "setting",
]
