"""The files of outputs, shown and handed over."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

import pytest

from autoctrl.errors import ServiceDown
from autoctrl.model.output import LocationState, OutputRecord
from autoctrl.model.role import Role
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.web.entry.visitor import STRANGER
from autoctrl.web.files import genuine
from autoctrl.web.files.media import PNG_BEGIN, Span
from autoctrl.web.files.reader import ASKING, MOST_IN_PLACE, FileReader
from autoctrl.web.pages import outputs
from tests.unit.web.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable

    from httpx2 import Response
    from starlette.types import Message

    from autoctrl.model.unit import TaskKey

PICTURE = PNG_BEGIN + bytes(range(256)) * 4
ADDRESS = "/campaigns/prompt/outputs/reco/1"


class Shelf(NamedTuple):
    """A page with one done task, and the folder of its outputs."""

    desk: Desk
    key: TaskKey
    folder: Path

    def put(self, name: str, content: bytes, path: str = "", **changes: object) -> Path:
        """Write a file and record it as an output."""
        file = self.folder / (path or name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        checksums = {"sha256": hashlib.sha256(content).hexdigest()}
        self.record(name, str(file), len(content), **{"checksums": checksums, **changes})
        return file

    def record(self, name: str, url: str, size: int, **changes: object) -> None:
        """Record an output that may be there or not."""
        now = self.desk.scene.clock.now()
        output = OutputRecord(
            self.key,
            1,
            name,
            url,
            LocationState.PRESENT,
            size,
            {"sha256": "ab" * 32},
            {},
            (1,),
            "",
            now,
        )
        self.desk.scene.store.append([output._replace(**changes)])  # type: ignore[arg-type]

    def get(self, name: str, query: str = "", **headers: str) -> Response:
        """Ask for an output."""
        return self.desk.browser.get(f"{ADDRESS}?name={name}{query}", headers=headers)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    desk = Desk(folder=tmp_path)
    desk.scene.runs(1)
    desk.scene.workflow("reco")
    key = desk.scene.task(1, "reco", TaskStatus.DONE)
    return Shelf(desk, key, tmp_path / "mirror")


def test_a_picture_is_shown_in_a_sandbox(shelf: Shelf) -> None:
    """It is what was recorded, of a type that the browser does not guess, and nothing may run."""
    shelf.put("plot", PICTURE, "dq run1.png")
    answer = shelf.get("plot")
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == (
        "inline; filename=\"dq_run1.png\"; filename*=UTF-8''dq%20run1.png"
    )
    kept = shelf.get("plot", "&download=1").headers["content-disposition"]
    assert kept.startswith("attachment; ")


def test_a_page_or_a_drawing_of_a_job_is_only_handed_over(shelf: Shelf) -> None:
    """What could hold a script is a file to keep, whatever it calls itself."""
    shelf.put("page", b"<script>alert(1)</script>", "page.html")
    shelf.put("drawing", b"<svg/>", "drawing.svg")
    shelf.put("trick", b"<script>alert(1)</script>", "trick.png")
    for name in ("page", "drawing", "trick"):
        headers = shelf.get(name).headers
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-disposition"].startswith("attachment")


def test_the_api_has_the_same_file(shelf: Shelf) -> None:
    """A program gets it at its own address, and errors as JSON."""
    shelf.put("report", b'{"level": "fine"}', "report.json")
    assert shelf.desk.browser.get("/api/output/1/reco?name=report").json() == {"level": "fine"}
    refused = shelf.desk.browser.get("/api/output/1/reco?name=other")
    assert refused.status_code == 404
    assert "there are: report" in refused.json()["error"]


def test_parts_of_a_file_are_answered(shelf: Shelf) -> None:
    """A reader that goes on where it was interrupted gets the rest, if the file is the same."""
    shelf.put("plot", PICTURE, "plot.png")
    part = shelf.get("plot", Range="bytes=8-11")
    assert (part.status_code, part.content) == (206, bytes(range(4)))
    assert part.headers["content-range"] == f"bytes 8-11/{len(PICTURE)}"
    etag = part.headers["etag"]
    assert shelf.get("plot", Range="bytes=8-11", **{"If-Range": etag}).status_code == 206
    assert shelf.get("plot", Range="bytes=8-11", **{"If-Range": '"old"'}).content == PICTURE
    assert shelf.get("plot", Range="bytes=99999-").status_code == 416
    assert shelf.get("plot", **{"If-None-Match": etag}).status_code == 304
    head = shelf.desk.browser.head(f"{ADDRESS}?name=plot")
    assert (head.headers["content-length"], head.content) == (str(len(PICTURE)), b"")


def test_a_file_is_looked_at_again_whenever_it_was_written_to(shelf: Shelf) -> None:
    """It has been answered before, its size and its time are as they were: it is refused."""
    file = shelf.put("plot", PICTURE, "plot.png")
    answer, times = shelf.get("plot"), file.stat()
    assert shelf.get("plot").content == PICTURE
    file.write_bytes(PICTURE[::-1])
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert shelf.get("plot").status_code == 409
    assert shelf.get("plot", **{"If-None-Match": answer.headers["etag"]}).status_code == 409


def test_a_large_file_is_judged_by_its_time(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is too large to be read beforehand may not be younger than its record, and its tag
    is that of the very file, not of the recorded content.
    """
    monkeypatch.setattr(genuine, "MOST_VERIFIED", 10)
    file = shelf.put("data", PICTURE, "data.root")
    recorded = shelf.desk.scene.clock.now().timestamp()
    tags = []
    for age_s in (3600, 30):
        os.utime(file, times=(0, recorded - age_s))
        answer = shelf.get("data")
        assert answer.content == PICTURE
        tags.append(answer.headers["etag"])
        assert shelf.get("data", **{"If-None-Match": tags[-1]}).status_code == 304
    assert len(set(tags)) == 2
    os.utime(file, times=(0, recorded + 3600))
    assert "it was written to at" in shelf.desk.get(f"{ADDRESS}?name=data", 409)


def test_a_file_that_is_cut_while_it_is_sent_is_one_line_in_the_log(
    shelf: Shelf, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer has no end, by which the reader knows; the log says so without a traceback."""
    monkeypatch.setattr(outputs, "PIECE", 100)
    file = shelf.put("data", PICTURE, "data.root")
    descriptor = os.open(file, os.O_RDONLY)
    answer = outputs.FileAnswer(descriptor, Span(0, len(PICTURE)), 200, {})
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        os.truncate(file, 150)

    async def receive() -> Message:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    asyncio.run(answer({"type": "http", "path": "/x", "method": "GET"}, receive, send))
    assert b"".join(message.get("body", b"") for message in sent) == PICTURE[:150]
    assert sent[-1]["more_body"]
    assert [record.getMessage() for record in caplog.records] == [
        "/x is sent only in part: [Errno 5] it became shorter while it was read"
    ]
    assert caplog.records[0].exc_info is None


def test_a_huge_file_is_read_piece_by_piece(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """However large, and no more of it than is asked for."""
    asked: list[int] = []
    read = os.pread

    def watched(descriptor: int, length: int, at: int) -> bytes:
        asked.append(length)
        return read(descriptor, length, at)

    monkeypatch.setattr(os, "pread", watched)
    file = shelf.put("data", b"", "data.root", bytes=2**36)
    os.truncate(file, 2**36)
    os.utime(file, times=(0, 0))
    answer = shelf.get("data", Range=f"bytes=0-{3 * outputs.PIECE - 1}")
    assert len(answer.content) == 3 * outputs.PIECE
    assert max(asked) == outputs.PIECE


def to_pipe(file: Path) -> None:
    """Put a pipe in the place of a file."""
    file.unlink()
    os.mkfifo(file)


def to_link(file: Path) -> None:
    """Put a link to another file of the same size in the place of a file."""
    secret = file.parent.parent / "secret"
    file.rename(secret)
    file.symlink_to(secret)


def to_linked_folder(file: Path) -> None:
    """Let the folder of a file be a link to elsewhere."""
    elsewhere = file.parent.parent.parent / "elsewhere"
    file.parent.rename(elsewhere)
    file.parent.symlink_to(elsewhere)


def to_folder(file: Path) -> None:
    """Put a folder in the place of a file."""
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("spoil", "code", "says"),
    [
        (Path.unlink, 410, "is gone: the output plot was recorded there"),
        (to_pipe, 403, "it is a pipe, not a file"),
        (to_link, 403, "it is a link, not a file"),
        (to_linked_folder, 403, "'v1' on the way to it is a link"),
        (to_folder, 403, "it is a folder, not a file"),
        (lambda file: file.write_bytes(b"x"), 409, "it has 1 bytes, but was recorded with 1032"),
        (lambda file: file.write_bytes(b"x" * 1032), 409, "its content has another checksum"),
    ],
)
def test_a_file_that_is_not_as_recorded_is_refused(
    shelf: Shelf, spoil: Callable[[Path], object], code: int, says: str
) -> None:
    """The page says what is there instead, and shows nothing of it."""
    spoil(shelf.put("plot", PICTURE, "reco/v1/plot.png"))
    assert says in shelf.desk.get(f"{ADDRESS}?name=plot", code)


@pytest.mark.parametrize(
    ("url", "code", "says"),
    [
        ("/etc/hostname", 403, "does not lie beneath"),
        ("{root}/../secret", 403, "does not lie beneath"),
        ("root://eos//data/x.root", 404, "lies at root://eos//data/x.root"),
    ],
)
def test_what_a_record_names_elsewhere_is_not_read(
    shelf: Shelf, url: str, code: int, says: str
) -> None:
    """Only the folder of outputs is read, whatever a record says."""
    (shelf.folder.parent / "secret").write_bytes(b"secret")
    shelf.record("odd", url.format(root=shelf.folder), 6)
    assert says in shelf.desk.get(f"{ADDRESS}?name=odd", code)


def test_only_recorded_files_have_an_address(shelf: Shelf) -> None:
    """There is no way to name a file that no record names; a deleted copy is gone."""
    shelf.put("plot", PICTURE, "plot.png")
    (shelf.folder / "other.png").write_bytes(PICTURE)
    for name in ("other", "../plot", "plot.png", ""):
        assert "there are: plot" in shelf.desk.get(f"{ADDRESS}?name={name}", 404)
    assert "in version 7" in shelf.desk.get(f"{ADDRESS}?name=plot&version=7", 404)
    shelf.put("plot", PICTURE, "plot.png", state=LocationState.DELETED)
    assert "The output plot is deleted" in shelf.desk.get(f"{ADDRESS}?name=plot", 410)


def test_parts_that_share_a_name_are_told_apart_by_content(shelf: Shelf) -> None:
    """Their addresses carry the beginning of the checksum."""
    parts = [b"one", b"two"]
    for number, part in enumerate(parts):
        shelf.put("part", part, f"{number}/part.txt")
    digests = [hashlib.sha256(part).hexdigest() for part in parts]
    found = [shelf.get("part", f"&content={digest[:12]}").content for digest in digests]
    assert found == parts


def test_every_output_on_a_page_leads_to_its_file(shelf: Shelf) -> None:
    """Pictures are seen on the pages of task and run, and each file can be opened and kept."""
    shelf.put("plot", PICTURE, "plot.png")
    shelf.put("report", b"{}", "report.json")
    for page in ("/campaigns/prompt/tasks/reco/1", "/campaigns/prompt/runs/1"):
        text = shelf.desk.browser.get(page).text
        assert text.count('<img loading="lazy"') == 1
        links = [link for link in shelf.desk.links(page) if "/outputs/" in link]
        assert {shelf.desk.browser.get(link).status_code for link in links} == {200}
        assert sum("download=1" in link for link in links) == 2


def test_the_public_sees_neither_outputs_nor_logs(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pages are public, what jobs wrote still is not."""
    shelf.put("plot", PICTURE, "plot.png")
    shelf.desk.scene.job(shelf.key, JobStatus.DONE)
    anybody = STRANGER._replace(role=Role.VIEWER)
    monkeypatch.setattr("autoctrl.web.entry.gate.Gate.visitor", lambda *_: anybody)
    assert "To see outputs, log in" in shelf.desk.get(f"{ADDRESS}?name=plot", 403)
    assert "To read logs, log in" in shelf.desk.get("/campaigns/prompt/logs/reco/1", 403)
    assert "To read logs, log in" in shelf.desk.get("/api/log/1/reco", 403)
    for page in ("plots/1", "trends"):
        assert "log in" in shelf.desk.get(f"/campaigns/prompt/{page}", 403)
    page = shelf.desk.get("/campaigns/prompt/tasks/reco/1")
    assert "stdout of" not in page
    assert "/outputs/" not in page.replace(str(shelf.folder), "")


def test_a_silent_file_system_holds_up_only_its_own_readers() -> None:
    """Who asks is told after a while; once too many wait for it others are told soon."""
    reader, answered = FileReader(wait_s=0.01, turn_s=0.01, most_waiting=2), Event()
    for _ in range(3):
        with pytest.raises(ServiceDown, match="does not answer"):
            reader.ask(answered.wait)
    answered.set()


def test_a_place_that_is_silent_is_not_asked_again_and_again() -> None:
    """Other places are asked meanwhile, and the silent one once it has answered."""
    reader, answered = FileReader(wait_s=0.01, turn_s=60), Event()
    asked: list[int] = []

    def hang() -> bool:
        asked.append(1)
        return answered.wait(60)

    for _ in range(MOST_IN_PLACE + 2):
        with pytest.raises(ServiceDown, match="does not answer"):
            reader.ask(hang, "dead")
    reader.wait_s = 60
    assert reader.ask(lambda: 7, "alive") == 7
    answered.set()
    for asking in threading.enumerate():
        if asking.name == ASKING:
            asking.join(60)
    assert len(asked) == MOST_IN_PLACE
    assert reader.ask(lambda: 7, "dead") == 7


def test_an_answer_is_what_was_returned_or_raised() -> None:
    """By the question, in the thread of who asks."""
    patient = FileReader(wait_s=60)
    assert patient.ask(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        patient.ask(lambda: 1 // 0)
