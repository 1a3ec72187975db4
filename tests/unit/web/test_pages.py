"""The pages that a person reads."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from autoctrl.model.campaign import Campaign
from autoctrl.model.condition import ConditionKind, Verdict, judge
from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import Failure, JobStatus, TaskStatus
from tests.unit.web.desk import Desk, text_of

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
RUN_LINK = re.compile(r'href="/campaigns/prompt/runs/(\d+)"')


def test_the_front_page_leads_to_the_campaign(desk: Desk) -> None:
    """The front page leads to the campaign that is chosen, by default to the one that the server
    shows first.
    """
    assert desk.browser.get("/").headers["location"] == "/campaigns/prompt"
    assert desk.browser.get("/?campaign=re%2Fdo").headers["location"] == "/campaigns/re%2Fdo"


def test_the_title_names_campaign_environment_and_project(desk: Desk) -> None:
    """Nobody mistakes the mirror for production, or one campaign for another."""
    assert "<title>Overview · prompt · mirror · Camera & Co</title>" in desk.get(
        "/campaigns/prompt"
    )


def test_what_matters_most_is_open_on_the_overview(desk: Desk) -> None:
    """Other pages say in a line what cannot be done, and a pause stands below what is broken."""
    now = desk.scene.clock.now()
    broken = [Verdict(ConditionKind.SOURCE, name, "silent") for name in "abcd"]
    desk.scene.mark("pause", "prompt", "reco", {"paused": True}, reason="storage")
    desk.scene.store.append(judge([], broken, "prompt", now))
    overview = desk.get("/campaigns/prompt").partition('id="totals"')[0]
    shown, _, folded = overview.partition("<summary>")
    assert re.findall(r"<b>(\w+ \w+)</b>", shown) == ["source a", "source b", "source c"]
    assert "2 more things that cannot be done, or may not: source d, pause reco<" in folded
    run = desk.get("/campaigns/prompt/runs/1")
    assert "5 things that cannot be done, or may not: source a, source b, source c, …" in run


@pytest.mark.parametrize("page", ["/campaigns/prompt", "/campaigns/prompt/runs/1", "/nowhere"])
def test_what_cannot_be_done_stands_at_the_top_of_every_page(desk: Desk, page: str) -> None:
    """With its reason, since when, and what to do; text of a reason is never markup."""
    broken = Verdict(ConditionKind.MODULE, "reco", "SyntaxError: <b>'(' was never closed</b>")
    desk.scene.store.append(judge([], [broken], "prompt", desk.scene.clock.now()))
    answer = desk.browser.get(page).text
    bar = answer.partition('id="conditions"')[2].partition("</section>")[0]
    assert "module reco" in text_of(bar)
    assert "&lt;b&gt;" in bar
    assert "autoctrl doctor" in bar
    assert answer.index('id="conditions"') < answer.index("<h1")


def test_the_overview_has_a_row_for_each_run_the_newest_first(desk: Desk) -> None:
    """Each task says its status in words, its version, whether it is stale, and its group."""
    reco = desk.scene.task(1, "reco", DONE, version=2)
    desk.scene.task(1, "friends", DONE, reads=[(reco, 1)])
    desk.scene.workflow("sums", group_by="fill", late={})
    desk.scene.runs(1, 2, kind="physics", fill=7)
    desk.scene.task("fill:7", "sums", PROCESSING, members=(1, 2))
    page = desk.get("/campaigns/prompt")
    assert RUN_LINK.findall(page) == ["2", "1"]
    rows = re.findall(r"<tr>\n.*?</tr>", page, re.DOTALL)
    assert (
        text_of(rows[-1]) == "1 processing done v2 processing fill 7 done stale kind physics fill 7"
    )
    assert text_of(rows[-2]).count("no task") == 2


def test_runs_are_shown_fifty_at_a_time(desk: Desk) -> None:
    """Links lead through all pages to the oldest run, and back again."""
    desk.scene.runs(*range(1, 121))
    seen, address = [], "/campaigns/prompt"
    while True:
        seen.append([int(number) for number in RUN_LINK.findall(desk.get(address))])
        older = [link for link in desk.links(address) if "before=" in link]
        if not older:
            break
        address = older[0]
    assert seen == [[*range(120, 70, -1)], [*range(70, 20, -1)], [*range(20, 0, -1)]]
    newer = next(link for link in desk.links(address) if "after=" in link)
    assert [int(number) for number in RUN_LINK.findall(desk.get(newer))] == seen[1]


def test_a_new_run_does_not_move_the_pages(desk: Desk) -> None:
    """Whoever turns to the next page sees what follows, even if runs have arrived meanwhile."""
    desk.scene.runs(*range(1, 101))
    older = next(link for link in desk.links("/campaigns/prompt") if "before=" in link)
    desk.scene.runs(*range(101, 111))
    assert RUN_LINK.findall(desk.get(older))[0] == "50"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status=failed", [5]),
        ("status=processing", [4, 3]),
        ("status=new", [6, 2]),
        ("status=done", [8, 7, 1]),
        ("runs=2-5,8", [8, 5, 4, 3, 2]),
        ("runs=2-900000000000&status=done", [8, 7]),
        ("runs=70", []),
        ("status=done&before=8", [7, 1]),
        ("status=done&after=1", [8, 7]),
        ("status=new&workflow=friends", [4]),
        ("where=kind%3Dphysics", []),
        ("since=1h&runs=1-2&sort=oldest", [1, 2]),
    ],
)
def test_the_overview_is_filtered(query: str, shown: list[int]) -> None:
    """Runs are chosen by number and by their status; a run that nobody has looked at is new."""
    desk = Desk()
    desk.scene.runs(*range(1, 9))
    desk.scene.workflow("reco")
    desk.scene.workflow("friends")
    statuses = {1: DONE, 2: NEW, 3: PROCESSING, 4: DONE, 5: FAILED, 6: NEW, 7: SKIPPED, 8: DONE}
    for run, status in statuses.items():
        desk.scene.task(run, "reco", status)
    desk.scene.task(4, "friends", NEW)
    assert [
        int(number) for number in RUN_LINK.findall(desk.get(f"/campaigns/prompt?{query}"))
    ] == shown


def test_totals_are_above_the_table(desk: Desk) -> None:
    """They count everything, with links to what has failed, whatever the page shows."""
    desk.scene.runs(*range(1, 71))
    desk.scene.task(3, "reco", FAILED, reason="exit code 3")
    desk.scene.task(70, "reco", NEW)
    page = desk.get("/campaigns/prompt?status=new")
    above = text_of(page.partition("<table")[0])
    assert "70 runs failed 1 task new 1 task" in above
    assert "Failed last: run 3 / reco" in above
    assert "all 70 failed 1 processing 0 new 69 done 0" in above
    assert "/campaigns/prompt?status=failed" in desk.links("/campaigns/prompt")
    assert "exit code 3" in desk.get("/campaigns/prompt")
    assert "nothing has failed" not in page


def test_where_nothing_has_failed_the_page_says_so(desk: Desk) -> None:
    """So that nobody has to look for it."""
    assert "nothing has failed" in desk.get("/campaigns/prompt")


def test_only_what_asks_for_a_person_is_above_the_table(desk: Desk) -> None:
    """Other reasons are one step away; an inherited task is pale and says whose it is."""
    desk.scene.campaign(Campaign("again", "prompt", ("friends",), runs="1-2"))
    desk.scene.workflow("friends", "again")
    desk.scene.task(1, "reco", FAILED, reason="broken")
    desk.scene.task(2, "reco", NEW, reason="waits for beam")
    page = desk.get("/campaigns/again")
    first, _, folded = page.partition("1 more reason why tasks wait or failed")
    assert "broken" in first.partition("<table")[0]
    assert "waits for beam" in folded
    assert 'class="inherited"' in page
    assert "kept in campaign prompt" in page


def test_runs_are_sorted(desk: Desk) -> None:
    """By their tasks, their attributes, how long they stand; and pages are turned in that order."""
    desk.scene.runs(*range(1, 121))
    desk.scene.task(70, "reco", FAILED)
    desk.scene.clock.advance(60)
    desk.scene.task(8, "reco", NEW)
    desk.scene.runs(5, kind="a")
    runs_by = {
        "oldest": [*range(1, 51)],
        "-newest": [*range(1, 51)],
        "reco": [70, 8, *range(120, 72, -1)],
        "-reco": [8, 70, *range(120, 72, -1)],
        "age": [70, 8, *range(120, 72, -1)],
        "kind": [5, *range(120, 71, -1)],
    }
    for word, runs in runs_by.items():
        page = desk.get(f"/campaigns/prompt?sort={word}")
        assert [int(number) for number in RUN_LINK.findall(page)] == runs, word
    after = next(link for link in desk.links("/campaigns/prompt?sort=oldest") if "skip=" in link)
    assert RUN_LINK.findall(desk.get(after))[0] == "51"
    before = next(link for link in desk.links(after) if link.endswith("skip=0"))
    assert RUN_LINK.findall(desk.get(before))[0] == "1"
    assert "Did you mean 'reco'?" in desk.get("/campaigns/prompt?sort=rec", 400)


def test_a_run_at_which_nobody_has_looked_is_among_the_new(desk: Desk) -> None:
    """Between the discovery of a run and the next cycle it has no task, and is shown as new."""
    desk.scene.task(1, "reco", DONE)
    desk.scene.workflow("reco")
    desk.scene.runs(3)
    assert RUN_LINK.findall(desk.get("/campaigns/prompt?status=new")) == ["3", "2"]


def test_a_late_run_is_found_by_its_groups_status(desk: Desk) -> None:
    """A run that came too late for a failed group is among the failed runs, with the reason."""
    desk.scene.runs(1, 2, fill=7)
    desk.scene.workflow("sums", group_by="fill", late={"fill:7": [2]})
    desk.scene.task("fill:7", "sums", FAILED, members=(1,))
    page = desk.get("/campaigns/prompt?status=failed")
    assert RUN_LINK.findall(page) == ["2", "1"]
    assert "fill 7 was processed without it" in page


def test_alike_reasons_are_said_once(desk: Desk) -> None:
    """Tasks of one workflow that wait for the same are one line, also where the reason names the
    run itself.
    """
    until = desk.scene.clock.now() + timedelta(seconds=250)
    desk.scene.task(1, "reco", NEW, reason="run 1 is too young", until=until)
    desk.scene.task(2, "reco", NEW, reason="run 2 is too young", until=until + timedelta(hours=1))
    desk.scene.task(1, "friends", FAILED, reason="run 1 is broken")
    page = desk.get("/campaigns/prompt")
    lines = [text_of(item) for item in re.findall(r"<li .*?</li>", page, re.DOTALL)]
    assert lines == [
        (
            "failed friends run 1 is broken since 2026-01-01 01:00:00 CET (0 s ago) "
            "look at run 1 · act on 1 task : 1"
        ),
        (
            "new reco the run is too young since 2026-01-01 01:00:00 CET (0 s ago) "
            "passes in 4 min 10 s look at run 2 · act on 2 tasks : 1-2"
        ),
    ]
    assert "/campaigns/prompt/verbs/reco?runs=1-2" in desk.links("/campaigns/prompt")


def test_an_empty_project_says_what_to_do() -> None:
    """Without runs, or without a cycle, the page names the next step."""
    desk = Desk()
    assert "autoctrl runs add 1-5" in desk.get("/campaigns/prompt")
    desk.scene.runs(1)
    assert "autoctrl cycle" in desk.get("/campaigns/prompt")
    assert "No run here fits the status failed" in desk.get("/campaigns/prompt?status=failed")


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        ("/campaigns/promt", 404, "Did you mean 'prompt'?"),
        ("/campaigns/prompt?status=good", 400, "'good' is not a status. Known: done, failed, new"),
        ("/campaigns/prompt?runs=a-b", 400, "'a-b' is not a run selection"),
        ("/campaigns/prompt?runs=9-1", 400, "backwards"),
        (f"/campaigns/prompt?runs={'9' * 20}", 400, "too long"),
        ("/campaigns/prompt?before=x", 400, "before=x is not a whole number"),
        ("/campaigns/prompt/runs/77", 404, "Run 77 is not registered"),
        (f"/campaigns/prompt/runs/{'7' * 30}", 404, "is not registered"),
        ("/campaigns/prompt/tasks/rico/1", 404, "Did you mean 'reco'?"),
        ("/campaigns/prompt/tasks/reco/one", 404, "neither a run number nor a group"),
        (f"/campaigns/prompt/tasks/reco/{'1' * 5000}", 404, "its number is too long"),
        ("/campaigns/prompt/logs/reco/1", 404, "has no task"),
        ("/nowhere", 404, "There is no such page"),
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(
    desk: Desk, path: str, code: int, says: str
) -> None:
    """A wrong address is answered with what is wrong, in the frame of the page."""
    page = desk.get(path, code)
    assert says in page
    assert "Go to the overview" in page


def test_the_task_page_says_where_it_stands_and_why(desk: Desk) -> None:
    """Status, reason, countdown, version, and who moved it last."""
    until = desk.scene.clock.now() + timedelta(hours=2, minutes=5)
    desk.scene.task(1, "reco", NEW, reason="waits for the moon", until=until)
    text = text_of(desk.get("/campaigns/prompt/tasks/reco/1"))
    assert "run 1 / reco new" in text
    assert "waits for the moon passes in 2 h 5 min" in text
    assert "since 2026-01-01 01:00:00 CET (0 s ago) version 1 last word autoctrl (cycle)" in text
    desk.scene.clock.advance(3 * 3600)
    assert "passes any moment now" in desk.get("/campaigns/prompt/tasks/reco/1")


def test_the_task_page_shows_jobs_logs_outputs_and_what_made_it(desk: Desk) -> None:
    """Everything that is known of a task is on one page, with links to what it came from."""
    reco = desk.scene.task(1, "reco", DONE)
    key = desk.scene.task(1, "friends", DONE, reads=[(reco, 1)], provenance="ab" * 32)
    facts: dict[str, Any] = {
        "host": "node1",
        "exit_code": 3,
        "wall_s": 61.25,
        "failure": Failure.USER,
        "reason": "it broke",
    }
    desk.scene.job(key, JobStatus.FAILED, **facts)
    desk.scene.output(key)
    desk.scene.store.append([FieldsRecord(key, 1, {"clusters": 17.0}, desk.scene.clock.now())])
    page = desk.get("/campaigns/prompt/tasks/friends/1")
    text = text_of(page)
    assert (
        "0.1 failed 2026-01-01 01:00:00 CET 3 61.2 s node1 local user code: it broke stdout" in text
    )
    assert "stdout of 7.0" in text
    assert "stderr of 7.0" in text
    assert "run 1 / reco v1" in text
    assert "Events: 5" in text
    assert "clusters 17" in text
    assert "reco --fast" in text
    assert "is not in /nowhere/.autoctrl/bodies any more" in text
    assert page.count("<h2>") == 6


def test_a_task_that_was_never_born_says_why(desk: Desk) -> None:
    """Where there is no task the page says what keeps it from being born, and offers nothing to
    do.
    """
    page = desk.get("/campaigns/prompt/tasks/reco/1")
    assert "the workflow's filter does not take the run" in page
    assert "What you can do" not in page


def test_a_large_log_is_cut_and_leads_to_the_whole(desk: Desk) -> None:
    """The page shows the end of a large log from the beginning of a line; the whole is one click
    away as plain text.
    """
    lines = "".join(f"line {number}\n" for number in range(20_000))
    desk.executor.log = lambda _handle, stream="stdout": lines if stream == "stdout" else ""  # type: ignore[method-assign, assignment]
    key = desk.scene.task(1, "reco", PROCESSING)
    desk.scene.job(key, JobStatus.RUNNING)
    page = desk.get("/campaigns/prompt/tasks/reco/1")
    shown = re.search(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    assert shown is not None
    assert lines.endswith(shown[1])
    assert shown[1].startswith("line ")
    assert len(shown[1]) <= 64 * 1024
    link = next(link for link in desk.links("/campaigns/prompt/tasks/reco/1") if "/logs/" in link)
    answer = desk.browser.get(link)
    assert (answer.text, answer.headers["content-type"]) == (lines, "text/plain; charset=utf-8")
    assert "is not a stream" in desk.get("/campaigns/prompt/logs/reco/1?stream=x", 400)


def test_a_silent_executor_does_not_hide_the_task(desk: Desk) -> None:
    """If a log cannot be read the page says why in its place and shows all the rest."""
    key = desk.scene.task(1, "reco", PROCESSING)
    desk.scene.job(
        key, JobStatus.RUNNING, spec=desk.scene.job(key, index=1).spec._replace(executor="gone")
    )
    assert "There is no executor 'gone' in the settings" in desk.get(
        "/campaigns/prompt/tasks/reco/1"
    )


def test_long_histories_show_their_newest_part_first(desk: Desk) -> None:
    """The newest fifty records are shown, and all on demand."""
    key = desk.scene.task(1, "reco", DONE)
    for _ in range(20):
        desk.scene.move(key, NEW, PROCESSING, DONE)
    page = desk.get("/campaigns/prompt/tasks/reco/1")
    assert "The newest 50 of 63 records" in page
    assert page.count("<td>task</td>") == 50
    assert desk.get("/campaigns/prompt/tasks/reco/1?all=1").count("<td>task</td>") == 63


def test_the_run_page_shows_attributes_tasks_and_outputs(desk: Desk) -> None:
    """One run: what is known of it, where each task stands, what was published, and its
    neighbours.
    """
    key = desk.scene.task(1, "reco", DONE)
    desk.scene.output(key)
    text = text_of(desk.get("/campaigns/prompt/runs/1"))
    assert "kind physics" in text
    assert "reco done 0 s ago" in text
    assert "friends no task" in text
    assert "/data/reco/1/v1/output.root" in text
    assert "/campaigns/prompt/runs/2" in desk.links("/campaigns/prompt/runs/1")


def test_an_inherited_task_leads_to_where_it_is_kept(desk: Desk) -> None:
    """A task of the parent campaign is shown, and is moved only there."""
    desk.scene.task(1, "reco", DONE)
    desk.scene.campaign(Campaign("redo", parent="prompt", workflows=("friends",), runs="1"))
    assert desk.get("/campaigns/redo").count('"status is-done"') == 2  # the run and its task
    page = desk.get("/campaigns/redo/tasks/reco/1")
    assert "/campaigns/prompt/tasks/reco/1" in page
    assert "What you can do" not in page


def test_a_run_shows_how_its_tasks_stood_over_time(desk: Desk) -> None:
    """A bar for each status of each task, said in words too; a run without tasks shows none."""
    desk.scene.task(1, "reco", DONE)
    desk.scene.task(1, "friends", PROCESSING)
    page = desk.get("/campaigns/prompt/runs/1")
    assert page.count('<rect class="bar') == 5
    assert "reco: new for 0 s, then processing for 0 s, then done for" in page
    assert "Over time" not in desk.get("/campaigns/prompt/runs/2")
