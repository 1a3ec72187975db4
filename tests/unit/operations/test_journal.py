"""What was deployed, what can be gone back to, and what became of deployments that were ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from autoctrl.model.actor import Actor
from autoctrl.operations.deployment import journal
from autoctrl.operations.deployment.journal import DONE, FAILED, INTENT, Entry
from autoctrl.operations.deployment.layout import campaign_of, slug_of

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
A, B, C = "a" * 40, "b" * 40, "c" * 40


def entry(name: str, commit: str, step: str = DONE, **changes: object) -> Entry:
    """Return a line of the journal."""
    made = Entry(name, step, NOW, Actor("ada", "cli"), f"refs/tags/{name}", commit)
    return made._replace(**changes)  # type: ignore[arg-type]  # as the caller has them


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Each line comes back whole; lines that a crash has cut are left out."""
    path = tmp_path / "journal"
    assert journal.read_entries(path) == []
    first, second = entry("1", A, reason="first", request="r1"), entry("2", B, is_back=True)
    journal.write_entry(path, first)
    with path.open("ab") as file:
        file.write(b'{"schema": 1, "ac')
    journal.write_entry(path, second)
    with path.open("ab") as file:
        file.write(b"[]\n\n{}\nnull\n")
    assert journal.read_entries(path) == [first, second]


def test_an_intent_without_an_outcome_is_judged_by_what_is_current() -> None:
    """It was done if its release is current, else it failed."""
    intents = [entry("1", A, INTENT), entry("2", B, INTENT), entry("1", A)]
    (left,) = journal.unfinished(intents)
    assert left == intents[1]
    later = NOW + timedelta(hours=1)
    assert journal.outcome_of(left, B[:12], later) == entry("2", B, DONE, time=later)
    assert journal.outcome_of(left, "", later).step == FAILED


def commits(*entries: Entry) -> list[str]:
    return [one.commit for one in journal.earlier(entries)]


def test_going_back_goes_further_each_time() -> None:
    """What was deployed since is forgotten; the same commit twice counts once."""
    a, b, c = entry("1", A), entry("2", B), entry("3", C)
    assert commits() == commits(a) == []
    assert commits(a, b, c) == [B, A]
    assert commits(a, b, entry("x", C, FAILED)) == [A]
    assert commits(a, b, c, b._replace(is_back=True)) == [A]
    assert commits(a, b, c, b._replace(is_back=True), a._replace(is_back=True)) == []
    assert commits(a, b, b, c) == [B, A]
    assert commits(b, a._replace(is_back=True)) == [B]


def test_what_the_journal_says() -> None:
    """Releases by age, used requests, and where a ref stood."""
    lines = [entry("1", A, INTENT, request="r"), entry("1", A), entry("2", B), entry("1", C)]
    assert journal.by_age([*lines, entry("1", A)]) == [A[:12], C[:12], B[:12]]
    assert journal.used_requests(lines) == {"r"}
    assert journal.commits_of(lines, "refs/tags/1") == [A, C]
    assert journal.new_id() != journal.new_id()


def test_branches_have_names_of_their_own() -> None:
    """A slug suits folders and campaigns, and differs where the branch does."""
    assert slug_of("feature/New Thing!").startswith("feature-new-thing-")
    assert slug_of("a/b") != slug_of("a-b")
    assert len(slug_of("x" * 200)) == 47
    assert len(slug_of("é")) == 6
    assert campaign_of("a/b") == f"branch-{slug_of('a/b')}"
