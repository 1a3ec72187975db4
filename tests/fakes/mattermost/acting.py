"""The server as it acts towards integrations: commands, clicks and dialogs of people."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from tests.fakes.mattermost import dialogs
from tests.fakes.mattermost.attachments import clickable, context_of
from tests.fakes.mattermost.core import MISSING_PATH, Core, RefusalError
from tests.fakes.mattermost.limits import ANSWER_BYTES
from tests.fakes.mattermost.outgoing import Received, Sent, UnansweredError, send
from tests.fakes.mattermost.posts import EPHEMERAL, MISSING
from tests.fakes.mattermost.slack import translate
from tests.fakes.mattermost.state import Channel, Command, Dialog, Post, ResponseUrl, User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.mattermost.posts import Posts
    from tests.fakes.mattermost.responses import Responses

COMMAND = "api.command.execute_command"
ACTION = "api.post.do_action.action_integration.app_error"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
CLICKED = {"update": dict, "ephemeral_text": str, "skip_slack_parsing": bool, "error": dict}
UPDATE = {"message": str, "props": dict}
SUBMITTED = {"errors": dict, "error": str}
RETAINED = ("from_webhook", "override_username", "override_icon_url")
AT_NAME = re.compile(r"\B@([a-zA-Z0-9][\w.:-]*)")
TILDE_NAME = re.compile(r"\B~([a-z0-9][\w-]*)")


@dataclass
class Result:
    """What came of something that a person did.

    sent      what the integration got, if it was asked
    received  what it answered, if it did
    error_id  why it failed; empty if it did not
    message   what the person reads then
    posts     the posts that the answer became, those for the person alone too
    errors    what a dialog says about its elements
    """

    sent: Sent | None = None
    received: Received | None = None
    error_id: str = ""
    message: str = ""
    posts: list[Post] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether it worked."""
        return not self.error_id and not self.errors

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the form that a command was sent as."""
        return dict(parse_qsl(self.sent.body.decode(), keep_blank_values=True)) if self.sent else {}

    @property
    def payload(self) -> dict[str, Any]:
        """The JSON that a click or a dialog was sent as."""
        return dict(json.loads(self.sent.body)) if self.sent else {}

    @property
    def text(self) -> str:
        """The messages of the posts, below each other."""
        return "\n".join(post.message for post in self.posts)


class Acting:
    """What people do that integrations hear of."""

    def __init__(self, core: Core, posts: Posts, responses: Responses) -> None:
        self.core = core
        self.posts = posts
        self.responses = responses

    def ask(self, sent: Sent) -> Received:
        """Ask an integration; raises if there is no answer in time."""
        return send(sent, self.core.site, ANSWER_BYTES)

    def slash(
        self,
        user: User,
        channel: Channel,
        text: str,
        *,
        root_id: str = "",
        forge: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Result:
        """Type a command such as ``/autoctrl status``; ``forge`` and ``headers`` replace what a
        server would send.
        """
        try:
            with self.core.lock:
                command = self.command_of(user, channel, text)
                sent = self.sent_for(command, user, channel, text, root_id)
            fields = dict(parse_qsl(sent.body.decode(), keep_blank_values=True))
            if forge:
                sent = replace(sent, body=urlencode(fields | dict(forge)).encode())
            sent = replace(sent, headers={**sent.headers, **(headers or {})})
        except RefusalError as refusal:
            return Result(error_id=refusal.error_id, message=refusal.message)
        return self.take_command_answer(Result(sent), command, user, channel, root_id)

    def command_of(self, user: User, channel: Channel, text: str) -> Command:
        """Return the command that a text calls in a channel."""
        self.core.require(is_allowed=self.core.is_member(user, channel))
        if not self.core.site.are_commands_on:
            raise RefusalError(501, "api.command.disabled.app_error", "Commands are disabled.")
        trigger = text.partition(" ")[0].removeprefix("/").lower()
        for command in self.core.state.commands.values():
            is_here = not channel.team_id or command.team_id == channel.team_id
            if is_here and command.trigger == trigger and text.startswith("/"):
                return command
        message = f"Command with a trigger of '{trigger}' not found."
        raise RefusalError(404, f"{COMMAND}.not_found.app_error", message)

    def sent_for(
        self, command: Command, user: User, channel: Channel, text: str, root_id: str
    ) -> Sent:
        """Return what the integration is sent for a command."""
        if not self.core.site_url:
            message = "SiteURL is required to run the command."
            raise RefusalError(400, f"{COMMAND}.site_url_required.app_error", message)
        word, _, rest = text.partition(" ")
        fields = {
            "command": word.lower(),
            "text": rest,
            "root_id": root_id,
            "response_url": self.response_url(command, user, channel, root_id),
            **self.place_of(command, user, channel),
        }
        pairs = sorted([*fields.items(), *self.named_in(rest, command.team_id)])
        oauth = self.core.site.oauth_token
        authorization = f"Bearer {oauth}" if oauth else f"Token {command.token}"
        headers = {**FORM, "Authorization": authorization}
        return Sent(str(command.fields["url"]), urlencode(pairs).encode(), headers)

    def response_url(self, command: Command, user: User, channel: Channel, root_id: str) -> str:
        """Return a new address for later answers."""
        url = ResponseUrl(command, user.id, channel.id, root_id, self.core.clock())
        self.core.state.response_urls[url.id] = url
        return f"{self.core.site_url}/hooks/commands/{url.id}"

    def place_of(self, command: Command, user: User, channel: Channel) -> dict[str, str]:
        """Return the fields that tell where a command was typed and by whom."""
        return {
            "token": command.token,
            "team_id": command.team_id,
            "team_domain": self.core.state.teams[command.team_id].name,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "user_id": user.id,
            "user_name": user.name,
            "trigger_id": self.core.new_trigger(user, channel, command.team_id).id,
        }

    def named_in(self, text: str, team_id: str) -> list[tuple[str, str]]:
        """Return the fields for the people and channels that a command's text names."""
        team = self.core.state.teams[team_id]
        pairs: list[tuple[str, str]] = []
        for name in dict.fromkeys(AT_NAME.findall(text)):
            user = self.core.user_named(name.lower().rstrip(".-_:"))
            if user and user.id in team.members:
                pairs += [("user_mentions", user.name), ("user_mentions_ids", user.id)]
        for name in dict.fromkeys(TILDE_NAME.findall(text)):
            channel = self.core.channel_named(team_id, name)
            if channel and channel.type == "O":
                pairs += [("channel_mentions", name), ("channel_mentions_ids", channel.id)]
        return pairs

    def take_command_answer(
        self, result: Result, command: Command, user: User, channel: Channel, root_id: str
    ) -> Result:
        """Send a command, and make the posts of the answer."""
        trigger = f"Command with a trigger of '{command.trigger}'"
        assert result.sent is not None
        try:
            received = result.received = self.ask(result.sent)
        except UnansweredError as error:
            return failed(result, "failed", f"{trigger} failed: {error}")
        with self.core.lock:
            answer = self.responses.parse(received.media_type, received.body)
            if received.status != 200:
                message = f"{trigger} returned response {received.status_line}."
                return failed(result, "failed_resp", message)
            if answer is None:
                return failed(result, "failed_empty", f"{trigger} returned an empty response.")
            try:
                result.posts = self.responses.post_all(answer, user, channel.id, root_id)
            except RefusalError as refusal:
                message = f"{trigger} failed to post response: {refusal.error_id}."
                return failed(result, "create_post_failed", message)
        return result

    def click(
        self,
        post: Post,
        action: str,
        user: User,
        *,
        selected: str = "",
        forge: Mapping[str, Any] | None = None,
    ) -> Result:
        """Click on the action with this id, or select an option of it."""
        try:
            with self.core.lock:
                sent = self.sent_for_click(post, action, user, selected)
        except RefusalError as refusal:
            return Result(error_id=refusal.error_id, message=refusal.message)
        if forge:
            sent = replace(sent, body=json.dumps(json.loads(sent.body) | dict(forge)).encode())
        result = Result(sent)
        try:
            result.received = self.ask(sent)
            with self.core.lock:
                answer = self.json_of(result.received)
                self.take_click_answer(result, answer, post, user)
        except (UnansweredError, RefusalError, ValueError) as error:
            result.error_id = error.error_id if isinstance(error, RefusalError) else ACTION
            result.message = f"Action failed to execute: {error}"
        return result

    def sent_for_click(self, post: Post, action_id: str, user: User, selected: str) -> Sent:
        """Return what the integration is sent for a click."""
        if not re.fullmatch(r"[A-Za-z0-9]+", action_id):
            raise RefusalError(404, MISSING_PATH, "Sorry, we could not find the page.")
        if post.delete_at or post.ephemeral_for not in ("", user.id):
            raise RefusalError(404, MISSING, "Unable to get the post.")
        channel = self.core.state.channels[post.channel_id]
        self.core.require(is_allowed=self.core.is_member(user, channel))
        action = clickable(post, action_id)
        team = self.core.state.teams.get(channel.team_id)
        payload = {
            "user_id": user.id,
            "user_name": user.name,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "team_id": channel.team_id,
            "team_domain": team.name if team else "",
            "post_id": post.id,
            "trigger_id": self.core.new_trigger(user, channel, channel.team_id).id,
            "type": action["type"],
            "data_source": action.get("data_source") or "",
            "context": context_of(action, selected),
        }
        return Sent(action["integration"]["url"], json.dumps(payload).encode(), JSON)

    def json_of(self, received: Received) -> dict[str, Any]:
        """Return an answer to a click; raises if it is none."""
        self.core.check_text(received.body.decode("utf-8", "replace"), "the answer to a click")
        if received.status != 200:
            message = f"status={received.status}"
            raise ValueError(message)
        answer = json.loads(received.body)
        if not isinstance(answer, dict):
            message = "the answer is no object"
            raise ValueError(message)  # noqa: TRY004 - whatever is no object is no answer
        self.core.check_keys(answer, CLICKED, "answer to a click")
        return answer

    def take_click_answer(
        self, result: Result, answer: dict[str, Any], post: Post, user: User
    ) -> None:
        """Change the post and show the person what the answer says."""
        if answer.get("error"):
            self.core.check_keys(answer["error"], {"message": str}, "error of a click")
            result.error_id = ACTION
            result.message = answer["error"].get("message") or "Action failed to execute"
            return
        update = answer.get("update")
        if update is not None:
            self.update(post, update)
        text = answer.get("ephemeral_text") or ""
        if text:
            text = text if answer.get("skip_slack_parsing") else translate(text)
            more = {"root_id": post.root_id or post.id, "ephemeral_for": user.id, "type": EPHEMERAL}
            result.posts.append(self.posts.save(user, post.channel_id, text, {}, **more))

    def update(self, post: Post, update: dict[str, Any]) -> None:
        """Change a post as an answer says; without props the old ones stay."""
        self.core.check_keys(update, UPDATE, "update of a click")
        if post.ephemeral_for:
            raise RefusalError(404, MISSING, "Unable to get the post.")
        props = update.get("props")
        if props is not None:
            kept = {name: post.props[name] for name in RETAINED if name in post.props}
            props = {**{name: props[name] for name in props if name not in RETAINED}, **kept}
        self.posts.edit(post, {"message": update.get("message") or "", "props": props})

    def submit(
        self,
        dialog: Dialog,
        submission: Mapping[str, Any] | None = None,
        *,
        is_cancelled: bool = False,
        forge: Mapping[str, Any] | None = None,
    ) -> Result:
        """Fill in a dialog and submit it, or cancel it."""
        values = dict(submission or {})
        if not dialog.is_open:
            message = "the dialog is closed"
            raise ValueError(message)
        if is_cancelled and not dialog.content.get("notify_on_cancel"):
            dialog.is_open = False
            return Result()
        if not is_cancelled:
            check_submission(dialog, values)
        payload = submission_of(dialog, values, is_cancelled=is_cancelled) | dict(forge or {})
        result = Result(Sent(dialog.url, json.dumps(payload).encode(), JSON))
        assert result.sent is not None
        try:
            result.received = self.ask(result.sent)
            with self.core.lock:
                self.take_submission_answer(result, dialog)
        except (UnansweredError, ValueError) as error:
            result.error_id = ACTION
            result.message = f"Action failed to execute: {error}"
        dialog.is_open = not result.is_done and not is_cancelled
        return result

    def take_submission_answer(self, result: Result, dialog: Dialog) -> None:
        """Show the errors that an answer to a dialog names."""
        assert result.received is not None
        text = result.received.body.decode("utf-8", "replace")
        self.core.check_text(text, "the answer to a dialog")
        if result.received.status != 200:
            message = f"status={result.received.status}"
            raise ValueError(message)
        answer = json.loads(text) if text else {}
        self.core.check_keys(answer, SUBMITTED, "answer to a dialog")
        result.errors = answer.get("errors") or {}
        if answer.get("error"):
            result.error_id, result.message = ACTION, answer["error"]
        for name in result.errors.keys() - {element["name"] for element in dialog.elements}:
            self.core.violate(f"answer to a dialog: there is no element {name}")


def check_submission(dialog: Dialog, values: dict[str, Any]) -> None:
    """Raise if no client would let a person submit these values."""
    unknown = values.keys() - {element["name"] for element in dialog.elements}
    wrong = [dialogs.unfit(each, values.get(each["name"])) for each in dialog.elements]
    problems = [*sorted(unknown), *filter(None, wrong)]
    if problems:
        message = f"no client submits that: {problems}"
        raise ValueError(message)


def submission_of(dialog: Dialog, values: dict[str, Any], *, is_cancelled: bool) -> dict[str, Any]:
    """Return what the integration is sent for a dialog."""
    return {
        "type": "dialog_submission",
        "callback_id": dialog.content.get("callback_id") or "",
        "state": dialog.content.get("state") or "",
        "user_id": dialog.trigger.user_id,
        "channel_id": dialog.trigger.channel_id,
        "team_id": dialog.trigger.team_id,
        "submission": values,
        "cancelled": is_cancelled,
    }


def failed(result: Result, error: str, message: str) -> Result:
    """Return the result of a command that failed."""
    result.error_id, result.message = f"{COMMAND}.{error}.app_error", message
    return result
