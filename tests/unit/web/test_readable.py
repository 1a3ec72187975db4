"""What everybody needs who reads a page: by a screen reader, by the keyboard, with weak eyes."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoctrl.incidents import join_failures
from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.web.pages.door import show_door
from tests.unit.web.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = "/campaigns/prompt"
PAGES = (
    HOME,
    f"{HOME}?status=failed&sort=age&where=kind%3Dphysics",
    f"{HOME}/grid",
    f"{HOME}/runs/1",
    f"{HOME}/runs/2",
    f"{HOME}/tasks/reco/1",
    f"{HOME}/tasks/reco/2",
    f"{HOME}/read/reco/1",
    f"{HOME}/workflows/reco",
    f"{HOME}/plots/2",
    f"{HOME}/trends",
    f"{HOME}/quotas",
    f"{HOME}/incidents",
    f"{HOME}/verbs/reco?runs=1-2",
    "/nowhere",
)
STYLE = Path(__file__).parents[3] / "autoctrl" / "web" / "static" / "style.css"
VOID = frozenset({"input", "meta", "link", "img", "br", "hr"})
FIELDS = frozenset({"input", "select"})
LEAST = 4.5  # contrast of a text with what is behind it, as WCAG 2.2 has it at level AA


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(folder=tmp_path, more='[quotas.scratch]\ntype = "local"\npath = "/scratch"\n')
    made.scene.runs(1, 2, 3, kind="physics")
    made.scene.workflow("reco")
    failed = made.scene.task(1, "reco", TaskStatus.FAILED, reason="exit code 3")
    made.scene.job(failed, JobStatus.FAILED, reason="exit code 3")
    done = made.scene.task(2, "reco", TaskStatus.DONE, reason="alarm: light = 1 is below 2")
    made.scene.output(done, name="light", url="/data/light.png")
    now = made.scene.clock.now()
    fields = FieldsRecord(done, 1, {"light": 1.0, "alarm": "light = 1 is below 2"}, now)
    tasks = [made.scene.newest(failed)]
    made.scene.store.append(
        [fields, *join_failures(made.scene.store, "prompt", "reco", tasks, now)]
    )
    return made


class Page(HTMLParser):
    """What a page has: ``faults`` are what a reader stumbles over."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.counts: dict[str, int] = {}
        self._within: list[str] = []
        self._ids: set[str] = set()
        self._named: set[str] = set()
        self._unnamed: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        self.faults += [tag for tag, name in self._unnamed if name not in self._named]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self._note_identity(given)
        has_name = "aria-label" in given
        if tag in FIELDS and given.get("type") != "hidden":
            if not has_name and "label" not in self._within:
                self._unnamed.append(
                    (f"{tag} {given.get('name')} has no label", given.get("id") or "")
                )
        elif tag == "nav" and not has_name:
            self.faults.append("a nav has no name")
        elif tag == "img" and "alt" not in given:
            self.faults.append(f"{given.get('src')} has no words")
        elif tag == "th" and "scope" not in given:
            self.faults.append("a th has no scope")
        elif tag == "svg" and given.get("role") == "img" and not has_name:
            self.faults.append("a drawing has no words")
        if given.get("tabindex") == "0" and given.get("role") == "region" and not has_name:
            self.faults.append("a region has no name")
        if tag not in VOID:
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while tag in self._within and self._within.pop() != tag:
            pass

    def _note_identity(self, given: dict[str, str | None]) -> None:
        identity = given.get("id")
        if identity in self._ids and identity is not None:
            self.faults.append(f"two are #{identity}")
        self._ids.add(identity or "")
        self._named.add(given.get("for") or "")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_landmarks_and_names(desk: Desk, path: str) -> None:
    """One heading, one main part, a language; each field, picture, column and list of links has a
    name, and no two parts have the same identity.
    """
    answer = desk.browser.get(path)
    assert answer.status_code == (404 if path == "/nowhere" else 200)
    text = answer.text
    page = Page(text)
    assert page.faults == []
    assert '<html lang="en">' in text
    assert [page.counts.get(tag) for tag in ("h1", "main", "header", "footer")] == [1, 1, 1, 1]


@pytest.mark.parametrize(("verb", "path"), [("pause", "workflows/reco"), ("ack", "incidents/{id}")])
def test_what_asks_once_more_has_them_too(desk: Desk, verb: str, path: str) -> None:
    """And so has the page of an incident, and that of what a verb would move."""
    desk.get(HOME)
    links = desk.links(f"{HOME}/incidents")
    incident = next(link for link in links if "/incidents/" in link).rpartition("/")[2]
    shown = [desk.browser.get(f"{HOME}/incidents/{incident}").text]
    shown += [desk.ask(f"{HOME}/{path.format(id=incident)}", verb=verb).text]
    shown += [desk.preview("retry", 1).text]
    for text in shown:
        page = Page(text)
        assert page.faults == []
        assert page.counts["h1"] == 1
    assert "agree" in shown[1]
    assert "agree" in shown[2]


def test_the_door_has_them_too() -> None:
    """It has nothing of the project, and so no head."""
    page = Page(bytes(show_door("Log in.", "With the laboratory's account.", 401).body).decode())
    assert page.faults == []
    assert [page.counts.get(tag) for tag in ("h1", "main")] == [1, 1]


def colours(*, is_dark: bool) -> dict[str, str]:
    """Return the colours of the style by name."""
    style = STYLE.read_text(encoding="utf-8")
    light, _, dark = style.partition("prefers-color-scheme: dark")
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light.partition("}")[0]))
    if is_dark:
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark.partition("}")[0]))
    return found


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``, as WCAG defines it."""
    parts = [int(colour[begin : begin + 2], 16) / 255 for begin in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    darker, brighter = sorted((luminance(one), luminance(other)))
    return (brighter + 0.05) / (darker + 0.05)


def pairs() -> Iterator[tuple[str, str]]:
    """Yield which colours stand on which."""
    for text in ("text", "soft", "link"):
        yield from ((text, back) for back in ("page", "card"))
    for status in ("new", "processing", "done", "failed", "skipped", "held"):
        yield status, f"{status}-back"
        yield status, "card"
    yield from (("text", back) for back in ("failed-back", "processing-back"))
    yield from (("soft", back) for back in ("failed-back", "processing-back"))
    yield "card", "failed"
    yield "card", "processing"


@pytest.mark.parametrize("is_dark", [False, True])
def test_texts_stand_out_from_what_is_behind_them(*, is_dark: bool) -> None:
    """In the light and in the dark, also white on what has been chosen."""
    known = colours(is_dark=is_dark)
    weak = {
        pair: contrast(known[pair[0]], known[pair[1]])
        for pair in pairs()
        if contrast(known[pair[0]], known[pair[1]]) < LEAST
    }
    assert weak == {}
    assert contrast("#ffffff", known["accent"]) >= LEAST
