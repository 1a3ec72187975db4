"""Settings as layers: flat paths with their origin, from the file and from the environment, checked
one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.config.adapters import SECTION_BASES, find_adapter, list_words
from autoctrl.config.declaration import setting
from autoctrl.config.sections import (
    ATTRIBUTES,
    SECTIONS,
    WORKFLOWS,
    ProjectSettings,
    WorkflowSettings,
    settings_of,
    type_word,
)
from autoctrl.errors import SettingsError, nearest
from autoctrl.model.run import PARSERS
from autoctrl.model.secret import has_password, is_secret_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from dataclasses import Field

PREFIX = "AUTOCTRL_"
# Read by the command line or a Jenkinsfile, or set for a job by the wrapper: not settings.
RESERVED = re.compile(
    r"AUTOCTRL_(PROJECT|HOME|ENVIRONMENT|CAMPAIGN|DEBUG|FIELDS|HINT|OUTPUT_DIR|ROOT|TAG|START|STORE_TOKEN|TOKEN_FILE|UNIT|WORKFLOW|VERSION|JOB(_\w+)?)"
)
# Kubernetes tells every pod about each service; one that is called autoctrl-… looks like a setting.
SERVICE = re.compile(r"AUTOCTRL_(\w+_)?(SERVICE_(HOST|PORT\w*)|PORT(_\d+_\w+)?)")


class Entry(NamedTuple):
    """One given setting.

    value   as it was given
    origin  where: ``autoctrl.toml: [store] url`` or ``AUTOCTRL_STORE_URL``
    """

    value: Any
    origin: str


NAMED = (*SECTION_BASES, WORKFLOWS)  # sections whose tables have a name each
KeyPath = tuple[str, ...]
Layer = Mapping[KeyPath, Entry]
BUILT_IN: Layer = {("executors", "local", "type"): Entry("local", "built in")}


def flatten(tree: Mapping[str, Any], prefix: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield (path, value) for every leaf; an empty table is a leaf too, so that its name is not
    lost.
    """
    for key, value in tree.items():
        path = (*prefix, key)
        if isinstance(value, dict) and value:
            yield from flatten(value, path)
        else:
            yield path, value


def spell_path(path: KeyPath) -> str:
    """Write a path as autoctrl.toml has it: ``timezone``, ``[store] url``."""
    return f"[{'.'.join(path[:-1])}] {path[-1]}" if len(path) > 1 else path[0]


def read_table(tree: Mapping[str, Any], file: str, prefix: KeyPath = ()) -> dict[KeyPath, Entry]:
    """Return the layer of a table of the settings file that stands at ``prefix``."""
    return {
        path: Entry(value, f"{file}: {spell_path((*prefix, *path))}")
        for path, value in flatten(tree)
    }


def names_in(layer: Layer, section: str) -> list[str]:
    """Return the names that are given in a section of named tables, in the order of the file."""
    return list(dict.fromkeys(path[1] for path in layer if path[0] == section and len(path) > 1))


def known_settings(layer: Layer) -> dict[KeyPath, Field[Any]]:
    """Return every setting that may be given, for the names and types that this layer contains.

    Raises ``SettingsError`` if a named table lacks its type, or has one that does not exist.
    """
    known: dict[KeyPath, Field[Any]] = {
        (name,): item for name, item in settings_of(ProjectSettings).items()
    }
    for section, kind in SECTIONS.items():
        known.update({(section, name): item for name, item in settings_of(kind).items()})
    for section in NAMED:
        for table in names_in(layer, section):
            kind = kind_of(layer, section, table)
            known.update({(section, table, name): item for name, item in settings_of(kind).items()})
    known.update({path: _ATTRIBUTE for path in layer if path[:-1] == ATTRIBUTES})
    return known


def kind_of(layer: Layer, section: str, table: str) -> type:
    """Return the class that describes one named table, chosen by its ``type``."""
    if section == WORKFLOWS:
        return WorkflowSettings
    entry = layer.get((section, table, "type"))
    if entry is None:
        words = list_words(section)
        message = f"{_file_of(layer, section, table)}: [{section}.{table}] has no type."
        raise SettingsError(message, hint=f"Add type = '{words[0]}' (known: {', '.join(words)}).")
    adapter = find_adapter(section, entry.value) if isinstance(entry.value, str) else None
    if adapter is None:
        message = f"{entry.origin} = {entry.value!r} does not exist."
        raise SettingsError(message, hint=nearest(str(entry.value), list_words(section)))
    return adapter.settings


def _file_of(layer: Layer, section: str, table: str) -> str:
    """Return the file in which a named table stands."""
    origins = [entry.origin for path, entry in layer.items() if path[:2] == (section, table)]
    return origins[0].partition(":")[0]


def check(layer: Layer) -> None:
    """Raise ``SettingsError`` for the first entry that is unknown, a secret, of the wrong type or
    out of bounds.
    """
    known = known_settings(layer)
    for path, entry in layer.items():
        if not _is_bare_table(path, entry):
            refuse_secret(path, entry)
            if path not in known:
                _refuse_unknown(path, entry, known)
            check_value(known[path], entry)


def check_value(item: Field[Any], entry: Entry) -> None:
    """Raise ``SettingsError`` unless the value has the setting's type and lies within its
    bounds.
    """
    value, facts = entry.value, item.metadata
    if not _IS_TYPE[type_word(item)](value):
        message = f"{entry.origin} = {value!r} is not of type {type_word(item)}."
        raise SettingsError(message, hint=f"It means: {facts['doc']}")
    if facts["least"] is not None and not value >= facts["least"]:
        message = f"{entry.origin} = {value!r} is too small; the minimum is {facts['least']:g}."
        raise SettingsError(message)
    if facts["choices"] and value not in facts["choices"]:
        message = f"{entry.origin} = {value!r} is not possible. {nearest(value, facts['choices'])}"
        raise SettingsError(message, hint=f"Choose one of: {', '.join(facts['choices'])}.")


def refuse_secret(path: KeyPath, entry: Entry) -> None:
    """Raise ``SettingsError`` if a secret is written out in the settings file."""
    if (
        not isinstance(entry.value, str)
        or entry.origin.startswith(PREFIX)
        or path[:-1] == ATTRIBUTES
    ):
        return
    if is_secret(path[-1]):
        message = f"{entry.origin} is a secret, and secrets do not belong in the settings file."
        instead = f"{path[-1]}_file with the name of a file that holds it"
        raise SettingsError(message, hint=f"Write {instead}, or set {variable_name(path)}.")
    if has_password(entry.value):
        message = (
            f"{entry.origin} contains a password, and secrets do not belong in the settings file."
        )
        raise SettingsError(
            message, hint=f"Take the password out of the address, or set {variable_name(path)}."
        )


def is_secret(key: str) -> bool:
    """Say whether a setting of this name holds a secret itself, not the name of a file that
    does.
    """
    return is_secret_name(key) and not key.endswith("_file")


def variable_name(path: KeyPath) -> str:
    """Name of the environment variable that overrides a setting: ``AUTOCTRL_STORE_URL``."""
    return PREFIX + "_".join(path).replace("-", "_").replace(".", "_").upper()


def _is_ours(variable: str) -> bool:
    """Say whether an environment variable is meant to be a setting."""
    is_other = RESERVED.fullmatch(variable) or SERVICE.fullmatch(variable)
    return variable.startswith(PREFIX) and not is_other


def read_variables(environ: Mapping[str, str], layer: Layer) -> dict[KeyPath, Entry]:
    """Return the layer that ``AUTOCTRL_*`` variables give, for the settings that ``layer`` makes
    possible.

    Raises ``SettingsError`` for a variable that is not a setting, or whose text is not of its type.
    """
    given = [name for name in environ if _is_ours(name)]
    if not given:
        return {}
    known = known_settings(layer)
    paths = {variable_name(path): path for path in known}
    found: dict[KeyPath, Entry] = {}
    for name in given:
        if name not in paths:
            close = _nearest_only(name, paths)
            message = f"The environment variable {name} is not a setting. {close}"
            raise SettingsError(
                message,
                hint="A variable changes a named table only if autoctrl.toml has that table.",
            )
        found[paths[name]] = Entry(_parse_text(type_word(known[paths[name]]), environ[name]), name)
    return found


def _is_bare_table(path: KeyPath, entry: Entry) -> bool:
    if entry.value != {}:
        return False
    section, *name = path
    has_tables = section in {*NAMED, "runs"}
    return len(name) <= int(has_tables) and (has_tables or section in SECTIONS)


def _refuse_unknown(path: KeyPath, entry: Entry, known: Mapping[KeyPath, Field[Any]]) -> None:
    message = f"{entry.origin} is not a known setting."
    beside = [item[-1] for item in known if item[:-1] == path[:-1]]
    if len(path) > 1 and beside:
        raise SettingsError(message, hint=nearest(path[-1], beside))
    raise SettingsError(
        message, hint=_nearest_only(".".join(path), [".".join(item) for item in known])
    )


def _nearest_only(word: str, words: Iterable[str]) -> str:
    """Hint at the closest word, or nothing: there are too many settings to list them all."""
    close = nearest(word, words)
    return close if close.startswith("Did") else ""


def _parse_text(kind: str, text: str) -> Any:  # noqa: ANN401 - a setting of every type
    # A text that is not of the type stays text, and is refused by check_value together with all
    # others.
    try:
        return _PARSERS[kind](text)
    except (KeyError, ValueError):
        return text


_ATTRIBUTE: Field[Any] = setting("Type of a run attribute.", "", choices=tuple(PARSERS))
_ATTRIBUTE.type = "str"
_IS_TYPE: Mapping[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
}
_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
}
