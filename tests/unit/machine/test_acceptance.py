"""Whether what a job wrote may be accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl.handlers.batch import BatchHandler
from autoctrl.handlers.inputs import Files, Friend
from autoctrl.machine.acceptance import check_files
from autoctrl.science import rootio
from tests.unit.given import SPEC, file

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = BatchHandler("reco", "tool")


def root_file(path: Path, events: int, tree: str = "Events") -> str:
    """Write a tree with that many entries, keyed by run and event."""
    import numpy as np

    numbers = np.arange(events, dtype=np.int32)
    with rootio.new_file(path) as target:
        columns = {"run": np.full(events, 7, np.int32), "event": numbers, "nSc": numbers}
        target.mktree(tree, {name: column.dtype for name, column in columns.items()}).extend(
            columns
        )
    return str(path)


def test_files_that_are_no_trees_are_taken_as_they_are() -> None:
    """What is not ROOT was judged by the wrapper: there and not empty."""
    assert check_files(PLAIN, SPEC, [file()]) == ((file(),), "")


def test_entries_are_counted_and_compared_with_the_range(tmp_path: Path) -> None:
    """As many entries as events are accepted and written down; any other number names both."""
    made = file(url=root_file(tmp_path / "a.root", 5))
    counted, problem = check_files(PLAIN, SPEC, [made])
    assert (counted[0].entries, problem) == ({"Events": 5}, "")
    assert check_files(PLAIN, SPEC._replace(events=(10, 15)), [made])[1] == ""
    files, problem = check_files(PLAIN, SPEC._replace(events=(10, 16)), [made])
    assert problem == "output output has 5 entries, but should have 6: events [10, 16)"
    assert files == (made,)


def test_a_file_that_cannot_be_read_is_not_accepted(tmp_path: Path) -> None:
    """A wrong output says what is wrong with it, whatever the exit code was."""
    broken = tmp_path / "a.root"
    broken.write_bytes(b"no tree at all")
    problem = check_files(PLAIN, SPEC, [file(url=str(broken))])[1]
    assert problem.startswith("output output cannot be accepted: ")
    assert "a.root" in problem


def test_a_friend_must_be_aligned_with_its_input(tmp_path: Path) -> None:
    """Entry by entry; one that is shorter is refused."""
    outputs: dict[str, Any] = {"output": Friend("f.root", of="reco")}
    handler = BatchHandler("friends", "tool {reco}", inputs={"reco": Files("x")}, outputs=outputs)
    spec = SPEC._replace(inputs={"reco": (root_file(tmp_path / "reco.root", 5),)})
    good = file(url=root_file(tmp_path / "good.root", 5, "Friends"))
    bad = file(url=root_file(tmp_path / "bad.root", 4, "Friends"))
    assert check_files(handler, spec, [good])[1] == ""
    assert "4 entries where" in check_files(handler, spec, [bad])[1]


def test_a_part_of_a_friend_is_compared_with_its_range(tmp_path: Path) -> None:
    """The friend that a part makes belongs to the entries of its range, and to no others."""
    outputs: dict[str, Any] = {"output": Friend("f.root", of="reco")}
    handler = BatchHandler(
        "friends", "t {reco}", inputs={"reco": Files("x")}, outputs=outputs, event_tree="Friends"
    )
    spec = SPEC._replace(inputs={"reco": (root_file(tmp_path / "reco.root", 5),)}, events=(0, 2))
    part = file(url=root_file(tmp_path / "part.root", 2, "Friends"))
    assert check_files(handler, spec, [part])[1] == ""
    assert "entry 0 of" in check_files(handler, spec._replace(events=(2, 4)), [part])[1]


def test_a_part_whose_events_nothing_counts_is_not_accepted(tmp_path: Path) -> None:
    """A ROOT file without the event tree could have lost anything, so the range of events cannot be
    confirmed.
    """
    made = file(url=root_file(tmp_path / "a.root", 5, "Clusters"))
    problem = check_files(PLAIN, SPEC._replace(events=(0, 5)), [made])[1]
    assert problem.startswith(
        "no output has the tree 'Events', whose entries are compared with the job's events "
        "(trees found: Clusters)"
    )
    assert check_files(PLAIN, SPEC, [made])[1] == ""
