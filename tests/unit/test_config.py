"""The settings: layers, refusals, environments, secrets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoctrl.config import (
    Settings,
    every_setting,
    parse_settings,
)
from autoctrl.config.layers import is_secret
from autoctrl.errors import SettingsError
from autoctrl.executors.local import LocalExecutorSettings
from autoctrl.sources.files.settings import FilesSourceSettings
from autoctrl.sources.table import TableSourceSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path("/project")
TWO = """
[environments.production]
store.url = "sqlite:production.sqlite"
outputs.root = "production"
[environments.mirror]
store.url = "sqlite:mirror.sqlite"
outputs.root = "mirror"
"""


def load(
    text: str = "", environment: str | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Parse ``text`` without the variables of the person who runs the tests."""
    return parse_settings(text, FOLDER, environment=environment, environ=environ or {})


def refusal(
    text: str = "", environment: str | None = None, environ: Mapping[str, str] | None = None
) -> str:
    """Return the error's text."""
    with pytest.raises(SettingsError) as caught:
        load(text, environment, environ)
    return str(caught.value)


def test_an_empty_file_gives_the_defaults() -> None:
    """A project that sets nothing has an embedded store and a local executor."""
    settings = load()
    assert settings.store.url == "sqlite:.autoctrl/state.sqlite"
    local = settings.executors["local"]
    assert isinstance(local, LocalExecutorSettings)
    assert local.slots == 0
    assert settings.workflow("any").executor == "local"
    assert settings.environment == ""


def test_each_layer_overrides_the_one_before() -> None:
    """Defaults yield to the file, the file to the environment's table, that to the variables."""
    text = (
        "[cycle]\nlease_s = 61\npatience_s = 3\nlock_limit_s = "
        "9\n[environments.mirror]\ncycle.lease_s = 62\n"
    )
    text += 'cycle.patience_s = 4\nstore.url = "sqlite:m"\noutputs.root = "m"\n'
    cycle = load(text, "mirror", {"AUTOCTRL_CYCLE_PATIENCE_S": "5"}).cycle
    assert (cycle.module_limit_s, cycle.lock_limit_s, cycle.lease_s, cycle.patience_s) == (
        300,
        9,
        62,
        5,
    )


def test_a_workflow_takes_the_defaults_and_its_own_table() -> None:
    """[workflows.reco] wins over what the handler declares, and that over [defaults]."""
    settings = load("[defaults]\ncpus = 2\nattempts = 5\n[workflows.reco]\nmemory_mb = 4000\n")
    reco = settings.workflow("reco", {"memory_mb": 3000, "attempts": 4})
    assert (reco.memory_mb, reco.attempts, reco.cpus) == (4000, 4, 2)


def test_a_handler_cannot_declare_what_is_no_setting() -> None:
    """The key that a handler misspells is named together with the nearest one."""
    with pytest.raises(
        SettingsError, match=r"memroy_mb, which is not a setting\. Did you mean 'memory_mb'"
    ):
        load().workflow("reco", {"memroy_mb": 1})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[stor]\nurl = 'x'", ["autoctrl.toml: [stor] url", "'store.url'"]),
        ("[store]\nulr = 'x'", ["autoctrl.toml: [store] ulr", "'url'"]),
        ("[stor]", ["autoctrl.toml: stor", "not a known"]),
        ("[workflows.reco]\nmemroy_mb = 3", ["[workflows.reco] memroy_mb", "'memory_mb'"]),
        (
            "[environments.mirror.cycle]\nlaese_s = 3",
            ["[environments.mirror.cycle] laese_s", "'lease_s'"],
        ),
        ("timezon = 'UTC'", ["timezon", "'timezone'"]),
        ("[outputs]\nroot = 'o'\nxyzzy = 1", ["[outputs] xyzzy", "Known: root"]),
        (
            "[cycle]\nlease_s = 'long'",
            ["[cycle] lease_s = 'long' is not of type float", "How long a lease holds"],
        ),
        ("[defaults]\ncpus = true", ["cpus = True is not of type int"]),
        ("[defaults]\ncpus = 0", ["cpus = 0 is too small", "minimum is 1"]),
        ("[cycle]\npatience_s = nan", ["too small"]),
        ("[runs.attributes]\nfill = 'integer'", ["fill = 'integer' is not possible", "'int'"]),
        ("[runs]\nattribute.fill = 'int'", ["[runs.attribute] fill"]),
        ("timezone = 'Europe/Zurrich'", ["'Europe/Zurrich' is not a time zone", "Europe/Zurich"]),
        ("executor = 'cern'", ["executor 'cern'", "Known: local"]),
        ("[executors.cern]\nslots = 1", ["autoctrl.toml: [executors.cern] has no type"]),
        ("[executors.cern]\ntype = 'lokal'", ["type = 'lokal' does not exist", "'local'"]),
        ("[sources.raw]\ntype = 'files'", ["[sources.raw] lacks pattern"]),
        ("[sources]\nraw = 3", ["[sources.raw] has no type"]),
        ("[notifiers.log]\ntype = 'log'\nseverity = 'alarms'", ["severity = 'alarms'", "'alarm'"]),
        (
            "[hints]\nurl = 'influxdb://h/o/b'",
            ["[hints] url is given without the file", "token_file = 'PATH'"],
        ),
        (
            (
                "store.url = 'influxdb://h/o/b?token_file=a'\n[hints]\nurl = "
                "'influxdb://h/o/b'\ntoken_file = 'b'"
            ),
            ["[hints] url is the store's", "a bucket for hints alone"],
        ),
        ("[cycle]\nlease_s = 20", ["submit_deadline_s must be shorter"]),
        ("[workflows.reco]\nmemory_mb = 99000", ["[workflows.reco] memory_mb is larger"]),
        ("[store\nurl = 1", ["/project/autoctrl.toml is not valid TOML", "line 1"]),
        ("environments = 3", ["[environments] contains something that is not a table"]),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_and_the_remedy(text: str, parts: list[str]) -> None:
    """Each mistake names file, key and the nearest known key or what the key means."""
    said = refusal(text)
    assert all(part in said for part in parts), said


@pytest.mark.parametrize(
    ("environ", "part"),
    [
        (
            {"AUTOCTRL_STORE_ULR": "x"},
            "AUTOCTRL_STORE_ULR is not a setting. Did you mean 'AUTOCTRL_STORE_URL'?",
        ),
        (
            {"AUTOCTRL_CYCLE_LEASE_S": "long"},
            "AUTOCTRL_CYCLE_LEASE_S = 'long' is not of type float",
        ),
        ({"AUTOCTRL_WORKFLOWS_RECO_CPUS": "2"}, "only if autoctrl.toml has that table"),
        ({"AUTOCTRL_ENVIRONMENT": "miror"}, "no environment 'miror'"),
    ],
)
def test_a_wrong_variable_is_refused(environ: dict[str, str], part: str) -> None:
    """A variable is checked as the file is."""
    assert part in refusal(environ=environ)


def test_a_variable_reaches_tables_whose_name_has_a_hyphen() -> None:
    """The hyphen of a name becomes an underscore in the variable."""
    environ = {
        "AUTOCTRL_WORKFLOWS_CAMERA_RECO_ENABLED": "false",
        "AUTOCTRL_EXECUTORS_LOCAL_SLOTS": "3",
    }
    settings = load("[workflows.camera-reco]", environ=environ)
    assert not settings.workflow("camera-reco").enabled
    local = settings.executors["local"]
    assert isinstance(local, LocalExecutorSettings)
    assert local.slots == 3


def test_variables_of_jobs_and_of_kubernetes_are_no_settings() -> None:
    """What the wrapper tells a job and what Kubernetes tells a pod does not disturb."""
    names = [
        "AUTOCTRL_FIELDS",
        "AUTOCTRL_HOME",
        "AUTOCTRL_OUTPUT_DIR",
        "AUTOCTRL_SERVICE_HOST",
        "AUTOCTRL_PORT",
        "AUTOCTRL_PORT_80_TCP_ADDR",
    ]
    assert load(environ=dict.fromkeys(names, "x")) == load()


def test_production_must_be_said() -> None:
    """Where production exists no environment is a default, not even the plain settings."""
    assert "must be chosen" in refusal(TWO)
    assert load(TWO, "production").store.url == "sqlite:production.sqlite"
    assert load(TWO, environ={"AUTOCTRL_ENVIRONMENT": "mirror"}).environment == "mirror"
    assert load(TWO, "production", {"AUTOCTRL_ENVIRONMENT": "mirror"}).environment == "production"


def test_an_unknown_environment_is_refused() -> None:
    """The nearest environment is named."""
    assert "Did you mean 'mirror'?" in refusal(TWO, "miror")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            TWO.replace("mirror.sqlite", "./production.sqlite"),
            ["'production'", "'mirror'", "store.url"],
        ),
        (
            TWO.replace('"mirror"', '"/project/production/"'),
            ["'production'", "'mirror'", "outputs.root"],
        ),
        (
            "[environments.test.outputs]\nroot = 'o'",
            ["without an environment", "'test'", "store.url"],
        ),
        (
            TWO + "[notifiers.n]\ntype = 'log'\npath = 'a.log'\n",
            ["'production'", "'mirror'", "notifiers.n.path"],
        ),
    ],
)
def test_two_environments_must_not_share_what_keeps_them_apart(text: str, parts: list[str]) -> None:
    """Equal stores, output roots or notifier files are refused with both environments named."""
    said = refusal(text, "mirror" if "mirror" in text else None)
    assert all(part in said for part in parts), said


def test_a_variable_cannot_lead_one_environment_into_another() -> None:
    """The separation is checked after the variables were read."""
    environ = {"AUTOCTRL_STORE_URL": "sqlite:production.sqlite"}
    assert "have the same store.url" in refusal(TWO, "mirror", environ)


@pytest.mark.parametrize(
    "text",
    [
        "[store]\ntoken = 'abc'",
        "[notifiers.n]\ntype='log'\npassword = 'abc'",
        "[store]\nurl = 'influx://me:pw@host/db'",
    ],
)
def test_a_secret_in_the_file_is_refused(text: str) -> None:
    """A literal secret is refused without repeating it."""
    said = refusal(text)
    assert "secrets do not belong" in said
    assert "abc" not in said
    assert "pw" not in said


def test_the_name_of_a_file_is_no_secret() -> None:
    """token_file is a path; token is a secret."""
    assert is_secret("token")
    assert is_secret("api_key")
    assert not is_secret("token_file")


def test_a_run_attribute_may_have_any_name() -> None:
    """An attribute called token is an attribute."""
    assert load("[runs.attributes]\ntoken = 'int'").attributes == {"token": "int"}


def test_sources_are_typed_by_their_type() -> None:
    """Each source has the settings of its own kind."""
    settings = load(
        "[sources.raw]\ntype='files'\npattern='r{run}'\n[sources.t]\ntype='table'\npath='runs.csv'\n"
    )
    assert isinstance(settings.sources["raw"], FilesSourceSettings)
    assert isinstance(settings.sources["t"], TableSourceSettings)


def test_the_digest_follows_values_only() -> None:
    """A value said twice changes nothing; another value, or another environment, does."""
    assert load().digest == load("[defaults]\ncpus = 1").digest
    assert load().digest != load("[defaults]\ncpus = 2").digest
    assert load(TWO, "mirror").digest != load(TWO, "production").digest


def test_paths_count_from_the_project() -> None:
    """Relative paths are the project's; absolute ones stay."""
    assert load().path("outputs") == FOLDER / "outputs"
    assert load().path("/data") == Path("/data")


def test_every_setting_is_explained() -> None:
    """The list for the reference has an explanation and a type for each setting, once."""
    listed = every_setting()
    assert all(item.explanation.endswith(".") and item.type for item in listed)
    assert len({item.name for item in listed}) == len(listed)
    assert "sources.<name>.pattern (files)" in {item.name for item in listed}


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        ("warn = 101", "is more than 100 percent"),
        ("hold = 100.5", "is more than 100 percent"),
        ("warn = 95\nhold = 95", "holds jobs before it warns"),
        ("warn = 2", "has a margin as large as its bound"),
        ("warn = 0\nhold = 1", "has a margin as large as its bound"),
        ("warn = 0\nhold = 0", ""),
        ("warn = 0\nhold = 95", ""),
        ("warn = 85\nhold = 95\nmargin = 10", ""),
    ],
)
def test_the_bounds_of_a_quota_must_make_sense(bounds: str, why: str) -> None:
    """It warns before it holds, and both can be over again."""
    text = f'[quotas.disk]\ntype = "local"\npath = "."\n{bounds}\n'
    if not why:
        assert [*load(text).quotas] == ["disk"]
        return
    with pytest.raises(SettingsError, match=rf"\[quotas\.disk\] {why}"):
        load(text)
