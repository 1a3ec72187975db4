"""OrderLedger by the API, when servers are killed and when many send the same at once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

import pytest
from starlette.testclient import TestClient

from autoctrl import verbs
from autoctrl.compose import Project
from autoctrl.config import load_settings
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.model.unit import TaskKey
from autoctrl.web import create_app
from tests.house.source import ROOT
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from pathlib import Path

KEY = TaskKey("prompt", "reco", "1")
ORDER = {"workflow": "reco", "runs": "1", "reason": "better", "name": "anna"}
KILLED = 9
CHILD = f"""
import os, sys
from pathlib import Path
from tests.integration.test_orders import open_page
from autoctrl.web.site.order_ledger import OrderLedger

def die(*_):
    os._exit({KILLED})

setattr(OrderLedger, sys.argv[2], die)
with open_page(Path(sys.argv[1])) as browser:
    browser.order()
"""


class Browser:
    """A page of a project, and what gives it orders."""

    def __init__(self, folder: Path) -> None:
        self.project = Project(load_settings(folder))
        self.client = TestClient(create_app(self.project), base_url="http://127.0.0.1")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.project.close()

    def order(self) -> Any:
        """Send the same order with the same key."""
        headers = {"Idempotency-Key": "the key"}
        return self.client.post("/api/verbs/reprocess", json=ORDER, headers=headers)

    def versions(self) -> list[int]:
        """Return the version of each record that says that the task is to be done again."""
        return [
            record.version
            for record in self.project.store.history(KEY)
            if isinstance(record, TaskRecord) and record.reason == "better"
        ]


def open_page(folder: Path) -> Browser:
    """Open the page of a project."""
    return Browser(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project with one task that is done."""
    (tmp_path / "autoctrl.toml").write_text("")
    with Project(load_settings(tmp_path)) as project:
        scene = Scene()
        scene.store = project.store
        scene.runs(1)
        scene.workflow("reco")
        scene.task(1, "reco", TaskStatus.DONE)
    return tmp_path


@pytest.mark.parametrize(("place", "moved"), [("give", 0), ("keep", 1)])
def test_a_server_that_is_killed_does_nothing_twice(folder: Path, place: str, moved: int) -> None:
    """Killed before an order is written down, it is done when it comes again; killed after it was
    done, it is answered and not done again, though the task has gone on meanwhile and could be.
    """
    words = [sys.executable, "-c", CHILD, str(folder), place]
    done = subprocess.run(words, cwd=ROOT, check=False, timeout=120)
    assert done.returncode == KILLED
    with open_page(folder) as browser:
        assert len(browser.versions()) == moved
        if moved:
            scene = Scene()
            scene.store = browser.project.store
            scene.move(KEY, TaskStatus.PROCESSING, TaskStatus.DONE)
        answers = [browser.order() for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert [one["version"] for one in answers[0].json()["done"]] == [2]
        assert answers[0].json() == answers[1].json()
        assert browser.versions() == [2]


def test_many_who_send_the_same_are_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of orders of one key that come at once one is done; the others are told so, or to wait."""
    real, calls = verbs.reprocess, []

    def count(*words: Any, **options: Any) -> Any:
        calls.append(words)
        return real(*words, **options)

    monkeypatch.setattr(verbs, "reprocess", count)
    with open_page(folder) as browser, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: browser.order(), range(16)))
        assert len(calls) == 1
        assert browser.versions() == [2]
        texts = {answer.text for answer in answers if answer.status_code == 200}
        assert len(texts) == 1
        waiting = [answer for answer in answers if answer.status_code != 200]
        assert all(answer.headers.get("Retry-After") == "1" for answer in waiting)
        assert browser.order().headers["Idempotency-Replayed"] == "true"
