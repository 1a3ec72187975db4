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

ODD = ["", " ", "  x  ", "'", '"', "''", '""', "$", "$(row)", "$HOME", "$$(tag)", "\\", "\\\\", "\\n", "\n", "a\nb"]
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
ODD += [b"\xff\xfe\x80".decode(errors="surrogateescape"), "x" * 100_000, "queue", "\u2028", "\x01\x7f"]
WORDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40) | st.sampled_from(ODD)
DUMP = "import json, os, sys; json.dump([sys.argv[1:], os.environ['ODD']], open('seen', 'w'))"


@settings(max_examples=2, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.lists(WORDS, max_size=4), WORDS), min_size=24, max_size=24))
def test_any_words_arrive(htcondor: Pool, given_jobs: list[tuple[list[str], str]]) -> None:
    """Of many jobs in one cluster each sees exactly the words and the environment that were meant for it."""
    jobs = [*given_jobs, *(([word, "between", word], word) for word in ODD)]
    bench = Bench(htcondor)
    orders = [
        bench.order(
            number, "python3", "-X", "utf8", "-c", DUMP, *words, outputs={"seen": "seen"}, environment={"ODD": odd}
        )
        for number, (words, odd) in enumerate(jobs)
    ]
    handles = bench.executor.submit(orders)
    reports = bench.settle(handles.values())
    for number, (words, odd) in enumerate(jobs):
        report = reports[handles[orders[number].tag]]
        assert report.status is JobStatus.DONE, (report, words)
        assert json.loads((bench.folder / f"outputs/{number}/seen").read_text()) == [words, odd]
    bench.executor.acknowledge(list(handles.values()))
