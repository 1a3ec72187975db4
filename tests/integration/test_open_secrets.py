"""What the user that runs branches could open of production, judged and tried on real files."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoctrl.config import DEPLOYMENT_FILE, load_deployment
from autoctrl.errors import SettingsError
from autoctrl.operations.deployment.secrets import (
    ACCESS_LIST,
    Person,
    can_change,
    can_read,
    find_open_secrets,
    refuse_open_secrets,
)
from tests.integration.deployed import MIRROR, NOBODY, PRODUCTION, as_nobody, write

if TYPE_CHECKING:
    from collections.abc import Iterator

STRANGER = Person("stranger", 4242, frozenset({4242}))
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@pytest.fixture
def root() -> Iterator[Path]:
    """Return a folder that others can reach, with an installation in which production is closed."""
    folder = Path(tempfile.mkdtemp(prefix="autoctrl-"))
    folder.chmod(0o755)
    files = {
        DEPLOYMENT_FILE: PRODUCTION + MIRROR,
        "repository.git/config": "[core]\n",
        "production/releases/abc/autoctrl.toml": "",
        "production/secrets/bot": "the token",
        "production/records.sqlite": "records",
        "production/.autoctrl/alerts.log": "",
        "production/outputs/run1.root": "tracks",
        "mirror/repository.git/config": "[core]\n",
    }
    write(folder, files)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for name in ("secrets", "records.sqlite", ".autoctrl"):
        path = folder / "production" / name
        path.chmod(0o700 if path.is_dir() else 0o600)
    yield folder
    shutil.rmtree(folder)


def found_in(root: Path) -> set[tuple[str, str]]:
    """Return what is open for the mirror's user, below production's folder or the root."""
    found = find_open_secrets(load_deployment(root), "mirror")
    assert all((one.environment, one.user) == ("production", "nobody") for one in found)
    return {(str(one.path.relative_to(root.resolve())), one.access) for one in found}


def test_an_installation_that_is_closed_has_no_open_secret(root: Path) -> None:
    """Outputs and checkouts may be read by all; an environment without a user runs no strangers."""
    assert found_in(root) == set()
    refuse_open_secrets(load_deployment(root), "mirror")
    assert find_open_secrets(load_deployment(root), "production") == []


@pytest.mark.parametrize(
    ("place", "mode", "expected"),
    [
        ("production/secrets", 0o755, {("production/secrets/bot", "read")}),
        ("production/secrets", 0o711, {("production/secrets/bot", "read")}),
        ("production/secrets", 0o754, set()),
        ("production/records.sqlite", 0o644, {("production/records.sqlite", "read")}),
        ("production/records.sqlite", 0o602, {("production/records.sqlite", "changed")}),
        ("production/.autoctrl", 0o711, {("production/.autoctrl", "read")}),
        ("production/.autoctrl", 0o704, {("production/.autoctrl", "read")}),
        ("production/.autoctrl", 0o702, {("production/.autoctrl", "changed")}),
        (
            "production/outputs",
            0o777,
            {("production/outputs", "changed"), ("production/outputs/run1.root", "changed")},
        ),
        ("production/outputs", 0o1777, {("production/outputs", "changed")}),
        ("production/releases/abc", 0o777, {("production/releases/abc", "changed")}),
        ("repository.git/config", 0o666, {("repository.git/config", "changed")}),
        ("mirror", 0o777, set()),
    ],
)
def test_each_way_in_is_found(
    root: Path, place: str, mode: int, expected: set[tuple[str, str]]
) -> None:
    """A file or a folder that is opened to all is named, with what can be done to it."""
    (root / "production/secrets/bot").chmod(0o644)
    (root / place).chmod(mode)
    assert found_in(root) == expected


def test_whoever_can_rename_a_folder_above_can_change_all_below(root: Path) -> None:
    """In a folder that all may write nothing of production is safe, nor is the file above it."""
    root.chmod(0o777)
    found = found_in(root)
    assert {("production/secrets/bot", "changed"), ("deployment.toml", "changed")} <= found
    assert "read" not in {access for _, access in found}
    with pytest.raises(
        SettingsError, match=r"of production can be changed by nobody; .*more\. Give"
    ):
        refuse_open_secrets(load_deployment(root), "mirror")


def test_a_group_counts_for_its_members_alone(root: Path) -> None:
    """A file of a group is open to a user of that group, and to nobody else."""
    path = root / "production/records.sqlite"
    path.chmod(0o640)
    member = STRANGER._replace(groups=frozenset({path.stat().st_gid}))
    assert can_read(member, path)
    assert not can_change(member, path)
    assert not can_read(STRANGER, path)
    path.chmod(0o604)
    assert not can_read(member, path)


def test_root_and_the_owner_are_strangers_to_nothing(root: Path) -> None:
    """A mirror that runs as root, or as production's user, is shut out of nothing."""
    path = root / "production/records.sqlite"
    assert can_read(Person("root", 0, frozenset()), path)
    owner = Person("owner", os.getuid(), frozenset())
    assert can_read(owner, path)
    assert can_change(owner, path)


def test_a_link_is_judged_by_where_it_leads_and_by_where_it_lies(root: Path) -> None:
    """A link to a closed file is closed, unless somebody else can point it elsewhere."""
    link = root / "link"
    link.symlink_to(root / "production/secrets/bot")
    (root / "production/secrets/bot").chmod(0o600)
    assert not can_read(STRANGER, link)
    assert not can_change(STRANGER, link)
    root.chmod(0o777)
    assert can_change(STRANGER, link)


def test_what_is_not_there_is_open_only_to_those_who_can_put_it_there(root: Path) -> None:
    """A token's file that is still missing must not be made by somebody else."""
    missing = root / "production/missing"
    assert not can_read(STRANGER, missing)
    assert not can_change(STRANGER, missing)
    missing.parent.chmod(0o1777)
    assert can_change(STRANGER, missing)


def test_an_access_control_list_counts_as_far_as_its_mask(root: Path) -> None:
    """Whom such a list names is not looked up: a file may be called open that is not."""
    path = root / "production/records.sqlite"
    entries = [(1, 6, -1), (2, 4, NOBODY), (4, 0, -1), (0x10, 4, -1), (0x20, 0, -1)]
    packed = b"".join(struct.pack("<HHi", *entry) for entry in entries)
    os.setxattr(path, ACCESS_LIST, struct.pack("<I", 2) + packed)
    assert not path.stat().st_mode & stat.S_IROTH
    assert found_in(root) == {("production/records.sqlite", "read")}


def test_a_user_that_does_not_exist_is_named(root: Path) -> None:
    """Nobody can be judged who is not known here."""
    text = (root / DEPLOYMENT_FILE).read_text().replace('"nobody"', '"nobody-at-all"')
    write(root, {DEPLOYMENT_FILE: text})
    with pytest.raises(SettingsError, match="no user 'nobody-at-all' on this machine"):
        find_open_secrets(load_deployment(root), "mirror")


@as_root
def test_the_user_itself_tries(root: Path) -> None:
    """What it can open is open, whatever the modes seem to say; what it cannot look at is not."""
    deployment = load_deployment(root)

    def look() -> list[str]:
        return [one.access for one in find_open_secrets(deployment, "mirror")]

    assert as_nobody(look) == []
    (root / "production/records.sqlite").chmod(0o644)
    (root / "production/.autoctrl").chmod(0o711)
    assert as_nobody(look) == ["read", "read"]


@as_root
def test_what_we_may_not_look_at_is_called_open_where_that_user_could_reach_it(root: Path) -> None:
    """Somebody who deploys without seeing production's files is told so, not reassured."""
    folder = root / "production/secrets"
    os.chown(folder, 4242, 4242)
    member = STRANGER._replace(name="member", uid=4343)

    def look() -> list[bool]:
        return [can_read(person, folder / "bot") for person in (STRANGER, member)]

    assert as_nobody(look) == [True, False]
