"""What people are told of jobs in a pool: where the log of a failure is, what was submitted, why
nothing moves.
"""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.exactly_once.judge import check_in_the_end, check_once
from tests.acceptance.exactly_once.laboratory import make_project, write_runs
from tests.acceptance.exactly_once.loops import finish
from tests.acceptance.production.pair import SHORT, process_of
from tests.acceptance.production.test_two_controllers import autoctrl

if TYPE_CHECKING:
    from tests.acceptance.production.pair import Pair

PATIENCE_S = 600.0
LOGS = "https://logs.example.org"
RUNS = {8: "bad"}


@pytest.mark.timeout(1800)
def test_an_alert_says_where_the_log_is(pair: Pair) -> None:
    """An alert has the log's public address, of a file that is there; provenance has what HTCondor
    was given.
    """
    folder = pair.project(("bad",))
    settings = folder / "autoctrl.toml"
    settings.write_text(f'log_url = "{LOGS}{{path}}"\n{settings.read_text()}')
    write_runs(folder, RUNS)
    finish(folder, PATIENCE_S)
    (alert,) = (folder / "alerts.log").read_text().splitlines()
    (address,) = re.findall(rf"{LOGS}(/\S+)", alert)
    assert Path(address).is_file()
    assert "exited with code 75" in alert
    (version,) = json.loads(autoctrl(folder, "provenance", "8", "bad", "--format", "json").stdout)[
        "versions"
    ]
    assert "batch_name = autoctrl bad\n" in version["description"]["templates"]["job.sub"]
    log = autoctrl(folder, "log", "8", "bad", "--format", "json")
    assert json.loads(log.stdout)["address"] == f"{LOGS}{address}"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_cycle_without_a_schedd_ends_with_a_sentence(pair: Pair, how: signal.Signals) -> None:
    """A schedd that is silent or gone costs a cycle its deadlines and gives a sentence; then the
    work is done once.
    """
    folder = pair.project(("bad",), "spool", **SHORT)
    write_runs(folder, RUNS)
    schedd = process_of(pair.pool)
    pair.pool.pause("MASTER")  # which would bring back what was killed
    try:
        os.kill(schedd, how)
        done = autoctrl(folder, "cycle")
        log = autoctrl(folder, "log", "8", "bad")
    finally:
        if how is signal.SIGSTOP:
            os.kill(schedd, signal.SIGCONT)
        pair.pool.resume("MASTER")
    assert re.search(
        r"problem: executor local\S*: The schedd first@\S+ (did not answer within|could not)",
        done.stdout,
    )
    assert (
        "There is no log: executor local is not known to have taken it in yet. The schedd"
        in log.stdout
    )
    finish(folder, PATIENCE_S)
    check_in_the_end(folder, RUNS)
    check_once(folder, RUNS)


def test_a_broken_template_is_found_before_anything_is_submitted(tmp_path: Path) -> None:
    """Doctor and plan say with file and line why a template cannot be rendered, and nothing else
    that is not so.
    """
    pool = 'executor = "pool"\n[executors.pool]\ntype = "htcondor"\nschedd = "nobody@nowhere"\n'
    folder = make_project(
        tmp_path / "project", ("bad",), f'{pool}[runs.attributes]\nkind = "str"\n'
    )
    (folder / "workflows/bad/templates").mkdir()
    template = folder / "workflows/bad/templates/job.sub.j2"
    template.write_text(
        '{% extends "job.sub.j2" %}\n{% block more %}\nrank = {{ nothing }}\n{% endblock %}\n'
    )
    autoctrl(folder, "runs", "add", "8", "--set", "kind=bad")
    asked = {verb: autoctrl(folder, verb) for verb in ("doctor", "plan")}
    for done in asked.values():
        said = " ".join((done.stdout + done.stderr).split())
        assert done.returncode == 2
        assert "job.sub.j2:3 cannot be used: 'nothing' is undefined. What it may use:" in said
        assert "Nothing is open" not in said
