"""Trees written, counted, merged and aligned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoctrl.errors import DataError, UsageError
from autoctrl.science.rootio import (
    Layout,
    TreeWriter,
    check_alignment,
    count_entries,
    friend_path,
    get_tree,
    layout_of,
    merge,
    new_file,
    open_file,
    read_columns,
)
from autoctrl.science.rootio.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Sequence

LAYOUT = Layout(
    {"run": "int32", "event": "int32", "cmos_mean": "float32"},
    {"nSc": {"sc_size": "float32", "sc_directional": "int32"}, "nRedpix": {"redpix_ix": "int32"}},
)


def write_events(
    path: Path, events: Sequence[int], *, tree: str = "Events", clusters: int = 0, rebin: int = 4
) -> Path:
    """Event e has ``e % 3 + clusters`` clusters; each event is a chunk of its own."""
    with new_file(path) as file:
        writer = TreeWriter(file, tree, LAYOUT)
        for event in events:
            n = event % 3 + clusters
            writer.append(
                {
                    "run": [7],
                    "event": [event],
                    "cmos_mean": [0.5],
                    "nSc": [n],
                    "sc_size": np.arange(n),
                    "sc_directional": np.ones(n),
                    "nRedpix": [0],
                    "redpix_ix": [],
                }
            )
        TreeWriter(file, "Reco_params", Layout({"rebin": "int32"})).append({"rebin": [rebin]})
        file["gitHash"] = "abc"
    return path


def test_a_tree_reads_back_as_it_was_written(tmp_path: Path) -> None:
    """Types, counters and values of scalar and jagged branches survive, events without clusters
    included.
    """
    path = write_events(tmp_path / "a.root", [0, 1, 2])
    with open_file(path) as file:
        tree = get_tree(file, "Events")
        assert layout_of(tree) == LAYOUT
        (columns,) = read_columns(tree, LAYOUT)
    assert columns["nSc"].tolist() == [0, 1, 2]
    assert columns["sc_size"].tolist() == [0, 0, 1]
    assert columns["sc_size"].dtype == np.float32
    assert columns["redpix_ix"].size == 0


@pytest.mark.parametrize("events", [[], [0], range(150)], ids=len)
def test_counters_are_unsigned(tmp_path: Path, events: Sequence[int]) -> None:
    """The counters of a tree are uint32, as programs that read with ROOT declare them, however long
    the tree grows.
    """
    with open_file(write_events(tmp_path / "a.root", events)) as file:
        tree = get_tree(file, "Events")
        assert {tree[name].typename for name in LAYOUT.groups} == {"uint32_t"}
        assert tree["nSc"].array(library="np").tolist() == [event % 3 for event in events]
        assert tree["sc_size"].array().tolist() == [list(range(event % 3)) for event in events]


def test_a_tree_without_entries_is_a_tree(tmp_path: Path) -> None:
    """A file whose run had no events has the tree, with 0 entries."""
    assert count_entries(write_events(tmp_path / "a.root", [])) == {"Events": 0, "Reco_params": 1}


def test_columns_of_different_lengths_are_refused(tmp_path: Path) -> None:
    """A chunk whose columns differ in length is refused."""
    layout = Layout({"run": "int32", "event": "int32"})
    with (
        pytest.raises(DataError, match="different numbers of entries"),
        new_file(tmp_path / "a.root") as file,
    ):
        TreeWriter(file, "Events", layout).append({"run": [1], "event": [1, 2]})


def test_parts_are_merged_in_order(tmp_path: Path) -> None:
    """Entries of all parts follow each other, empty parts included; other objects come from the
    first part.
    """
    parts = [
        write_events(tmp_path / f"{i}.root", list(e))
        for i, e in enumerate((range(2), range(0), range(2, 7)))
    ]
    assert merge(parts, tmp_path / "all.root", entries=7) == {"Events": 7}
    assert count_entries(tmp_path / "all.root") == {"Events": 7, "Reco_params": 1}
    with open_file(tmp_path / "all.root") as file:
        assert file["Events/event"].array(library="np").tolist() == list(range(7))
        assert file["Events/nSc"].array(library="np").tolist() == [event % 3 for event in range(7)]
        assert str(file["gitHash"]) == "abc"


def test_overlapping_parts_are_refused(tmp_path: Path) -> None:
    """An event that comes twice is an error, and no merged file appears."""
    parts = [write_events(tmp_path / "a.root", [0, 1]), write_events(tmp_path / "b.root", [1, 2])]
    with pytest.raises(DataError, match=r"b\.root has run 7 event 1 after run 7 event 1"):
        merge(parts, tmp_path / "all.root")
    assert not (tmp_path / "all.root").exists()


def test_missing_entries_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A merge that does not reach the expected number of entries fails, on the command line with
    exit code 2.
    """
    part = write_events(tmp_path / "a.root", [0, 1])
    assert main(["merge", str(tmp_path / "all.root"), str(part), "--entries", "3"]) == 2
    assert "3 were expected" in capsys.readouterr().err
    assert not (tmp_path / "all.root").exists()
    assert main(["merge", str(tmp_path / "all.root"), str(part), "--entries", "2"]) == 0


def test_an_rntuple_is_counted_and_not_merged(tmp_path: Path) -> None:
    """What uproot writes unless one asks for a tree is counted like a tree; merging it is refused
    with a hint.
    """
    part = tmp_path / "part.root"
    with new_file(part) as file:
        file.mkrntuple("Events", {"run": np.full(3, 7), "event": np.arange(3)})
    assert count_entries(part) == {"Events": 3}
    with pytest.raises(DataError, match=r"'Events' is an RNTuple.*mktree"):
        merge([part, part], tmp_path / "all.root")
    assert not (tmp_path / "all.root").exists()


def test_a_merge_of_nothing_is_refused(tmp_path: Path) -> None:
    """Without a part there is nothing to merge."""
    with pytest.raises(UsageError, match="no part"):
        merge([], tmp_path / "all.root")


@pytest.mark.parametrize(
    ("events", "clusters", "reason"),
    [
        ([0, 1], 0, "2 entries where .* has 3; only one has entry 2, run 7 event 2"),
        ([0, 1, 2, 3], 0, "4 entries where .* has 3; only one has entry 3, run 7 event 3"),
        ([1, 2], 0, "entry 0 .*event 1, .* has 0; they have 2 and 3 entries"),
        ([0, 2, 1], 0, "entry 1 .*event 2, .* has 1"),
        ([0, 1, 2], 1, "entry 0 .*nSc 1"),
    ],
)
def test_a_shifted_friend_is_refused(
    tmp_path: Path, events: list[int], clusters: int, reason: str
) -> None:
    """A friend with other entries, another order or other clusters is refused at the first
    difference.
    """
    left = write_events(tmp_path / "a.root", [0, 1, 2])
    right = write_events(tmp_path / "f.root", events, tree="Friends", clusters=clusters)
    with pytest.raises(DataError, match=reason):
        check_alignment(left, right)


def test_an_aligned_friend_is_accepted(tmp_path: Path) -> None:
    """A friend with the same keys and counts is accepted, with the number of entries."""
    left = write_events(tmp_path / "a.root", [0, 1, 2])
    assert check_alignment(left, write_events(tmp_path / "f.root", [0, 1, 2], tree="Friends")) == 3


def test_a_friend_of_some_entries_is_compared_with_those(tmp_path: Path) -> None:
    """The friend of a range of entries is aligned with that range and with no other."""
    left = write_events(tmp_path / "a.root", range(5))
    part = write_events(tmp_path / "f.root", [1, 2], tree="Friends")
    assert check_alignment(left, part, span=(1, 3)) == 2
    with pytest.raises(DataError, match=r"entry 0 .*event 1, .* has 2"):
        check_alignment(left, part, span=(2, 4))
    with pytest.raises(DataError, match="only one has entry 2, run 7 event 3"):
        check_alignment(left, part, span=(1, None))


def test_alignment_can_be_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the command line a friend is compared with its tree: 0 with the entries, or 2 with the
    first difference.
    """
    left = write_events(tmp_path / "a.root", [0, 1, 2])
    right = write_events(tmp_path / "f.root", [0, 1, 2], tree="Friends")
    assert main(["check", str(left), str(right)]) == 0
    assert capsys.readouterr().out == "Friends: 3 entries\n"
    write_events(right, [0, 1], tree="Friends")
    assert main(["check", str(left), str(right)]) == 2
    assert "only one has entry 2" in capsys.readouterr().err


def write_part(path: Path, event: int, metadata: str | None) -> Path:
    with new_file(path) as file:
        TreeWriter(file, "Friends", Layout({"run": "int32", "event": "int32"})).append(
            {"run": [7], "event": [event]}
        )
        if metadata is not None:
            file["metadata"] = metadata
    return path


def test_what_parts_say_of_themselves_is_joined(tmp_path: Path) -> None:
    """The metadata of the merged file has every key that a part has, inner ones too."""
    texts = ('{"modules": ["a"], "runs": {"7": 1}}', '{"modules": ["a"], "runs": {"8": 2, "7": 1}}')
    parts = [
        write_part(tmp_path / f"{event}.root", event, text) for event, text in enumerate(texts)
    ]
    merge(parts, tmp_path / "all.root")
    with open_file(tmp_path / "all.root") as file:
        assert json.loads(str(file["metadata"])) == {"modules": ["a"], "runs": {"7": 1, "8": 2}}


@pytest.mark.parametrize("other", ['{"runs": {"7": 2}}', '{"runs": 1}', "no JSON", None])
def test_parts_that_were_made_differently_are_refused(tmp_path: Path, other: str | None) -> None:
    """A part that contradicts those before it, or says nothing of itself, is named, and nothing is
    merged.
    """
    parts = [
        write_part(tmp_path / "0.root", 0, '{"runs": {"7": 1}}'),
        write_part(tmp_path / "1.root", 1, other),
    ]
    with pytest.raises(DataError, match=r"1\.root was not made in the same way"):
        merge(parts, tmp_path / "all.root")
    assert not (tmp_path / "all.root").exists()


def test_friends_lie_in_a_folder_beside() -> None:
    """By custom the friend of a file lies in the sibling folder friends."""
    assert friend_path(Path("out/reco_run4501.root")) == Path(
        "out/friends/reco_run4501_Friend.root"
    )


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    """Though all that is asked for may lie before the cut."""
    path = write_events(tmp_path / "a.root", range(5))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(
        DataError, match=rf"a\.root has {len(whole) - 1} of the {len(whole)} bytes"
    ) as refused:
        count_entries(path)
    assert refused.value.hint == "Make it again; it may have been cut off."


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    """A missing file, one that is not a ROOT file and a missing tree are errors that say what was
    found.
    """
    with pytest.raises(DataError, match="does not exist"):
        count_entries(tmp_path / "none.root")
    (tmp_path / "text.root").write_text("no tree here")
    with pytest.raises(DataError, match="not a readable ROOT file"):
        count_entries(tmp_path / "text.root")
    with (
        open_file(write_events(tmp_path / "a.root", [])) as file,
        pytest.raises(DataError, match="its trees: Events"),
    ):
        get_tree(file, "Friends")
