"""Discord as a notifier: what people see, and what becomes of what Discord does not take."""

from __future__ import annotations

import signal
import socket
import threading
import traceback
from functools import partial
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from autoctrl.config import parse_settings
from autoctrl.errors import NotifierError, PerhapsTold, SettingsError
from autoctrl.model.severity import Severity
from autoctrl.notifiers import open_listener
from autoctrl.notifiers.discord.client import WebhookClient
from autoctrl.notifiers.discord.connection import NotSent, connect
from autoctrl.notifiers.discord.notifier import DiscordNotifier
from autoctrl.notifiers.discord.webhook import WebhookFile, read_webhook
from autoctrl.notifiers.patience import time_left_s
from autoctrl.ports import Message
from tests.contract.fakes.discord.client import WIDE, Client, Hands
from tests.fakes.discord import Discord, Fault, Kind, Limits, Rate, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALARM = Message("7/reco", Severity.ALARM, "run 7 / reco failed", "```\n@everyone <@11>", "logs/7")
OVER = ALARM._replace(title="run 7 / reco is done", is_over=True)
TOKEN = "t0ken-_" * 10
SETTINGS = "[notifiers.shift]\ntype = 'discord'\nwebhook_file = 'secrets/hook'\n"


class Desk(NamedTuple):
    """A notifier, the service behind it, the clock of both, and the file of the address."""

    notifier: DiscordNotifier
    service: Discord
    hands: Hands
    file: Path

    def complaint(self) -> str:
        """Return what is wrong, empty if nothing is."""
        try:
            self.notifier.ping()
        except NotifierError as error:
            return str(error)
        return ""


@pytest.fixture
def limits() -> Limits:
    return WIDE


@pytest.fixture
def desk(tmp_path: Path, limits: Limits) -> Iterator[Desk]:
    hands = Hands()
    with Discord(clock=hands, limits=limits) as service:
        file = tmp_path / "hook"
        file.write_text(f"{service.url}\n")
        yield Desk(open_notifier(file, hands), service, hands, file)


def open_notifier(file: Path, hands: Hands, left_s: float = 8.0) -> DiscordNotifier:
    """Open a notifier whose waiting moves the clock."""

    def sleep(seconds: float) -> None:
        hands.now_s += seconds

    read = partial(read_webhook, WebhookFile("shift", file, "hook"))
    client = WebhookClient(read, clock=hands, sleep=sleep, time_left=lambda: left_s)
    return DiscordNotifier(client, "camera")


def test_a_message_is_changed_in_its_place(desk: Desk) -> None:
    """People see one message, with what was said last."""
    told = desk.notifier.tell(ALARM)
    assert told is not None
    assert desk.notifier.change(told, OVER)
    (message,) = desk.service.messages
    assert message.id == told
    assert message.embeds[0]["title"] == OVER.title
    assert desk.complaint() == ""


def test_a_reminder_is_a_new_message(desk: Desk) -> None:
    """It names the one that it belongs to, which stays."""
    told = desk.notifier.tell(ALARM)
    again = desk.notifier.tell(ALARM._replace(below=str(told)))
    assert [message.id for message in desk.service.messages] == [told, again]
    assert "A reminder of" in desk.service.messages[1].embeds[0]["description"]


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.CUT])
def test_a_lost_answer_is_told_perhaps(desk: Desk, kind: Kind) -> None:
    """Nobody can know whether it was posted, so that it is not simply posted again."""
    desk.service.plan(Fault(kind, "POST"))
    with pytest.raises(PerhapsTold, match="gave no answer"):
        desk.notifier.tell(ALARM)
    assert len(desk.service.posts) == (kind is Kind.LOST)
    assert len(desk.service.requests) == 1


def test_silence_is_told_perhaps(desk: Desk) -> None:
    """A service that takes the message and says nothing until the time is over."""
    desk.service.plan(Fault(Kind.SILENT, "POST"))
    with pytest.raises(PerhapsTold, match="gave no answer"):
        open_notifier(desk.file, desk.hands, left_s=3.0).tell(ALARM)
    assert len(desk.service.posts) == 1


def test_a_page_of_somebody_else_is_no_answer(desk: Desk) -> None:
    """What stands in between and says that all is well proves nothing."""
    desk.service.plan(*[Fault(Kind.HTML, status=200)] * 3)
    with pytest.raises(PerhapsTold, match="Something else than Discord"):
        desk.notifier.tell(ALARM)
    assert not desk.notifier.change("1" * 19, ALARM)
    assert "Something else than Discord" in desk.complaint()


def test_a_lost_change_is_made_again(desk: Desk) -> None:
    """The same change twice does no harm."""
    told = desk.notifier.tell(ALARM)
    assert told is not None
    desk.service.plan(Fault(Kind.LOST, "PATCH"))
    assert not desk.notifier.change(told, OVER)
    assert desk.notifier.change(told, OVER)
    assert len(desk.service.messages) == 1


@pytest.mark.parametrize("scope", Scope)
def test_it_waits_as_long_as_it_must(desk: Desk, scope: Scope) -> None:
    """A refusal for frequency is followed by the message, no earlier than Discord wants."""
    before = desk.hands.now_s
    desk.service.plan(Fault(Kind.THROTTLED, scope=scope, retry_after_s=2.345))
    assert desk.notifier.tell(ALARM) is not None
    assert desk.hands.now_s >= before + 2.345
    assert [request.status for request in desk.service.requests] == [429, 200]


@pytest.mark.parametrize("scope", Scope)
def test_it_does_not_wait_too_long(desk: Desk, scope: Scope) -> None:
    """Where its own time does not suffice it tells nobody, and asks no more until it may."""
    desk.service.plan(Fault(Kind.THROTTLED, scope=scope, retry_after_s=60.5))
    assert desk.notifier.tell(ALARM) is None
    assert "left alone for 60.5 s" in desk.complaint()
    assert desk.notifier.tell(ALARM) is None
    assert len(desk.service.requests) == 1
    desk.hands.now_s += 60.5
    assert desk.notifier.tell(ALARM) is not None


def test_the_network_may_want_it_to_wait(desk: Desk) -> None:
    """A refusal that does not say for how long is tried again a second later, a few times."""
    desk.service.plan(*[Fault(Kind.HTML, status=429)] * 5)
    before = desk.hands.now_s
    assert desk.notifier.tell(ALARM) is None
    assert desk.hands.now_s == before + 4
    assert "429" in desk.complaint()


@pytest.mark.parametrize("limits", [Limits(user=Rate(2, 3.0))])
def test_it_counts_along(desk: Desk) -> None:
    """It waits before Discord has to refuse it."""
    for number in range(5):
        assert desk.notifier.tell(ALARM._replace(title=f"alarm {number}")) is not None
    assert {request.status for request in desk.service.requests} == {200}


def test_without_time_nothing_is_sent(desk: Desk) -> None:
    """A message that could not be finished is not begun."""
    notifier = open_notifier(desk.file, desk.hands, left_s=0.0)
    assert notifier.tell(ALARM) is None
    with pytest.raises(NotifierError, match="no time left"):
        notifier.ping()
    assert desk.service.requests == []


def test_a_webhook_that_is_gone_is_never_asked_again(desk: Desk) -> None:
    """Until its file names another one."""
    told = desk.notifier.tell(ALARM)
    assert told is not None
    desk.service.revoke()
    for _ in range(2):
        assert desk.notifier.tell(ALARM) is None
        assert not desk.notifier.change(told, OVER)
        for _ in range(2):
            assert "the webhook is gone; make a new one" in desk.complaint()
    assert [request.status for request in desk.service.requests] == [200, 404]
    desk.file.write_text(desk.service.add_webhook().url)
    assert desk.notifier.tell(ALARM) is not None
    assert "webhook alarms writes into" in desk.notifier.ping()


def test_a_message_that_people_have_deleted_stays_deleted(desk: Desk) -> None:
    """Its changes count as seen, and it does not come back."""
    told = desk.notifier.tell(ALARM)
    assert told is not None
    Client(desk.service).ask("DELETE", f"/messages/{told}")
    assert desk.notifier.change(told, OVER)
    assert desk.service.messages == []
    assert desk.complaint() == ""


def test_a_message_of_another_notifier_is_told_beside_it(desk: Desk) -> None:
    """Its id means nothing here, and is not sent."""
    assert desk.notifier.change("../../7/reco", OVER)
    assert [message.embeds[0]["title"] for message in desk.service.messages] == [OVER.title]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(Kind.FORBIDDEN), "refuses with 403: Missing Permissions. Check the webhook"),
        (Fault(Kind.HTML, status=502), "refuses with 502. It is tried again"),
        (Fault(Kind.UNSAVED), "refuses with 500: 500: Internal Server Error. It is tried"),
    ],
)
def test_a_refusal_has_a_reason(desk: Desk, fault: Fault, reason: str) -> None:
    """``ping`` says once why the last message was not told, then how it stands now."""
    desk.service.plan(fault)
    assert desk.notifier.tell(ALARM) is None
    assert reason in desk.complaint()
    assert desk.complaint() == ""


def test_a_wrong_token_has_a_reason(desk: Desk) -> None:
    """The file is named, and what it holds is not."""
    address = desk.service.url.replace(desk.service.webhook.token, TOKEN)
    desk.file.write_text(address)
    assert desk.notifier.tell(ALARM) is None
    complaint = desk.complaint()
    assert "Copy the address of the webhook into hook again." in complaint
    assert TOKEN not in complaint


def test_a_forum_needs_a_thread(desk: Desk) -> None:
    """Without one Discord refuses, which the hint explains; with one all lies in it."""
    forum = desk.service.add_webhook(is_forum=True)
    desk.file.write_text(forum.url)
    assert desk.notifier.tell(ALARM) is None
    assert "thread_id=" in desk.complaint()
    thread = desk.service.add_thread(forum)
    desk.file.write_text(f"{forum.url}?thread_id={thread}")
    told = desk.notifier.tell(ALARM)
    assert told is not None
    assert desk.notifier.change(told, OVER)
    assert [message.channel_id for message in desk.service.messages] == [thread]
    assert desk.complaint() == ""


@pytest.mark.parametrize("kind", Kind)
def test_the_token_is_never_shown(
    desk: Desk, kind: Kind, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in errors and what led to them, nor in a log or what is printed."""
    notifier = open_notifier(desk.file, desk.hands, left_s=3.0)
    desk.service.plan(Fault(kind, retry_after_s=60.0), Fault(kind, retry_after_s=60.0))
    said: list[Any] = [notifier, notifier.__dict__, notifier._client.__dict__]
    for act in (partial(notifier.tell, ALARM), notifier.ping, notifier.ping):
        try:
            said.append(act())
        except NotifierError as error:
            said += ["".join(traceback.format_exception(error)), repr(error), error.__dict__]
    shown = " ".join(map(str, said)) + caplog.text + "".join(capfd.readouterr())
    assert desk.service.webhook.token not in shown


def test_a_service_that_is_away_is_an_answer(tmp_path: Path) -> None:
    """Nothing was sent where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    file = tmp_path / "hook"
    file.write_text(f"http://127.0.0.1:{port}/api/webhooks/{'1' * 18}/{TOKEN}")
    notifier = open_notifier(file, Hands())
    assert notifier.tell(ALARM) is None
    with pytest.raises(NotifierError, match=r"no connection to Discord: .*refused"):
        notifier.ping()


def test_a_connection_that_takes_too_long_is_given_up() -> None:
    """Whatever it waits for, it is certain that nothing was sent."""
    released = threading.Event()

    class Slow(HTTPConnection):
        def connect(self) -> None:
            released.wait(60)

    try:
        with pytest.raises(NotSent, match="no connection to Discord after"):
            connect(Slow("127.0.0.1"), 0.05)
    finally:
        released.set()


def test_a_proxy_sees_the_host_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy is asked for Discord, and never for an address of it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            client, _ = server.accept()
            with client:
                heard.append(client.recv(10_000))
                client.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")

        proxy = threading.Thread(target=refuse)
        proxy.start()
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.getsockname()[1]}")
        file = tmp_path / "hook"
        file.write_text(f"https://discord.com/api/webhooks/{'1' * 18}/{TOKEN}")
        notifier = open_notifier(file, Hands())
        assert notifier.tell(ALARM) is None
        proxy.join()
    assert heard[0].startswith(b"CONNECT discord.com:443 ")
    assert TOKEN.encode() not in heard[0]
    with pytest.raises(NotifierError, match="403 Forbidden"):
        notifier.ping()


def test_the_settings_name_the_file(tmp_path: Path, desk: Desk) -> None:
    """Its path counts from the project's folder; one that is lost later is an answer."""
    (tmp_path / "secrets").mkdir()
    file = desk.file.rename(tmp_path / "secrets" / "hook")
    settings = parse_settings(f"name = 'camera'\n{SETTINGS}", tmp_path, environ={})
    listener = open_listener(settings, "shift")
    assert listener.notifier.tell(ALARM) is not None
    assert desk.service.messages[0].embeds[0]["footer"] == {"text": "alarm · camera"}
    file.unlink()
    assert listener.notifier.tell(ALARM) is None
    with pytest.raises(NotifierError, match="secrets/hook cannot be read: No such file"):
        listener.ping()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "does not hold the address"),
        (b"\xff\xfe", "does not hold text"),
        (f"https://example.org/api/webhooks/{'1' * 18}/{TOKEN}".encode(), "does not hold the"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_without_an_address_is_a_wrong_setting(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    """The error names the table and the file, and nothing of what it holds."""
    (tmp_path / "secrets").mkdir()
    if content is not None:
        (tmp_path / "secrets" / "hook").write_bytes(content)
    settings = parse_settings(SETTINGS, tmp_path, environ={})
    with pytest.raises(SettingsError) as caught:
        open_listener(settings, "shift")
    assert f"[notifiers.shift] webhook_file: secrets/hook {reason}" in str(caught.value) or (
        reason in str(caught.value)
    )
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(("alarm_s", "left_s"), [(0.0, 8.0), (60.0, 8.0), (11.0, 8.0), (5.0, 3.0)])
def test_the_end_of_the_process_is_known(
    monkeypatch: pytest.MonkeyPatch, alarm_s: float, left_s: float
) -> None:
    """A message ends two seconds before the process does, and after eight in any case."""
    monkeypatch.setattr(signal, "getitimer", lambda _: (alarm_s, 0.0))
    assert time_left_s() == left_s
