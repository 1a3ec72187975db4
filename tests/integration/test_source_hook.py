"""Sources that are told of runs: who may, what is kept, and that nothing is lost or taken twice."""

from __future__ import annotations

import http.client
import json
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from autoctrl.compose import Project, open_inboxes
from autoctrl.config import load_settings
from autoctrl.errors import DataError, SettingsError
from autoctrl.hooks.exchange import Request
from autoctrl.hooks.ledger import Ledger
from autoctrl.hooks.source import source_hooks
from autoctrl.machine.discover_runs import discover
from autoctrl.operations.doctor import check_keys
from tests.acceptance.project import ask, call
from tests.integration.hooking import KEY, PATH, a_listener, deliver, headers, make_told_project
from tests.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from autoctrl.hooks.exchange import Answer, Hook
    from autoctrl.ports import Inbox

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
RUN = json.dumps({"run": 4521, "attributes": {"kind": "physics", "events": 25}}).encode()


class Told(NamedTuple):
    """A project's hook, and how often it has woken anybody."""

    folder: Path
    inbox: Inbox
    hook: Hook
    woken: list[None]

    def post(self, body: bytes = RUN, given: Mapping[str, str] | None = None) -> Answer:
        signed = given if given is not None else headers(body, seconds(NOW))
        small = {name.lower(): value for name, value in signed.items()}
        return self.hook(Request("POST", PATH, small, body, NOW))

    def waiting(self) -> list[int]:
        return [run.number for run in self.inbox.discover()]


def seconds(time: datetime) -> str:
    return str(int(time.timestamp()))


@pytest.fixture
def told(tmp_path: Path) -> Told:
    folder = make_told_project(tmp_path)
    woken: list[None] = []
    (inbox,) = open_inboxes(load_settings(folder))
    hooks = source_hooks([inbox], Ledger(folder / "hooks.sqlite"), lambda: woken.append(None))
    return Told(folder, inbox, hooks[PATH], woken)


def test_a_signed_delivery_is_kept_and_wakes(told: Told) -> None:
    """It is answered 202 when it is on disk; the source shows the run, and the cycle is woken."""
    assert told.post() == (202, b"Taken: 1 run.\n", "text/plain; charset=utf-8")
    (seen,) = told.inbox.discover()
    assert (seen.number, seen.attributes) == (4521, {"kind": "physics", "events": 25})
    assert len(told.woken) == 1


def test_a_delivery_without_runs_only_wakes(told: Told) -> None:
    """``{}`` keeps nothing."""
    assert told.post(b"{}").body == b"Taken: 0 runs.\n"
    assert (told.waiting(), len(told.woken)) == ([], 1)


def test_a_delivery_holds_once(told: Told) -> None:
    """The same request is not taken again, in capital letters neither."""
    signed = headers(RUN, seconds(NOW))
    told.post(RUN, signed)
    again = told.post(RUN, {name: value.upper() for name, value in signed.items()})
    assert (again.status, len(told.woken)) == (409, 1)


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_delivery_holds_for_five_minutes(told: Told, minutes: int) -> None:
    """Clocks may differ so much, and no more."""
    at_edge = NOW + timedelta(minutes=minutes)
    beyond = at_edge + timedelta(seconds=1 if minutes > 0 else -1)
    assert told.post(RUN, headers(RUN, seconds(beyond))).status == 401
    assert told.post(RUN, headers(RUN, seconds(at_edge - timedelta(seconds=minutes)))).status == 202


GOOD = headers(RUN, seconds(NOW))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"X-Autoctrl-Time": GOOD["X-Autoctrl-Time"]},
        {"X-Autoctrl-Signature": GOOD["X-Autoctrl-Signature"]},
        {**GOOD, "X-Autoctrl-Time": str(int(seconds(NOW)) + 1)},
        {**GOOD, "X-Autoctrl-Signature": GOOD["X-Autoctrl-Signature"][:-1]},
        {**GOOD, "X-Autoctrl-Signature": "ä" * 64},
        headers(RUN + b" ", seconds(NOW)),
        headers(RUN, seconds(NOW), "x" * 64),
        headers(RUN, "9" * 400),
        headers(RUN, "-1"),
        headers(RUN, "1e9"),
    ],
)
def test_what_is_not_signed_is_refused(told: Told, given: Mapping[str, str]) -> None:
    """Nothing is said, nothing kept, nobody woken."""
    assert told.post(RUN, given) == (401, b"Unauthorized.\n", "text/plain; charset=utf-8")
    assert (told.waiting(), told.woken) == ([], [])


def test_what_makes_no_sense_is_a_sentence(told: Told) -> None:
    """A signed body that is wrong is answered with what is wrong, and may be mended."""
    answer = told.post(b'{"run": 7, "attributes": {"events": "many"}}')
    assert answer.status == 400
    assert b"Run 7: Run attribute 'events' is declared as int" in answer.body
    answer = told.post(b'{"\\ud800": 7}')
    assert answer.status == 400
    assert b"The key '\\ud800' is not known." in answer.body
    assert told.woken == []


def test_two_keys_hold_while_they_are_changed(told: Told) -> None:
    """A file with two lines takes what either signed, from the next request on."""
    new = "n" * 40
    (told.folder / "daq.key").write_text(f"{KEY}\n{new}\n")
    assert told.post().status == 202
    assert told.post(RUN, headers(RUN, seconds(NOW), new)).status == 202
    (told.folder / "daq.key").write_text(f"{new}\n")
    assert told.post(b"{}").status == 401


def test_a_key_that_others_may_read_is_found(tmp_path: Path) -> None:
    """A line says how many keys there are, or that there is none, or that everybody can read it."""
    path = tmp_path / "key"
    path.write_text(KEY)
    path.chmod(0o640)
    assert check_keys(path, "[hooks] secret_file", 32) == f"1 key in {path}"
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="everybody may read it"):
        check_keys(path, "[hooks] secret_file", 32)
    path.unlink()
    with pytest.raises(SettingsError, match=r"\[hooks\] secret_file .*: No such file"):
        check_keys(path, "[hooks] secret_file", 32)


def test_doctor_looks_at_the_keys(tmp_path: Path) -> None:
    """A line says of each key whether it is there and kept secret."""
    folder = make_told_project(tmp_path)
    with (folder / "autoctrl.toml").open("a") as settings:
        settings.write("[hooks]\nsecret_file = 'buttons.key'\n")
    said = ask(folder, "doctor", "--format", "json")
    found = {item["service"]: item for item in json.loads(said.out)["services"]}
    assert found["hook of source daq"]["text"] == f"1 key in {folder}/daq.key"
    assert "buttons.key' cannot be used: No such file" in found["buttons of chat"]["text"]
    assert said.code == 2


def test_what_cannot_be_kept_may_be_sent_again(told: Told) -> None:
    """Where the disk refuses, the request is not used up: the same one is taken later."""
    spool = told.folder / ".autoctrl/sources/daq"
    spool.parent.mkdir(parents=True)
    spool.write_text("in the way")
    with pytest.raises(DataError, match="cannot be kept"):
        told.post()
    spool.unlink()
    assert told.post().status == 202
    assert told.waiting() == [4521]


def test_a_delivery_that_was_kept_before_a_kill_is_kept_once(told: Told) -> None:
    """Killed after it was kept and before it was used up, the request is taken again, as one."""
    told.inbox.keep(GOOD["X-Autoctrl-Signature"][:32], RUN)
    assert told.post().status == 202
    assert len([*(told.folder / ".autoctrl/sources/daq").iterdir()]) == 1


def test_later_deliveries_add_to_earlier_ones(told: Told) -> None:
    """Until they are in the store a run is what all say of it; then its deliveries are gone."""
    told.post(b'{"run": 7, "is_closed": false, "attributes": {"kind": "physics", "events": 1}}')
    told.post(b'[{"run": 7, "attributes": {"events": 2}}, {"run": 6}]')
    with closing(Project(load_settings(told.folder))) as project:
        discover(project.store, project.sources(), project.clock)
        runs = project.store.runs().records
    assert [(run.number, run.attributes, run.is_closed) for run in runs] == [
        (6, {}, True),
        (7, {"kind": "physics", "events": 2}, True),
    ]
    assert not [*(told.folder / ".autoctrl/sources/daq").iterdir()]


def test_a_torn_delivery_stays_and_is_named(told: Told) -> None:
    """What nobody can read is a problem until somebody looks; it holds nothing else up."""
    told.inbox.keep("torn", b'{"run": ')
    told.post()
    found = ask(told.folder, "discover")
    assert "1 new run" in found.out
    assert "-torn.json: The delivery is not JSON." in found.err
    assert [path.name[-9:] for path in (told.folder / ".autoctrl/sources/daq").iterdir()] == [
        "torn.json"
    ]


def test_what_is_no_delivery_holds_nothing_up(told: Told) -> None:
    """A folder among the deliveries is named, and stays; so does what is no JSON by its name."""
    told.post()
    spool = told.folder / ".autoctrl/sources/daq"
    (spool / "00.json").mkdir()
    (spool / "notes.txt").write_text("hello")
    found = ask(told.folder, "discover")
    assert "1 new run" in found.out
    assert "00.json cannot be read: Is a directory" in found.err
    assert sorted(path.name for path in spool.iterdir()) == ["00.json", "notes.txt"]


def test_nothing_that_was_taken_is_lost_by_a_kill(tmp_path: Path) -> None:
    """The listener is killed while eight senders deliver: every run that was answered 202 is found,
    and none that nobody sent.
    """
    folder = make_told_project(tmp_path)
    taken: list[int] = []
    enough = threading.Event()
    with a_listener(folder) as listener, ThreadPoolExecutor(8) as threads:

        def send(first: int) -> None:
            for number in range(first, first + 1000):
                try:
                    answer = deliver(listener.port, {"run": number})
                except (OSError, http.client.HTTPException):
                    return
                assert answer.status in {202, 429}
                if answer.status == 202:
                    taken.append(number)
                if len(taken) > 40:
                    enough.set()

        sent = [threads.submit(send, 1000 * sender) for sender in range(8)]
        assert enough.wait(60)
        listener.process.kill()
        assert [one.result() for one in sent] == [None] * 8
    assert ask(folder, "discover").code == 0
    listed = json.loads(ask(folder, "runs", "list", "--format", "json").out)
    assert {run["run"] for run in listed["runs"]} >= set(taken)


def test_the_listener_ends_when_it_is_told_to(tmp_path: Path) -> None:
    """It says where it listens, is silent about what it takes, and ends well on SIGTERM, also
    beside the page; the page is not there.
    """
    folder = make_told_project(tmp_path)
    for words in ((), ("--port", "0")):
        with a_listener(folder, *words) as listener:
            assert f"to {PATH} (Ctrl-C" in listener.said
            assert deliver(listener.port, {"run": 7 + len(words)}).text == "Taken: 1 run.\n"
            connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=60)
            connection.request("GET", "/health")
            assert connection.getresponse().status == 404
            if words:
                assert listener.process.stdout is not None
                assert listener.process.stdout.readline().startswith("Serving ")
            listener.process.send_signal(signal.SIGTERM)
            _, said = listener.process.communicate(timeout=60)
            assert listener.process.returncode == 0
            assert said == "hooks: GET an unknown path from 127.0.0.1: 404: nothing is there\n"


def test_the_listener_goes_on_though_nobody_reads_what_it_says(tmp_path: Path) -> None:
    """Its complaints go into a pipe whose reader has ended: it answers as before."""
    folder = make_told_project(tmp_path)
    with a_listener(folder) as listener:
        assert listener.process.stderr is not None
        listener.process.stderr.close()
        (folder / "daq.key").unlink()
        assert [deliver(listener.port, {"run": 7}).status for _ in range(20)] == [500] * 20
        make_told_project(tmp_path)
        assert deliver(listener.port, {"run": 7}).text == "Taken: 1 run.\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--no-page",), "Without the web page there is nothing to serve."),
        (("--hooks", "8443"), "'8443' is not an address to listen on."),
        (("--hooks", "::1:8443"), "is not an address to listen on."),
        (("--hooks", "203.0.113.1:0"), "The listener cannot listen on 203.0.113.1, port 0:"),
    ],
)
def test_where_it_cannot_listen_it_says_so(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    """An address that is none, or not of this machine, is a sentence."""
    said = call(make_told_project(tmp_path), "serve", *words, PYTHONPATH=str(ROOT))
    assert (said.code, message in said.err) == (2, True), said.err


def test_without_anything_to_listen_for_it_says_so(tmp_path: Path) -> None:
    """A project without hooks is told what to declare; one without its key, too."""
    (tmp_path / "autoctrl.toml").write_text("")
    said = call(tmp_path, "serve", "--hooks", "127.0.0.1:0", PYTHONPATH=str(ROOT))
    assert (said.code, "No service has anything to send" in said.err) == (2, True)
    (make_told_project(tmp_path) / "daq.key").unlink()
    said = call(tmp_path, "serve", "--hooks", "127.0.0.1:0", PYTHONPATH=str(ROOT))
    assert (said.code, "daq.key' cannot be used: No such file" in said.err) == (2, True)
