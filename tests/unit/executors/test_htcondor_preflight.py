"""What the settings of a pool name: where it is looked for, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.errors import SubmitRefused
from autoctrl.executors.htcondor.preflight import blame, check_files, locate_files, split_files
from autoctrl.executors.htcondor.settings import HTCondorExecutorSettings

if TYPE_CHECKING:
    from pathlib import Path

SITE = HTCondorExecutorSettings(type="htcondor")


def test_relative_paths_count_from_the_project(tmp_path: Path) -> None:
    """A relative path is one of the project's, an absolute one and an address stay, a slash at the
    end is kept.
    """
    given = replace(
        SITE,
        config="c",
        x509_proxy="p/x",
        container_image="docker://a/b",
        transfer_input="a, tables/,/b, osdf://c/d",
    )
    found = locate_files(given, tmp_path)
    assert (found.config, found.x509_proxy) == (f"{tmp_path}/c", f"{tmp_path}/p/x")
    assert found.container_image == "docker://a/b"
    assert split_files(found) == [f"{tmp_path}/a", f"{tmp_path}/tables/", "/b", "osdf://c/d"]
    assert locate_files(found, tmp_path / "elsewhere") == found
    assert locate_files(SITE, tmp_path) == SITE


@pytest.mark.parametrize("key", ["config", "x509_proxy", "transfer_input"])
def test_a_file_that_is_not_there_is_named_with_its_setting(key: str, tmp_path: Path) -> None:
    """A missing file is refused before HTCondor is asked, by the name of its setting; one that is
    there is fine.
    """
    given: Any = {key: "x"}
    settings = locate_files(replace(SITE, **given), tmp_path)
    with pytest.raises(
        SubmitRefused,
        match=rf"site needs {tmp_path}/x, which does not exist.*{key} in \[executors.site",
    ):
        check_files(settings, "site")
    (tmp_path / "x").touch()
    check_files(settings, "site")


def test_addresses_and_what_does_not_travel_are_not_looked_for() -> None:
    """An address is HTCondor's business, and where files are shared none travels."""
    check_files(replace(SITE, transfer_input="osdf://c/d"), "site")
    check_files(replace(SITE, mode="shared", transfer_input="/nowhere"), "site")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (
            "Parse error in expression: Requirements = (()",
            "Look at requirements in [executors.site].",
        ),
        ("Invalid accounting_group: a b", "Look at accounting_group in [executors.site]."),
        ("Submit:-1:unable to read proxy file", "Look at the template job.sub.j2."),
        ("3 rows became 2 jobs", "Look at the template job.sub.j2."),
    ],
)
def test_the_hint_names_what_is_at_fault(words: str, hint: str) -> None:
    """A refusal about a setting that is set names the setting, any other one the template."""
    assert blame(words, replace(SITE, requirements="((", accounting_group="a b"), "site") == hint
