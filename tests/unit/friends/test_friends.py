"""Friend modules and the tree that they fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest

from autoctrl.errors import DataError, UsageError
from autoctrl.friends import FILLER, chosen_modules, register, write_friends
from autoctrl.friends.runner import friend_columns, friend_layout
from autoctrl.rootio import Layout, TreeWriter, new_file, open_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CHUNK = ak.Array(
    {"run": [7, 7, 7], "event": [0, 1, 2], "nSc": [2, 0, 1], "sc_integral": [[10.0, 20.0], [], [0.0]]}
)  # fmt: skip


class Inverse:
    """One value per cluster, none for a cluster without light."""

    name = "inverse"
    needs: tuple[str, ...] = ("sc_integral",)
    branches: tuple[str, ...] = ("sc_inverse", "brightest")

    def __call__(self, events: ak.Array) -> Mapping[str, Any]:
        light = events["sc_integral"]
        return {"sc_inverse": 1 / ak.mask(light, light > 0), "brightest": ak.max(light, axis=1)}


class Dropping(Inverse):
    """Rejects an event, and so shifts all later ones."""

    name = "dropping"
    branches = ("sc_dropped",)

    def __call__(self, events: ak.Array) -> Mapping[str, Any]:
        return {"sc_dropped": events["sc_integral"][1:]}


class Ragged(Inverse):
    """Leaves out a cluster."""

    name = "ragged"
    branches = ("sc_ragged",)

    def __call__(self, events: ak.Array) -> Mapping[str, Any]:
        return {"sc_ragged": events["sc_integral"][:, :1]}


class Raising(Inverse):
    """Fails."""

    name = "raising"
    branches = ("sc_raised",)

    def __call__(self, events: ak.Array) -> Mapping[str, Any]:
        raise KeyError(events.fields[0])


class Forgetful(Inverse):
    """Returns less than it declares."""

    name = "forgetful"
    branches = ("sc_forgotten",)


def test_what_a_module_cannot_say_becomes_the_filler() -> None:
    """None, per cluster and per entry, is written as the filler; all entries stay."""
    columns = friend_columns(CHUNK, [Inverse()])
    assert columns["sc_inverse"] == pytest.approx([0.1, 0.05, FILLER])
    assert columns["brightest"].tolist() == [20, FILLER, 0]
    assert columns["nSc"].tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (Dropping(), "module dropping gave 2 entries of sc_dropped for 3 entries"),
        (Ragged(), "module ragged gave 1 values of sc_ragged for 2 clusters of run 7 event 0"),
        (Raising(), "module raising failed: KeyError"),
        (Forgetful(), "module forgetful declares sc_forgotten but did not return it"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_module_that_shifts_or_fails_is_refused(module: Inverse, reason: str) -> None:
    """A dropped entry, a dropped cluster, an exception and a missing branch are errors that name the module."""
    with pytest.raises(DataError, match=reason):
        friend_columns(CHUNK, [module])


def test_two_modules_cannot_give_one_branch() -> None:
    """A branch belongs to one module."""
    with pytest.raises(UsageError, match="inverse and inverse both give sc_inverse"):
        friend_layout([Inverse(), Inverse()])


def test_modules_are_chosen_by_name() -> None:
    """A registered module is found by its name; a misspelt one is answered with the nearest."""
    register(Inverse)
    assert [module.name for module in chosen_modules(["inverse"])] == ["inverse"]
    assert "inverse" in [module.name for module in chosen_modules()]
    with pytest.raises(UsageError, match="Did you mean 'inverse'"):
        chosen_modules(["invers"])


def write_events(path: Path) -> Path:
    layout = Layout({"run": "int32", "event": "int32"}, {"nSc": {"sc_integral": "float32"}})
    with new_file(path) as file:
        columns = {name: np.asarray(CHUNK[name]) for name in ("run", "event", "nSc")}
        TreeWriter(file, "Events", layout).append(columns | {"sc_integral": ak.flatten(CHUNK["sc_integral"])})
    return path


def test_the_friend_file_is_aligned(tmp_path: Path) -> None:
    """The friend tree has one entry per entry, with its keys, counts and values, in whatever pieces it was read."""
    events = write_events(tmp_path / "reco.root")
    assert write_friends(events, tmp_path / "friend.root", [Inverse()], step=2) == 3
    with open_file(tmp_path / "friend.root") as file:
        tree = file["Friends"]
        assert tree["event"].array(library="np").tolist() == [0, 1, 2]
        assert ak.num(tree["sc_inverse"].array()).tolist() == [2, 0, 1]


def test_a_failed_friend_file_never_appears(tmp_path: Path) -> None:
    """When a module fails, or a branch that it needs is missing, there is no friend file."""
    events = write_events(tmp_path / "reco.root")
    with pytest.raises(DataError):
        write_friends(events, tmp_path / "friend.root", [Ragged()])
    needy = Inverse()
    needy.needs = ("sc_nothing",)
    with pytest.raises(DataError, match="no branch sc_nothing"):
        write_friends(events, tmp_path / "friend.root", [needy])
    assert [path.name for path in tmp_path.iterdir()] == ["reco.root"]
