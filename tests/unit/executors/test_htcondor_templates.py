"""Submit descriptions: rendered from layers of templates, and read before HTCondor gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.errors import SettingsError
from autoctrl.executors.htcondor.commands import COMMANDS, find_missing_keys, find_unknown_keys
from autoctrl.executors.htcondor.templates import list_overriding, render, template_folders

if TYPE_CHECKING:
    from pathlib import Path

VALUES: dict[str, Any] = {
    "workflow": "reco",
    "store_id": "s1",
    "mode": "spool",
    "requirements": "",
    "accounting_group": "",
    "container_image": "",
    "transfer_input": [],
    "x509_proxy": "",
    "python": "python3",
    "path": "/usr/bin",
    "grace_s": 9.5,
    "memory_subcode": 1,
    "never_started": 75,
    "kept_s": 9,
}


def lines(text: str) -> list[str]:
    return text.splitlines()


def layers(folder: Path, project: str = "", workflow: str = "") -> tuple[Path, Path]:
    """Write overriding templates; return the folders of the project's templates and workflows."""
    for place, text in (("templates/htcondor", project), ("workflows/reco/templates", workflow)):
        (folder / place).mkdir(parents=True)
        if text:
            (folder / place / "job.sub.j2").write_text(text)
    return folder / "templates", folder / "workflows"


def test_the_packaged_template_says_all_that_is_needed() -> None:
    """It renders to plain submit commands, all known, with nothing of a single job or batch in
    it.
    """
    text = render("reco", (), VALUES)
    assert not list(find_unknown_keys(text))
    assert not find_missing_keys(text)
    assert "transfer_input_files = $(inputs)" in lines(text)
    assert "job_max_vacate_time = 15" in lines(text)
    assert not any(
        line.startswith(("#", "requirements", "accounting", "use_x509")) for line in lines(text)
    )


def test_settings_find_their_lines() -> None:
    """Requirements, accounting group, image, further files and a proxy appear as soon as they are
    set.
    """
    chosen = {
        "requirements": "HasGPU",
        "accounting_group": "group_x",
        "container_image": "/cvmfs/image",
        "transfer_input": ["/a", "/b"],
        "x509_proxy": "/tmp/proxy",  # noqa: S108 - only a word here
    }
    found = lines(render("reco", (), {**VALUES, **chosen}))
    assert "requirements = HasGPU" in found
    assert {"accounting_group = group_x", '+AccountingGroup = strcat("group_x.", Owner)'} <= set(
        found
    )
    assert "container_image = /cvmfs/image" in found
    assert "transfer_input_files = /a, /b, $(inputs)" in found
    assert "x509userproxy = /tmp/proxy" in found
    assert "transfer_executable = False" in lines(render("reco", (), {**VALUES, "mode": "shared"}))


def test_a_project_and_a_workflow_override_blocks(tmp_path: Path) -> None:
    """A workflow's template extends the project's, which extends the packaged one; other workflows
    are spared.
    """
    project = '{% extends "job.sub.j2" %}{% block requirements %}requirements = A\n{% endblock %}'
    own = (
        '{% extends "htcondor/job.sub.j2" %}{% block more %}+Fast = True\nrequest_disk = 7\n{% '
        "endblock %}"
    )
    folders = layers(tmp_path, project, own)
    found = lines(render("reco", folders, VALUES))
    assert {"requirements = A", "+Fast = True", "request_disk = 7"} <= set(found)
    other = lines(render("other", folders, VALUES))
    assert "requirements = A" in other
    assert "+Fast = True" not in other


def test_a_macro_that_is_used_is_no_misspelt_command(tmp_path: Path) -> None:
    """A name of one's own is fine where the description uses it."""
    own = (
        '{% extends "job.sub.j2" %}{% block more %}my_disk = 7\nrequest_disk = $(my_disk)\n{% '
        "endblock %}"
    )
    assert "my_disk = 7" in lines(render("reco", layers(tmp_path, own), VALUES))


@pytest.mark.parametrize(
    ("block", "wrong"),
    [
        ("request_memroy = 5", "request_memroy"),
        ("universes = vanilla", "universes"),
        ("foo = bar", "foo"),
        ("queue 7", "queue"),
    ],
)
def test_a_misspelt_command_is_refused(tmp_path: Path, block: str, wrong: str) -> None:
    """What HTCondor would take without a word is refused, with file, line and the nearest
    command.
    """
    own = f'{{% extends "job.sub.j2" %}}\n{{% block more %}}\n{block}\n{{% endblock %}}\n'
    with pytest.raises(SettingsError) as refused:
        render("reco", layers(tmp_path, "", own), VALUES)
    assert f"workflows/reco/templates/job.sub.j2:3 sets '{wrong}'" in str(refused.value)


def test_the_nearest_command_is_named(tmp_path: Path) -> None:
    """A misspelt command is refused with the one that was probably meant."""
    own = '{% extends "job.sub.j2" %}{% block more %}\nrequest_memroy = 5\n{% endblock %}'
    with pytest.raises(SettingsError, match="Did you mean 'request_memory'"):
        render("reco", layers(tmp_path, own), VALUES)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            '{% extends "job.sub.j2" %}\n{% block more %}\nrank = {{ nothing }}\n{% endblock %}',
            ":3",
        ),
        ('{% extends "job.sub.j2" %}\n{% block more %}', ":2"),
        ('\n{% extends "nowhere.j2" %}', "job.sub.j2"),
        ('{% extends "job.sub.j2" %}\n{% block more %}rank = {{ 1 / 0 }}{% endblock %}', ":2"),
    ],
)
def test_a_broken_template_is_refused_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    """An unknown value, a syntax error and a missing parent are refused with file and line."""
    with pytest.raises(SettingsError) as refused:
        render("reco", layers(tmp_path, text), VALUES)
    assert f"templates/htcondor/job.sub.j2{place if place.startswith(':') else ''}" in str(
        refused.value
    )


def test_lines_without_which_no_job_is_found_are_needed(tmp_path: Path) -> None:
    """A template that leaves out what jobs are found by is refused."""
    own = '{% extends "job.sub.j2" %}{% block identity %}{% endblock %}'
    with pytest.raises(SettingsError, match=r"leaves out \+AutoctrlStore"):
        render("reco", layers(tmp_path, own), VALUES)


def test_workflows_with_templates_of_their_own_are_known(tmp_path: Path) -> None:
    """Each workflow that overrides the template is named, and a word that stands for all the
    others.
    """
    folders = layers(tmp_path, "", '{% extends "job.sub.j2" %}')
    (tmp_path / "workflows/dq/templates/htcondor").mkdir(parents=True)
    (tmp_path / "workflows/dq/templates/htcondor/job.sub.j2").touch()
    assert list_overriding(folders) == ["-", "dq", "reco"]
    assert list_overriding(()) == ["-"]


def test_places_are_ordered(tmp_path: Path) -> None:
    """The workflow's templates come first, then the project's, then the packaged one."""
    found = template_folders("reco", (tmp_path / "templates", tmp_path / "workflows"))
    assert [place.name for place in found] == ["templates", "htcondor", "htcondor", "htcondor"]
    assert len(template_folders("reco", ())) == 1
    assert "request_memory" in COMMANDS


def test_a_block_in_one_line_does_not_run_into_the_next(tmp_path: Path) -> None:
    """What ends right before the block does keeps a line of its own, whatever block it is."""
    names = (
        "transfer",
        "resources",
        "hold",
        "placement",
        "requirements",
        "accounting",
        "credentials",
        "more",
    )
    blocks = "".join(f"{{% block {name} %}}+My_{name} = 1{{% endblock %}}\n" for name in names)
    found = lines(render("reco", layers(tmp_path, '{% extends "job.sub.j2" %}\n' + blocks), VALUES))
    assert {f"+My_{name} = 1" for name in names} <= set(found)
