"""Friend modules and the tree that they fill."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
import uproot

from autoctrl.errors import DataError, UsageError
from autoctrl.science.friends import FILLER, chosen_modules, read_friends, register, write_friends
from autoctrl.science.friends.columns import friend_columns
from autoctrl.science.friends.runner import friend_layout
from autoctrl.science.rootio import check_alignment, merge, open_file
from tests.unit.science.friends.modules import Giving, Inverse, make_chunk, write_events

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIGHTS = [[10.0, 20.0], [], [0.0]]
CHUNK = make_chunk(LIGHTS)


def test_what_a_module_cannot_say_becomes_the_filler() -> None:
    """None, per cluster and per entry, is written as the filler; all entries stay."""
    columns = friend_columns(CHUNK, [Inverse()])
    assert columns["sc_inverse"] == pytest.approx([0.1, 0.05, FILLER])
    assert columns["brightest"].tolist() == [20, FILLER, 0]
    assert columns["nSc"].tolist() == [2, 0, 1]


ACCEPTED: dict[str, tuple[Callable[[Any], Any], list[float]]] = {
    "not a number": (lambda e: e["sc_integral"] * np.nan, [FILLER] * 3),
    "infinite": (lambda e: e["sc_integral"] / 0 * 1, [FILLER] * 3),
    "beyond float32": (
        lambda e: ak.values_astype(e["sc_integral"], "float64") * 1e300,
        [FILLER, FILLER, 0],
    ),
    "nothing on an event": (
        lambda e: ak.mask(e["sc_integral"], e["event"] != 0),
        [FILLER, FILLER, 0],
    ),
    "nothing at all": (lambda e: [None] * len(e), [FILLER] * 3),
    "whole numbers": (lambda e: ak.values_astype(e["sc_integral"], "int64"), [10, 20, 0]),
    "yes or no": (lambda e: e["sc_integral"] > 15, [0, 1, 0]),
    "plain lists": (lambda e: e["sc_integral"].tolist(), [10, 20, 0]),
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_values_of_many_kinds_are_taken(what: str) -> None:
    """Fillers stand for what is not a finite number, also for a whole event that a module passes
    over.
    """
    function, wanted = ACCEPTED[what]
    with np.errstate(all="ignore"):
        assert friend_columns(CHUNK, [Giving(function)])["sc_given"].tolist() == wanted


def fail_at(events: Any, number: int) -> Any:
    """Fail if this event is among them."""
    if number in events["event"]:
        raise ValueError(number)
    return events["sc_integral"]


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "one event less": (
        lambda e: e["sc_integral"][1:],
        "gave 0 entries of sc_given for 1 entries: run 7 event 0,",
    ),
    "a skipped event": (
        lambda e: e["sc_integral"][e["nSc"] > 0],
        "gave 0 entries .* for 1 entries: run 7 event 1",
    ),
    "one event more": (
        lambda e: ak.concatenate([e["sc_integral"], [[]]]),
        "gave 2 entries of sc_given for 1 entries",
    ),
    "a cluster less": (
        lambda e: e["sc_integral"][:, :1],
        "gave 1 values of sc_given for 2 clusters: run 7 event 0,",
    ),
    "a cluster more": (
        lambda e: ak.concatenate([e["sc_integral"], e["sc_integral"][:, :1]], axis=1),
        "gave 3 values of sc_given for 2 clusters: run 7 event 0",
    ),
    "a rejected cluster": (
        lambda e: e["sc_integral"][e["sc_integral"] > 0],
        "gave 0 values .*: run 7 event 2",
    ),
    "one value per entry": (
        lambda e: e["event"],
        "gave sc_given as 1 . int32, where it has one value per cluster",
    ),
    "too deep": (
        lambda e: e["sc_integral"][:, :, np.newaxis],
        "gave sc_given as .* it has one value",
    ),
    "records": (
        lambda e: ak.zip({"x": e["sc_integral"]}),
        "gave sc_given as .* which are not numbers",
    ),
    "texts": (
        lambda e: [["a"] * n for n in e["nSc"]],
        "gave sc_given as .*, where it has|which are not numbers",
    ),
    "complex numbers": (
        lambda e: e["sc_integral"] * 1j,
        "gave sc_given as .* which are not numbers",
    ),
    "a number": (lambda _: 1.0, "gave sc_given as float, which is not an array"),
    "an exception": (
        lambda e: e["sc_nothing"],
        "failed with FieldNotFoundError: .*: run 7 event 0,",
    ),
    "an exception for one event": (
        lambda e: fail_at(e, 1),
        "failed with ValueError: .*: run 7 event 1,",
    ),
    "an end": (lambda _: sys.exit(0), "failed with SystemExit: 0: run 7 event 0,"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_module_that_shifts_or_fails_is_refused(tmp_path: Path, what: str) -> None:
    """The error names module, its file, event and reason; no friend file appears."""
    function, reason = REFUSED[what]
    events = write_events(tmp_path / "reco.root", LIGHTS)
    with pytest.raises(
        DataError, match=rf"friend module giving of .*modules\.py {reason}.*reco\.root"
    ):
        write_friends(events, tmp_path / "friend.root", [Giving(function)])
    assert [path.name for path in tmp_path.iterdir()] == ["reco.root"]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda e: e["sc_integral"], "gave per_event as .* where it has one value per entry"),
        (lambda e: e["event"][1:], "gave 0 entries of per_event for 1 entries: run 7 event 0"),
    ],
)
def test_a_branch_of_entries_has_one_value_each(
    function: Callable[[Any], Any], reason: str
) -> None:
    """A branch without sc_ in front has a number for each entry, and no list."""
    with pytest.raises(DataError, match=reason):
        friend_columns(CHUNK, [Giving(function, "per_event")])


def test_a_failure_of_many_events_together_names_them() -> None:
    """A module that fails only on several entries at once is told with their range."""

    def crowded(events: Any) -> Any:
        if len(events) > 1:
            raise ValueError("too many")  # noqa: EM101, TRY003 - an author's code
        return events["sc_integral"]

    with pytest.raises(
        DataError, match=r"ValueError: too many: run 7 event 0 to run 7 event 1, taken together"
    ):
        friend_columns(CHUNK[:2], [Giving(crowded)])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (None, "returned NoneType instead of a dictionary"),
        ({}, "declares sc_given but did not return it"),
        ({"sc_givn": 1}, "declares sc_given but did not return it: .*Did you mean 'sc_givn'"),
        ({"sc_given": CHUNK["sc_integral"], "sc_more": 1}, "does not declare sc_more"),
    ],
)
def test_a_module_returns_what_it_declares(values: Any, reason: str) -> None:
    """Every declared branch and no other comes back."""

    class Returning(Giving):
        def __call__(self, events: Any) -> Any:  # noqa: ARG002 - a module's method
            return values

    with pytest.raises(DataError, match=f"friend module giving .* {reason}"):
        friend_columns(CHUNK, [Returning(len)])


def test_two_modules_cannot_give_one_branch() -> None:
    """A branch belongs to one module."""
    with pytest.raises(UsageError, match=r"inverse and inverse both give sc_inverse"):
        friend_layout([Inverse(), Inverse()])


def test_modules_are_chosen_by_name() -> None:
    """A registered module is found by its name; a misspelt one is answered with the nearest, one
    said twice refused.
    """
    register(Inverse)
    assert [module.name for module in chosen_modules(["inverse"])] == ["inverse"]
    assert "inverse" in [module.name for module in chosen_modules()]
    with pytest.raises(UsageError, match=r"Did you mean 'inverse'"):
        chosen_modules(["invers"])
    with pytest.raises(UsageError, match=r"inverse is named twice"):
        chosen_modules(["inverse", "inverse"])


def test_a_name_belongs_to_one_module() -> None:
    """A second module of the same name is refused, naming both files."""
    kind = type("Other", (Inverse,), {"name": "once"})
    register(kind)
    with pytest.raises(
        UsageError, match=r"two friend modules once: of .*modules\.py and of .*modules\.py"
    ):
        register(kind)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"name": 3}, "has no name"),
        ({"name": "a b"}, "has no name"),
        (
            {"needs": "sc_integral"},
            "needs is 'sc_integral', not a tuple of names.* the comma makes the tuple",
        ),
        ({"branches": ("sc-z",)}, "branches is"),
        ({"branches": ()}, "gives no branch"),
        ({"branches": ("event",)}, "gives the branch event, which is a key"),
        ({"parameters": ("a", 1)}, "parameters is"),
    ],
)
def test_a_module_that_describes_itself_wrongly_is_refused(
    attributes: dict[str, Any], reason: str
) -> None:
    """What makes no sense is refused when the module is registered, with a hint."""
    with pytest.raises(UsageError, match=rf"friend module .* of .*modules\.py:? {reason}"):
        register(type("Wrong", (Inverse,), {"name": "wrong"} | attributes))


def test_the_friend_file_is_aligned(tmp_path: Path) -> None:
    """The friend tree has one entry per entry, with its keys, counts and values, in whatever pieces
    it was read.
    """
    events = write_events(tmp_path / "reco.root", LIGHTS)
    assert (
        write_friends(events, tmp_path / "friend.root", [Inverse()], step=2, version="v1").entries
        == 3
    )
    with open_file(tmp_path / "friend.root") as file:
        tree = file["Friends"]
        assert tree["event"].array(library="np").tolist() == [0, 1, 2]
        assert ak.num(tree["sc_inverse"].array()).tolist() == [2, 0, 1]
        metadata = json.loads(str(file["metadata"]))
    assert metadata["version"] == "v1"
    assert metadata["modules"]["inverse"]["branches"] == ["sc_inverse", "brightest"]
    assert metadata["modules"]["inverse"]["code"].startswith("sha256:")


def test_both_trees_are_read_together(tmp_path: Path) -> None:
    """Branches of both are one array of entries; a friend that is not aligned, and a misspelt
    branch, are refused.
    """
    events = write_events(tmp_path / "reco.root", LIGHTS)
    write_friends(events, tmp_path / "friend.root", [Inverse()])
    both = read_friends(events, tmp_path / "friend.root", ["event", "sc_integral", "brightest"])
    assert both.tolist()[0] == {"event": 0, "sc_integral": [10, 20], "brightest": 20}
    with pytest.raises(DataError, match=r"has a branch brightst. Did you mean 'brightest'"):
        read_friends(events, tmp_path / "friend.root", ["brightst"])
    other = write_events(tmp_path / "other.root", LIGHTS[:2])
    with pytest.raises(
        DataError, match=r"3 entries where .* has 2; only one has entry 2, run 7 event 2"
    ):
        read_friends(other, tmp_path / "friend.root", ["event"])


def test_friends_of_parts_merge_into_the_friend_of_the_whole(tmp_path: Path) -> None:
    """Ranges made one by one, an empty one among them, and merged are aligned with the whole; a
    lost one is refused.
    """
    events = write_events(tmp_path / "reco.root", LIGHTS * 4)
    spans = [(0, 5), (5, 5), (5, 6), (6, None)]
    parts = [tmp_path / f"reco_Friend.chunk{index}.root" for index in range(len(spans))]
    for part, span in zip(parts, spans, strict=True):
        write_friends(events, part, [Inverse()], span=span)
    assert merge(parts, tmp_path / "all.root", entries=12) == {"Friends": 12}
    assert check_alignment(events, tmp_path / "all.root") == 12
    merge([*parts[:2], parts[3]], tmp_path / "lossy.root")
    with pytest.raises(
        DataError, match=r"entry 5 of .* has event 6, .* has 5; they have 11 and 12 entries"
    ):
        check_alignment(events, tmp_path / "lossy.root")
    with pytest.raises(
        UsageError, match=r"has 12 entries; 11:13 asks for entries that it does not have"
    ):
        write_friends(events, tmp_path / "x.root", [Inverse()], span=(11, 13))


def test_a_friend_file_without_its_branches_never_appears(tmp_path: Path) -> None:
    """A branch that a module needs and the tree does not have is named, with the module and the
    nearest.
    """
    events = write_events(tmp_path / "reco.root", LIGHTS)
    needy = Inverse()
    needy.needs = ("sc_integrl",)
    with pytest.raises(
        DataError, match=r"no branch sc_integrl, which friend module inverse needs. Did you mean"
    ):
        write_friends(events, tmp_path / "friend.root", [needy])
    assert [path.name for path in tmp_path.iterdir()] == ["reco.root"]


def test_a_friend_of_no_entries_is_a_tree(tmp_path: Path) -> None:
    """A run without events has a friend without entries, aligned with it."""
    events = write_events(tmp_path / "reco.root", [])
    assert write_friends(events, tmp_path / "friend.root", [Inverse()]).entries == 0
    assert check_alignment(events, tmp_path / "friend.root") == 0


@pytest.mark.parametrize(
    ("branch", "kind"),
    [("run", "float64"), ("event", "var * int32"), ("nSc", "float32"), ("nSc", "var * int32")],
)
def test_entries_without_plain_keys_have_no_friends(tmp_path: Path, branch: str, kind: str) -> None:
    """Keys and the count of clusters are one whole number each; anything else is refused by its
    type.
    """
    types = {"run": "int32", "event": "int32", "nSc": "int32", "sc_integral": "var * float32"} | {
        branch: kind
    }
    with uproot.recreate(tmp_path / "reco.root") as file:
        for_type = {"var * int32": ak.Array([[1]]), "var * float32": ak.Array([[1.0]])}
        file.mktree("Events", types).extend(
            {n: for_type.get(kind, np.ones(1, "int32")) for n, kind in types.items()}
        )
    with pytest.raises(
        DataError,
        match=rf"branch {branch} of tree Events of .* has the type .*, which is not a whole number",
    ):
        write_friends(tmp_path / "reco.root", tmp_path / "friend.root", [Inverse()])
