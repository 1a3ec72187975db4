"""The settings of a project that was deployed: where it lies decides, and who wrote the file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from autoctrl.config import (
    DEPLOYMENT_FILE,
    Settings,
    find_deployment,
    find_project,
    load_deployment,
    load_settings,
)
from autoctrl.errors import SettingsError
from tests.integration.deployed import (
    MIRROR,
    NOBODY,
    PRODUCTION,
    check_out,
    make_repository,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = "production/releases/0123456789ab"
BRANCH = "mirror/branches/dev-x-123456/releases/ba9876543210"
HOSTILE = """
name = "branch"

[state]
folder = "../production/.autoctrl"

[store]
url = "sqlite:/srv/autoctrl/production/records.sqlite"

[outputs]
root = "/srv/autoctrl/production/outputs"

[notifiers.chat]
type = "mattermost"
url = "https://chat.example.org"
token_file = "/etc/autoctrl/production-bot"
team = "ecal"
channel = "prod-alerts"

[hooks]
secret_file = "/etc/autoctrl/hooks"

[executors.cern]
type = "htcondor"
accounting_group = "prod"
requirements = "true"

[executors.mine]
type = "htcondor"

[environments.mirror.hints]
url = "influxdb://h/o/b"

[environments.production.outputs]
root = "x"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with an administrator's file, a production release and a branch's."""
    text = PRODUCTION + MIRROR
    for place in (RELEASE, BRANCH):
        write(tmp_path / place, {"autoctrl.toml": "name = 'camera'\n"})
    for name in ("production", "mirror"):
        (tmp_path / name / "current").symlink_to(tmp_path / RELEASE)
    return write(tmp_path, {DEPLOYMENT_FILE: text})


def load(
    folder: Path, environment: str | None = None, environ: dict[str, str] | None = None
) -> Settings:
    """Load the settings of the project at or above a folder, as the command line does."""
    return load_settings(find_project(folder), environment=environment, environ=environ or {})


def refusal(
    folder: Path, environment: str | None = None, environ: dict[str, str] | None = None
) -> str:
    """Return the error's text."""
    with pytest.raises(SettingsError) as caught:
        load(folder, environment, environ)
    return str(caught.value)


def test_where_a_project_lies_says_its_environment(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder that is current nothing needs to be chosen; a release keeps its own folder."""
    settings = load(root / "production/current")
    assert (settings.environment, settings.folder) == ("production", root / RELEASE)
    monkeypatch.chdir(root / "production/current")
    assert load_settings(find_project(None, {}), environ={}) == settings
    assert settings.state_folder == root / "production/.autoctrl"
    assert settings.store.url == f"sqlite:{root}/production/records.sqlite"
    assert settings.outputs.root == f"{root}/production/outputs"
    assert load(root / RELEASE, "production") == settings
    assert load(root / BRANCH, None, {"AUTOCTRL_ENVIRONMENT": "mirror"}).environment == "mirror"


def test_another_environment_than_the_folders_cannot_be_said(root: Path) -> None:
    """Neither the option nor the variable leads from the mirror into production."""
    assert "deployed in environment 'mirror'" in refusal(root / BRANCH, "production")
    said = refusal(root / RELEASE, None, {"AUTOCTRL_ENVIRONMENT": "mirror"})
    assert "cannot be used as 'mirror'" in said


def test_a_pushed_branch_cannot_say_what_belongs_to_the_administrator(tmp_path: Path) -> None:
    """All of it is named at once, whichever environment it is meant for, and nothing else."""
    repository = make_repository(tmp_path / "git")
    commit = repository.push("dev-evil", {"autoctrl.toml": HOSTILE})
    root = write(tmp_path / "root", {DEPLOYMENT_FILE: PRODUCTION + MIRROR})
    folder = root / "mirror/branches/dev-evil-123456"
    check_out(repository, commit, folder)
    said = refusal(folder / "current")
    named = [word.partition(": ")[2] for word in said.split(" belong to ")[0].split(", ")]
    *named[-1:], last = named[-1].partition(" and autoctrl.toml: ")[::2]
    assert {*named, last} == {
        "[state] folder",
        "[store] url",
        "[outputs] root",
        "[notifiers.chat] type",
        "[notifiers.chat] url",
        "[notifiers.chat] token_file",
        "[notifiers.chat] team",
        "[notifiers.chat] channel",
        "[hooks] secret_file",
        "[executors.cern] type",
        "[executors.cern] accounting_group",
        "[executors.mine] type",
        "[environments.mirror.hints] url",
        "[environments.production.outputs] root",
    }
    assert f"{root}/{DEPLOYMENT_FILE}, [environments.mirror.settings]" in said
    mended = repository.push("dev-good", {"autoctrl.toml": "name = 'x'\ncycle.patience_s = 1\n"})
    check_out(repository, mended, folder)
    assert load(folder / "current").cycle.patience_s == 1


def test_variables_are_no_way_around(root: Path) -> None:
    """A Jenkinsfile comes with the branch: its variables may say what the branch may say."""
    environ = {"AUTOCTRL_STORE_URL": "sqlite:x", "AUTOCTRL_NOTIFIERS_CHAT_CHANNEL": "y"}
    said = refusal(root / RELEASE, environ=environ)
    assert "AUTOCTRL_STORE_URL and AUTOCTRL_NOTIFIERS_CHAT_CHANNEL belong" in said
    settings = load(root / RELEASE, environ={"AUTOCTRL_CYCLE_PATIENCE_S": "1"})
    assert settings.cycle.patience_s == 1


def test_an_executor_that_the_administrator_names_takes_the_branchs_limits(root: Path) -> None:
    """Where jobs go and who pays is the administrator's, how they run is the experiment's."""
    text = '[executors.cern]\ntype = "local"\nrequirements = "OpSysMajorVer >= 9"\n'
    write(root / RELEASE, {"autoctrl.toml": text})
    more = (
        '[environments.production.settings.executors.cern]\ntype = "htcondor"\n'
        'accounting_group = "prod"\n'
    )
    write(root, {DEPLOYMENT_FILE: PRODUCTION + more + MIRROR})
    cern = load(root / RELEASE).executors["cern"]
    assert cern.type == "htcondor"
    assert vars(cern)["accounting_group"] == "prod"
    assert vars(cern)["requirements"] == "OpSysMajorVer >= 9"


def test_the_outermost_file_governs(root: Path) -> None:
    """A branch that brings an administrator's file changes nothing."""
    own = PRODUCTION.replace("records.sqlite", "/evil.sqlite")
    inner = f"{BRANCH}/production/releases/abc"
    write(root / BRANCH, {DEPLOYMENT_FILE: own})
    write(root / inner, {"autoctrl.toml": ""})
    assert find_deployment(root / inner) == root
    assert "is not the project of a checkout" in refusal(root / inner)
    assert load(root / BRANCH).store.url == f"sqlite:{root}/mirror/.autoctrl/state.sqlite"


@pytest.mark.parametrize(
    "place",
    ["production", "mirror", "production/elsewhere/x", "mirror/branches/x", f"{RELEASE}/inner"],
)
def test_only_the_project_of_a_checkout_is_one(root: Path, place: str) -> None:
    """Another project below the administrator's file does not get production's store."""
    write(root / place, {"autoctrl.toml": ""})
    said = refusal(root / place)
    assert "is not the project of a checkout" in said
    assert "Projects that were deployed lie in" in said


def test_a_project_may_lie_deeper_in_its_repository(root: Path) -> None:
    """The administrator says where; the top of the checkout is then no project."""
    write(root, {DEPLOYMENT_FILE: f"project = 'ecal'\n{PRODUCTION}"})
    write(root / RELEASE / "ecal", {"autoctrl.toml": ""})
    assert load(root / RELEASE / "ecal").environment == "production"
    assert "is not the project of a checkout" in refusal(root / RELEASE)


def test_a_folder_of_no_environment_is_refused(root: Path) -> None:
    """The nearest environment is named."""
    write(root / "mirrr", {"autoctrl.toml": ""})
    assert "no environment 'mirrr'" in refusal(root / "mirrr")


def test_links_do_not_lead_around_the_administrator(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither a project that is a link to elsewhere, nor a settings file that is one."""
    elsewhere = write(tmp_path_factory.mktemp("else"), {"autoctrl.toml": HOSTILE})
    link = (root / BRANCH).with_name("cba987654321")
    link.symlink_to(elsewhere)
    assert f"is a link that leads out of {root}" in refusal(link)
    (root / BRANCH / "autoctrl.toml").unlink()
    (root / BRANCH / "autoctrl.toml").symlink_to(root / DEPLOYMENT_FILE)
    assert "autoctrl.toml is a link" in refusal(root / BRANCH)


def test_a_file_that_anybody_may_write_governs_nothing(root: Path) -> None:
    """Nobody can take over a project by a file above it."""
    (root / DEPLOYMENT_FILE).chmod(0o666)
    assert "others than its administrator wrote it" in refusal(root / RELEASE)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_governs_nothing(root: Path) -> None:
    """The file must be root's, ours, or of whom its folder is."""
    os.chown(root / DEPLOYMENT_FILE, NOBODY, NOBODY)
    assert "others than its administrator wrote it" in refusal(root / RELEASE)
    os.chown(root, NOBODY, NOBODY)
    assert load(root / RELEASE).environment == "production"


def test_no_administrators_file_is_one_paragraph(tmp_path: Path) -> None:
    """What cannot be read is named."""
    with pytest.raises(SettingsError, match=r"deployment\.toml cannot be read: No such file"):
        load_deployment(tmp_path)
