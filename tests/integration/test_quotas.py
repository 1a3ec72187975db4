"""Quotas are asked in processes of their own, by the programs and services that know them."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from autoctrl.config import parse_settings
from autoctrl.errors import SettingsError
from autoctrl.machine.quotas import Question, QuotaRounds, Reply
from autoctrl.model.quota import QUOTA, Usage
from autoctrl.process import SystemClock
from autoctrl.quotas import open_quotas, s3
from autoctrl.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from autoctrl.ports import Quota
    from tests.xrootd import XrootdServer

PATIENCE_S = 200
# They know one question and refuse any other, as their models do.
EOS = """#!/bin/sh
[ "$*" = "root://eos.example.org quota ls -m -p /eos/camera/" ] || exit 22
echo "quota=node gid=project space=/eos/camera/ usedbytes=16 usedlogicalbytes=8 usedfiles=3 \
maxbytes=20 maxlogicalbytes=10 maxfiles=100 percentageusedbytes=80.00 statusbytes=ok statusfiles=ok"
"""
FS = """#!/bin/sh
[ "$1 $2 $3" = "listquota -path /afs/camera" ] || exit 22
if [ -e "$0.expired" ]; then
    echo "fs: You don't have the required access rights on '$3'" >&2
    exit 1
fi
echo "Volume Name                    Quota       Used %Used   Partition"
echo "p.camera                        1000        950   95%<<       54%    <<WARNING"
"""
TABLES = """
[quotas.eos]
type = "eos"
path = "/eos/camera/"
server = "root://eos.example.org"
[quotas.afs]
type = "afs"
path = "/afs/camera"
"""


@dataclass
class Called:
    """A quota that is a function."""

    name: str
    ask: Callable[[], Usage | None]


def ask(quota: Quota, limit_s: float = PATIENCE_S) -> Reply:
    """Ask as rounds do."""
    question = Question(quota, limit_s)
    assert question.is_over(PATIENCE_S)
    reply = question.end()
    assert question.has_gone(PATIENCE_S)
    return reply


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a folder before everything else on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def install(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_eos_and_afs_are_asked_by_their_programs(tmp_path: Path, programs: Path) -> None:
    """What is missing or refuses is a sentence; a token that ran out does not look like a full
    volume.
    """
    quotas = open_quotas(parse_settings(TABLES, tmp_path))
    missing = ask(quotas["eos"])
    assert missing.usage is None
    assert "The program eos cannot be run: No such file" in missing.problem
    install(programs / "eos", EOS)
    install(programs / "fs", FS)
    assert ask(quotas["eos"]) == Reply(Usage(8, 10, 3, 100))
    assert ask(quotas["afs"]) == Reply(Usage(950 * 1024, 1000 * 1024))
    (programs / "fs.expired").touch()
    refused = ask(quotas["afs"])
    assert refused.usage is None
    assert "fs failed with exit code 1: fs: You don't have the required access" in refused.problem
    assert refused.problem.endswith("renew it: aklog")


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("#!/bin/sh\nexec yes\n", "The program prints without end. Run it by hand"),
        (f"#!/bin/sh\necho {'9' * 40}\nsleep {PATIENCE_S} &\n", "makes no sense: 9999"),
        ("#!/bin/sh\necho oh >&2\nkill -9 $$\n", "eos failed with exit code -9: oh"),
    ],
)
def test_a_program_is_heard_to_its_end_and_no_further(
    tmp_path: Path, programs: Path, text: str, reply: str
) -> None:
    """One that never stops printing is ended; what one leaves behind is not waited for."""
    install(programs / "eos", text)
    assert reply in ask(open_quotas(parse_settings(TABLES, tmp_path))["eos"]).problem


def test_an_xrootd_server_is_asked_by_its_client(
    tmp_path: Path, xrootd: XrootdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real one says what the disk below it says; one that is not there says nothing."""
    monkeypatch.setenv("PATH", f"{xrootd.tools}:{os.environ['PATH']}")
    table = '[quotas.{0}]\ntype = "xrootd"\nurl = "{1}"\n'
    text = table.format("there", f"{xrootd.url}//")
    text += table.format("nowhere", f"{xrootd.url}//no/such/folder")
    quotas = open_quotas(parse_settings(text, tmp_path))
    usage = ask(quotas["there"]).usage
    disk = os.statvfs(xrootd.data)
    assert usage is not None
    assert usage.limit_bytes == disk.f_blocks * disk.f_frsize
    assert 0 < usage.used_bytes <= usage.limit_bytes
    failed = ask(quotas["nowhere"])
    assert (failed.usage, "xrdfs failed with exit code " in failed.problem) == (None, True)


def test_an_address_that_is_none_is_said_when_it_is_asked(tmp_path: Path) -> None:
    """The other quotas are asked all the same."""
    text = '[quotas.odd]\ntype = "xrootd"\nurl = "https://host/data"\n'
    odd = open_quotas(parse_settings(text, tmp_path))["odd"]
    with pytest.raises(SettingsError, match="is not the address of an XRootD server"):
        odd.ask()
    assert "root://host:1094//data" in ask(odd).problem


def hang() -> Usage | None:
    """Hang as a dead mount does, as far as a process can without one."""
    while True:
        signal.pause()


def fail() -> Usage | None:
    message = "not ours"
    raise ValueError(message)


def crash() -> Usage | None:
    os._exit(3)


@pytest.mark.parametrize(
    ("answer", "limit_s", "reply"),
    [
        (lambda: Usage(1, 2), PATIENCE_S, Reply(Usage(1, 2))),
        (lambda: None, PATIENCE_S, Reply()),
        (hang, 0.2, Reply(problem="It gave no answer within 0.2 s.")),
        (fail, PATIENCE_S, Reply(problem="ValueError: not ours")),
        (
            lambda: Usage(10**400, 1),
            PATIENCE_S,
            Reply(problem=f"It answered used_bytes = 1{'0' * 39}, which no quota can be."),
        ),
        (crash, PATIENCE_S, Reply(problem="The process that asked it ended without an answer.")),
    ],
)
def test_whatever_a_quota_does_is_an_answer_or_none(
    answer: Callable[[], Usage | None], limit_s: float, reply: Reply
) -> None:
    """Its process is ended in time, and nothing of it is left."""
    assert ask(Called("one", answer), limit_s) == reply


def test_a_child_holds_no_file_of_its_parent() -> None:
    """One that cannot be ended would keep a lock for ever."""
    reader, writer = os.pipe()
    question = Question(Called("one", hang), PATIENCE_S)
    try:
        os.close(writer)
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)
        question.end()
        assert question.has_gone(PATIENCE_S)


def test_a_quota_whose_question_still_hangs_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that cannot be ended stays alone: the next question has no answer at once."""
    monkeypatch.setattr(Question, "has_gone", lambda *_: False)
    asked: list[int] = []
    begin = Question.__init__

    def begin_and_count(self: Question, quota: Quota, limit_s: float = 20.0) -> None:
        asked.append(1)
        begin(self, quota, limit_s)

    monkeypatch.setattr(Question, "__init__", begin_and_count)
    settings = parse_settings('[quotas.one]\ntype = "local"\npath = "."\nevery_s = 1\n', tmp_path)
    store = MemoryStore()
    rounds = QuotaRounds(settings, {"one": Called("one", lambda: Usage(1, 2))}, "prompt")
    deadline = time.monotonic() + PATIENCE_S
    while not any(mark.reason for mark in store.marks(QUOTA, "prompt")):
        assert time.monotonic() < deadline
        rounds.start()
        rounds.take(store, SystemClock(), is_patient=True)
        time.sleep(0.05)
    (mark,) = store.marks(QUOTA, "prompt")
    assert (mark.reason, len(asked)) == ("Its last question still hangs.", 1)
    assert mark.values["used_bytes"] == 1
    rounds.close()


class Bucket(BaseHTTPRequestHandler):
    """A bucket with 5 objects that shows 2 at a time, to whoever signs; it forgets on demand."""

    sizes = (1, 2, 3, 4, 5)
    forgets = False

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        signed = self.headers.get("Authorization", "").startswith(
            "AWS4-HMAC-SHA256 Credential=KEY/"
        )
        if address.path != "/camera" or query.get("list-type") != "2" or not signed:
            return self.reply(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
        start = int(query.get("continuation-token", 0))
        if start and self.forgets:
            return self.reply(400, "<Error><Code>InvalidArgument</Code></Error>")
        shown = self.sizes[start : start + 2]
        text = "".join(f"<Contents><Key>{n}</Key><Size>{n}</Size></Contents>" for n in shown)
        more = start + 2 < len(self.sizes)
        text += f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        text += f"<NextContinuationToken>{start + 2}</NextContinuationToken>" if more else ""
        return self.reply(200, f"<ListBucketResult>{text}</ListBucketResult>")

    def reply(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """Yield the address of a bucket's service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_bucket_is_counted_a_part_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is known before the first whole count; a server that forgot where it was, or
    refuses, is a sentence.
    """
    monkeypatch.setattr(s3, "PACE_S", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    key = tmp_path / "key"
    key.write_text("KEY\nSECRET\n")
    key.chmod(0o600)
    with serving() as url:
        table = f'[quotas.b]\ntype = "s3"\nurl = "{url}"\nbucket = "BUCKET"\n'
        table += 'key_file = "key"\nlimit_gb = 1\n'
        quota = open_quotas(parse_settings(table.replace("BUCKET", "camera"), tmp_path))["b"]
        assert [quota.ask() for _ in range(4)] == [
            *(None, None),
            *(Usage(15, 10**9, 5), Usage(15, 10**9, 5)),
        ]
        (tmp_path / ".autoctrl/quotas/b.json").write_text("{")
        assert quota.ask() is None
        monkeypatch.setattr(Bucket, "forgets", True)
        assert "InvalidArgument" in ask(quota).problem
        monkeypatch.setattr(Bucket, "forgets", False)
        assert [quota.ask() for _ in range(3)][-1] == Usage(15, 10**9, 5)
        other = open_quotas(parse_settings(table.replace("BUCKET", "other"), tmp_path))["b"]
        problem = ask(other).problem
    assert "objects of bucket other at http://127.0.0.1:" in problem
    assert "AccessDenied" in problem
    assert "SECRET" not in problem
