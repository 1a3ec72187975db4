"""What pages show of what others wrote, and what they answer when something is wrong."""

from __future__ import annotations

import re

import pytest

from autoctrl.errors import StoreError
from autoctrl.model.campaign import Campaign
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.unit import TaskKey
from tests.unit.web.desk import HERE, Desk, text_of

EVIL = "<script>alert('x')</script>\"'"

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus


def test_nothing_that_others_wrote_becomes_part_of_a_page(desk: Desk) -> None:
    """Attributes, reasons, names, paths, logs and units are shown letter by letter on every
    page.
    """
    desk.executor.log = lambda _handle, stream="stdout": EVIL + stream  # type: ignore[method-assign, assignment]
    desk.scene.runs(1, 2, **{"kind": EVIL, EVIL: EVIL})  # type: ignore[arg-type]
    desk.scene.workflow(EVIL, group_by="kind", late={})
    desk.scene.campaign(Campaign(EVIL, follow=True))
    desk.scene.task(f"kind:{EVIL}", EVIL, FAILED, members=(1, 2), reason=EVIL, log=EVIL)
    key = desk.scene.task(
        1, "reco", FAILED, reason=EVIL, reads=[(TaskKey("prompt", EVIL, f"kind:{EVIL}"), 1)]
    )
    desk.scene.job(key, JobStatus.FAILED, reason=EVIL, host=EVIL)
    desk.scene.output(key, name=EVIL, url=f"javascript:{EVIL}")
    waiting = [
        "/campaigns/prompt",
        "/campaigns/prompt?runs=%3Cscript%3E",
        "/campaigns/prompt/tasks/reco/%3Cscript%3E",
    ]
    visited: set[str] = set()
    while waiting and len(visited) < 150:
        path = waiting.pop()
        if path in visited:
            continue
        visited.add(path)
        answer = desk.browser.get(path)
        assert answer.status_code < 500
        if "text/html" in answer.headers["content-type"]:
            assert "<script>" not in answer.text
            assert 'href="javascript' not in answer.text
            assert all(
                link.startswith(("/", "http", "#"))
                for link in re.findall(r'href="([^"]*)"', answer.text)
            )
            waiting += desk.links(path)
    assert len(visited) > 10


@pytest.mark.parametrize(
    "path", ["/", "/campaigns/prompt", "/nowhere", "/api/status", "/static/style.css", "/health"]
)
def test_every_answer_carries_the_careful_headers(desk: Desk, path: str) -> None:
    """No page loads anything from elsewhere, is framed, or is kept by others."""
    headers = desk.browser.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] in {"no-store", "no-cache"}


def test_pages_load_nothing_from_elsewhere(desk: Desk) -> None:
    """Style, script and picture come from the server itself, and they are there."""
    page = desk.get("/campaigns/prompt")
    loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(set(loaded)) == 4
    assert "http" not in re.sub(r"<title>.*?</title>", "", page)
    assert {desk.browser.get(path).status_code for path in loaded} == {200}
    assert "style=" not in page  # the policy forbids it, so it would do nothing


def test_a_foreign_name_for_this_machine_is_refused(desk: Desk) -> None:
    """Bound to the loopback address, the server does not answer to a name that somebody else
    resolves to it.
    """
    assert (
        desk.browser.get("/campaigns/prompt", headers={"Host": "evil.example"}).status_code == 421
    )
    assert desk.browser.get("/campaigns/prompt", headers={"Host": "[bad"}).status_code == 421
    for host in ("localhost:8080", "127.0.0.1", "[::1]:8080"):
        assert desk.browser.get("/campaigns/prompt", headers={"Host": host}).status_code == 200


def test_a_store_that_does_not_answer_is_said_plainly(desk: Desk) -> None:
    """Every page then says what the store says, with the code for trouble that passes."""

    def refuse(*_: object) -> None:
        message = "The store is locked."
        raise StoreError(message, hint="Try again.")

    for name in ("marks", "runs", "tasks"):
        setattr(desk.scene.store, name, refuse)
    assert "The store is locked. Try again." in desk.get("/campaigns/prompt", 503)
    assert '"error": "The store is locked."' in desk.get("/api/status", 503)


def test_a_defect_tells_nothing_of_the_inside(desk: Desk) -> None:
    """An error that nobody foresaw is answered with a page, not with a trace."""

    def break_down(*_: object) -> None:
        raise ZeroDivisionError(EVIL)

    desk.scene.store.tasks = break_down  # type: ignore[method-assign, assignment]
    desk.scene.task(1, "reco", DONE)
    desk.browser._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
    page = desk.get("/campaigns/prompt", 500)
    assert "This is a defect of the server" in page
    assert "ZeroDivision" not in page
    assert "alert(" not in page


def test_the_page_works_at_every_address_of_a_group(desk: Desk) -> None:
    """A group's page is found under its own name and under each of its runs."""
    desk.scene.runs(1, 2, fill=7)
    desk.scene.workflow("sums", group_by="fill", late={})
    desk.scene.task("fill:7", "sums", DONE, members=(1, 2))
    for unit in ("fill:7", "fill%3A7", "1"):
        assert "fill 7" in desk.get(f"/campaigns/prompt/tasks/sums/{unit}")
    assert desk.browser.get(f"{HERE}/campaigns/prompt/tasks/sums/fill:8").status_code == 200


def test_an_alarm_of_the_data_stands_beside_done(desk: Desk) -> None:
    """Overview, run and task say alarm beside done, with the sentence which number is beyond which
    limit.
    """
    sentence = "alarm: pedestal_rms = 12.5 is above 10"
    desk.scene.task(1, "reco", DONE, reason=sentence)
    desk.scene.task(2, "reco", FAILED, reason="exit code 3")
    overview = text_of(desk.get("/campaigns/prompt"))
    assert "done alarm" in overview
    assert overview.index("exit code 3") < overview.rindex(sentence)
    for page in ("/campaigns/prompt/runs/1", "/campaigns/prompt/tasks/reco/1"):
        text = text_of(desk.get(page))
        assert "done alarm" in text
        assert sentence in text


def test_an_overview_is_nobodys_own(desk: Desk) -> None:
    """It is drawn once for all, so it gives no browser a cookie and holds no form that moves
    anything; what is written shows at once.
    """
    first = desk.browser.get("/campaigns/prompt")
    assert "set-cookie" not in first.headers
    assert 'name="token"' not in first.text
    assert desk.browser.get("/campaigns/prompt").text == first.text
    desk.scene.runs(3, kind="physics")
    assert "/campaigns/prompt/runs/3" in desk.links("/campaigns/prompt")
