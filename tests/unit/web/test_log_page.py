"""What attempts printed, on pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import ServiceDown
from autoctrl.model.role import Role
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.web.entry.visitor import Visitor
from tests.unit.web.desk import Desk, text_of

if TYPE_CHECKING:
    from autoctrl.ports import LogPiece, LogWindow

VISITOR_OF = "autoctrl.web.entry.visitor.visitor_of"
PAGE = "/campaigns/prompt/read/reco/1"
NUMBER = re.compile(r'<div class="row" id="L(\d+)">')


def printed(desk: Desk, text: str, *statuses: JobStatus) -> None:
    """Let the only job of run 1 have printed a text."""
    key = desk.scene.task(1, "reco", TaskStatus.PROCESSING)
    desk.scene.job(key, *statuses or (JobStatus.RUNNING, JobStatus.FAILED))
    desk.executor.log = lambda _handle, stream="stdout": text if stream == "stdout" else ""  # type: ignore[method-assign, assignment]


def watched(desk: Desk) -> list[LogWindow]:
    """Return a list that gets the windows through which the log is read."""
    windows: list[LogWindow] = []
    whole = desk.executor.log_piece

    def piece(handle: str, stream: str, window: LogWindow) -> LogPiece:
        windows.append(window)
        return whole(handle, stream, window)

    desk.executor.log_piece = piece  # type: ignore[method-assign, assignment]
    return windows


def test_a_log_is_read_window_by_window(desk: Desk) -> None:
    """The end comes first, each line has its number and an address, and links lead to the rest."""
    printed(desk, "".join(f"event {n} <b>{'x' * 40}\n" for n in range(1, 2501)))
    page = desk.browser.get(PAGE).text
    numbers = [int(number) for number in NUMBER.findall(page)]
    assert numbers[-1] == 2500
    assert f'<a href="#L2500">2500</a><code>event 2500 &lt;b&gt;{"x" * 40}</code>' in page
    assert f"lines {numbers[0]} to 2500 of 136.4 kB" in text_of(page)
    address = PAGE
    while older := next((link for link in desk.links(address) if "end=" in link), ""):
        numbers = [int(number) for number in NUMBER.findall(desk.get(older))] + numbers
        address = older
    assert numbers == [*range(1, 2501)]
    first = next(link for link in desk.links(PAGE) if "begin=0" in link)
    assert NUMBER.findall(desk.get(first))[0] == "1"
    newer = next(link for link in desk.links(first) if re.search(r"begin=[1-9]", link))
    assert int(NUMBER.findall(desk.get(newer))[0]) == int(NUMBER.findall(desk.get(first))[-1]) + 1


def test_a_log_is_searched(desk: Desk) -> None:
    """Found lines keep their numbers and lead to where they stand."""
    printed(desk, "begin\n" * 20_000 + "Fatal: no <beam>\nend\n")
    page = desk.get(f"{PAGE}?search=fatal")
    assert NUMBER.findall(page) == ["20001"]
    assert "1 of 20002 lines have fatal :" in text_of(page)
    link = next(link for link in desk.links(f"{PAGE}?search=fatal") if link.endswith("#L20001"))
    assert "20001" in NUMBER.findall(desk.get(link.partition("#")[0]))
    assert "0 of 20002 lines have" in text_of(desk.get(f"{PAGE}?search=nothing"))


def test_of_a_huge_log_the_end_is_searched_and_the_beginning_is_not_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And both are said."""
    monkeypatch.setattr("autoctrl.web.pages.log.SEARCHED", 100_000)
    monkeypatch.setattr("autoctrl.executors.logs.COUNTED", 1000)
    printed(desk, "begin\n" * 40_000 + "end\n")
    assert "The first 140.0 kB were not searched." in desk.get(f"{PAGE}?search=end")
    assert "lines from byte 174468 on, counted from there, of 240.0 kB" in text_of(desk.get(PAGE))


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


def test_a_download_is_the_whole_log(desk: Desk) -> None:
    """However long it is: in pieces, each of which is read when its turn has come."""
    text = "".join(f"event {number}\n" for number in range(150_000))
    printed(desk, text)
    windows = watched(desk)
    answer = desk.browser.get("/campaigns/prompt/logs/reco/1?download=1")
    assert answer.text == text
    assert len(windows) == -(-len(text) // windows[0].length)
    assert all(window.line == 1 for window in windows)


def test_a_search_counts_no_line_twice(desk: Desk) -> None:
    """Each piece says where the next one begins and by which number."""
    printed(desk, "begin\n" * 40_000 + "end\n")
    windows = watched(desk)
    assert NUMBER.findall(desk.get(f"{PAGE}?search=end")) == ["40001"]
    searched = windows[1:]  # the first is of what is shown beside it
    assert [window.line for window in searched] == [
        None,
        *(1 + (window.begin or 0) // 6 for window in searched[1:]),
    ]


def test_a_log_that_cannot_be_read_is_no_download(desk: Desk) -> None:
    """It is said before anything is handed over; a task's page says it too, once."""
    printed(desk, "")

    def refuse(*_: object) -> str:
        message = "The disk is away."
        raise ServiceDown(message)

    desk.executor.log = desk.executor.log_piece = refuse  # type: ignore[method-assign, assignment]
    assert "The disk is away." in desk.get("/campaigns/prompt/logs/reco/1?download=1", 503)
    assert "The disk is away." in desk.get("/campaigns/prompt/tasks/reco/1")


def test_what_is_not_there_is_said(desk: Desk) -> None:
    """Another stream, another attempt, a log without a word."""
    printed(desk, "")
    assert "It has printed nothing." in desk.get(PAGE)
    assert "'odd' is not a stream" in desk.get(f"{PAGE}?stream=odd", 400)
    assert "has no such job" in desk.get(f"{PAGE}?job=7", 404)
    assert "begin=x is not a whole number" in desk.get(f"{PAGE}?begin=x", 400)


@pytest.mark.parametrize("place", ["read", "logs"])
def test_only_viewers_read_logs(desk: Desk, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Whoever may do nothing reads none."""
    printed(desk, "secret\n")
    monkeypatch.setattr(VISITOR_OF, lambda _request: Visitor(Role.NOBODY))
    page = desk.get(f"/campaigns/prompt/{place}/reco/1", 403)
    assert "To read logs takes the role viewer" in page
