"""How the fake opens dialogs and submits them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.http import Answer

if TYPE_CHECKING:
    from tests.contract.fakes.caller import Caller, Integration
    from tests.fakes.mattermost import Dialog, ManualClock, Mattermost, Scene

INVALID = (400, "api.context.invalid_body_param.app_error")
TRIGGER = "interactive_message.decode_trigger_id"
REASON = {"display_name": "Reason", "name": "reason", "type": "text", "min_length": 3}


@pytest.fixture
def body(server: Mattermost, scene: Scene, integration: Integration) -> dict[str, Any]:
    """Return what opens a dialog, with a trigger of Ada's."""
    server.add_command(scene.owner, scene.team, "autoctrl", f"{integration.url}/command")
    result = server.slash(scene.ada, scene.channel, "/autoctrl x")
    content: dict[str, Any] = {"title": "Accept run 7", "callback_id": "accept", "state": "signed"}
    content |= {"introduction_text": "Why?", "submit_label": "Accept", "elements": [REASON]}
    trigger = result.fields["trigger_id"]
    return {"trigger_id": trigger, "url": f"{integration.url}/dialog", "dialog": content}


@pytest.fixture
def dialog(
    bot: Caller, server: Mattermost, integration: Integration, body: dict[str, Any]
) -> Dialog:
    assert bot.api("POST", "/actions/dialogs/open", body).json == {"status": "OK"}
    integration.reply = Answer(200)
    return server.dialogs[-1]


def opened(bot: Caller, body: dict[str, Any], **change: Any) -> Any:
    changed = {**body, "dialog": {**body["dialog"], **change}}
    return bot.api("POST", "/actions/dialogs/open", changed)


def test_a_submission_is_sent(
    server: Mattermost, scene: Scene, integration: Integration, dialog: Dialog
) -> None:
    """The integration gets the values with its state and id, unsigned; an empty answer closes."""
    result = server.submit(dialog, {"reason": "known noise"})
    assert result.is_done
    assert not dialog.is_open
    assert result.payload == {
        "type": "dialog_submission",
        "callback_id": "accept",
        "state": "signed",
        "user_id": scene.ada.id,
        "channel_id": scene.channel.id,
        "team_id": scene.team.id,
        "submission": {"reason": "known noise"},
        "cancelled": False,
    }
    assert integration.requests("POST /dialog")[0].header("Authorization") == ""
    with pytest.raises(ValueError, match="closed"):
        server.submit(dialog, {"reason": "again"})


def test_errors_keep_the_dialog_open(
    server: Mattermost, integration: Integration, dialog: Dialog
) -> None:
    """Errors of elements or of the whole are shown, and the person may try again."""
    integration.reply = Answer.of({"errors": {"reason": "too short"}})
    result = server.submit(dialog, {"reason": "hmm"})
    assert result.errors == {"reason": "too short"}
    assert dialog.is_open
    integration.reply = Answer.of({"error": "closed already"})
    assert server.submit(dialog, {"reason": "hmm"}).message == "closed already"
    integration.reply = Answer.of({"errors": {"other": "x"}})
    with server.violation("there is no element other"):
        server.submit(dialog, {"reason": "hmm"})
    integration.reply = Answer.of({"text": "x"})
    with server.violation("the key text is unknown"):
        server.submit(dialog, {"reason": "hmm"}, forge={"state": "forged"})


@pytest.mark.parametrize("answer", [Answer(500), Answer(204), Answer(200, b"{")])
def test_a_broken_answer_to_a_dialog_fails(
    server: Mattermost, integration: Integration, dialog: Dialog, answer: Answer
) -> None:
    """Another status than 200 and what is no JSON fail, and the dialog stays."""
    integration.reply = answer
    result = server.submit(dialog, {"reason": "hmm"})
    assert result.message.startswith("Action failed to execute")
    assert dialog.is_open
    integration.stop()
    assert not server.submit(dialog, {"reason": "hmm"}).is_done


@pytest.mark.parametrize("values", [{}, {"reason": "no"}, {"reason": "x" * 151}, {"other": "x"}])
def test_a_client_checks_first(
    server: Mattermost, dialog: Dialog, integration: Integration, values: dict[str, str]
) -> None:
    """What no client would submit is an error of the test."""
    with pytest.raises(ValueError, match="no client submits"):
        server.submit(dialog, values)
    assert integration.requests("POST /dialog") == []


def test_a_choice_is_one_of_the_options(
    bot: Caller, server: Mattermost, integration: Integration, body: dict[str, Any]
) -> None:
    """A menu takes its options, a box and an optional field may be left alone."""
    options = [{"text": "Noise", "value": "noise"}]
    elements = [
        {"display_name": "Why", "name": "why", "type": "select", "options": options},
        {"display_name": "Sure", "name": "sure", "type": "bool"},
        {"display_name": "More", "name": "more", "type": "textarea", "optional": True},
    ]
    assert opened(bot, body, elements=elements).status == 200
    integration.reply = Answer(200)
    with pytest.raises(ValueError, match="why cannot be"):
        server.submit(server.dialogs[-1], {"why": "other"})
    assert server.submit(server.dialogs[-1], {"why": "noise", "sure": True}).is_done


def test_a_cancelled_dialog_may_be_told(
    bot: Caller, server: Mattermost, integration: Integration, body: dict[str, Any]
) -> None:
    """Only who asks for it hears that a dialog was cancelled."""
    integration.reply = Answer(200)
    for wants in (False, True):
        opened(bot, body, notify_on_cancel=wants)
        server.submit(server.dialogs[-1], is_cancelled=True)
        assert not server.dialogs[-1].is_open
        assert len(integration.requests("POST /dialog")) == wants


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": "x" * 25},
        {"elements": [REASON, REASON]},
        {"elements": [REASON | {"display_name": "x" * 25}]},
        {"elements": [REASON | {"name": "x" * 301}]},
        {"elements": [REASON | {"name": ""}]},
        {"elements": [REASON | {"type": "number"}]},
        {"elements": [REASON | {"placeholder": "x" * 151}]},
        {"elements": [REASON | {"help_text": "x" * 151}]},
        {"elements": [REASON | {"max_length": 2}]},
        {"elements": [REASON | {"max_length": 151}]},
        {"elements": [REASON | {"type": "textarea", "max_length": 3001}]},
        {"elements": [REASON | {"default": "x" * 151}]},
        {"elements": [REASON | {"type": "select", "min_length": 0}]},
        {"elements": [REASON | {"options": [{"text": "x", "value": "x"}]}]},
        {"elements": {}, "title": 7},
    ],
)
def test_a_broken_dialog_is_refused(
    bot: Caller, server: Mattermost, body: dict[str, Any], change: dict[str, Any]
) -> None:
    """A dialog beyond a limit is refused with 400 and not shown."""
    assert opened(bot, body, **change).error == INVALID
    assert server.dialogs == []


def test_the_limits_themselves_are_kept(bot: Caller, body: dict[str, Any]) -> None:
    """A dialog at its limits is shown."""
    hints = {"placeholder": "x" * 150, "help_text": "x" * 150, "name": "x" * 300}
    longest = {"type": "textarea", "max_length": 3000, "display_name": "x" * 24}
    element = REASON | hints | longest
    assert opened(bot, body, title="x" * 24, elements=[element]).status == 200
    assert opened(bot, body, elements=[]).status == 200


def test_a_dialog_needs_trigger_address_and_content(bot: Caller, body: dict[str, Any]) -> None:
    """Without one of the three, or with an address that is none, it is refused."""
    for name in ("trigger_id", "url", "dialog"):
        assert bot.api("POST", "/actions/dialogs/open", {**body, name: None}).error == INVALID
    body["url"] = "/relative"
    assert bot.api("POST", "/actions/dialogs/open", body).error == INVALID


def test_a_dialog_knows_its_keys(bot: Caller, server: Mattermost, body: dict[str, Any]) -> None:
    """An unknown key of a dialog, an element or an option fails the test."""
    with server.violation("the key icon is unknown"):
        opened(bot, body, icon="x")
    with server.violation("the key data_source is unknown"):
        opened(bot, body, elements=[REASON | {"data_source": "users"}])


def test_a_trigger_grows_old(
    bot: Caller, server: Mattermost, clock: ManualClock, body: dict[str, Any]
) -> None:
    """A trigger opens a dialog as long as an integration may take to answer."""
    clock.advance(30)
    assert bot.api("POST", "/actions/dialogs/open", body).status == 200
    clock.advance(1)
    expired = (400, f"{TRIGGER}.expired")
    assert bot.api("POST", "/actions/dialogs/open", body).error == expired
    assert len(server.dialogs) == 1


def test_a_trigger_is_signed(bot: Caller, body: dict[str, Any]) -> None:
    """A trigger of another server, a truncated one and what is no base64 are refused."""
    parts = base64.b64decode(body["trigger_id"]).decode().split(":")
    forged = base64.b64encode(":".join([*parts[:3], "x"]).encode()).decode()
    short = base64.b64encode(b"a:b").decode()
    expected = {
        forged: "verify_signature_failed",
        short: "missing_data",
        "ä": "base64_decode_failed",
    }
    for trigger, error in expected.items():
        reply = bot.api("POST", "/actions/dialogs/open", {**body, "trigger_id": trigger})
        assert reply.error == (400, f"{TRIGGER}.{error}")
