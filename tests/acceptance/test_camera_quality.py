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

from tests.acceptance.test_web import read, start

ROOT = Path(__file__).parents[2]
EVENTS = 11
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
    register(type(name, (), {"name": name, "tier": "mid", "__call__": lambda self, data, previous=None: act()}))

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


def run(
    folder: Path, line: str, *, code: int = 0, program: str = "autoctrl-camera"
) -> subprocess.CompletedProcess[str]:
    """Call a command in a folder, and see that it ends as it should."""
    binaries = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "AUTOCTRL_FIELDS": str(folder / "fields.json"),
    }
    words = [str(binaries / program), *line.split()]
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


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
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a reconstructed run with friends, and its report from all events at once."""
    folder = tmp_path_factory.mktemp("quality")
    run(folder, f"simulate --runs 4500-4501 --events {EVENTS} {SPOTS} --output .")
    run(folder, "pedestal run04500.mid.gz --output pedestal.root")
    for last, name in ((EVENTS, "reco"), (5, "begun")):
        run(
            folder,
            f"reco run04501.mid.gz --pedestal pedestal.root --events 0:{last} --output {name}.root",
        )
        run(folder, f"friends {name}.root --output {name}_Friend.root")
    shutil.copy(ROOT / "workflows" / "camera-dq" / "limits.toml", folder)
    run(folder, judge("whole") + " --limits limits.toml")
    return folder


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
        said = run(chain, judge(f"part{part}") + f" --events {span}").stdout
        assert "a part, not judged" in said
        assert json.loads((chain / "fields.json").read_text()) == {"level": 0}
    order = "part2.json part0.json part1.json"
    run(chain, f"dq-merge {order} --entries {EVENTS} --limits limits.toml --output merged.json")
    assert bins(chain / "merged.root") == bins(chain / "whole.root")
    assert judged(chain / "merged.json") == judged(chain / "whole.json")
    assert (chain / "merged_display.png").read_bytes() == (chain / "whole_display.png").read_bytes()
    wrong = run(
        chain, "dq-merge part0.json part1.json --entries 11 --output wrong.json", code=2
    ).stderr
    assert "the parts cover the entries 0 to 4 of 11: not the whole run" in wrong
    beyond = run(chain, judge("wrong") + f" --events 4:{EVENTS + 1}", code=2).stderr
    assert f"reco.root has {EVENTS} entries; 4:{EVENTS + 1} asks for others" in beyond
    assert not (chain / "wrong.json").exists()


def test_a_report_grows_with_its_run(chain: Path) -> None:
    """What a report lacks is read and added; the result is that of all events at once, and again
    changes nothing.
    """
    run(chain, judge("grown", "begun") + " --limits limits.toml")
    assert judged(chain / "grown.json")["events"] == [0, 5]
    for _ in range(2):
        run(chain, judge("grown") + " --previous grown.json --limits limits.toml")
        assert bins(chain / "grown.root") == bins(chain / "whole.root")
        assert judged(chain / "grown.json") == judged(chain / "whole.json")
    wrong = run(chain, judge("wrong", "begun") + " --previous whole.json", code=2).stderr
    assert "whole.json holds the entries 0 to 11, begun.root has 5: it cannot go on" in wrong
    without = "dq reco.root --pedestal pedestal.root --previous whole.json --output wrong.json"
    assert (
        "is about something else than reco.root: exposure_s, start differ"
        in run(chain, without, code=2).stderr
    )


def test_failing_plots_stop_nothing(chain: Path) -> None:
    """Plots that raise, leave, return rubbish or cannot be drawn are an alarm each; all others are
    there.
    """
    (chain / "broken.py").write_text(BROKEN)
    said = run(chain, judge("odd") + " --from broken.py --pictures strange").stdout
    assert "plot exits failed: SystemExit: enough" in said
    content = json.loads((chain / "odd.json").read_text())
    assert set(content["failed"]) == {"raises", "exits", "rubbish", "undrawn"}
    assert content["level"] == "alarm"
    assert content["numbers"] == json.loads((chain / "whole.json").read_text())["numbers"]
    assert all(
        (chain / f"strange_{plot}.png").stat().st_size > 1000
        for plot in (*PLOTS, *content["failed"])
    )
    later = run(chain, judge("odd") + " --previous whole.json --from broken.py").stdout
    assert "plot raises failed: it was not there when the earlier report was made" in later


def test_a_reference_run_is_a_measure(chain: Path) -> None:
    """A number that differs too much from the reference's is an alarm, in words."""
    (chain / "close.toml").write_text(
        'reference = "whole.json"\n[light_peak]\nalarm_sigmas = 5\nmay_miss = '
        "true\n[events]\nwarn_relative = 0.1\n"
    )
    said = run(chain, judge("half", "begun") + " --limits close.toml").stdout
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
    run(chain, "dq-trend dq4503.json whole.json dq4502.json --output trend.json")
    content = json.loads((chain / "trend.json").read_text())
    assert (content["runs"], content["alarms"]) == ([4501, 4502, 4503], [4502])
    light = content["trends"]["light_peak"]
    assert light["mean"] == pytest.approx(light["values"][0])
    assert light["error"] == pytest.approx(light["errors"][0] / np.sqrt(2))
    assert light["values"][1] == pytest.approx(light["values"][0] / 2)
    assert (light["chi2"], light["ndf"], light["left_out"]) == (pytest.approx(0, abs=1e-9), 1, 1)
    run(chain, "dq-trend whole.json dq4502.json --axis time --picture time.png --output trend.json")
    assert all(
        (chain / picture).read_bytes().startswith(b"\x89PNG")
        for picture in ("trend.png", "time.png")
    )
    run(chain, "dq-trend dq4502.json --output trend.json")
    light = json.loads((chain / "trend.json").read_text())["trends"]["light_peak"]
    assert (light["mean"], light["error"], light["left_out"]) == (None, None, 1)
    twice = run(chain, "dq-trend whole.json whole.json --output twice.json", code=2).stderr
    assert "there is more than one report of run 4501" in twice


def test_lost_frames_raise_an_alarm(chain: Path) -> None:
    """A frame that the reconstruction was allowed to lose is counted and judged; one that it did
    read is missed.
    """
    run(chain, f"simulate --runs 4501 --events 4 {SPOTS} --format mid --output .")
    run(chain, "reco run04501.mid --pedestal pedestal.root --output sound.root")
    data = bytearray((chain / "run04501.mid").read_bytes())
    begin = [found.start() for found in re.finditer(rb"CAM0", data)][2]
    data[begin : begin + 12] = b"\xff" * 12
    (chain / "run04501.mid").write_bytes(data)
    run(chain, "reco run04501.mid --pedestal pedestal.root --tolerate 1 --output damaged.root")
    line = (
        "dq {}.root --pedestal pedestal.root --raw run04501.mid --limits limits.toml --output "
        "lost.json"
    )
    said = run(chain, line.format("damaged")).stdout
    assert "lost_fraction = 0.25 is above 0.01" in said
    assert "lost = 1 is above 0" in said
    fields = json.loads((chain / "fields.json").read_text())
    assert (fields["lost"], fields["lost_fraction"]) == (1, 0.25)
    assert json.loads((chain / "whole.json").read_text())["numbers"]["lost"] == 0
    assert "is corrupt at byte" in run(chain, line.format("sound"), code=2).stderr


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
        said = run(chain, line, code=2).stderr
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
    assert int(spots) > 40


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
    run(
        tmp_path,
        f"simulate --runs 4500-4503 --pedestal-every 2 --events 8 --fill 7 {SPOTS} --output raw",
    )
    spoil(tmp_path / "raw" / "run04502.mid.gz", light=1.0, hot=40)
    spoil(tmp_path / "raw" / "run04503.mid.gz", light=0.5, hot=40)

    def ask(words: str) -> str:
        return run(tmp_path, words, program="autoctrl").stdout

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
    assert [line.split(" ", 1)[1] for line in alerts.read_text().splitlines()] == [
        f"alarm run 4503 / camera-dq v1: {why['reason']}"
    ]
    process, url = start(tmp_path)
    try:
        page = read(f"{url}/campaigns/prompt/tasks/camera-dq/4503")
        assert why["reason"] in page
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
    run(tmp_path, f"simulate --runs 4500-4502 --events 4 --fill 7 {SPOTS} --output raw")
    run(tmp_path, f"simulate --runs 4504 --events 2 --kind pedestal --fill 8 {SPOTS} --output raw")
    run(tmp_path, "loop --until-idle", program="autoctrl")
    said = run(tmp_path, "outputs --workflow camera-trend --format json", program="autoctrl").stdout
    places = {output["name"]: Path(output["locations"][0]["url"]) for output in json.loads(said)}
    content = json.loads(places["trends"].read_text())
    assert content["runs"] == [4501, 4502]
    assert len(content["trends"]["light_peak"]["values"]) == 2
    assert places["picture"].read_bytes().startswith(b"\x89PNG")
