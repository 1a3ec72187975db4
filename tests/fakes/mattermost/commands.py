"""Slash commands: registered, changed, listed, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.http import Answer, Route
from tests.fakes.mattermost.core import URL_PARAM, Core, RefusalError
from tests.fakes.mattermost.limits import (
    BUILT_IN_TRIGGERS,
    COMMAND_DESCRIPTION_RUNES,
    COMMAND_NAME_RUNES,
    TRIGGER_RUNES,
    URL_RUNES,
)
from tests.fakes.mattermost.state import Command, User, new_id

if TYPE_CHECKING:
    from tests.fakes.http import Request

CHOICES = {
    "method": str,
    "trigger": str,
    "url": str,
    "auto_complete": bool,
    "auto_complete_desc": str,
    "auto_complete_hint": str,
    "display_name": str,
    "description": str,
    "username": str,
    "icon_url": str,
}
NEW = {**CHOICES, "team_id": str}
FULL = {
    **NEW,
    "id": str,
    "token": str,
    "creator_id": str,
    "create_at": int,
    "update_at": int,
    "delete_at": int,
}
REQUIRED = frozenset({"team_id", "method", "trigger", "url"})
INVALID = "model.command.is_valid"
OWN = "manage_slash_commands"
OTHERS = "manage_others_slash_commands"


class Commands:
    """The calls about slash commands."""

    def __init__(self, core: Core) -> None:
        self.core = core
        one = "/api/v4/commands/{command_id}"
        team = frozenset({"team_id", "custom_only"})
        core.routes += [
            Route("POST", "/api/v4/commands", self.create),
            Route("GET", "/api/v4/commands", self.list_all, team),
            Route("PUT", one, self.update),
            Route("PUT", f"{one}/regen_token", self.renew_token),
            Route("DELETE", one, self.delete),
        ]

    def create(self, request: Request) -> Answer:
        """Register a command of whoever asks."""
        user = self.user_of(request)
        body = self.core.body_of(request, NEW, REQUIRED)
        team = self.core.state.teams.get(body["team_id"])
        self.core.require(is_allowed=self.may_manage(user, team.id if team else ""))
        fields = self.check(body, "")
        command = Command(body["team_id"], user.id, fields, self.core.now_ms())
        self.core.state.commands[command.id] = command
        self.core.state.secrets.add(command.token)
        return Answer.of(command.view(), 201)

    def user_of(self, request: Request) -> User:
        """Return who asks, where commands are switched on; 501 otherwise."""
        user = self.core.user_of(request)
        if not self.core.site.are_commands_on:
            message = "Commands have been disabled by the system admin."
            raise RefusalError(501, "api.command.disabled.app_error", message)
        return user

    def may_manage(self, user: User, team_id: str) -> bool:
        """Say whether somebody may register commands in a team."""
        team = self.core.state.teams.get(team_id)
        return team is not None and user.id in team.members and OWN in user.permissions

    def check(self, body: dict[str, Any], own_id: str) -> dict[str, Any]:
        """Return what was chosen for a command, if it is valid and nobody has its trigger."""
        fields = {name: body.get(name) or kind() for name, kind in CHOICES.items()}
        trigger = fields["trigger"] = fields["trigger"].lower()
        others = self.core.state.commands.values()
        taken = {
            other.trigger
            for other in others
            if other.team_id == body["team_id"] and other.id != own_id
        }
        if trigger in taken | BUILT_IN_TRIGGERS:
            message = "This trigger word is already in use. Please choose another word."
            raise RefusalError(400, "api.command.duplicate_trigger.app_error", message)
        check_fields(fields)
        return fields

    def owned(self, request: Request, user: User) -> Command:
        """Return the command in the path; 404 for those without the right, who must not know it."""
        command = self.core.state.commands.get(self.core.id_of(request, "command_id"))
        if command is None or not self.may_manage(user, command.team_id):
            error_id = "store.sql_command.save.get.app_error"
            raise RefusalError(404, error_id, "Unable to get the command.")
        is_own = command.creator_id == user.id
        self.core.require(is_allowed=is_own or OTHERS in user.permissions)
        return command

    def update(self, request: Request) -> Answer:
        """Replace what was chosen for a command; it stays in its team."""
        user = self.user_of(request)
        body = self.core.body_of(request, FULL, REQUIRED)
        command_id = self.core.id_of(request, "command_id")
        if body.get("id") != command_id:
            raise RefusalError(400, "api.context.invalid_body_param.app_error", "Invalid command.")
        command = self.owned(request, user)
        if body["team_id"] != command.team_id:
            message = "Unable to update commands across teams."
            raise RefusalError(400, "api.command.team_mismatch.app_error", message)
        command.fields = self.check(body, command.id)
        command.update_at = self.core.now_ms()
        return Answer.of(command.view())

    def renew_token(self, request: Request) -> Answer:
        """Give a command a new token."""
        self.core.check_no_body(request)
        command = self.owned(request, self.user_of(request))
        command.token = new_id()
        self.core.state.secrets.add(command.token)
        return Answer.of({"token": command.token})

    def delete(self, request: Request) -> Answer:
        """Delete a command."""
        self.core.check_no_body(request)
        command = self.owned(request, self.user_of(request))
        del self.core.state.commands[command.id]
        return Answer.of({"status": "OK"})

    def list_all(self, request: Request) -> Answer:
        """List a team's commands, with the tokens of those that whoever asks may change."""
        self.core.check_no_body(request)
        user = self.user_of(request)
        team = self.core.state.teams.get(request.query.get("team_id", ""))
        if not request.query.get("team_id"):
            raise RefusalError(400, URL_PARAM, "Invalid or missing team_id.")
        self.core.require(is_allowed=team is not None and user.id in team.members)
        can_manage = team is not None and self.may_manage(user, team.id)
        only_custom = request.query.get("custom_only") in ("true", "True", "1", "t")
        self.core.require(is_allowed=can_manage or not only_custom)
        custom = self.views(team.id, user) if team is not None and can_manage else []
        built_in = [{"id": "", "token": "", "trigger": each} for each in sorted(BUILT_IN_TRIGGERS)]
        return Answer.of(custom if only_custom else [*built_in, *custom])

    def views(self, team_id: str, user: User) -> list[dict[str, Any]]:
        """Return the commands of a team that somebody may change."""
        return [
            command.view()
            for command in self.core.state.commands.values()
            if command.team_id == team_id
            if command.creator_id == user.id or OTHERS in user.permissions
        ]


def check_fields(fields: dict[str, Any]) -> None:
    """Refuse a command whose fields are too long or malformed."""
    trigger = fields["trigger"]
    is_word = 0 < len(trigger) <= TRIGGER_RUNES and " " not in trigger
    checks = {
        "trigger": is_word and not trigger.startswith("/"),
        "url": 0 < len(fields["url"]) <= URL_RUNES,
        "url_http": fields["url"].startswith(("http://", "https://")),
        "method": fields["method"] == "P",
        "display_name": len(fields["display_name"]) <= COMMAND_NAME_RUNES,
        "description": len(fields["description"]) <= COMMAND_DESCRIPTION_RUNES,
    }
    for name, is_valid in checks.items():
        if not is_valid:
            raise RefusalError(400, f"{INVALID}.{name}.app_error", f"Invalid {name}.")
