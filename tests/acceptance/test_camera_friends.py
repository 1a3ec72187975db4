"""The commands that make friend trees and their calibration, as an author of modules calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import uproot

from autoctrl.science.rootio import check_alignment
from tests.acceptance.camera import EVENTS, MADE_WITHIN_S, ROOT, call, call_program, refuse, succeed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SIMULATED = (ROOT / "autoctrl/science/camera/simulation.toml").read_text()
MODULE = """
import awkward as ak

from autoctrl.science.friends import register


@register
class {kind}:
    name = "{name}"
    needs = ("sc_integral", "event")
    branches = ("sc_{name}",)

    def __call__(self, events):
        light = events["sc_integral"]
        return {{"sc_{name}": {value}}}
"""
VALUES = {
    "share": "light / ak.sum(light, axis=1)",
    "dropping": "light[ak.num(light) > 99]",
    "raising": '[light[i] if e != 2 else 1 / 0 for i, e in enumerate(events["event"])]',
    "depth": "light",
}
pytestmark = pytest.mark.timeout(MADE_WITHIN_S)
GAP = "[[range]]\nfirst = 1\nlast = 4500\n[[range]]\nfirst = 4600\n"


@pytest.fixture(scope="module")
def folder(chain: Path) -> Path:
    """Add modules in files of their own, and calibrations, to a reconstructed run."""
    for name, value in VALUES.items():
        (chain / f"{name}.py").write_text(MODULE.format(kind=name.title(), name=name, value=value))
    (chain / "gap.toml").write_text(GAP)
    (chain / "zero.toml").write_text(SIMULATED.replace("diffusion = 1.6", "diffusion = 0.0"))
    (chain / "overlap.toml").write_text(GAP + GAP)
    (chain / "both").mkdir()
    for name in ("one.toml", "two.toml"):
        (chain / "both" / name).write_text(GAP)
    return chain


def test_a_module_of_an_authors_own_file_runs(folder: Path) -> None:
    """Beside those that come with the program, and by itself without any calibration."""
    line = "friends reco.root --from share.py --output"
    answer = call_program(folder, *line.split(), "all_Friend.root")
    assert "modules depth, regression, share, calibration simulation.toml 0-" in answer.out
    answer = call_program(folder, *line.split(), "share_Friend.root", "--modules", "share")
    assert answer.fields == {"entries": EVENTS}
    with uproot.open(folder / "share_Friend.root") as file:
        metadata = json.loads(str(file["metadata"]))
    assert metadata["modules"]["share"]["branches"] == ["sc_share"]
    assert metadata["calibration"] == {}


def test_parts_make_the_whole(folder: Path) -> None:
    """Friends of ranges, merged, are the friends of all; a part that is left out is missed."""
    succeed(folder, "friends reco.root --output whole.root")
    parts = [f"friends/reco_Friend.chunk{number}.root" for number in range(3)]
    for part, chosen in zip(parts, ("0:1", "1:1", "1:"), strict=True):
        succeed(folder, f"friends reco.root --events {chosen} --output {part}")
    assert merge(folder, "merged.root", parts).returncode == 0
    assert check_alignment(folder / "reco.root", folder / "merged.root") == EVENTS
    content = [
        uproot.open(folder / name)["Friends"].arrays().tolist()
        for name in ("whole.root", "merged.root")
    ]
    assert content[0] == content[1]
    done = merge(folder, "lossy.root", parts[:2])
    assert (done.returncode, f"{EVENTS} were expected" in done.stderr) == (2, True)
    assert not (folder / "lossy.root").exists()


def test_parts_of_different_calibrations_do_not_merge(folder: Path) -> None:
    """What was corrected in two ways cannot become one file."""
    (folder / "other.toml").write_text(SIMULATED + "\n# another\n")
    succeed(folder, "friends reco.root --events 0:1 --output one.root")
    succeed(folder, "friends reco.root --events 1: --calibration other.toml --output two.root")
    done = merge(folder, "mixed.root", ["one.root", "two.root"])
    assert done.returncode == 2
    assert "two.root was not made in the same way as the parts before it" in done.stderr


def merge(folder: Path, output: str, parts: Sequence[str]) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "autoctrl.science.rootio",
        "merge",
        output,
        *parts,
        "--entries",
        str(EVENTS),
    ]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("options", "reasons"),
    [
        (
            "--from dropping.py",
            ["module dropping of", "dropping.py gave 0 entries", "run 4501 event 0, of reco"],
        ),
        (
            "--from raising.py",
            ["raising.py failed with ZeroDivisionError", "run 4501 event 2, of reco"],
        ),
        (
            "--from depth.py",
            ["two friend modules depth: of", "friend_modules.py and of", "/depth.py"],
        ),
        (
            "--from share.py --from share.py",
            ["two friend modules share: of", "/share.py and of", "/share.py."],
        ),
        ("--modules depth,depth", ["depth is named twice"]),
        (
            "--calibration gap.toml",
            ["run 4501 has no calibration in gap.toml: its ranges are 1-4500, 4600-."],
        ),
        (
            "--calibration overlap.toml",
            ["number 1 of the calibration overlap.toml", "overlap: both hold for run 1."],
        ),
        (
            "--calibration zero.toml",
            ["calibration zero.toml (runs 0-) has", "depth.diffusion = 0.0, which is not"],
        ),
        ("--calibration none.toml", ["the calibration none.toml cannot be read: No such file"]),
        ("--calibration both", ["overlap"]),
        (
            "--events 2:99",
            [f"reco.root has {EVENTS} entries; 2:99 asks for entries that it does not have"],
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    folder: Path, options: str, reasons: list[str]
) -> None:
    """The error names module, file and event, or calibration, run and ranges; there is no friend
    file.
    """
    ask = call_program if "--from" in options else call  # what a file registers stays in a process
    answer = ask(folder, *f"friends reco.root {options} --output x.root".split())
    assert answer.code == 2
    for reason in reasons:
        assert reason in answer.err
    assert "Traceback" not in answer.err
    assert not (folder / "x.root").exists()


def test_a_calibration_comes_from_the_truth(tmp_path: Path) -> None:
    """From a simulated run a calibration is made that serves its own friends, and says what it was
    made of.
    """
    content = "--spots 5 --alphas 0 --muons 0 --electrons 0"
    events = "--events 14 --pedestal-events 12 --size 1152"
    succeed(tmp_path, f"simulate --runs 4500-4501 {events} {content} --output .")
    succeed(tmp_path, "pedestal run04500.mid.gz --output pedestal.root")
    succeed(tmp_path, "reco run04501.mid.gz --pedestal pedestal.root --output reco.root")
    line = "calibrate reco.root run04501.truth.json --last 4600 --output calibrations/made.toml"
    answer = succeed(tmp_path, line)
    assert answer.fields["clusters"] >= 30
    assert answer.fields["spread_after"] < 1.05 * answer.fields["spread_before"]
    text = (tmp_path / "calibrations" / "made.toml").read_text()
    assert text.startswith("[[range]]\nfirst = 4501\nlast = 4600\n")
    assert "lone clusters of run 4501, autoctrl" in text
    line_of_friends = "friends reco.root --calibration calibrations --output friend.root"
    fields = succeed(tmp_path, line_of_friends).fields
    assert fields["calibration"] == "made.toml 4501-4600"
    odd = refuse(tmp_path, "calibrate reco.root --output x.toml")
    assert "the number of files is odd" in odd
    assert "would hold from run 4700 to run 4600" in refuse(tmp_path, f"{line} --first 4700")
