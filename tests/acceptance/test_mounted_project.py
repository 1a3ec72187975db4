"""A project as a container has it: read-only, its settings a farm of links, its user unknown."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

from autoctrl.cli.session import person
from tests.acceptance.project import ask, make_project

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

MORE = """
[state]
folder = "{data}/state"

[outputs]
root = "{data}/outputs"

[inputs]
root = "{data}/raw"
"""


def mount(folder: Path, name: str, text: str) -> None:
    """Lay the settings out as Kubernetes lays a ConfigMap out, or exchanges one."""
    (folder / name).mkdir(parents=True)
    (folder / name / "autoctrl.toml").write_text(text)
    (folder / "..next").symlink_to(name)
    (folder / "..next").rename(folder / "..data")


def test_a_project_need_not_be_written_to(tmp_path: Path) -> None:
    """With state and outputs elsewhere nothing is written beside the workflows, and exchanged
    settings are found.
    """
    project, data, settings = make_project(tmp_path / "project"), tmp_path / "data", tmp_path / "s"
    text = (project / "autoctrl.toml").read_text() + MORE.format(data=data)
    mount(settings, "..1", text)
    (settings / "autoctrl.toml").symlink_to("..data/autoctrl.toml")
    (project / "autoctrl.toml").unlink()
    (project / "autoctrl.toml").symlink_to(settings / "autoctrl.toml")
    before = sorted(project.rglob("*"))
    words = {"PYTHONDONTWRITEBYTECODE": "1"}
    assert ask(project, "runs", "add", "1", "--set", "kind=physics", **words).code == 0
    said = ask(project, "loop", "--until-idle", "--every", "0.2s", **words)
    assert said.code == 0, said
    assert ask(project, "doctor", **words).code == 0
    assert sorted(project.rglob("*")) == before
    assert {path.name for path in data.iterdir()} == {"state", "outputs"}
    mount(settings, "..2", 'name = "exchanged"\nexecuter = "local"\n')
    assert "executer" in ask(project, "status", **words).err


def test_a_user_without_a_name_acts_under_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not in the list of users, as in OpenShift, is recorded by the number."""

    def is_unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", is_unknown)
    assert person().name == f"uid {os.getuid()}"
