"""The administrator's file above the checkouts: what it may say, and what keeps environments
apart.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from autoctrl.config import (
    Deployment,
    every_setting,
    list_secrets,
    list_written,
    parse_deployment,
    parse_settings,
)
from autoctrl.config.layers import BUILT_IN, Layer, read_table
from autoctrl.config.ownership import is_administrators, refuse_foreign
from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path("/srv/autoctrl")
HEAD = 'repository = "https://git.example.org/automation.git"\n'
PRODUCTION = '[environments.production]\nrefs = ["refs/tags/prod-*"]\n'
MIRROR = '[environments.mirror]\nbranches = "dev-.*"\nuser = "mirror"\n'
BOTH = HEAD + PRODUCTION + MIRROR
BOT = """[environments.{0}.settings.notifiers.chat]
type = "mattermost"
url = "https://chat.example.org"
token_file = "/etc/{0}/bot"
team = "ecal"
channel = "{1}"
"""


def load(text: str = BOTH) -> Deployment:
    """Parse ``text`` as the file in ROOT."""
    return parse_deployment(text, ROOT)


def refusal(text: str) -> str:
    """Return the error's text."""
    with pytest.raises(SettingsError) as caught:
        load(text)
    return str(caught.value)


def test_a_small_file_says_enough() -> None:
    """What is not said has a default; each environment has folders of its own below the root."""
    deployment = load()
    assert deployment.project == PurePosixPath()
    production, mirror = (deployment.environment(name) for name in ("production", "mirror"))
    assert (production.refs, production.branches, production.user) == (
        ("refs/tags/prod-*",),
        "",
        "",
    )
    assert (production.is_signed, production.needs_request, production.keep) == (False, True, 5)
    assert (mirror.refs, mirror.branches, mirror.user) == ((), "dev-.*", "mirror")
    assert not mirror.needs_request
    values = {".".join(path): entry.value for path, entry in mirror.settings.items()}
    assert values == {
        "state.folder": "/srv/autoctrl/mirror/.autoctrl",
        "store.url": "sqlite:/srv/autoctrl/mirror/.autoctrl/state.sqlite",
        "outputs.root": "/srv/autoctrl/mirror/outputs",
    }


def test_paths_of_the_administrator_count_from_the_environments_folder() -> None:
    """A checkout comes and goes; other paths stay the project's, and a URL stays as it is."""
    text = (
        '[environments.production.settings]\nstate.folder = "state/"\ninputs.root = "raw"\n'
        'store = {url = "influxdb://h/o/b", token_file = "../secrets/store"}\n'
        '[environments.production.settings.executors.cern]\ntype = "htcondor"\n'
        'x509_proxy = "proxy"\nconfig = "/etc/condor"\nrequirements = "x"\n'
    )
    settings = load(HEAD + PRODUCTION + text).environment("production").settings
    values = {path[-1]: entry.value for path, entry in settings.items() if path[-1] != "type"}
    roots = {settings["inputs", "root"].value, settings["outputs", "root"].value}
    del values["root"]
    assert values == {
        "folder": "/srv/autoctrl/production/state",
        "url": "influxdb://h/o/b",
        "token_file": "/srv/autoctrl/secrets/store",
        "x509_proxy": "/srv/autoctrl/production/proxy",
        "config": "/etc/condor",
        "requirements": "x",
    }
    assert roots == {"raw", "/srv/autoctrl/production/outputs"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("repositry = 'x'\n" + PRODUCTION, ["repositry is not", "Did you mean 'repository'"]),
        (PRODUCTION, ["lacks repository"]),
        ("repository = 3\n" + PRODUCTION, ["repository = 3 is not text"]),
        ("repository = 'https://me:pw@h/x'\n" + PRODUCTION, ["address of the repository contains"]),
        (HEAD + "project = '../x'\n" + PRODUCTION, ["project = '../x' lies outside"]),
        (HEAD, ["declares no environment"]),
        (HEAD + "environments = 3", ["environments = 3 is not a table"]),
        (HEAD + "environments.x = 3", ["[environments.x] is not a table"]),
        (HEAD + "[environments.'../x']\nrefs = ['refs/x']", ["no name of a folder"]),
        (HEAD + PRODUCTION + "kep = 3", ["kep is not a known key", "'keep'"]),
        (HEAD + PRODUCTION + "keep = 0", ["keep = 0 is too small"]),
        (HEAD + PRODUCTION + "keep = true", ["keep = True is not a whole number"]),
        (HEAD + PRODUCTION + "signed = 1", ["signed = 1 is not true or false"]),
        (HEAD + PRODUCTION + "branches = 'x'", ["must have refs or branches, and not both"]),
        (HEAD + "[environments.x]", ["[environments.x] must have refs or branches"]),
        (HEAD + "[environments.x]\nrefs = 'refs/x'", ["is not a list"]),
        (HEAD + "[environments.x]\nrefs = ['main']", ["refs = ['main'] are not whole names"]),
        (HEAD + "[environments.x]\nuser = 'x'\nbranches = '('", ["no regular expression"]),
        (HEAD + "[environments.x]\nbranches = 'x'", ["runs branches, but says no user"]),
        (
            HEAD + PRODUCTION + "settings.store.ulr = 'x'",
            ["deployment.toml: [environments.production.settings.store] ulr", "'url'"],
        ),
        (
            HEAD + PRODUCTION + "settings.executors.cern.accounting_group = 'x'",
            ["deployment.toml: [executors.cern] has no type"],
        ),
        (HEAD + PRODUCTION + "settings.store.token = 'abc'", ["secrets do not belong"]),
        (HEAD + PRODUCTION + "settings.state.folder = '~/x'", ["folder = '~/x' is another folder"]),
        ("x = [", ["/srv/autoctrl/deployment.toml is not valid TOML"]),
    ],
)
def test_a_wrong_file_is_refused_with_place_and_remedy(text: str, parts: list[str]) -> None:
    """Each mistake names file and key, and no secret."""
    said = refusal(text)
    assert all(part in said for part in parts), said
    assert "deployment.toml" in said
    assert "abc" not in said
    assert "pw@" not in said


def test_an_unknown_environment_is_refused() -> None:
    """The nearest one is named."""
    with pytest.raises(SettingsError, match=r"no environment 'mirrr'.*Did you mean 'mirror'"):
        load().environment("mirrr")


def said_in_both(setting: str, first: str, second: str) -> str:
    """Return a file in which two environments say something of one setting."""
    return (
        BOTH
        + f"[environments.production.settings.{setting.rpartition('.')[0]}]\n{first}\n"
        + f"[environments.mirror.settings.{setting.rpartition('.')[0]}]\n{second}\n"
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (said_in_both("state.folder", "folder = '/d'", "folder = '/d/'"), "same state.folder"),
        (said_in_both("outputs.root", "root = '/d/x'", "root = '/d/y/../x'"), "same outputs.root"),
        (
            said_in_both("store.url", "url = 'sqlite:/d/s'", "url = 'sqlite:///d/./s'"),
            "same store.url",
        ),
        (
            said_in_both(
                "store.url", "url = 'influxdb://h/o/b'", "url = 'influxdb://H/o/b/?measurement=x'"
            ),
            "same store.url",
        ),
        (BOTH + BOT.format("production", "x") + BOT.format("mirror", "x"), "same notifiers.chat"),
        (
            said_in_both(
                "executors.a.x",
                "type = 'htcondor'\naccounting_group = 'g'",
                "type = 'htcondor'\naccounting_group = 'g'",
            ),
            "same executors.a.accounting_group",
        ),
        (
            said_in_both("state.folder", "folder = '/d'", "folder = '/d/mirror'"),
            "state.folder of environment 'mirror', '/d/mirror', lies in",
        ),
        (
            said_in_both(
                "outputs.root", "root = '/srv/autoctrl/mirror/.autoctrl/x'", "root = '/o'"
            ),
            "outputs.root of environment 'production'",
        ),
        (
            (
                f"{BOTH}[environments.production.settings]\noutputs.root = '/d'\n"
                "[environments.mirror.settings]\nstore.url = 'sqlite:/d/s'\n"
            ),
            "store.url of environment 'mirror'",
        ),
    ],
)
def test_environments_must_differ_by_construction(text: str, part: str) -> None:
    """Whatever leads to the same place is refused, however it is written."""
    said = refusal(text)
    assert part in said
    assert said.startswith("deployment.toml: ")
    assert "environment 'production'" in said
    assert "environment 'mirror'" in said


def test_a_webhook_is_a_place_by_its_file() -> None:
    """Two environments may each have a webhook, in two files."""
    table = (
        '[environments.{0}.settings.notifiers.chat]\ntype = "mattermost"\nwebhook_file = "{1}"\n'
    )
    load(BOTH + table.format("production", "hook") + table.format("mirror", "hook"))
    said = refusal(BOTH + table.format("production", "/hook") + table.format("mirror", "/hook"))
    assert "same notifiers.chat.webhook_file" in said


def test_two_channels_of_one_server_are_two_places() -> None:
    """Bot, server and team may be the same."""
    load(BOTH + BOT.format("production", "x") + BOT.format("mirror", "y"))


def test_the_secrets_are_the_state_the_store_and_every_file_that_holds_one() -> None:
    """They are named once each; what all may read is not among them."""
    text = (
        '[environments.production.settings]\nhooks.secret_file = "key"\nstore.token_file = ""\n'
        '[environments.production.settings.executors.a]\ntype = "htcondor"\nx509_proxy = "proxy"\n'
        'config = "condor"\n'
    )
    deployment = load(BOTH + text + BOT.format("production", "x"))
    folder = ROOT / "production"
    assert list_secrets(deployment, "production") == [
        folder / ".autoctrl",
        folder / ".autoctrl/state.sqlite",
        folder / "key",
        folder / "proxy",
        Path("/etc/production/bot"),
    ]
    assert list_written(deployment, "production") == [
        folder / "outputs",
        folder,
        folder / "releases",
        ROOT / "repository.git",
        ROOT / "deployment.toml",
    ]
    assert ROOT / "repository.git" not in list_written(deployment, "mirror")


def test_a_store_on_a_server_is_no_file() -> None:
    """Of such a store only the token's file is a secret on this machine."""
    text = "[environments.production.settings.store]\nurl = 'influxdb://h/o/b'\ntoken_file = '/t'\n"
    assert list_secrets(load(BOTH + text), "production") == [
        ROOT / "production/.autoctrl",
        Path("/t"),
    ]


def test_what_belongs_to_the_administrator_is_known_by_section_name_and_mark() -> None:
    """Sections that others add later are covered by their name, tokens wherever they are."""
    assert is_administrators(("jenkins", "anything"), None)
    assert is_administrators(("sources", "runlog", "password_file"), None)
    assert not is_administrators(("runs", "attributes", "token"), None)
    assert not is_administrators(("sources", "runlog", "pattern"), None)


def layer_of(tree: Mapping[str, object]) -> Layer:
    """Return the layer of a ref's file."""
    return read_table(tree, "autoctrl.toml")


def foreign(tree: Mapping[str, object], *more: Layer) -> str:
    """Return the error about a ref's file, and about what else is given, for production."""
    table = '[environments.production.settings.executors.cern]\ntype = "htcondor"\n'
    ours = load(BOTH + table).environment("production").settings
    with pytest.raises(SettingsError) as caught:
        refuse_foreign([{**BUILT_IN, **layer_of(tree)}, *more], ours, ROOT / "file", "production")
    return str(caught.value)


def test_what_is_foreign_is_named_all_at_once() -> None:
    """One is named alone, several in one sentence, with where they belong."""
    assert foreign({"store": {"url": "x"}}).startswith(
        "autoctrl.toml: [store] url belongs to the administrator"
    )
    mine = {"executors": {"mine": {"type": "htcondor"}, "cern": {"schedd": "s", "cpus": "2"}}}
    said = foreign(mine, layer_of({"jenkins": {"url": "x"}, "store": {"url": "x"}}))
    words = (
        "[executors.mine] type, autoctrl.toml: [executors.cern] schedd, autoctrl.toml: [jenkins]"
    )
    assert words in said
    assert "url and autoctrl.toml: [store] url belong to the administrator" in said
    assert f"{ROOT}/file, [environments.production.settings]" in said


def test_what_belongs_to_the_experiment_is_not_foreign() -> None:
    """Names, limits, sources, attributes and local executors are the ref's."""
    tree: dict[str, object] = {
        "name": "x",
        "runs": {"attributes": {"token": "int"}},
        "executors": {"fast": {"type": "local", "slots": 2}},
        "sources": {"raw": {"type": "files", "pattern": "{run}"}},
        "workflows": {"reco": {"memory_mb": 3000}},
    }
    ours = load().environment("production").settings
    refuse_foreign([{**BUILT_IN, **layer_of(tree)}], ours, ROOT / "file", "production")


def test_the_state_folder_holds_the_store() -> None:
    """The default store follows the state folder; one that is said does not."""
    folder = Path("/project")
    plain = parse_settings("", folder, environ={})
    assert plain.state_folder == folder / ".autoctrl"
    moved = parse_settings("state.folder = '/data/state/'", folder, environ={})
    assert moved.state_folder == Path("/data/state")
    assert moved.store.url == "sqlite:/data/state/state.sqlite"
    text = "state.folder = 's'\nstore.url = 'sqlite:{state}/../x.sqlite'"
    assert parse_settings(text, folder, environ={}).store.url == "sqlite:s/../x.sqlite"
    said = parse_settings("state.folder = 's'\nstore.url = 'sqlite:x'", folder, environ={})
    assert said.store.url == "sqlite:x"
    assert "state.folder" in {item.name for item in every_setting()}


def test_environments_of_one_project_may_share_the_default_state_folder_only() -> None:
    """It was always shared, and each store keeps its jobs apart in it; one that is said is not."""
    text = "[environments.a]\nstore.url = 'sqlite:a'\noutputs.root = 'a'\n"
    parse_settings(text, Path("/project"), environment="a", environ={})
    with pytest.raises(SettingsError, match=r"the same state\.folder"):
        parse_settings(f"state.folder = 's'\n{text}", Path("/project"), environment="a", environ={})
