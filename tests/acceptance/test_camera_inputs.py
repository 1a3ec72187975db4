"""The camera's command on all containers, on a rectangular sensor, and on damaged runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import uproot

from tests.acceptance.camera import call, succeed

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = 6
NAMES = {
    "mid.gz": "run{:05d}.mid.gz",
    "mid": "run{:05d}.mid",
    "h5": "histograms_Run{:05d}.h5",
    "root": "histograms_Run{:05d}.root",
}
BANK_NAME = b"CAM0"


def events_of(path: Path) -> dict[str, Any]:
    """Return every branch of Events but the times, as nested lists."""
    with uproot.open(path) as file:
        tree = file["Events"]
        return {
            name: tree[name].array().tolist()
            for name in tree.keys()  # noqa: SIM118
            if not name.startswith("t_")
        }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a pedestal run and a physics run of a wide sensor in each container, under names that
    say nothing.
    """
    folder = tmp_path_factory.mktemp("inputs")
    for form, name in NAMES.items():
        options = f"--events {EVENTS} --pedestal-events 8 --size 1024x576 --format {form}"
        succeed(folder, f"simulate --runs 4500-4501 {options} --output {form}")
        for run, kind in ((4500, "dark"), (4501, "light")):
            (folder / form / name.format(run)).rename(folder / f"{kind}.{form}")
        succeed(folder, f"pedestal dark.{form} --output pedestal.{form}.root")
        succeed(
            folder, f"reco light.{form} --pedestal pedestal.{form}.root --output reco.{form}.root"
        )
    return folder


@pytest.mark.parametrize("form", ["mid", "h5", "root"])
def test_the_same_frames_give_the_same_tree(folder: Path, form: str) -> None:
    """Pedestal maps and Events are the same bit for bit, whatever the container is."""
    for name in ("pedmap", "pedmapsigma"):
        ours, theirs = (
            uproot.open(folder / f"pedestal.{f}.root")[name].values() for f in ("mid.gz", form)
        )
        assert ours.shape == (1024, 576)
        assert ours.tobytes() == theirs.tobytes()
    ours, theirs = (events_of(folder / f"reco.{f}.root") for f in ("mid.gz", form))
    assert sum(ours["nSc"]) > EVENTS
    assert repr(ours) == repr(theirs)
    succeed(
        folder,
        (
            f"reco light.{form} --pedestal pedestal.mid.gz.root --events 2:5 --threads 2 "
            "--output range.root"
        ),
    )
    assert repr(events_of(folder / "range.root")) == repr(
        {name: values[2:5] for name, values in ours.items()}
    )


@pytest.mark.parametrize("form", NAMES)
def test_each_container_says_what_it_is(folder: Path, form: str) -> None:
    """A run's number, events and attributes are read from any container, also from its head
    alone.
    """
    content = json.loads(succeed(folder, f"inspect light.{form} --format json").out)
    assert [content[name] for name in ("run", "events", "lost_events", "is_closed")] == [
        4501,
        EVENTS,
        0,
        True,
    ]
    assert (
        content["attributes"] | {"width": 1024, "height": 576, "kind": "physics"}
        == content["attributes"]
    )
    assert (
        json.loads(succeed(folder, f"inspect light.{form} --head --format json").out)["events"]
        is None
    )


def test_objects_are_found_on_a_wide_sensor(folder: Path) -> None:
    """What was simulated between the edges of a rectangle is reconstructed there."""
    truth = "mid.gz/run04501.truth.json"
    score = json.loads(succeed(folder, f"score reco.mid.gz.root {truth} --format json").out)
    assert score["efficiency"] > 0.8
    assert (
        max(max(row, default=0) for row in events_of(folder / "reco.mid.gz.root")["sc_ymax"]) > 576
    )


def test_the_largest_sensor(tmp_path: Path) -> None:
    """One frame of 4096 x 2304 pixels goes from simulation to clusters."""
    succeed(tmp_path, "simulate --run 7 --events 1 --size 4096x2304 --format mid --output .")
    succeed(
        tmp_path,
        "simulate --run 6 --kind pedestal --events 3 --size 4096x2304 --format mid --output .",
    )
    succeed(tmp_path, "pedestal run00006.mid --output pedestal.root")
    succeed(tmp_path, "reco run00007.mid --pedestal pedestal.root --output reco.root")
    score = json.loads(succeed(tmp_path, "score reco.root run00007.truth.json --format json").out)
    assert score["efficiency"] > 0.7
    with uproot.open(tmp_path / "reco.root") as file:
        geometry = file["Reco_params"].arrays(["npixx", "npixy"], library="np")
    assert (geometry["npixx"][0], geometry["npixy"][0]) == (2304, 4096)


def damage(folder: Path, *events: int) -> Path:
    """Write a copy of the plain run in which the banks of some events make no sense; the events
    keep their length.
    """
    data = bytearray((folder / "light.mid").read_bytes())
    place = 0
    for event in range(EVENTS):
        place = data.index(BANK_NAME, place + 4)
        if event in events:
            data[place : place + 12] = b"\xff" * 12
    path = folder / f"bad{''.join(map(str, events))}.mid"
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize("threads", [1, 3])
def test_what_is_good_before_damage_is_kept(folder: Path, threads: int) -> None:
    """A damaged event refuses the run, with its place; the events before it are kept beside, never
    as the output.
    """
    raw = damage(folder, 4)
    line = (
        f"reco {raw.name} --pedestal pedestal.mid.root --events 0:{EVENTS} --threads {threads} "
        "--output bad.root"
    )
    answer = call(folder, *line.split())
    assert answer.code == 2
    assert "bad4.mid is corrupt at byte" in answer.err
    assert "event 4: " in answer.err
    assert "4 good events are kept in bad.partial.root, then: " in answer.err
    assert answer.fields == {}
    assert not (folder / "bad.root").exists()
    whole = events_of(folder / "reco.mid.root")
    assert repr(events_of(folder / "bad.partial.root")) == repr(
        {name: values[:4] for name, values in whole.items()}
    )


def test_lost_events_within_the_tolerance_keep_their_entry(folder: Path) -> None:
    """With a tolerance the run is done: lost events are entries without clusters, flagged and
    counted.
    """
    raw = damage(folder, 0, 3)
    line = (
        f"reco {raw.name} --pedestal pedestal.mid.root --events 0:{EVENTS} --output "
        "tolerated.root --tolerate"
    )
    answer = call(folder, *line.split(), "1")
    assert answer.code == 2
    assert "event 3: " in answer.err
    assert "2 good events are kept" in answer.err
    for tolerance in ("2", "34%"):
        answer = succeed(folder, f"{line} {tolerance}")
        assert answer.fields["lost_events"] == 2
        assert answer.fields["warning"] == f"2 of {EVENTS} events are lost"
        assert f"2 of {EVENTS} events are lost, {EVENTS} events" in answer.out
        assert not (folder / "tolerated.partial.root").exists()
    found, whole = events_of(folder / "tolerated.root"), events_of(folder / "reco.mid.root")
    assert found["lost"] == [1, 0, 0, 1, 0, 0]
    assert found["event"] == list(range(EVENTS))
    for event in range(EVENTS):
        if found["lost"][event]:
            assert (found["nSc"][event], found["spark"][event], found["cmos_integral"][event]) == (
                0,
                0,
                0,
            )
        else:
            assert all(repr(found[name][event]) == repr(whole[name][event]) for name in whole)
    assert (
        succeed(folder, "friends tolerated.root --output tolerated_Friend.root").fields["entries"]
        == EVENTS
    )


def test_parts_of_a_damaged_run_are_counted_together(folder: Path) -> None:
    """The whole of several parts has the lost events of all of them."""
    raw = damage(folder, 1, 5)
    for part, span in enumerate(("0:3", "3:6")):
        line = f"--pedestal pedestal.mid.root --events {span} --tolerate 1 --output part{part}.root"
        succeed(folder, f"reco {raw.name} {line}")
    whole = succeed(folder, f"merge part0.root part1.root --entries {EVENTS} --output merged.root")
    assert (whole.fields["events"], whole.fields["lost_events"]) == (EVENTS, 2)
    assert whole.fields["clusters"] == sum(events_of(folder / "merged.root")["nSc"])
    assert np.sum(events_of(folder / "merged.root")["lost"]) == 2
    answer = call(folder, *f"merge part0.root --entries {EVENTS} --output short.root".split())
    assert answer.code == 2
    assert "A part is missing or incomplete" in answer.err
    assert not (folder / "short.root").exists()


def test_an_open_run_is_reconstructed_in_ranges(folder: Path) -> None:
    """What is complete of a run that is still written can be reconstructed; the whole run only when
    it is closed.
    """
    for form in ("mid", "mid.gz"):
        data = (folder / f"light.{form}").read_bytes()
        (folder / f"open.{form}").write_bytes(data[: int(0.8 * len(data))])
        content = json.loads(succeed(folder, f"inspect open.{form} --format json").out)
        assert (content["events"], content["state"]) == (4, "open")
        options = f"--pedestal pedestal.mid.root --output open.{form}.root"
        assert succeed(folder, f"reco open.{form} --events 0:4 {options}").fields["events"] == 4
        answer = call(folder, "reco", f"open.{form}", *options.split())
        assert answer.code == 2
        assert f"open.{form} ends at byte" in answer.err
        assert f"4 good events are kept in open.{form}.partial.root, then: " in answer.err
