"""A file source: what it takes for a run, when it asks, when a run is closed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.ports import Seen
from autoctrl.sources.files.inspection import FileFacts, Inspection, InspectionStopped
from autoctrl.sources.files.memory import KnownFile, Memory
from autoctrl.sources.files.pattern import FoundFile, Pattern
from autoctrl.sources.files.settings import FilesSourceSettings
from autoctrl.sources.files.source import RETRY_S, SETTLED_S, FilesSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TYPES = {"fill": "int", "events": "int", "start": "time", "kind": "str"}
QUIET_S, EVERY_S, NOW = 100.0, 60.0, 1_000_000.0


class Listing(Pattern):
    """Finds the files that a test puts into it."""

    def __init__(self) -> None:
        super().__init__("run{run}", [], "")
        self.files: dict[str, FoundFile] = {}

    def put(
        self, run: int, size: int = 1, mtime: float = NOW, path: str = "", kind: str = ""
    ) -> None:
        path = path or f"run{run}"
        values = {"kind": kind} if kind else {}
        self.files[path] = FoundFile(path, size, int(mtime * 1e9), run, values)

    def find(self, root: str, problem: Callable[[str], None]) -> Iterator[FoundFile]:  # noqa: ARG002 - the pattern's
        return iter(self.files.values())


class Asked(Inspection):
    """Answers from a dictionary and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__("fake {path}", Path(), 1, "")
        self.answers: dict[str, FileFacts] = {}
        self.asked: list[str] = []
        self.is_stopped = False

    def ask(self, paths: Sequence[str]) -> Iterator[dict[str, FileFacts]]:
        if self.is_stopped and paths:
            message = "fake cannot be run"
            raise InspectionStopped(message)
        for path in paths:
            name = path.rpartition("/")[2]
            self.asked.append(name)
            yield {path: self.answers.get(name, FileFacts(None, {}, is_closed=False))}


class Kept(Memory):
    """A memory in memory, which counts how often it is written."""

    def __init__(self) -> None:
        super().__init__(Path("memory"), "")
        self.files: dict[str, KnownFile] = {}
        self.saves = 0

    def load(self) -> dict[str, KnownFile]:
        return dict(self.files)

    def save(self, files: dict[str, KnownFile]) -> str:
        self.saves += 1
        self.files = dict(files)
        return ""


class Bench:
    """One source with all its parts in hand."""

    def __init__(self, *, inspect: bool = True) -> None:
        self.listing, self.command, self.memory, self.now = Listing(), Asked(), Kept(), NOW
        section = FilesSourceSettings(
            "run{run}", type="files", quiet_s=QUIET_S, inspect_every_s=EVERY_S
        )
        self.source = FilesSource(
            "raw",
            "/raw",
            self.listing,
            section,
            types=TYPES,
            memory=self.memory,
            inspection=self.command if inspect else None,
            now=lambda: self.now,
        )

    def look(self, after_s: float = 0) -> list[Seen]:
        self.now += after_s
        self.command.asked.clear()
        return self.source.discover()


def test_each_file_is_inspected_once() -> None:
    """An unchanged file costs neither a call nor a write of the memory."""
    bench = Bench()
    bench.listing.put(1)
    bench.look()
    assert bench.command.asked == ["run1"]
    saves = bench.memory.saves
    assert bench.look(after_s=1000)[0].number == 1
    assert bench.command.asked == []
    assert bench.memory.saves == saves


def test_runs_come_by_number_with_declared_attributes_in_their_types() -> None:
    """What is not declared is left out; times are aware."""
    bench = Bench()
    bench.listing.put(2)
    bench.listing.put(1, kind="physics")
    content = {"fill": "8222", "start": "2026-01-01T00:00:00Z", "colour": "red"}
    bench.command.answers["run1"] = FileFacts(1, content, is_closed=False)
    first, second = bench.look()
    assert (first.number, second.number) == (1, 2)
    assert first.attributes.keys() == {"fill", "start", "kind"}
    assert first.attributes["fill"] == 8222
    assert str(first.attributes["start"]) == "2026-01-01 00:00:00+00:00"


def test_a_run_closes_by_its_end_or_by_being_quiet() -> None:
    """The end of the run closes at once; silence closes after the quiet time."""
    bench = Bench()
    bench.listing.put(1)
    bench.listing.put(2)
    bench.command.answers["run1"] = FileFacts(1, {}, is_closed=True)
    assert [seen.is_closed for seen in bench.look()] == [True, False]
    assert [seen.is_closed for seen in bench.look(after_s=QUIET_S - 1)] == [True, False]
    assert [seen.is_closed for seen in bench.look(after_s=1)] == [True, True]


def test_a_clock_that_is_ahead_on_the_file_server_does_not_keep_a_run_open() -> None:
    """A file from the future is quiet once we have seen it unchanged for the quiet time."""
    bench = Bench(inspect=False)
    bench.listing.put(1, mtime=NOW + 1e6)
    assert not bench.look()[0].is_closed
    assert bench.look(after_s=QUIET_S)[0].is_closed


def test_a_growing_file_is_read_again_only_now_and_then() -> None:
    """While it changes it is read every ``inspect_every_s``, and once more when it has settled."""
    bench = Bench()
    bench.listing.put(1, size=1, mtime=NOW)
    bench.look()
    bench.listing.put(1, size=2, mtime=NOW + 10)
    bench.look(after_s=10)
    assert bench.command.asked == []
    bench.look(after_s=SETTLED_S)
    assert bench.command.asked == ["run1"]
    bench.listing.put(1, size=3, mtime=NOW + 80)
    bench.look(after_s=EVERY_S + 5)
    assert bench.command.asked == ["run1"]


def test_a_file_that_grows_after_its_end_is_open_again() -> None:
    """An answer about older bytes closes nothing."""
    bench = Bench()
    bench.listing.put(1)
    bench.command.answers["run1"] = FileFacts(1, {}, is_closed=True)
    assert bench.look()[0].is_closed
    bench.listing.put(1, size=2, mtime=NOW + 1)
    assert not bench.look(after_s=1)[0].is_closed


def test_a_corrupt_file_is_named_once_it_is_quiet_and_stops_no_other() -> None:
    """A bad file leaves its run out; it is a problem only when nobody writes it any more."""
    bench = Bench()
    bench.listing.put(1)
    bench.listing.put(2)
    bench.command.answers["run1"] = FileFacts(1, {}, is_closed=False, problem="CRC is wrong at 512")
    assert [seen.number for seen in bench.look()] == [2]
    assert list(bench.source.problems) == []
    assert [seen.number for seen in bench.look(after_s=QUIET_S)] == [2]
    assert list(bench.source.problems) == ["run1 cannot be used: CRC is wrong at 512"]


def test_a_corrupt_file_is_tried_again_after_a_while() -> None:
    """What could not be read may have been the disk's fault."""
    bench = Bench()
    bench.listing.put(1)
    bench.command.answers["run1"] = FileFacts(
        None, {}, is_closed=False, problem="input/output error"
    )
    bench.look()
    bench.command.answers["run1"] = FileFacts(1, {}, is_closed=True)
    assert bench.look(after_s=RETRY_S - 1) == []
    assert bench.look(after_s=1) == [Seen(1, {}, is_closed=True)]


def test_a_file_with_another_run_inside_is_a_problem() -> None:
    """Name and content must agree on the run."""
    bench = Bench()
    bench.listing.put(1, mtime=0)
    bench.command.answers["run1"] = FileFacts(7, {}, is_closed=True)
    assert bench.look() == []
    assert list(bench.source.problems) == [
        "run1 cannot be used: its name says run 1, its content run 7"
    ]


def test_a_bad_attribute_costs_only_itself() -> None:
    """The run is there without it, and the problem names file and attribute."""
    bench = Bench()
    bench.listing.put(1)
    bench.command.answers["run1"] = FileFacts(1, {"fill": "many", "events": 3}, is_closed=False)
    assert bench.look()[0].attributes == {"events": 3}
    said = "run1: Run attribute 'fill' is declared as int, which 'many' is not."
    assert said in bench.source.problems
    assert bench.look(after_s=1)[0].attributes == {"events": 3}
    assert len(bench.source.problems) == 1


def test_a_command_that_cannot_run_is_one_problem() -> None:
    """Runs that were known stay; those that wait are counted in one sentence, and asked for the
    next time.
    """
    bench = Bench()
    bench.listing.put(1)
    bench.look()
    bench.listing.put(2)
    bench.command.is_stopped = True
    assert [seen.number for seen in bench.look()] == [1]
    assert list(bench.source.problems) == ["fake cannot be run; 1 raw files wait to be inspected"]
    bench.command.is_stopped = False
    assert [seen.number for seen in bench.look()] == [1, 2]
    assert list(bench.source.problems) == []


def test_a_run_of_several_files_is_one_run() -> None:
    """Events are added; the run is closed when each file is closed or quiet; one bad file leaves
    the run out.
    """
    bench = Bench()
    bench.listing.put(1, path="run1_a", mtime=0)
    bench.listing.put(1, path="run1_b")
    bench.command.answers["run1_a"] = FileFacts(1, {"events": 10, "fill": 1}, is_closed=False)
    bench.command.answers["run1_b"] = FileFacts(1, {"events": 5}, is_closed=False)
    assert bench.look() == [Seen(1, {"events": 15, "fill": 1}, is_closed=False)]
    assert bench.look(after_s=QUIET_S) == [Seen(1, {"events": 15, "fill": 1}, is_closed=True)]
    bench.listing.put(1, path="run1_c", mtime=0)
    bench.command.answers["run1_c"] = FileFacts(1, {}, is_closed=False, problem="broken")
    assert bench.look() == []


def test_without_a_command_names_and_times_say_all() -> None:
    """A run is there at once and closes when it is quiet."""
    bench = Bench(inspect=False)
    bench.listing.put(1, mtime=0, kind="pedestal")
    assert bench.look() == [Seen(1, {"kind": "pedestal"}, is_closed=True)]


def test_a_file_that_is_gone_is_forgotten() -> None:
    """A run whose file was deleted is no longer seen; the store keeps it."""
    bench = Bench()
    bench.listing.put(1)
    bench.look()
    bench.listing.files.clear()
    assert bench.look() == []
    assert bench.memory.files == {}
