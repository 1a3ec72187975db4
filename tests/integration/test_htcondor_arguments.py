"""Whatever a job is given, it gets: words and environment of any kind, on a real pool."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoctrl.model.status import JobStatus
from tests.integration.condor import Bench

if TYPE_CHECKING:
    from tests.services import Pool

ODD = [
    "",
    " ",
    "  x  ",
    "'",
    '"',
    "''",
    '""',
    "$",
    "$(row)",
    "$HOME",
    "$$(tag)",
    "\\",
    "\\\\",
    "\\n",
    "\n",
    "a\nb",
]
ODD += [
    "# no comment",
    "%22",
    "%",
    "a,b",
    ";|&<>*?~`!",
    "{x}",
    "\x1f",
    "\t",
    "\r\n",
    "é ü 漢 🎈",
    "-n",
    "--",
    "=",
    "+A=1",
]
ODD += [
    b"\xff\xfe\x80".decode(errors="surrogateescape"),
    "x" * 100_000,
    "queue",
    "\u2028",
    "\x01\x7f",
]
WORDS = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40
) | st.sampled_from(ODD)
DUMP = """import json, os, sys
odd = {name: value for name, value in os.environ.items() if name.startswith("ODD")}
json.dump([sys.argv[1:], odd], open("seen", "w"))"""
EACH = 4


@settings(max_examples=2, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(WORDS, max_size=EACH), min_size=8, max_size=8))
def test_any_words_arrive(htcondor: Pool, given_words: list[list[str]]) -> None:
    """Of many jobs in one cluster each sees exactly the words and the environment that were meant
    for it.
    """
    jobs = [*given_words, *(ODD[first : first + EACH] for first in range(0, len(ODD), EACH))]
    bench = Bench(htcondor)
    argv = ("python3", "-X", "utf8", "-c", DUMP)
    odd = [{f"ODD{number}": word for number, word in enumerate(words)} for words in jobs]
    orders = [
        bench.order(number, *argv, *words, outputs={"seen": "seen"}, environment=odd[number])
        for number, words in enumerate(jobs)
    ]
    handles = bench.executor.submit(orders)
    reports = bench.settle(handles.values())
    for number, words in enumerate(jobs):
        report = reports[handles[orders[number].tag]]
        assert report.status is JobStatus.DONE, (report, words)
        assert json.loads((bench.folder / f"outputs/{number}/seen").read_text()) == [
            words,
            odd[number],
        ]
    bench.executor.acknowledge(list(handles.values()))
