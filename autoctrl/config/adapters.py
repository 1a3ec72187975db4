"""Finds the adapter that settings name by a word: built in by convention, installed by entry point.

``type = "files"`` below ``[sources.…]`` means the object ``ADAPTER`` of ``autoctrl.sources.files``,
a module or a package. A word that is not built in is looked up among the entry points of the group
``autoctrl.sources``, so that a separate package can provide an adapter. Stores are found in the
same way, by the scheme of their URL.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from autoctrl.config.quota_section import QuotaSettings
from autoctrl.config.sections import (
    TYPE_WORDS,
    ExecutorSettings,
    NotifierSettings,
    SourceSettings,
    type_word,
)
from autoctrl.errors import SettingsError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.metadata import EntryPoint
    from pathlib import Path

NAME = "ADAPTER"
# What the settings of each kind of adapter build upon; stores have none, their URL says it all.
SECTION_BASES: Mapping[str, type] = {
    "executors": ExecutorSettings,
    "sources": SourceSettings,
    "notifiers": NotifierSettings,
    "quotas": QuotaSettings,
}
STORES = "stores"
# Words that are not the name of their module: one folder is a store with and without TLS.
MODULES = {"influxdb": "influx", "influxdbs": "influx"}


@dataclass(frozen=True)
class Adapter:
    """One kind of executor, source, notifier or quota.

    settings  dataclass of its table in autoctrl.toml; it derives from ``ExecutorSettings``,
              ``SourceSettings``, ``NotifierSettings`` or ``QuotaSettings``, its own fields are made
              by ``setting``
    open      returns what the port asks for. All but an executor are opened with the name of their
              table, the table as ``settings``, and all ``Settings``; an executor with the first
              two and its ``Surroundings``.
    """

    settings: type
    open: Callable[..., Any]


@dataclass(frozen=True)
class StoreAdapter:
    """One kind of store, chosen by the scheme of its URL.

    open        returns the store behind a complete URL, made if it does not exist yet; the second
                argument is the clock, None for the system's
    complete    returns the URL with what the settings add: the arguments are the URL, the folder
                from which a relative path counts, and the file of the token, empty if none is set
    prepare     makes what a complete URL needs around the store, as the folder of a file
    exists      says whether the store behind a complete URL is there; one that is always there, or
                says so itself when it is opened, leaves this out
    is_lasting  its records outlive the process
    """

    open: Callable[[str, Any], Any]
    complete: Callable[[str, Path, str], str] = lambda url, _folder, _token_file: url
    prepare: Callable[[str], None] = lambda _url: None
    exists: Callable[[str], bool] = lambda _url: True
    is_lasting: bool = True


def find_adapter(kind: str, word: str) -> Adapter | None:
    """Return the adapter of a ``kind``, as ``executors``, that settings call ``word``.

    None if there is none. Raises ``SettingsError`` if an installed one cannot be used.
    """
    found = _find(kind, word)
    return found if isinstance(found, Adapter) else None


def find_store(scheme: str) -> StoreAdapter | None:
    """Return the store that URLs with this scheme mean, or None.

    Raises as ``find_adapter`` does.
    """
    found = _find(STORES, scheme)
    return found if isinstance(found, StoreAdapter) else None


def open_section(
    kind: str,
    name: str,
    section: ExecutorSettings | SourceSettings | NotifierSettings | QuotaSettings,
    given: object,
) -> Any:  # noqa: ANN401 - each kind has a port of its own, and its room says which
    """Open the adapter of the table ``[kind.name]``, ``given`` is what else it needs.

    Raises ``SettingsError`` if there is no such adapter, or if it cannot use what the table says.
    """
    adapter = find_adapter(kind, section.type)
    if adapter is None:
        message = f"[{kind}.{name}] type = '{section.type}' does not exist."
        raise SettingsError(message, hint=nearest(section.type, list_words(kind)))
    return adapter.open(name, section, given)


def list_words(kind: str) -> list[str]:
    """Return every word that settings may say for this kind, built in or installed."""
    return [*find_built_in(kind), *(point.name for point in _entry_points(kind))]


def find_built_in(kind: str) -> dict[str, Adapter | StoreAdapter]:
    """Return the adapters that come with autoctrl, by word."""
    import pkgutil

    folder = importlib.import_module(f"autoctrl.{kind}")
    modules = [module.name for module in pkgutil.iter_modules(folder.__path__)]
    found = {word: _built_in(kind, word) for word in sorted([*modules, *MODULES])}
    return {word: adapter for word, adapter in found.items() if adapter is not None}


@cache
def _find(kind: str, word: str) -> Adapter | StoreAdapter | None:
    return _built_in(kind, word) or _installed(kind, word)


def _built_in(kind: str, word: str) -> Adapter | StoreAdapter | None:
    name = f"autoctrl.{kind}.{MODULES.get(word, word)}"
    if not word.isidentifier() or word in MODULES.values() or find_spec(name) is None:
        return None
    adapter: Adapter | StoreAdapter | None = getattr(importlib.import_module(name), NAME, None)
    return adapter


def _installed(kind: str, word: str) -> Adapter | StoreAdapter | None:
    points = [point for point in _entry_points(kind) if point.name == word]
    if not points:
        return None
    where = f"{points[0].value} (entry point '{word}' of autoctrl.{kind})"
    if len(points) > 1:
        values = " and ".join(point.value for point in points)
        message = f"'{word}' of autoctrl.{kind} is offered by several packages: {values}."
        raise SettingsError(message, hint="Uninstall all but one of them.")
    try:
        adapter = points[0].load()
    except Exception as error:
        message = f"{where} cannot be loaded: {type(error).__name__}: {error}."
        raise SettingsError(message, hint="Repair or reinstall its package.") from error
    _check_fit(kind, adapter, where)
    fitting: Adapter | StoreAdapter = adapter
    return fitting


def _check_fit(kind: str, adapter: object, where: str) -> None:
    """Raise ``SettingsError`` unless an installed adapter is what its group holds."""
    wanted = StoreAdapter if kind == STORES else Adapter
    if not isinstance(adapter, wanted):
        message = f"{where} is not of the class {wanted.__name__}."
        raise SettingsError(message, hint="Its package must name an instance of that class.")
    if isinstance(adapter, Adapter) and not _fits(adapter.settings, SECTION_BASES[kind]):
        base = SECTION_BASES[kind].__name__
        message = f"The settings of {where} are not a dataclass that derives from {base}."
        types = ", ".join(TYPE_WORDS)
        raise SettingsError(
            message, hint=f"Each of its fields must be of the type {types}, and made by setting(…)."
        )


def _fits(settings: type, base: type) -> bool:
    if not is_dataclass(settings) or not issubclass(settings, base):
        return False
    return all(
        "doc" in item.metadata and type_word(item) in TYPE_WORDS for item in fields(settings)
    )


def _entry_points(kind: str) -> list[EntryPoint]:
    from importlib.metadata import entry_points

    return list(entry_points(group=f"autoctrl.{kind}"))
