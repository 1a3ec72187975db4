"""What an analyst asks in Python: the same answers from a store and from the page's API."""

from __future__ import annotations

import hashlib
import http.server
import sys
import threading
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest
from starlette.testclient import TestClient

import autoctrl
from autoctrl.client import Client, FieldsTable, Outputs, Status
from autoctrl.client.folder import Folder
from autoctrl.client.page import Page
from autoctrl.compose import Project
from autoctrl.config import load_settings
from autoctrl.errors import DataError, MissingExtra, SettingsError, StoreError, UsageError
from autoctrl.model.actor import Actor
from autoctrl.model.output import FieldsRecord, LocationState
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import TaskKey
from autoctrl.views.explanation import Explanation
from autoctrl.views.fields import FieldsLine
from autoctrl.views.outputs import Copy, OutputLine
from autoctrl.views.overview import Cell, RunRow
from autoctrl.views.runs import RunLine
from autoctrl.web import create_app
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
BEGAN = datetime(2026, 11, 20, 18, 4, 5, 123456, tzinfo=UTC)
SETTINGS = """
[runs.attributes]
kind = "str"
fill = "int"
began = "time"
"""


class ByTestClient:
    """Opens addresses as ``urllib`` does, and has the application answer."""

    def __init__(self, app: Any) -> None:
        self._browser = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)

    def open(self, request: Any, timeout: float) -> BytesIO:
        assert timeout > 0
        answer = self._browser.get(request.full_url, headers=dict(request.header_items()))
        if answer.status_code >= 300:
            headers: Any = {}
            body = BytesIO(answer.content)
            raise HTTPError(request.full_url, answer.status_code, "refused", headers, body)
        return Opened(answer.content, answer.headers)


class Opened(BytesIO):
    """An answer whose body is read as a file is."""

    def __init__(self, body: bytes, headers: Any) -> None:
        super().__init__(body)
        self.headers = headers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project with runs 1 to 3, of which reco has done 1 and 2, the latter badly."""
    (tmp_path / "autoctrl.toml").write_text(SETTINGS)
    with Project(load_settings(tmp_path)) as project:
        scene = Scene()
        scene.store = project.store
        scene.runs(1, 2, kind="physics", fill=7, began=BEGAN)
        scene.runs(3, kind="cosmic")
        scene.workflow("reco")
        for run in (1, 2):
            reason = "alarm: light is low" if run == 2 else ""
            key = scene.task(run, "reco", DONE, reason=reason)
            scene.output(key)
            values: dict[str, float | str] = {"light": 0.5 * run, "chip": f"c{run}"}
            scene.store.append([FieldsRecord(key, 1, values, scene.clock.now())])
        scene.task(3, "reco", NEW, reason="waits for disk")
    return tmp_path


@pytest.fixture(params=["folder", "page", "pages"])
def client(
    request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """Return a client of the folder, one of its page, and one that is given a line at a time."""
    if request.param == "pages":
        monkeypatch.setattr("autoctrl.client.page.LARGEST_PAGE", "1")
    if request.param == "folder":
        with autoctrl.open(folder) as made:
            yield made
        return
    with Project(load_settings(folder)) as project:
        page = Page("http://127.0.0.1/")
        page._opener = ByTestClient(create_app(project))  # type: ignore[assignment]  # in its place
        with Client(page) as made:
            yield made


def test_outputs(client: Client) -> None:
    """Outputs are records; they are chosen by workflow, runs, attributes and quality."""
    found = client.outputs("reco")
    assert isinstance(found, Outputs)
    assert isinstance(found[0], OutputLine)
    assert found.paths() == ["/data/reco/1/v1/output.root", "/data/reco/2/v1/output.root"]
    assert found[0].entries == {"Events": 5}
    assert found[0].runs == (1,)
    assert found[0].locations[0].checked_at.tzinfo is not None
    assert client.outputs(runs=2).by_run() == {2: (found[1],)}
    assert client.outputs("reco", runs=[1, 2, 3]) == found
    assert client.outputs("reco", quality="usable") == found[:1]
    assert client.outputs("reco", where={"kind": "cosmic"}) == ()
    where: Any = {"kind": ["physics", "cosmic"], "fill": 7, "began": BEGAN}
    assert client.outputs("reco", where=where, superseded=True) == found


FAR = (Copy("root://eos.example.org//data/out.root", LocationState.PRESENT, BEGAN),)


def test_an_output_is_fetched(
    client: Client, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk is seen its path is returned; else the page hands a copy over, once, whole."""
    lies = folder / "outputs" / "reco" / "3.root"
    lies.parent.mkdir(parents=True)
    lies.write_bytes(b"0123456789")
    scene = Scene()
    with Project(load_settings(folder)) as project:
        scene.store = project.store
        key = TaskKey("prompt", "reco", "3")
        scene.move(key, PROCESSING, DONE)
        scene.output(key, url=str(lies), content=hashlib.sha256(b"0123456789").hexdigest())
    (here,) = client.outputs("reco", runs=3)
    assert client.fetch(here) == str(lies)
    far, copies = here._replace(locations=FAR), tmp_path / "copies"
    if isinstance(client._answerer, Folder):
        with pytest.raises(StoreError, match="cannot be seen from here"):
            client.fetch(far, copies)
        return
    copy = client.fetch(far, copies)
    assert Path(copy).read_bytes() == b"0123456789"
    assert Path(copy).name == "out.root"
    lies.write_bytes(b"9876543210")
    assert client.fetch(far, copies) == copy
    Path(copy).unlink()
    with pytest.raises(UsageError, match="has changed: its content has another checksum"):
        client.fetch(far, copies)
    assert not Path(copy).exists()
    with monkeypatch.context() as broken:
        broken.setattr(client._answerer, "download", lambda *asked: asked[-1].write_bytes(b"0"))
        with pytest.raises(StoreError, match="another content"):
            client.fetch(far, copies)
    assert not Path(copy).exists()
    with pytest.raises(StoreError, match="is no place"):
        client.fetch(far._replace(workflow=".."), copies)
    with pytest.raises(UsageError, match="no output"):
        client.fetch(far._replace(name="other"), copies)


def test_fields(client: Client) -> None:
    """Fields are a table: columns by name, rows as data frames take them."""
    found = client.fields("reco")
    assert isinstance(found, FieldsTable)
    assert isinstance(found[0], FieldsLine)
    assert found.names() == ["chip", "light"]
    assert found.column("light") == [0.5, 1.0]
    assert found.rows()[1] == {"unit": "2", "run": 2, "version": 1, "light": 1.0, "chip": "c2"}
    assert client.fields("reco", runs="2-3", where={"fill": 7}, quality="any") == found[1:]
    with pytest.raises(UsageError, match="Did you mean 'light'"):
        found.column("ligt")


def test_fields_become_an_array(client: Client) -> None:
    """With the science extra the table is an awkward array, with None where a field is missing."""
    awkward = pytest.importorskip("awkward")
    table = client.fields("reco")
    lacking = table[1]._replace(values={"light": 1.0})
    array = FieldsTable([table[0], lacking]).to_awkward()
    assert awkward.to_list(array["chip"]) == ["c1", None]
    assert awkward.sum(array["light"]) == 1.5


def test_without_awkward_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where awkward is not installed it is said which extra has it."""
    monkeypatch.setitem(sys.modules, "awkward", None)
    with pytest.raises(MissingExtra, match="extra 'science'"):
        FieldsTable().to_awkward()


def test_runs_and_where_they_stand(client: Client) -> None:
    """Runs come with typed attributes, the status with a cell for each task."""
    runs = client.runs()
    assert [run.run for run in runs] == [1, 2, 3]
    assert isinstance(runs[0], RunLine)
    assert runs[0].attributes == {"kind": "physics", "fill": 7, "began": BEGAN}
    assert isinstance(runs[0].actor, Actor)
    assert client.runs("2-7") == runs[1:]
    seen = client.status()
    assert isinstance(seen, Status)
    assert seen.workflows == ("reco",)
    assert isinstance(seen.runs[0], RunRow)
    cell = seen.runs[2].tasks["reco"]
    assert isinstance(cell, Cell)
    assert (cell.status, cell.reason) == (NEW, "waits for disk")
    assert [row.run for row in client.status(runs=(1, 3)).runs] == [1, 3]


def test_why(client: Client) -> None:
    """A task is explained; there may be none."""
    seen = client.why(3, "reco")
    assert isinstance(seen, Explanation)
    assert (seen.status, seen.reason, seen.runs) == (NEW, "waits for disk", (3,))
    assert "not registered" in client.why("77", "reco").reason


def test_wrong_questions(client: Client) -> None:
    """What makes no sense is said in the same words by either."""
    for ask, words in (
        (lambda: client.outputs("rco"), "Did you mean 'reco'"),
        (lambda: client.fields("reco", quality="god"), "Did you mean 'good'"),
        (lambda: client.outputs(where={"kid": 1}), "Did you mean 'kind'"),
        (lambda: client.outputs(where={"fill": "x"}), "is declared as int"),
        (lambda: client.outputs(where={"kind": []}), "No value of kind is asked for"),
        (lambda: client.runs("x"), "is not a run selection"),
        (lambda: client.runs([]), "No run is asked for"),
        (lambda: client.runs(None), "None is not a run selection"),  # type: ignore[arg-type]  # no runs
        (lambda: client.runs(["1"]), "is not a run selection"),  # type: ignore[list-item]  # no numbers
        (lambda: client.why(1, "a/b"), "'a/b' is not the name of a workflow"),
        (lambda: client.fields(""), "'' is not the name of a workflow"),
        (lambda: Client(client._answerer, ""), "'' is not the name of a campaign"),
        (lambda: client.why("x", "reco"), "neither a run number nor a group"),
    ):
        with pytest.raises(UsageError, match=words):
            ask()


def test_a_client_makes_nothing(tmp_path: Path) -> None:
    """A project without a store is said to have none; no file comes of asking."""
    (tmp_path / "autoctrl.toml").write_text(SETTINGS)
    with pytest.raises(StoreError, match="There is no store"):
        autoctrl.open(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["autoctrl.toml"]


class Strange(http.server.BaseHTTPRequestHandler):
    """A server that answers as no page of ours does."""

    def do_GET(self) -> None:
        self.server.seen.append(self.headers["Authorization"])  # type: ignore[attr-defined]  # a list
        code, _, where = self.path.split("/")[1].partition("-")
        self.send_response(int(code))
        if where:
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/200")  # type: ignore[attr-defined]  # of HTTPServer
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def strange() -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Strange)
    server.seen = []  # type: ignore[attr-defined]  # what it was told
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("200", StoreError, "no answer that can be read"),
        ("302-there", StoreError, "answers 302"),
        ("401", UsageError, "Give a token"),
        ("404", UsageError, "Is this its address"),
        ("500", StoreError, "answers 500"),
    ],
)
def test_a_strange_server(
    strange: http.server.ThreadingHTTPServer, tmp_path: Path, path: str, error: Any, words: str
) -> None:
    """What is no page of ours is said to be none; the token is shown to no other address, and
    stands in no error.
    """
    file = tmp_path / "token"
    file.write_text("ac_secret\n")
    file.chmod(0o600)
    client = autoctrl.open(f"http://127.0.0.1:{strange.server_port}/{path}", token=file)
    with pytest.raises(error, match=words) as said:
        client.runs()
    assert strange.seen == ["Bearer ac_secret"]  # type: ignore[attr-defined]  # what it was told
    assert "ac_secret" not in f"{said.value}{client._answerer!r}"


def test_nobody_listens(strange: http.server.ThreadingHTTPServer) -> None:
    """An address where nobody listens is named."""
    port = strange.server_port
    strange.shutdown()
    strange.server_close()
    with pytest.raises(StoreError, match=f"127.0.0.1:{port} gave no answer.*refused"):
        autoctrl.open(f"http://127.0.0.1:{port}").status()


def test_no_proxy_is_asked_for_this_machine(
    strange: http.server.ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this machine serves is asked directly, whatever proxy the environment names."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(UsageError, match="Is this its address"):
        autoctrl.open(f"http://localhost:{strange.server_port}/404").runs()


@pytest.mark.parametrize(
    ("url", "token", "words"),
    [
        ("http://autoctrl.example.org", "t", "not encrypted"),
        ("https://anna:t@autoctrl.example.org", None, "is a name"),
        ("https://", None, "is a name"),
        ("http://[::1", None, "is a name"),
        ("https://autoctrl.example.org:99999", None, "is a name"),
        ("https://autoctrl.example.org", 123, "cannot be one"),
        ("ftp://autoctrl.example.org", None, "is not the address of a page"),
        ("no/such/folder", None, "There is no folder 'no/such/folder'"),
        ("", None, "There is no folder ''"),
        ("https://autoctrl.example.org", "two words", "cannot be one"),
        ("https://autoctrl.example.org", "line\n", "cannot be one"),
    ],
)
def test_addresses_and_tokens_that_are_refused(url: str, token: Any, words: str) -> None:
    """A token is not sent in clear to another machine, nor what cannot be one anywhere."""
    with pytest.raises(UsageError, match=words):
        autoctrl.open(url, token=token)


def test_a_token_file_that_is_not_there(tmp_path: Path) -> None:
    """A file without a token is named."""
    with pytest.raises(SettingsError, match="token"):
        autoctrl.open("https://autoctrl.example.org", token=tmp_path / "none")


def test_an_answer_of_another_version(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not the JSON of our records is no record."""
    monkeypatch.setattr(client._answerer, "pages", lambda *_: [{"runs": [{"run": 1}]}])
    with pytest.raises(DataError, match="RunLine"):
        client.runs()


@pytest.mark.parametrize("answer", [None, {}, {"runs": None}, {"runs": {}}, 5, "x", [[]], [None]])
def test_json_of_something_else(
    client: Client, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    """What is JSON and no answer of ours is told as such, and is not taken for no outputs."""
    monkeypatch.setattr(client._answerer, "pages", lambda *_: [answer])
    monkeypatch.setattr(client._answerer, "ask", lambda *_: answer)
    for ask in (client.outputs, client.runs, client.status, lambda: client.fields("reco")):
        with pytest.raises(DataError):
            ask()
    with pytest.raises(DataError):
        client.why(1, "reco")


def test_json_that_is_very_deep() -> None:
    """What nobody can read to its end is no answer."""
    page = Page("http://127.0.0.1/")
    body = Opened(b"[" * 100_000, {})
    page._opener = SimpleNamespace(open=lambda *_, **__: body)  # type: ignore[assignment]  # in its place
    with pytest.raises(StoreError, match="no answer that can be read"):
        Client(page).runs()
