"""Every link of the dashboards leads to a page of ours that answers."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.operations.grafana.provisioning import write_files
from autoctrl.operations.grafana.wanted import LANGUAGES, Wanted
from tests.unit.web.desk import HERE, Desk

FILLED = {
    "campaign": "prompt",
    "workflow": "reco",
    "unit": "7",
    "__field.name": "reco",
    "__data.fields.run": "7",
    "__data.fields.workflow": "sums",
    "__data.fields.unit": "fill:8222",
    "__data.fields.version": "1",
    "__data.fields.job": "0",
    "__data.fields.attempt": "1",
}


def links(language: str) -> set[str]:
    """Return every address that the files hold, with what Grafana would fill in."""
    files = write_files(
        Wanted(
            language,
            "http://influx:8086",
            "experiment",
            "camera",
            "autoctrl",
            HERE,
            "prompt",
            "Camera",
            "/dashboards",
        )
    )
    found: set[str] = set()
    for name, text in files.items():
        values = yaml.safe_load(text) if name.endswith(".yaml") else json.loads(text)
        found |= set(re.findall(rf"{HERE}[^\s\",]*", json.dumps(values, ensure_ascii=False)))
    return {
        re.sub(r"\$\{([\w.]+)(?::\w+)?\}", lambda match: FILLED[match[1]], one) for one in found
    }


# What each page is about, by the beginning of its address.
ABOUT = {
    "/campaigns/prompt/runs/7": ["7"],
    "/campaigns/prompt/tasks/reco/7": ["reco", "7"],
    "/campaigns/prompt/tasks/sums/fill:8222": ["sums", "8222"],
    "/campaigns/prompt/read/reco/7?version=1&job=0&attempt=1": ["reco", "0.1", "words of a job"],
    "/campaigns/prompt/read/sums/fill:8222": ["sums", "words of a job"],
    "/campaigns/prompt": ["prompt"],
    "/health": ["cycle_age_s"],
    "/": ["prompt"],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_is_answered_by_our_page(desk: Desk, language: str) -> None:
    """For a run, a task of a run, a task of a group, and their logs: with what was meant."""
    desk.scene.workflow("sums", group_by="fill")
    desk.scene.runs(7, kind="physics", fill=8222)
    one = desk.scene.task(7, "reco", TaskStatus.PROCESSING)
    group = desk.scene.task("fill:8222", "sums", TaskStatus.PROCESSING, members=(7,))
    for key in (one, group):
        desk.scene.job(key, JobStatus.RUNNING, JobStatus.FAILED)
    desk.executor.log = lambda _handle, stream="stdout": f"words of a job, {stream}"  # type: ignore[method-assign, assignment]
    addresses = {address.removeprefix(HERE) or "/" for address in links(language)}
    assert addresses == set(ABOUT)
    for address in addresses:
        answer = desk.browser.get(address, follow_redirects=True)
        assert answer.status_code == 200, address
        assert [word for word in ABOUT[address] if word not in answer.text] == [], address


def test_a_groups_cell_in_a_runs_row_leads_to_its_task(desk: Desk) -> None:
    """The link names the run, since a table has one link for all its columns."""
    desk.scene.workflow("sums", group_by="fill")
    desk.scene.runs(7, kind="physics", fill=8222)
    desk.scene.task("fill:8222", "sums", TaskStatus.PROCESSING, members=(7,))
    page = desk.browser.get("/campaigns/prompt/tasks/sums/7", follow_redirects=True)
    assert page.status_code == 200
    assert "8222" in page.text
