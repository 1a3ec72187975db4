"""How slash commands are registered with the fake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.fakes.caller import Caller
from tests.fakes.mattermost.state import is_id, new_id

if TYPE_CHECKING:
    from tests.fakes.mattermost import Mattermost, Scene

FORBIDDEN = (403, "api.context.permissions.app_error")
MISSING = (404, "store.sql_command.save.get.app_error")
DUPLICATE = (400, "api.command.duplicate_trigger.app_error")


@pytest.fixture
def body(scene: Scene) -> dict[str, Any]:
    fields = {"method": "P", "trigger": "AutoCtrl", "url": "https://autoctrl.example/command"}
    hints = {"auto_complete": True, "auto_complete_desc": "runs", "auto_complete_hint": "[verb]"}
    names = {"display_name": "d" * 64, "description": "d" * 128}
    return {"team_id": scene.team.id, **fields, **hints, **names}


@pytest.fixture
def command(owner: Caller, body: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = owner.api("POST", "/commands", body).json
    return made


def test_a_command_is_registered(
    owner: Caller, body: dict[str, Any], command: dict[str, Any], scene: Scene
) -> None:
    """A command gets an id and a token, and its trigger in lower case."""
    assert is_id(command["id"])
    assert is_id(command["token"])
    assert command["trigger"] == "autoctrl"
    assert command["creator_id"] == scene.owner.id
    assert owner.api("POST", "/commands", body | {"trigger": "x" * 128}).status == 201


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("trigger", "a b", "trigger"),
        ("trigger", "/a", "trigger"),
        ("trigger", "x" * 129, "trigger"),
        ("url", "http://x/" + "x" * 1016, "url"),
        ("url", "ftp://x/", "url_http"),
        ("method", "G", "method"),
        ("display_name", "x" * 65, "display_name"),
        ("description", "x" * 129, "description"),
    ],
)
def test_a_bad_command_is_refused(
    owner: Caller, body: dict[str, Any], name: str, value: str, error: str
) -> None:
    """What is too long or malformed is refused with an id of its own."""
    reply = owner.api("POST", "/commands", {**body, name: value})
    assert reply.error == (400, f"model.command.is_valid.{error}.app_error")


@pytest.mark.parametrize("name", ["team_id", "method", "trigger", "url"])
def test_a_command_needs_these(owner: Caller, body: dict[str, Any], name: str) -> None:
    """Without team, method, trigger or address it is refused with 400."""
    reply = owner.api("POST", "/commands", {**body, name: ""})
    assert reply.error == (400, "api.context.invalid_body_param.app_error")


def test_a_trigger_is_unique_in_its_team(
    owner: Caller, body: dict[str, Any], command: dict[str, Any], server: Mattermost, scene: Scene
) -> None:
    """A trigger of the team or of Mattermost's own is refused, in another team it is free."""
    assert command["trigger"] == "autoctrl"
    assert owner.api("POST", "/commands", body).error == DUPLICATE
    assert owner.api("POST", "/commands", body | {"trigger": "Away"}).error == DUPLICATE
    other = server.add_team("other")
    other.members.add(scene.owner.id)
    assert owner.api("POST", "/commands", body | {"team_id": other.id}).status == 201


def test_registering_needs_the_right(
    bot: Caller, server: Mattermost, body: dict[str, Any], scene: Scene
) -> None:
    """Without manage_slash_commands it is refused with 403, switched off with 501."""
    assert bot.api("POST", "/commands", body).error == FORBIDDEN
    owner = Caller(server.port, scene.owner.token)
    assert owner.api("POST", "/commands", body | {"team_id": new_id()}).error == FORBIDDEN
    server.site.are_commands_on = False
    assert owner.api("POST", "/commands", body).error == (501, "api.command.disabled.app_error")


def test_a_command_is_updated_whole(owner: Caller, command: dict[str, Any]) -> None:
    """An update sends the full object and keeps id, team and token."""
    path = f"/commands/{command['id']}"
    changed = owner.api("PUT", path, {**command, "url": "http://new.example/"}).json
    assert changed["url"] == "http://new.example/"
    assert changed["token"] == command["token"]
    moved = owner.api("PUT", path, {**command, "team_id": new_id()})
    assert moved.error == (400, "api.command.team_mismatch.app_error")
    other = owner.api("PUT", path, {**command, "id": new_id()})
    assert other.error == (400, "api.context.invalid_body_param.app_error")
    assert owner.api("PUT", path, {**command, "trigger": "help"}).error == DUPLICATE


def test_a_token_is_renewed(owner: Caller, server: Mattermost, command: dict[str, Any]) -> None:
    """A new token replaces the old one, and both stay secrets."""
    renewed = owner.api("PUT", f"/commands/{command['id']}/regen_token", {}).json
    assert renewed.keys() == {"token"}
    assert renewed["token"] != command["token"]
    assert {renewed["token"], command["token"]} <= server.state.secrets


def test_a_command_is_deleted(owner: Caller, command: dict[str, Any]) -> None:
    """A deleted command is gone, and its trigger is free."""
    path = f"/commands/{command['id']}"
    assert owner.api("DELETE", path).json == {"status": "OK"}
    assert owner.api("DELETE", path).error == MISSING
    assert owner.api("PUT", f"{path}/regen_token").error == MISSING


def test_commands_of_others_are_theirs(
    bot: Caller, server: Mattermost, command: dict[str, Any], scene: Scene
) -> None:
    """Without the right a command is not there; with it, those of others are refused with 403."""
    path = f"/commands/{command['id']}"
    assert bot.api("DELETE", path).error == MISSING
    scene.ada.permissions.add("manage_slash_commands")
    ada = Caller(server.port, scene.ada.token)
    assert ada.api("DELETE", path).error == FORBIDDEN
    scene.ada.permissions.add("manage_others_slash_commands")
    assert ada.api("DELETE", path).status == 200


def test_commands_are_listed(
    bot: Caller, owner: Caller, command: dict[str, Any], scene: Scene
) -> None:
    """Those with the right see their commands with the tokens, others only Mattermost's own."""
    path = f"/commands?team_id={scene.team.id}"
    assert owner.api("GET", f"{path}&custom_only=true").json == [command]
    assert command in owner.api("GET", path).json
    assert bot.api("GET", f"{path}&custom_only=true").error == FORBIDDEN
    triggers = {each["trigger"] for each in bot.api("GET", path).json}
    assert "help" in triggers
    assert "autoctrl" not in triggers
    malformed = (400, "api.context.invalid_url_param.app_error")
    assert owner.api("GET", "/commands?custom_only=true").error == malformed
    assert owner.api("GET", f"/commands?team_id={new_id()}").error == FORBIDDEN
