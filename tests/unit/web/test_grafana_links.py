"""Every link of the dashboards leads to a page of ours that answers."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest
import yaml

from autoctrl.model.status import TaskStatus
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_is_answered_by_our_page(desk: Desk, language: str) -> None:
    """For a run, a task of a run, and a task of a group; the last one also from a run's row."""
    desk.scene.workflow("sums", group_by="fill")
    desk.scene.runs(7, kind="physics", fill=8222)
    desk.scene.task(7, "reco", TaskStatus.DONE)
    desk.scene.task("fill:8222", "sums", TaskStatus.PROCESSING, members=(7,))
    addresses = links(language)
    assert len(addresses) >= 5
    for address in addresses:
        path = urlsplit(address).path
        answer = desk.browser.get(path or "/", follow_redirects=True)
        assert answer.status_code == 200, path


def test_a_groups_cell_in_a_runs_row_leads_to_its_task(desk: Desk) -> None:
    """The link names the run, since a table has one link for all its columns."""
    desk.scene.workflow("sums", group_by="fill")
    desk.scene.runs(7, kind="physics", fill=8222)
    desk.scene.task("fill:8222", "sums", TaskStatus.PROCESSING, members=(7,))
    page = desk.browser.get("/campaigns/prompt/tasks/sums/7", follow_redirects=True)
    assert page.status_code == 200
    assert "8222" in page.text
