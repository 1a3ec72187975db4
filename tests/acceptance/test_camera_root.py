"""ROOT itself reads what we write: types, friends by entry and by key, and programs written for the
published files.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from autoctrl.science.rootio import count_entries
from tests.acceptance.camera import EVENTS, MADE_WITHIN_S

if TYPE_CHECKING:
    from pathlib import Path

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
  TTreeReaderArray<Float_t> light(reader, "sc_integral");
  TTreeReaderArray<Float_t> corrected(reader, "Friends.sc_regr_integral");
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
sums = ROOT.with_addresses(events), ROOT.with_reader(events)
print(drawn > 0, *(abs(found / drawn - 1) < 1e-6 for found in sums))
'''
TYPES = """
for tree in (events, beside.Get("Friends")):
    for leaf in tree.GetListOfLeaves():
        name, count = leaf.GetName(), leaf.GetLeafCount()
        counter = count.GetName() if count else "-"
        print(name, leaf.GetTypeName(), counter, tree.GetBranch(name).GetTitle())
"""
BY_ENTRY = """
assert events.AddFriend("Friends", "reco_Friend.root")
friends = events.GetFriend("Friends")
print(events.GetEntries(), friends.GetEntries())
print(events.Draw("sc_integral", "", "goff"), events.Draw("Friends.sc_regr_integral", "", "goff"))
same = "event == Friends.event && nSc == Friends.nSc"
print(events.Draw("sc_integral:Friends.sc_regr_integral", same, "goff"))
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
same = "event == ByKey.event && nSc == ByKey.nSc && run == ByKey.run"
print(events.Draw("event:ByKey.event", same, "goff"))
print(events.Draw("sc_integral:ByKey.sc_regr_integral", "", "goff"))
"""

pytestmark = [
    pytest.mark.skipif(find_spec("ROOT") is None, reason="ROOT is not installed: pip install root"),
    pytest.mark.timeout(MADE_WITHIN_S),
]


def ask_root(chain: Path, program: str) -> list[list[str]]:
    """Run a program with ROOT and return the words of each line that it prints; ROOT may complain
    of nothing.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + program],
        cwd=chain,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_leaves_have_the_published_types(chain: Path) -> None:
    """Counters are unsigned, keys and pixels whole numbers, everything else of clusters float, as
    ROOT sees it.
    """
    leaves = {name: (kind, counter, title) for name, kind, counter, title in ask_root(chain, TYPES)}
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


def test_programs_for_the_published_files_run(chain: Path) -> None:
    """Addresses and readers as generated for the published files, with an unsigned counter, read
    every cluster.
    """
    assert ask_root(chain, MACRO) == [["True", "True", "True"]]


def test_friends_are_drawn_entry_by_entry(chain: Path) -> None:
    """With AddFriend one expression uses branches of both trees; all clusters of all entries are
    there.
    """
    entries, each, both, cut = ask_root(chain, BY_ENTRY)
    assert entries == [str(EVENTS)] * 2
    assert int(each[0]) > 0
    assert each[1] == each[0]
    assert both == cut == each[:1]
    assert count_entries(chain / "reco_Friend.root") == {"Friends": EVENTS}


def test_friends_are_found_by_key(chain: Path) -> None:
    """With an index by run and event ROOT finds the right entry even where the order is another."""
    entries, clusters, keys, drawn = ask_root(chain, BY_KEY)
    assert entries == [str(EVENTS)] * 2
    assert keys == [str(EVENTS)]
    assert drawn == clusters
