"""What attempts printed, on pages."""

from __future__ import annotations

import re

import pytest

from autoctrl.model.role import Role
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.web.visitor import Visitor
from tests.unit.web.desk import Desk, text_of

PAGE = "/campaigns/prompt/read/reco/1"
NUMBER = re.compile(r'<div class="row" id="L(\d+)">')


def printed(desk: Desk, text: str, *statuses: JobStatus) -> None:
    """Let the only job of run 1 have printed a text."""
    key = desk.scene.task(1, "reco", TaskStatus.PROCESSING)
    desk.scene.job(key, *statuses or (JobStatus.RUNNING, JobStatus.FAILED))
    desk.executor.log = lambda _handle, stream="stdout": text if stream == "stdout" else ""  # type: ignore[method-assign, assignment]


def test_a_log_is_read_window_by_window(desk: Desk) -> None:
    """The end comes first, each line has its number and an address, and links lead to the rest."""
    printed(desk, "".join(f"event {n} <b>\n" for n in range(1, 2501)))
    page = desk.browser.get(PAGE).text
    assert [int(number) for number in NUMBER.findall(page)] == [*range(1501, 2501)]
    assert '<a href="#L2500">2500</a><code>event 2500 &lt;b&gt;</code>' in page
    assert "lines 1501 to 2500 of 2500" in text_of(page)
    older = next(link for link in desk.links(PAGE) if "line=501" in link)
    assert NUMBER.findall(desk.get(older))[0] == "501"
    newer = next(link for link in desk.links(older) if "line=1501" in link)
    assert NUMBER.findall(desk.get(newer))[0] == "1501"


def test_a_log_is_searched(desk: Desk) -> None:
    """Found lines keep their numbers and lead to where they stand."""
    printed(desk, "begin\nFatal: no <beam>\nend\n")
    page = desk.get(f"{PAGE}?search=fatal")
    assert NUMBER.findall(page) == ["2"]
    assert "1 of 3 lines have fatal :" in text_of(page)
    link = next(link for link in desk.links(f"{PAGE}?search=fatal") if link.endswith("#L2"))
    assert "line=1" in link
    assert "0 of 3 lines have" in text_of(desk.get(f"{PAGE}?search=nothing"))


def test_a_log_is_followed_while_its_job_runs(desk: Desk) -> None:
    """By script, or by the browser alone; what has ended is not followed."""
    printed(desk, "begin\n", JobStatus.RUNNING)
    link = next(link for link in desk.links(PAGE) if "follow=1" in link)
    page = desk.get(link)
    assert "/static/log.js" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "/static/log.js" not in desk.get(PAGE)
    key = desk.scene.task(2, "reco", TaskStatus.PROCESSING)
    desk.scene.job(key, JobStatus.RUNNING, JobStatus.DONE)
    ended = desk.get("/campaigns/prompt/read/reco/2?follow=1")
    assert "/static/log.js" not in ended
    assert ">follow<" not in ended


def test_a_log_is_downloaded_under_a_name_of_plain_letters(desk: Desk) -> None:
    """As a file, which no browser opens by itself."""
    desk.scene.workflow("sums", group_by="kind", late={})
    key = desk.scene.task('kind:"é/', "sums", TaskStatus.PROCESSING, members=(1,))
    desk.scene.job(key, JobStatus.DONE)
    desk.executor.log = lambda _handle, stream="stdout": "sum\n" + stream  # type: ignore[method-assign, assignment]
    page = "/campaigns/prompt/read/sums/kind:%22%C3%A9%2F"
    link = next(link for link in desk.links(page) if "download=1" in link)
    answer = desk.browser.get(link)
    name = 'attachment; filename="sums-kind____-v1-0.1-stdout.txt"'
    assert answer.headers["content-disposition"] == name
    assert answer.text == "sum\nstdout"


def test_what_is_not_there_is_said(desk: Desk) -> None:
    """Another stream, another attempt, a log without a word."""
    printed(desk, "")
    assert "It has printed nothing." in desk.get(PAGE)
    assert "'odd' is not a stream" in desk.get(f"{PAGE}?stream=odd", 400)
    assert "has no such job" in desk.get(f"{PAGE}?job=7", 404)
    assert "line=x is not a whole number" in desk.get(f"{PAGE}?line=x", 400)


@pytest.mark.parametrize("place", ["read", "logs"])
def test_only_viewers_read_logs(desk: Desk, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Whoever may do nothing reads none."""
    printed(desk, "secret\n")
    monkeypatch.setattr("autoctrl.web.visitor.visitor_of", lambda _request: Visitor(Role.NOBODY))
    page = desk.get(f"/campaigns/prompt/{place}/reco/1", 403)
    assert "To read logs takes the role viewer" in page
