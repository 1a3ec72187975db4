"""Where a version's inputs are found."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import WorkflowError
from autoctrl.handlers.inputs import Beside, Files, Found, Latest, Output, as_resolver, resolve
from autoctrl.locks import Wait
from autoctrl.model.campaign import Campaign
from autoctrl.model.output import LocationState
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import InputRef
from tests.unit.given import run, view
from tests.unit.locks.looking import World

if TYPE_CHECKING:
    from autoctrl.handlers.inputs import Resolver
    from autoctrl.model.task import Task


def find(
    resolver: object,
    task: Task,
    world: World | None = None,
    root: Path | None = None,
) -> Found:
    """Look for input ``raw`` of the task."""
    made: Resolver = as_resolver("reco", "raw", resolver)
    return made.find("raw", task, (world or World()).look(inputs=root, workflow_folder=root))


def urls(found: Found) -> list[str]:
    assert found.wait is None
    return [ref.url for ref in found.files]


def test_files_are_frozen_with_size_and_events(tmp_path: Path) -> None:
    """A file that is there is found with its bytes, and the events that its run counts."""
    (tmp_path / "run00007.gz").write_bytes(b"12345")
    found = find(Files("run{run:05d}.gz"), view(7, runs={7: run(7, events=200)}), root=tmp_path)
    assert found.files == (InputRef("raw", str(tmp_path / "run00007.gz"), 5, events=200),)


def test_a_file_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    """The reason names it; a folder of that name is no file."""
    (tmp_path / "run7").mkdir()
    assert find(Files("run{run}"), view(7), root=tmp_path).wait == Wait("waits for file run7")
    assert find(Files("run{run}_*"), view(7), root=tmp_path).wait == Wait("waits for file run7_*")


def test_a_pattern_finds_several_files_in_order(tmp_path: Path) -> None:
    """Which of them holds which events is not known; a single match counts the run's events."""
    for name in ("run7_2.gz", "run7_1.gz", "run8_1.gz"):
        (tmp_path / name).touch()
    events = {number: run(number, events=9) for number in (7, 8)}
    several = find(Files("run{run}_?.gz"), view(7, runs=events), root=tmp_path)
    assert [Path(url).name for url in urls(several)] == ["run7_1.gz", "run7_2.gz"]
    assert {ref.events for ref in several.files} == {None}
    assert [
        ref.events for ref in find(Files("run{run}_*"), view(8, runs=events), root=tmp_path).files
    ] == [9]


def test_a_group_needs_the_files_of_all_its_runs(tmp_path: Path) -> None:
    """One missing run is enough to wait; an absolute pattern does not count from the root."""
    (tmp_path / "run1").touch()
    fill = view(1, 2, unit="fill:5")
    pattern = Files(f"{tmp_path}/run{{run}}", events="count")
    assert find(pattern, fill).wait == Wait(f"waits for file {tmp_path}/run2")
    (tmp_path / "run2").touch()
    assert len(urls(find(pattern, fill))) == 2


def test_events_that_are_no_number_or_of_an_unknown_run_are_unknown(tmp_path: Path) -> None:
    """Only a whole number counts."""
    (tmp_path / "run7").touch()
    for runs in ({}, {7: run(7)}, {7: run(7, events="many")}):
        assert find(Files("run{run}"), view(7, runs=runs), root=tmp_path).files[0].events is None


@pytest.mark.parametrize("pattern", ["run{fill}", "run{", "{0}"])
def test_files_take_only_the_run_in_their_pattern(pattern: str) -> None:
    """Another placeholder is refused when the module loads."""
    with pytest.raises(WorkflowError, match=r"is not a pattern.*\{run:05d\}"):
        Files(pattern)


def test_an_output_is_found_where_it_is_present() -> None:
    """The present copies of the newest version, with checksum, entries and where they come from."""
    world = World().declares("reco")
    record = world.has("reco", "7", version=2)
    world.publishes(record, "output", "/v2", entries={"Events": 5})
    world.publishes(record, "output", "/lost", state=LocationState.LOST)
    world.publishes(record, "output", "/v1", version=1)
    world.publishes(record, "plot", "/p")
    found = find(Output("reco", "output"), view(7), world)
    assert found.files == (InputRef("raw", "/v2", 7, "sha256:ab", 5, "reco", "7", 2, "prompt"),)
    assert urls(find(Output("reco"), view(7), world)) == ["/v2", "/p"]
    assert find(Output("reco", tree="Other"), view(7), world).files[0].events is None


@pytest.mark.parametrize("name", ["", "output"])
def test_an_output_that_is_not_published_is_waited_for(name: str) -> None:
    """No workflow, no task, a task that is not done, and a done one without a present copy each say
    so.
    """
    world = World()
    what = f"output '{name}'" if name else "output"
    reco = Output("reco", name)
    unknown = find(reco, view(7), world).wait
    assert unknown == Wait("waits for reco, of which no cycle is known yet")
    world.declares("reco")
    unborn = find(reco, view(7), world).wait
    assert unborn == Wait("waits for reco, which has no task for run 7 yet")
    record = world.has("reco", "7", TaskStatus.PROCESSING)
    assert find(reco, view(7), world).wait == Wait("waits for reco of run 7 (processing)")
    world.store.append([record.moved(TaskStatus.DONE, record.time)])
    assert find(reco, view(7), world).wait == Wait(f"reco of run 7 has no {what} that is present")


def test_the_latest_is_of_the_newest_run_at_or_before() -> None:
    """An older or a later one does not count; if there is none, the task waits."""
    world = World().declares("pedestal")
    none = find(Latest("pedestal"), view(7), world).wait
    assert none == Wait("waits for pedestal: there is none at or before run 7")
    for unit in ("3", "5", "8"):
        world.publishes(world.has("pedestal", unit), "map", f"/map{unit}")
    assert urls(find(Latest("pedestal"), view(7), world)) == ["/map5"]
    assert find(Latest("pedestal", "noise"), view(7), world).wait == Wait(
        "pedestal of run 5 has no output 'noise' that is present"
    )


def test_latest_and_output_of_one_workflow_mean_what_they_say() -> None:
    """That one input is the newest so far does not change what another one means."""
    world = World().declares("pedestal")
    world.publishes(world.has("pedestal", "5"), "map", "/map5")
    assert find(Output("pedestal"), view(7), world).wait == Wait(
        "waits for pedestal, which has no task for run 7 yet"
    )
    world.publishes(world.has("pedestal", "7"), "map", "/map7")
    assert urls(find(Output("pedestal"), view(7), world)) == ["/map7"]


def test_files_beside_the_handler_are_recorded_with_their_checksum(tmp_path: Path) -> None:
    """Wherever the raw data lie; one that is not there is waited for."""
    (tmp_path / "limits.toml").write_bytes(b"abc")
    digest = hashlib.sha256(b"abc").hexdigest()
    for pattern in ("limits.toml", "*.toml"):
        found = find(Beside(pattern), view(7), root=tmp_path)
        assert found.files == (
            InputRef("raw", str(tmp_path / "limits.toml"), 3, f"sha256:{digest}"),
        )
    gone = find(Beside("cuts.toml"), view(7), root=tmp_path).wait
    assert gone == Wait(f"waits for file {tmp_path}/cuts.toml")


def test_a_group_reads_the_outputs_of_all_its_members() -> None:
    """In the order of the runs."""
    world = World().declares("reco")
    for unit in ("1", "2"):
        world.publishes(world.has("reco", unit), "output", f"/reco{unit}")
    assert urls(find(Output("reco"), view(1, 2, unit="fill:5"), world)) == ["/reco1", "/reco2"]


def test_skipped_members_of_a_group_are_passed_over_where_that_is_wanted() -> None:
    """Behind After(…, skipped=True) a group goes on without them, but not without all of them."""
    world = World().declares("reco")
    world.publishes(world.has("reco", "1"), "output", "/reco1")
    world.has("reco", "2", TaskStatus.SKIPPED)
    group = view(1, 2, unit="fill:5")
    assert find(Output("reco"), group, world).wait == Wait("waits for reco of run 2 (skipped)")
    assert urls(find(Output("reco", skipped=True), group, world)) == ["/reco1"]
    only = find(Output("reco", skipped=True), view(2), world)
    assert only.wait == Wait("waits for reco: all its tasks were skipped")


def test_an_output_of_the_parent_says_which_campaign_it_is_from() -> None:
    """A campaign reads what it does not have itself where its parent has it."""
    world = World(Campaign("again", "prompt", ("friends",))).declares("reco")
    world.publishes(world.has("reco", "7"), "output", "/reco7")
    (ref,) = Output("reco").find("reco", view(7), world.look("again")).files
    assert (ref.campaign, ref.workflow, ref.version) == ("prompt", "reco", 1)


def test_any_function_of_the_task_finds_files(tmp_path: Path) -> None:
    """Paths count from the input folder and are frozen with their size; a reference keeps all but
    its name.
    """
    (tmp_path / "a7").write_bytes(b"123")
    whole = InputRef("raw", "root://far/b", 9, "adler32:1", 5)
    other = whole._replace(name="whatever the function calls it")
    found = find(lambda task: [f"a{task.run}", Path("a7"), other], view(7), root=tmp_path)
    assert found.files == (
        InputRef("raw", f"{tmp_path}/a7", 3),
        InputRef("raw", f"{tmp_path}/a7", 3),
        whole,
    )


def test_a_function_that_finds_nothing_or_raises_makes_its_task_wait(tmp_path: Path) -> None:
    """The reason names the input; a file that is not there is an error of the function."""
    assert find(lambda _: [], view(7)).wait == Wait("waits for input raw")
    assert find(lambda task: [task.attributes["x"]], view(7)).wait == Wait(
        "input raw raised KeyError: 'x'"
    )
    gone = find(lambda _: ["gone"], view(7), root=tmp_path).wait
    assert gone is not None
    assert "FileNotFoundError" in gone.reason


@pytest.mark.parametrize("nonsense", ["run{run}.gz", b"run", Files, 5, ["run"]])
def test_what_finds_nothing_is_refused(nonsense: object) -> None:
    """A plain text or a class that was not called is no resolver; the error shows how to write
    one.
    """
    with pytest.raises(
        WorkflowError, match=r"(?s)reco: input 'raw' is .*, which finds no files.*Files\("
    ):
        as_resolver("reco", "raw", nonsense)


def test_the_first_input_that_is_missing_is_the_reason(tmp_path: Path) -> None:
    """All must be there; then their files are listed together."""
    (tmp_path / "run7").touch()
    inputs = {"raw": Files("run{run}"), "map": Files("map{run}")}
    look = World().look(inputs=tmp_path)
    assert resolve(inputs, view(7), look) == Found((), Wait("waits for file map7"))
    (tmp_path / "map7").touch()
    assert [ref.name for ref in resolve(inputs, view(7), look).files] == ["raw", "map"]
