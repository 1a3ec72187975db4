"""The camera's command from simulation to data quality, on a small data set."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from autoctrl.science.rootio import (
    check_alignment,
    count_entries,
    get_tree,
    layout_of,
    open_file,
    read_columns,
)
from tests.acceptance.camera import EVENTS, MADE_WITHIN_S, SIZE, call, call_program, refuse, succeed

if TYPE_CHECKING:
    from pathlib import Path


# what the reconstruction must reach on simulated events, per kind of object and for the clusters
# (on so small a sensor objects often cross, and few of a kind make a coarse scale)
EFFICIENCY = {"spot": 0.95, "alpha": 0.8, "muon": 0.8, "electron": 0.8}
PURITY = 0.95
ROOT_READS = """
import warnings
warnings.simplefilter("ignore")
import ROOT
file = ROOT.TFile.Open("reco.root")
events = file.Get("Events")
assert events.AddFriend("Friends", "reco_Friend.root")
both = "sc_integral:Friends.sc_regr_integral"
print(events.GetEntries(), events.Draw(both, "event == Friends.event", "goff"))
print(events.GetLeaf("sc_size").GetTypeName(), events.GetLeaf("sc_size").GetLeafCount().GetName())
maps = ROOT.TFile.Open("pedestal.root")
print(maps.Get("pedmap").ClassName())
"""
pytestmark = pytest.mark.timeout(MADE_WITHIN_S)


def test_objects_are_found(chain: Path) -> None:
    """Efficiency per kind of object and purity of the clusters reach their floors."""
    table = succeed(chain, "score reco.root run04501.truth.json").out
    print(table)  # noqa: T201 - the figures belong into the log
    score = json.loads(succeed(chain, "score reco.root run04501.truth.json --format json").out)
    reached = {kind: row["efficiency"] for kind, row in score["kinds"].items()}
    assert all(reached[kind] >= floor for kind, floor in EFFICIENCY.items()), table
    assert score["purity"] >= PURITY, table
    assert 0.95 < score["kinds"]["spot"]["light_ratio"] < 1.0


def test_entries_are_frames(chain: Path) -> None:
    """There is one entry per frame in Events and in Friends, and they are aligned."""
    assert count_entries(chain / "reco.root") == {"Events": EVENTS, "Reco_params": 1}
    assert check_alignment(chain / "reco.root", chain / "reco_Friend.root") == EVENTS


def test_parts_merge_into_the_whole(chain: Path) -> None:
    """Ranges that are reconstructed one by one and merged have the entries of the whole run, in
    order.
    """
    reco = "reco run04501.mid.gz --pedestal pedestal.root"
    for part, chosen in enumerate(("0:2", "2:2", f"2:{EVENTS}")):
        succeed(chain, f"{reco} --events {chosen} --output part{part}.root")
    parts = [f"part{part}.root" for part in range(3)]
    merging = [
        sys.executable,
        "-m",
        "autoctrl.science.rootio",
        "merge",
        "merged.root",
        *parts,
        "--entries",
        str(EVENTS),
    ]
    subprocess.run(merging, cwd=chain, check=True, timeout=60)
    assert (
        check_alignment(chain / "reco.root", chain / "merged.root", ("Events", "Events")) == EVENTS
    )
    assert physics(chain / "merged.root") == physics(chain / "reco.root")


def physics(path: Path) -> dict[str, bytes]:
    """Return the bytes of every branch of Events that is not a time."""
    with open_file(path) as file:
        tree = get_tree(file, "Events")
        columns = next(read_columns(tree, layout_of(tree)))
    return {name: values.tobytes() for name, values in columns.items() if not name.startswith("t_")}


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_change_nothing(chain: Path, threads: int) -> None:
    """Events that are worked at side by side give the same arrays, bit for bit."""
    reco = "reco run04501.mid.gz --pedestal pedestal.root --output"
    succeed(chain, f"{reco} threads{threads}.root --threads {threads}")
    assert physics(chain / f"threads{threads}.root") == physics(chain / "reco.root")


def test_a_run_says_what_it_is(chain: Path) -> None:
    """A raw run is described as JSON: attributes, number of events, closed."""
    content = json.loads(succeed(chain, "inspect run04501.mid.gz --format json").out)
    assert (content["run"], content["events"], content["is_closed"]) == (4501, EVENTS, True)
    assert content["attributes"]["kind"] == "physics"
    head = json.loads(succeed(chain, "inspect run04501.mid.gz --head --format json").out)
    assert (head["events"], head["attributes"]["fill"]) == (None, content["attributes"]["fill"])


def test_numbers_are_reported_as_fields(chain: Path) -> None:
    """Each command writes its numbers to the file that AUTOCTRL_FIELDS names."""
    fields = succeed(chain, "pedestal run04500.mid.gz --output again.root --events 10").fields
    assert fields["frames"] == 10
    assert fields["mean"] == pytest.approx(99, abs=0.1)
    fields = succeed(chain, "friends reco.root --output again.root").fields
    assert (fields["entries"], fields["calibration"]) == (EVENTS, "simulation.toml 0-")
    assert fields["calibration_checksum"].startswith("sha256:")


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_truncated_run_is_refused(chain: Path, kept: float) -> None:
    """A run that was cut off gives no output, and an error with file, offset and event."""
    data = (chain / "run04501.mid.gz").read_bytes()
    (chain / "cut.mid.gz").write_bytes(data[: int(kept * len(data))])
    said = refuse(chain, "reco cut.mid.gz --pedestal pedestal.root --output cut.root")
    assert "cut.mid.gz ends at byte" in said
    assert "event" in said
    assert not (chain / "cut.root").exists()
    assert json.loads(succeed(chain, "inspect cut.mid.gz --format json").out)["is_closed"] is False


def test_a_corrupt_run_is_refused(chain: Path) -> None:
    """A run with nonsense inside gives no output, and an error with the offset."""
    data = bytearray(gzip.decompress((chain / "run04501.mid.gz").read_bytes()))
    middle = data.index(b"CAM0", len(data) // 2)
    data[middle : middle + 12] = b"\xff" * 12
    (chain / "bad.mid.gz").write_bytes(gzip.compress(bytes(data), 1))
    line = f"reco bad.mid.gz --pedestal pedestal.root --events 0:{EVENTS} --output bad.root"
    assert f"corrupt at byte {middle} of the uncompressed stream" in refuse(chain, line)
    assert not (chain / "bad.root").exists()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "reco run04501.mid.gz --pedestal pedestal.root --events 0:99 --output x.root",
            "0:99 asks for more",
        ),
        (
            "reco run04501.mid.gz --pedestal pedestal.root --events 999: --output x.root",
            "999: begins after them",
        ),
        ("reco run04501.mid.gz --pedestal reco.root --output x.root", "is not a pedestal file"),
        ("reco none.mid.gz --pedestal pedestal.root --output x.root", "cannot be opened"),
        ("pedestal run04500.mid.gz --events 1 --output x.root", "a pedestal needs 2"),
        ("friends pedestal.root --output x.root", "has no tree 'Events'"),
        ("friends reco.root --modules dept --output x.root", "Did you mean 'depth'?"),
        (
            "dq reco.root --pedestal pedestal.root --raw run04500.mid.gz --output x.json",
            "is run 4500, reco.root is run",
        ),
        ("simulate --run 1 --size 30 --output sim", "30 pixels"),
        ("score reco.root reco.root", "not a readable truth file"),
        (
            "dq reco.root --pedestal pedestal.root --friends pedestal.root --output x.json",
            "has no tree 'Friends'",
        ),
    ],
)
def test_wrong_input_is_one_paragraph(chain: Path, line: str, reason: str) -> None:
    """What cannot be done fails with a paragraph that says why, and leaves no output."""
    assert reason in refuse(chain, line)
    assert not any((chain / name).exists() for name in ("x.root", "x.json"))


def test_another_camera_is_refused(chain: Path, tmp_path: Path) -> None:
    """Frames and pedestal must be of one size."""
    succeed(tmp_path, "simulate --run 7 --events 1 --size 64 --output .")
    line = f"reco {tmp_path}/run00007.mid.gz --pedestal pedestal.root --output x.root"
    reason = f"64 x 64 pixels, the pedestal of run 4500 {SIZE} x {SIZE}"
    assert reason in refuse(chain, line)


@pytest.mark.parametrize(
    "line",
    [
        "inspect run04501.mid.gz",
        "merge reco.root --output same.root",
        "score reco.root run04501.truth.json",
        "calibrate reco.root --output odd.toml",
        "dq-merge whole.json --output again.json",
        "dq-trend whole.json --output trend.json",
        "reco none.mid.gz --pedestal pedestal.root --output none.root",
    ],
)
def test_a_program_says_what_a_call_says(chain: Path, line: str) -> None:
    """The command is the same in a process of its own: exit code, text, error and fields."""
    assert call_program(chain, *line.split()) == call(chain, *line.split())


def test_root_reads_events_and_friends(chain: Path) -> None:
    """ROOT opens the tree, joins the friend tree with AddFriend, draws both, and reads the
    pedestal.
    """
    if find_spec("ROOT") is None:
        pytest.skip("ROOT is not installed: pip install root")
    done = subprocess.run(
        [sys.executable, "-c", ROOT_READS],
        cwd=chain,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    entries, leaf, histogram = done.stdout.splitlines()
    reco = "reco run04501.mid.gz --pedestal pedestal.root --output once.root"
    clusters = succeed(chain, reco).fields["clusters"]
    assert entries.split() == [str(EVENTS), str(clusters)]
    assert leaf == "Float_t nSc"
    assert histogram == "TH2F"
