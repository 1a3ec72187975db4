"""ROOT itself reads what we write: types, friends by entry and by key, and programs written for the
published files.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from autoctrl.science.rootio import count_entries

EVENTS = 6
PROGRAM = """
import warnings
warnings.simplefilter("ignore")
import ROOT
ROOT.gROOT.SetBatch(True)
ROOT.gErrorIgnoreLevel = ROOT.kWarning
file = ROOT.TFile.Open("reco.root")
beside = ROOT.TFile.Open("reco_Friend.root")
events = file.Get("Events")
"""
# what MakeClass writes for the published files: the counter unsigned, all else of clusters float
MACRO = r'''
ROOT.gInterpreter.Declare("""
double with_addresses(TTree *tree) {
  UInt_t nSc = 0; Int_t event = 0; Float_t light[1000];
  if (tree->SetBranchAddress("nSc", &nSc) || tree->SetBranchAddress("event", &event)) return -1;
  if (tree->SetBranchAddress("sc_integral", light)) return -2;
  double sum = 0;
  for (Long64_t entry = 0; entry < tree->GetEntries(); ++entry) {
    tree->GetEntry(entry);
    if (event != entry) return -3;
    for (UInt_t i = 0; i < nSc; ++i) sum += light[i];
  }
  tree->ResetBranchAddresses();
  return sum;
}
double with_reader(TTree *tree) {
  TTreeReader reader(tree);
  TTreeReaderValue<UInt_t> nSc(reader, "nSc");
  TTreeReaderArray<Float_t> light(reader, "sc_integral"), corrected(reader, "Friends.sc_regr_integral");
  double sum = 0;
  while (reader.Next()) {
    if (light.GetSize() != *nSc || corrected.GetSize() != *nSc) return -1;
    for (auto value : light) sum += value;
  }
  return sum;
}
""")
assert events.AddFriend("Friends", "reco_Friend.root")
events.Draw("sc_integral", "", "goff")
drawn = sum(events.GetV1()[i] for i in range(events.GetSelectedRows()))
print(drawn > 0, abs(ROOT.with_addresses(events) / drawn - 1) < 1e-6, abs(ROOT.with_reader(events) / drawn - 1) < 1e-6)
'''
TYPES = """
for tree in (events, beside.Get("Friends")):
    for leaf in tree.GetListOfLeaves():
        name, count = leaf.GetName(), leaf.GetLeafCount()
        print(name, leaf.GetTypeName(), count.GetName() if count else "-", tree.GetBranch(name).GetTitle())
"""
BY_ENTRY = """
assert events.AddFriend("Friends", "reco_Friend.root")
friends = events.GetFriend("Friends")
print(events.GetEntries(), friends.GetEntries())
print(events.Draw("sc_integral", "", "goff"), events.Draw("Friends.sc_regr_integral", "", "goff"))
print(events.Draw("sc_integral:Friends.sc_regr_integral", "event == Friends.event && nSc == Friends.nSc", "goff"))
right = "Friends.sc_regr_integral > 0 && Friends.sc_qregr_integral_dn <= sc_qregr_integral_up"
print(events.Draw("sc_integral", right, "goff"))
"""
# the friend's entries in another order: only the index brings them together
BY_KEY = """
friends = beside.Get("Friends")
turned = ROOT.TFile("turned.root", "RECREATE")
tree = friends.CloneTree(0)
for entry in reversed(range(friends.GetEntries())):
    friends.GetEntry(entry)
    tree.Fill()
tree.Write()
print(events.GetEntries(), tree.BuildIndex("run", "event"))
assert events.AddFriend(tree, "ByKey")
print(events.Draw("sc_integral", "", "goff"))
print(events.Draw("event:ByKey.event", "event == ByKey.event && nSc == ByKey.nSc && run == ByKey.run", "goff"))
print(events.Draw("sc_integral:ByKey.sc_regr_integral", "", "goff"))
"""

pytestmark = [
    pytest.mark.skipif(find_spec("ROOT") is None, reason="ROOT is not installed: pip install root"),
    pytest.mark.timeout(400),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a small run with its friends."""
    made = tmp_path_factory.mktemp("root")
    for line in (
        f"simulate --runs 4500-4501 --events {EVENTS} --pedestal-events 8 --small --output .",
        "pedestal run04500.mid.gz --output pedestal.root",
        "reco run04501.mid.gz --pedestal pedestal.root --output reco.root",
        "friends reco.root --output reco_Friend.root",
    ):
        command = Path(sys.executable).with_name("autoctrl-camera")
        subprocess.run(
            [command, *line.split()], cwd=made, check=True, capture_output=True, timeout=200
        )
    return made


def ask_root(folder: Path, program: str) -> list[list[str]]:
    """Run a program with ROOT and return the words of each line that it prints; ROOT may complain
    of nothing.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_leaves_have_the_published_types(folder: Path) -> None:
    """Counters are unsigned, keys and pixels whole numbers, everything else of clusters float, as
    ROOT sees it.
    """
    leaves = {
        name: (kind, counter, title) for name, kind, counter, title in ask_root(folder, TYPES)
    }
    assert leaves["nSc"] == ("UInt_t", "-", "nSc/i")
    assert leaves["nRedpix"] == ("UInt_t", "-", "nRedpix/i")
    assert {leaves[name][:2] for name in ("run", "event", "pedestal_run", "spark")} == {
        ("Int_t", "-")
    }
    assert {leaves[name][:2] for name in ("redpix_ix", "redpix_iy")} == {("Int_t", "nRedpix")}
    clusters = {name: leaf[:2] for name, leaf in leaves.items() if name.startswith("sc_")}
    assert clusters.pop("sc_directional") == ("Int_t", "nSc")
    assert len(clusters) == 38 + 5
    assert set(clusters.values()) == {("Float_t", "nSc")}


def test_programs_for_the_published_files_run(folder: Path) -> None:
    """Addresses and readers as generated for the published files, with an unsigned counter, read
    every cluster.
    """
    assert ask_root(folder, MACRO) == [["True", "True", "True"]]


def test_friends_are_drawn_entry_by_entry(folder: Path) -> None:
    """With AddFriend one expression uses branches of both trees; all clusters of all entries are
    there.
    """
    entries, each, both, cut = ask_root(folder, BY_ENTRY)
    assert entries == [str(EVENTS)] * 2
    assert int(each[0]) > 0
    assert each[1] == each[0]
    assert both == cut == each[:1]
    assert count_entries(folder / "reco_Friend.root") == {"Friends": EVENTS}


def test_friends_are_found_by_key(folder: Path) -> None:
    """With an index by run and event ROOT finds the right entry even where the order is another."""
    entries, clusters, keys, drawn = ask_root(folder, BY_KEY)
    assert entries == [str(EVENTS)] * 2
    assert keys == [str(EVENTS)]
    assert drawn == clusters
