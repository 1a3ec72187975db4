"""What a job on a worker node tells about itself."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from autoctrl.node import hint as module
from autoctrl.node.hint import hint, line, main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TAG = "ab12/prompt/reco/4521/v2/3.1"


class Bucket:
    """An HTTP server that keeps what it is sent."""

    def __init__(self, status: int) -> None:
        self.seen: list[tuple[str, str, str]] = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                seen.append((self.path, self.headers["Authorization"], body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()


@pytest.fixture
def bucket(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Bucket]:
    found = Bucket(getattr(request, "param", 204))
    (tmp_path / "token").write_text("for-hints-only\n")
    monkeypatch.setenv(
        module.URL, f"influxdb://127.0.0.1:{found.server.server_port}/our org/hints/autogen"
    )
    monkeypatch.setenv(module.TOKEN_FILE, str(tmp_path / "token"))
    monkeypatch.setenv(module.TAG, TAG)
    yield found
    found.close()


def test_a_point_names_the_job() -> None:
    """Campaign, workflow and unit are tags; the rest of the tag, the status and the numbers are
    fields.
    """
    assert line(TAG, 'say "hi" \\', {"progress": 1, "what": "a b"}, 1_700_000_000_123_456_789) == (
        "hint,campaign=prompt,workflow=reco,unit=4521 "
        'store="ab12",version=2i,index=3i,attempt=1i,status="say \\"hi\\" '
        '\\\\",progress=1.0,what="a b" '
        "1700000000123456003"
    )


@pytest.mark.parametrize(
    ("tag", "name"), [("nonsense", "x"), (TAG, "attempt"), (TAG, "a\nb"), (TAG, ""), (TAG, "end\\")]
)
def test_what_names_no_job_or_no_field_is_refused(tag: str, name: str) -> None:
    """A word that would end as another point is never sent."""
    with pytest.raises(ValueError, match=r"not name a job|is taken|cannot be a name"):
        line(tag, "", {name: 1.0}, 0)


def test_a_merge_has_an_index_of_its_own() -> None:
    """The merge is job minus one, as in the records."""
    assert "index=-1i" in line("ab/prompt/reco/1/v1/merge.2", "x", {}, 0)


def test_it_is_sent_with_the_token_of_the_bucket(bucket: Bucket) -> None:
    """Organisation and bucket come from the address, the token from its file."""
    assert hint("fitting", progress=0.4)
    ((path, token, body),) = bucket.seen
    assert path == "/api/v2/write?org=our%20org&bucket=hints%2Fautogen&precision=ns"
    assert token == "Token for-hints-only"  # noqa: S105 - of this test alone
    assert 'status="fitting",progress=0.4 ' in body


def test_the_command_tells_numbers_from_texts(bucket: Bucket) -> None:
    """What reads as a number is one; the status is always text."""
    assert main(["status=3", "progress=0.5", "stage=two"]) == 0
    assert 'status="3",progress=0.5,stage="two" ' in bucket.seen[0][2]


@pytest.mark.parametrize("words", [[], ["status"], ["=3"]])
def test_the_command_explains_itself(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Words that are no pairs are refused with the usage."""
    assert main(words) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("bucket", [401], indirect=True)
def test_a_refusal_disturbs_nobody(bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    """The job goes on, and finds a sentence in its log."""
    assert not hint("fitting")
    assert main(["status=fitting"]) == 0
    assert "not kept: HTTP Error 401" in capsys.readouterr().err
    assert len(bucket.seen) == 2


def test_without_a_bucket_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job that runs where no hints are kept works as if it had not asked."""
    monkeypatch.delenv(module.URL, raising=False)
    assert not hint("fitting")
    assert main(["status=fitting"]) == 0
    assert capsys.readouterr().err == ""
