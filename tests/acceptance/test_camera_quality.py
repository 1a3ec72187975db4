"""Data quality from the command line: parts, growth, pictures over runs, and an alarm as a shifter
sees it.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from tests.acceptance.camera import EVENTS, MADE_WITHIN_S, ROOT, SIZE, call_program, refuse, succeed
from tests.acceptance.test_web import read, start

SPOTS = "--size 768 --spots 6 --alphas 0 --muons 0 --electrons 0"
PLOTS = (
    "pedestal",
    "noisy",
    "frames",
    "display",
    "occupancy",
    "clusters",
    "light",
    "energy",
    "depth",
)
BROKEN = """
import sys
from autoctrl.science.quality import PlotResult, register

def broken(name, act):
    call = lambda self, data, previous=None: act()
    register(type(name, (), {"name": name, "tier": "mid", "__call__": call}))

broken("raises", lambda: 1 / 0)
broken("exits", lambda: sys.exit("enough"))
broken("rubbish", lambda: "nonsense")
broken("undrawn", lambda: PlotResult(figure=lambda: 1 / 0))
"""
OPENED_BY_ROOT = """
import ROOT
file = ROOT.TFile.Open("whole.root")
spots = file.Get("light/spots")
print(spots.ClassName(), file.Get("occupancy/light").ClassName(), int(spots.Integral()))
"""
pytestmark = pytest.mark.timeout(MADE_WITHIN_S)


def run_autoctrl(folder: Path, line: str) -> str:
    """Call ``autoctrl`` in a folder, see that it ends well, and return what it says."""
    binaries = Path(sys.executable).parent
    done = subprocess.run(
        [str(binaries / "autoctrl"), *line.split()],
        cwd=folder,
        env=os.environ | {"PATH": f"{binaries}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def bins(path: Path) -> dict[str, bytes]:
    """Return the bytes of every histogram of a file, outer bins included."""
    with uproot.open(path) as file:
        names = [
            name for name, kind in file.classnames(cycle=False).items() if kind.startswith("TH")
        ]
        return {name: file[name].values(flow=True).tobytes() for name in names}


def judged(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return {
        name: content[name]
        for name in ("about", "numbers", "events", "weights", "verdicts", "level")
    }


@pytest.fixture(scope="module")
def begun(chain: Path) -> None:
    """Add what there was of the run when it had five events."""
    succeed(chain, "reco run04501.mid.gz --pedestal pedestal.root --events 0:5 --output begun.root")
    succeed(chain, "friends begun.root --output begun_Friend.root")


def judge(output: str, reco: str = "reco") -> str:
    files = f"--pedestal pedestal.root --friends {reco}_Friend.root --raw run04501.mid.gz"
    return f"dq {reco}.root {files} --output {output}.json"


def test_a_run_has_numbers_histograms_and_pictures(chain: Path) -> None:
    """A good run is fine; every plot has its picture, and the peak of the spots has an error."""
    content = json.loads((chain / "whole.json").read_text())
    assert content["level"] == "fine", content["verdicts"]
    assert content["pictures"] == {plot: f"whole_{plot}.png" for plot in PLOTS}
    assert all(
        (chain / picture).read_bytes().startswith(b"\x89PNG")
        for picture in content["pictures"].values()
    )
    numbers = content["numbers"]
    assert numbers["events"] == EVENTS
    assert abs(numbers["light_peak"] - 7840) < 4 * numbers["light_peak_error"]
    assert 0 < numbers["light_peak_error"] < 300
    assert numbers["energy_peak"] > numbers["light_peak"]
    assert {
        "clusters/sums",
        "energy/corrected",
        "light/spots",
        "occupancy/light",
        "pedestal/mean",
    } < set(bins(chain / "whole.root"))


def test_parts_merge_into_the_whole(chain: Path) -> None:
    """Reports of ranges, in any order, add up to the report of all at once: histograms and numbers,
    bit for bit.
    """
    for part, span in enumerate(("0:4", "4:4", "4:11")):
        said = succeed(chain, judge(f"part{part}") + f" --events {span}").out
        assert "a part, not judged" in said
        assert json.loads((chain / "fields.json").read_text()) == {"level": 0}
    order = "part2.json part0.json part1.json"
    succeed(chain, f"dq-merge {order} --entries {EVENTS} --limits limits.toml --output merged.json")
    assert bins(chain / "merged.root") == bins(chain / "whole.root")
    assert judged(chain / "merged.json") == judged(chain / "whole.json")
    assert (chain / "merged_display.png").read_bytes() == (chain / "whole_display.png").read_bytes()
    wrong = refuse(chain, "dq-merge part0.json part1.json --entries 11 --output wrong.json")
    assert "the parts cover the entries 0 to 4 of 11: not the whole run" in wrong
    beyond = refuse(chain, judge("wrong") + f" --events 4:{EVENTS + 1}")
    assert (
        f"reco.root has {EVENTS} entries; 4:{EVENTS + 1} asks for entries that it does not have"
        in beyond
    )
    assert not (chain / "wrong.json").exists()


@pytest.mark.usefixtures("begun")
def test_a_report_grows_with_its_run(chain: Path) -> None:
    """What a report lacks is read and added; the result is that of all events at once, and again
    changes nothing.
    """
    succeed(chain, judge("grown", "begun") + " --limits limits.toml")
    assert judged(chain / "grown.json")["events"] == [0, 5]
    for _ in range(2):
        succeed(chain, judge("grown") + " --previous grown.json --limits limits.toml")
        assert bins(chain / "grown.root") == bins(chain / "whole.root")
        assert judged(chain / "grown.json") == judged(chain / "whole.json")
    wrong = refuse(chain, judge("wrong", "begun") + " --previous whole.json")
    assert "whole.json holds the entries 0 to 11, begun.root has 5: it cannot go on" in wrong
    without = "dq reco.root --pedestal pedestal.root --previous whole.json --output wrong.json"
    differing = "is about something else than reco.root: exposure_s, start differ"
    assert differing in refuse(chain, without)


def test_failing_plots_stop_nothing(chain: Path) -> None:
    """Plots that raise, leave, return rubbish or cannot be drawn are an alarm each; all others are
    there.
    """
    (chain / "broken.py").write_text(BROKEN)
    line = judge("odd") + " --from broken.py"  # what a file registers stays in a process
    said = call_program(chain, *line.split(), "--pictures", "strange").out
    assert "plot exits failed: SystemExit: enough" in said
    content = json.loads((chain / "odd.json").read_text())
    assert set(content["failed"]) == {"raises", "exits", "rubbish", "undrawn"}
    assert content["level"] == "alarm"
    assert content["numbers"] == json.loads((chain / "whole.json").read_text())["numbers"]
    assert all(
        (chain / f"strange_{plot}.png").stat().st_size > 1000
        for plot in (*PLOTS, *content["failed"])
    )
    later = call_program(chain, *line.split(), "--previous", "whole.json").out
    assert "plot raises failed: it was not there when the earlier report was made" in later


@pytest.mark.usefixtures("begun")
def test_a_reference_run_is_a_measure(chain: Path) -> None:
    """A number that differs too much from the reference's is an alarm, in words."""
    (chain / "close.toml").write_text(
        'reference = "whole.json"\n[light_peak]\nalarm_sigmas = 5\nmay_miss = '
        "true\n[events]\nwarn_relative = 0.1\n"
    )
    said = succeed(chain, judge("half", "begun") + " --limits close.toml").out
    assert f"events = 5 is 54.5% below {EVENTS} of run 4501 (limit 10.0%)" in said
    fields = json.loads((chain / "fields.json").read_text())
    assert fields["warning"].startswith("events = 5")
    assert "alarm" not in fields


def test_runs_are_followed(chain: Path) -> None:
    """Trends have the runs in order with errors; one with an alarm is in no mean; a run given twice
    is refused.
    """
    for number in (4503, 4502):
        content = json.loads((chain / "whole.json").read_text())
        content |= {"run": number, "level": "alarm" if number == 4502 else "fine"}
        content["numbers"]["light_peak"] *= 0.5 if number == 4502 else 1
        (chain / f"dq{number}.json").write_text(json.dumps(content))
    succeed(chain, "dq-trend dq4503.json whole.json dq4502.json --output trend.json")
    content = json.loads((chain / "trend.json").read_text())
    assert (content["runs"], content["alarms"]) == ([4501, 4502, 4503], [4502])
    light = content["trends"]["light_peak"]
    assert light["mean"] == pytest.approx(light["values"][0])
    assert light["error"] == pytest.approx(light["errors"][0] / np.sqrt(2))
    assert light["values"][1] == pytest.approx(light["values"][0] / 2)
    assert (light["chi2"], light["ndf"], light["left_out"]) == (pytest.approx(0, abs=1e-9), 1, 1)
    succeed(
        chain, "dq-trend whole.json dq4502.json --axis time --picture time.png --output trend.json"
    )
    assert all(
        (chain / picture).read_bytes().startswith(b"\x89PNG")
        for picture in ("trend.png", "time.png")
    )
    succeed(chain, "dq-trend dq4502.json --output trend.json")
    light = json.loads((chain / "trend.json").read_text())["trends"]["light_peak"]
    assert (light["mean"], light["error"], light["left_out"]) == (None, None, 1)
    twice = refuse(chain, "dq-trend whole.json whole.json --output twice.json")
    assert "there is more than one report of run 4501" in twice


def test_lost_frames_raise_an_alarm(chain: Path) -> None:
    """A frame that the reconstruction was allowed to lose is counted and judged; one that it did
    read is missed.
    """
    events = f"--events 4 --size {SIZE} --spots 5"
    succeed(chain, f"simulate --runs 4501 {events} --format mid --output lost")
    (chain / "run04501.mid").write_bytes((chain / "lost" / "run04501.mid").read_bytes())
    succeed(chain, "reco run04501.mid --pedestal pedestal.root --output sound.root")
    data = bytearray((chain / "run04501.mid").read_bytes())
    begin = [found.start() for found in re.finditer(rb"CAM0", data)][2]
    data[begin : begin + 12] = b"\xff" * 12
    (chain / "run04501.mid").write_bytes(data)
    succeed(chain, "reco run04501.mid --pedestal pedestal.root --tolerate 1 --output damaged.root")
    files = "--pedestal pedestal.root --raw run04501.mid --limits limits.toml"
    line = f"dq {{}}.root {files} --output lost.json"
    said = succeed(chain, line.format("damaged")).out
    assert "lost_fraction = 0.25 is above 0.01" in said
    assert "lost = 1 is above 0" in said
    fields = json.loads((chain / "fields.json").read_text())
    assert (fields["lost"], fields["lost_fraction"]) == (1, 0.25)
    assert json.loads((chain / "whole.json").read_text())["numbers"]["lost"] == 0
    assert "is corrupt at byte" in refuse(chain, line.format("sound"))


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("numbers", {"rate_hz": "fast"}, "numbers.rate_hz is the text 'fast', not a number"),
        ("about", [4501], "about is the list [4501], not an object"),
        ("about", {"run": 4501}, "about lacks rows, cols, pedestal_run, start, exposure_s"),
        ("run", None, "run is null, not a whole number"),
        ("histograms", {"file": 3, "sha256": ""}, "histograms.file is 3, not the name of a file"),
    ],
)
def test_a_report_with_a_wrong_value_is_refused(
    chain: Path, key: str, value: Any, sentence: str
) -> None:
    """Whoever reads a report says which value of which file is wrong, and leaves no output."""
    content = json.loads((chain / "whole.json").read_text())
    (chain / "bad.json").write_text(json.dumps(content | {key: value}))
    lines = ["dq-merge bad.json --output refused.json", judge("refused") + " --previous bad.json"]
    lines.append("dq-trend bad.json --output refused.json")
    if key != "about":  # what it is about does not matter to the run that is compared with it
        (chain / "bad.toml").write_text('reference = "bad.json"\n')
        lines.append("dq-merge whole.json --limits bad.toml --output refused.json")
    for line in lines:
        said = refuse(chain, line)
        assert f"bad.json is not a data-quality report: {sentence}" in said
        assert said.count("\n") == 1
    assert not (chain / "refused.json").exists()


def test_root_opens_the_histograms(chain: Path) -> None:
    """A physicist finds a TH1 and a TH2 under the names of the plots."""
    pytest.importorskip("ROOT", reason="ROOT is not installed")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OPENED_BY_ROOT],
        cwd=chain,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    one, two, spots = done.stdout.split()
    assert (one, two) == ("TH1D", "TH2D")
    assert int(spots) > EVENTS


def spoil(path: Path, *, light: float, hot: int) -> None:
    """Change the frames of a raw run: the light above 99 counts by a factor, and a region by some
    counts more.
    """
    data = bytearray(gzip.decompress(path.read_bytes()))
    size = 2 * 768 * 768
    for found in list(re.finditer(rb"CAM0", data)):
        place = found.start() + 16
        frame = np.frombuffer(data, "<u2", size // 2, place).reshape(768, 768).astype(float)
        frame = np.rint(99 + light * (frame - 99))
        frame[300:340, 300:340] += hot
        data[place : place + size] = frame.clip(0).astype("<u2").tobytes()
    path.write_bytes(gzip.compress(bytes(data), 1))


def test_a_bad_run_raises_an_alarm_that_is_seen_and_told_once(tmp_path: Path) -> None:
    """A hot pedestal and half the light: done, but an alarm in status, why, JSON and page, and one
    message.
    """
    shutil.copytree(
        ROOT / "workflows", tmp_path / "workflows", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "autoctrl.toml", tmp_path)
    succeed(
        tmp_path,
        f"simulate --runs 4500-4503 --pedestal-every 2 --events 8 --fill 7 {SPOTS} --output raw",
    )
    spoil(tmp_path / "raw" / "run04502.mid.gz", light=1.0, hot=40)
    spoil(tmp_path / "raw" / "run04503.mid.gz", light=0.5, hot=40)

    def ask(words: str) -> str:
        return run_autoctrl(tmp_path, words)

    ask("loop --until-idle")
    seen = json.loads(ask("status --format json"))["runs"]
    cells = {row["run"]: row["tasks"]["camera-dq"] for row in seen if row["tasks"]["camera-dq"]}
    assert {number: (cell["status"], cell["quality"]) for number, cell in cells.items()} == {
        4501: ("done", ""),
        4503: ("done", "alarm"),
    }
    why = json.loads(ask("why 4503 camera-dq --format json"))
    assert re.fullmatch(
        r"alarm: hot_fraction = 0\.00\d+ is above 0\.001; light_peak = \d{4}(\.\d+)? is below 5000",
        why["reason"],
    )
    assert f"why: {why['reason']}" in ask("why 4503 camera-dq")
    assert re.search(r"4503 +done .*done alarm", ask("status"))
    assert why["reason"] in ask("status")
    alerts = tmp_path / ".autoctrl" / "alerts.log"
    ask("cycle")
    ask("reprocess 4503 camera-dq --reason again")
    ask("loop --until-idle")
    assert json.loads(ask("why 4503 camera-dq --format json"))["version"] == 2
    (line,) = alerts.read_text().splitlines()
    assert line.split(" ", 1)[1].startswith(f"alarm [camera-dq]: run 4503: {why['reason']} ")
    see_alarm(tmp_path, why["reason"])


def see_alarm(folder: Path, reason: str) -> None:
    """See that the pages of the task and of the campaign show the alarm."""
    process, url = start(folder)
    try:
        page = read(f"{url}/campaigns/prompt/tasks/camera-dq/4503")
        assert reason in page
        assert ">alarm</span>" in page
        assert ">alarm</span>" in read(f"{url}/campaigns/prompt")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def test_a_fill_has_its_trends(tmp_path: Path) -> None:
    """When the fill is over, its runs' reports become one picture."""
    shutil.copytree(
        ROOT / "workflows", tmp_path / "workflows", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "autoctrl.toml", tmp_path)
    succeed(tmp_path, f"simulate --runs 4500-4502 --events 4 --fill 7 {SPOTS} --output raw")
    succeed(
        tmp_path, f"simulate --runs 4504 --events 2 --kind pedestal --fill 8 {SPOTS} --output raw"
    )
    run_autoctrl(tmp_path, "loop --until-idle")
    said = run_autoctrl(tmp_path, "outputs --workflow camera-trend --format json")
    places = {output["name"]: Path(output["locations"][0]["url"]) for output in json.loads(said)}
    content = json.loads(places["trends"].read_text())
    assert content["runs"] == [4501, 4502]
    assert len(content["trends"]["light_peak"]["values"]) == 2
    assert places["picture"].read_bytes().startswith(b"\x89PNG")
