"""How an adapter is found by its word: built in, installed, or neither."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoctrl.config import list_words, open_section, parse_settings
from autoctrl.config.adapters import find_adapter, find_built_in, find_store
from autoctrl.config.sections import NotifierSettings
from autoctrl.errors import SettingsError
from autoctrl.notifiers import log

if TYPE_CHECKING:
    from autoctrl.config import Settings

GOOD = """
from dataclasses import dataclass

from autoctrl.config import Adapter, NotifierSettings, StoreAdapter, setting


@dataclass(frozen=True)
class GongSettings(NotifierSettings):
    room: str = setting("Room in which the gong hangs.")


ADAPTER = Adapter(GongSettings, lambda name, section, settings: (name, section.room))
STORE = StoreAdapter(lambda url, clock: url)
PLAIN = Adapter(dict, dict)


@dataclass(frozen=True)
class SilentSettings(NotifierSettings):
    room: str = ""


SILENT = Adapter(SilentSettings, dict)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of installed packages that has one package, ``gong``."""
    (tmp_path / "gong.py").write_text(GOOD)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def install(site: Path, group: str, *lines: str, package: str = "gong") -> None:
    """Install a package with these entry points."""
    folder = site / f"{package}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[autoctrl.{group}]\n" + "\n".join(lines) + "\n")


def load(text: str) -> Settings:
    """Parse settings without the variables of the person who runs the tests."""
    return parse_settings(text, Path("/project"), environ={})


def test_built_in_adapters_are_found_by_the_name_of_their_module() -> None:
    """A word is the name of a module or package of its room that has an ADAPTER."""
    assert find_adapter("notifiers", "log") is log.ADAPTER
    assert set(find_built_in("executors")) == {"htcondor", "local"}
    assert set(find_built_in("sources")) == {"files", "hook", "table"}


@pytest.mark.parametrize("word", ["values", "__init__", "files.source", "../log", "", "x y"])
def test_other_modules_are_not_adapters(word: str) -> None:
    """A module without an ADAPTER, a path and a text that is not a name mean nothing."""
    assert find_adapter("sources", word) is None


def test_built_in_adapters_cost_no_look_at_installed_packages() -> None:
    """Reading settings imports neither the machinery of an adapter nor the metadata of packages."""
    text = "[executors.pool]\ntype = 'htcondor'\n[sources.raw]\ntype = 'files'\npattern = '{run}'\n"
    code = (
        "import sys; from pathlib import Path; from autoctrl.config import parse_settings; "
        f"parse_settings({text!r}, Path('/project'), environ={{}}); print(*sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    heavy = {"importlib.metadata", "pkgutil", "autoctrl.sources.files.source"}
    heavy.add("autoctrl.executors.htcondor.executor")
    assert not heavy & set(answer.stdout.split())


def test_an_installed_adapter_is_found_by_its_entry_point(site: Path) -> None:
    """It has its own settings, with a key that must be given, and is opened by its own function."""
    install(site, "notifiers", "gong = gong:ADAPTER")
    section = load("[notifiers.hall]\ntype = 'gong'\nroom = 'h1'\n").notifiers["hall"]
    assert section.severity == "info"
    assert open_section("notifiers", "hall", section, None) == ("hall", "h1")
    with pytest.raises(
        SettingsError, match=r"\[notifiers.hall\] roon is not a known setting.*room"
    ):
        load("[notifiers.hall]\ntype = 'gong'\nroon = 'h1'\n")


def test_an_installed_store_is_found_by_its_scheme(site: Path) -> None:
    """A store's entry point has the name of the scheme."""
    install(site, "stores", "gongs = gong:STORE")
    store = find_store("gongs")
    assert store is not None
    assert store.open(store.complete("gongs:x", Path("/"), ""), None) == "gongs:x"
    assert store.exists("gongs:x")


def test_an_unknown_word_names_the_nearest_of_all_known(site: Path) -> None:
    """Installed adapters are proposed as built-in ones are."""
    install(site, "notifiers", "tamtam = gong:ADAPTER")
    assert {"log", "tamtam"} <= set(list_words("notifiers"))
    with pytest.raises(SettingsError, match=r"'tamtan' does not exist.*Did you mean 'tamtam'"):
        load("[notifiers.hall]\ntype = 'tamtan'\n")
    with pytest.raises(SettingsError, match=r"type = 'tamtan' does not exist.*'tamtam'"):
        open_section("notifiers", "hall", NotifierSettings(type="tamtan"), None)


@pytest.mark.parametrize(
    ("word", "target", "said"),
    [
        ("lost", "nowhere:ADAPTER", "cannot be loaded: ModuleNotFoundError: No module named"),
        ("number", "gong:GOOD", "cannot be loaded: AttributeError"),
        ("other", "gong:GongSettings", "is not of the class Adapter"),
        ("dict", "gong:PLAIN", "are not a dataclass that derives from NotifierSettings"),
        ("silent", "gong:SILENT", "made by setting"),
    ],
)
def test_an_installed_adapter_that_does_not_fit_is_refused(
    site: Path, word: str, target: str, said: str
) -> None:
    """The error names the object, the entry point and what is wrong with it."""
    install(site, "notifiers", f"{word} = {target}", package=word)
    with pytest.raises(SettingsError) as caught:
        load(f"[notifiers.hall]\ntype = '{word}'\n")
    assert f"{target} (entry point '{word}' of autoctrl.notifiers)" in str(caught.value)
    assert said in str(caught.value)


def test_an_installed_store_must_be_a_store(site: Path) -> None:
    """An adapter of another kind is refused for a store's scheme."""
    install(site, "stores", "drum = gong:ADAPTER")
    with pytest.raises(SettingsError, match="is not of the class StoreAdapter"):
        find_store("drum")


def test_two_packages_with_the_same_word_are_refused(site: Path) -> None:
    """Nobody guesses which one is meant."""
    install(site, "notifiers", "double = gong:ADAPTER", package="one")
    install(site, "notifiers", "double = gong:PLAIN", package="two")
    with pytest.raises(SettingsError, match="offered by several packages: gong:"):
        load("[notifiers.hall]\ntype = 'double'\n")
