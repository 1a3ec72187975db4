"""Posts through the API: made, edited, deleted, read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.fakes.http import Answer, Route
from tests.fakes.mattermost.attachments import check_attachments
from tests.fakes.mattermost.core import BODY_PARAM, URL_PARAM, Core, RefusalError
from tests.fakes.mattermost.limits import MESSAGE_RUNES, PER_PAGE, PROPS_RUNES, SINCE_POSTS
from tests.fakes.mattermost.mentions import EVERYBODY
from tests.fakes.mattermost.state import Channel, Post, User, Version, is_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.fakes.http import Request

NEW = {
    "channel_id": str,
    "message": str,
    "root_id": str,
    "props": dict,
    "metadata": dict,
    "file_ids": list,
}
PATCH = {"message": str, "props": dict, "is_pinned": bool}
FULL = {
    **NEW,
    **PATCH,
    "id": str,
    "user_id": str,
    "original_id": str,
    "type": str,
    "hashtags": str,
    "pending_post_id": str,
    "create_at": int,
    "update_at": int,
    "edit_at": int,
    "delete_at": int,
}
PRIORITY = {"priority": str, "requested_ack": bool}
MISSING = "app.post.get.app_error"
ROOT = "api.post.create_post.root_id.app_error"
INVALID = "model.post.is_valid"
REPLY_PRIORITY = "api.post.post_priority.priority_post_only_allowed_for_root_post.request_error"
EPHEMERAL = "system_ephemeral"


class Posts:
    """The calls that make, change and show posts."""

    def __init__(self, core: Core) -> None:
        self.core = core
        pages = frozenset({"since", "page", "per_page"})
        core.routes += [
            Route("POST", "/api/v4/posts", self.create),
            Route("POST", "/api/v4/posts/ephemeral", self.create_ephemeral),
            Route("PUT", "/api/v4/posts/{post_id}/patch", self.patch),
            Route("PUT", "/api/v4/posts/{post_id}", self.update),
            Route("DELETE", "/api/v4/posts/{post_id}", self.delete),
            Route("GET", "/api/v4/posts/{post_id}/thread", self.thread),
            Route("GET", "/api/v4/channels/{channel_id}/posts", self.channel, pages),
        ]

    def create(self, request: Request) -> Answer:
        """Make a post of whoever asks."""
        user = self.core.user_of(request)
        body = self.core.body_of(request, NEW, frozenset({"channel_id"}))
        channel = self.core.state.channels.get(body["channel_id"])
        self.core.require(is_allowed=self.core.is_member(user, channel))
        root_id = body.get("root_id") or ""
        priority = self.priority_of(body.get("metadata") or {}, request.line)
        if priority and root_id:
            raise RefusalError(400, REPLY_PRIORITY, "Only a root may have a priority.")
        self.check_root(root_id, body["channel_id"])
        post = self.save(
            user,
            body["channel_id"],
            body.get("message") or "",
            {**(body.get("props") or {}), **({"from_bot": "true"} if user.is_bot else {})},
            root_id=root_id,
            file_ids=body.get("file_ids") or [],
            priority=priority,
        )
        return Answer.of(post.view(), 201)

    def priority_of(self, metadata: dict[str, Any], where: str) -> dict[str, Any]:
        """Return the priority in a post's metadata; what else stands there is unknown."""
        self.core.check_keys(metadata, {"priority": dict}, f"{where}: metadata")
        return self.check_priority(metadata.get("priority") or {}, where)

    def check_priority(self, priority: dict[str, Any], where: str) -> dict[str, Any]:
        """Return a priority, which is important or urgent."""
        self.core.check_keys(priority, PRIORITY, f"{where}: priority")
        if priority.get("priority") not in (None, "", "important", "urgent"):
            raise RefusalError(400, BODY_PARAM, "Invalid or missing priority in request body.")
        return priority

    def check_root(self, root_id: str, channel_id: str) -> None:
        """Refuse a root that is unknown, or itself a reply: a thread has one level."""
        if not root_id:
            return
        root = self.core.state.posts.get(root_id)
        if root is None or root.delete_at or root.ephemeral_for or root.root_id:
            raise RefusalError(400, ROOT, "Invalid RootId parameter.")
        if root.channel_id != channel_id:
            raise RefusalError(500, "api.post.create_post.channel_root_id.app_error")

    def save(
        self,
        user: User,
        channel_id: str,
        message: str,
        props: dict[str, Any],
        **more: Any,
    ) -> Post:
        """Keep a new post of somebody, if it is valid, and note whom it notifies."""
        self.check_content(message, props, more.get("file_ids") or [])
        now = self.core.now_ms()
        post = Post(user.id, channel_id, [Version(now, message, props)], update_at=now, **more)
        if not post.is_silent:
            post.notified = self.notified(post, self.core.state.channels[channel_id])
        self.core.state.posts[post.id] = post
        if post.root_id and post.root_id in self.core.state.posts:
            self.core.state.posts[post.root_id].update_at = now
        return post

    def notified(self, post: Post, channel: Channel) -> frozenset[str]:
        """Return the members of the channel whom a post notifies, and all, channel or here."""
        names = {self.core.state.users[user_id].name for user_id in channel.members}
        return post.last.mentions & (names | EVERYBODY)

    def check_content(self, message: str, props: dict[str, Any], file_ids: list[str]) -> None:
        """Refuse what is too long, empty or malformed."""
        check_attachments(self.core, props)
        if not message and not props.get("attachments") and not file_ids:
            raise RefusalError(400, BODY_PARAM, "Invalid or missing post in request body.")
        if len(message) > MESSAGE_RUNES:
            error = "Post Message property is longer than the maximum permitted length."
            raise RefusalError(400, f"{INVALID}.message_length.app_error", error)
        if len(json.dumps(props, ensure_ascii=False, separators=(",", ":"))) > PROPS_RUNES:
            raise RefusalError(400, f"{INVALID}.props.app_error", "Invalid props.")
        if len(file_ids) > self.core.site.files or not all(map(is_id, file_ids)):
            raise RefusalError(400, f"{INVALID}.file_ids.app_error", "Invalid file ids.")

    def create_ephemeral(self, request: Request) -> Answer:
        """Show one person a post that is not kept."""
        user = self.core.user_of(request)
        known = {"user_id": str, "post": dict}
        body = self.core.body_of(request, known, frozenset(known))
        post = body["post"]
        self.core.check_keys(post, {"channel_id": str, "message": str}, request.line)
        self.core.require(is_allowed="create_post_ephemeral" in user.permissions)
        target = self.core.state.users.get(body["user_id"])
        channel = self.core.state.channels.get(post.get("channel_id"))
        if target is None or channel is None or not post.get("message"):
            raise RefusalError(400, BODY_PARAM, "Invalid or missing post in request body.")
        if not self.core.is_member(target, channel):
            self.core.violate(f"{request.line}: {target.name} is not in the channel to see it")
        message = post["message"]
        kept = self.save(user, channel.id, message, {}, ephemeral_for=target.id, type=EPHEMERAL)
        return Answer.of(kept.view(), 201)

    def visible(self, request: Request, user: User) -> Post:
        """Return the post in the path, if whoever asks may read it."""
        post = self.core.state.posts.get(self.core.id_of(request, "post_id"))
        if post is None or post.delete_at or post.ephemeral_for:
            raise RefusalError(404, MISSING, "Unable to get the post.")
        channel = self.core.state.channels[post.channel_id]
        self.core.require(is_allowed=self.core.is_member(user, channel))
        return post

    def editable(self, request: Request) -> Post:
        """Return the post in the path, if whoever asks may still edit it."""
        user = self.core.user_of(request)
        post = self.visible(request, user)
        self.core.require(is_allowed=post.user_id == user.id)
        limit = self.core.site.edit_seconds
        if limit >= 0 and self.core.now_ms() > post.create_at + limit * 1000:
            error_id = "api.post.update_post.permissions_time_limit.app_error"
            message = f"Post edit is only allowed for {limit} seconds."
            raise RefusalError(self.core.site.edit_status, error_id, message)
        return post

    def patch(self, request: Request) -> Answer:
        """Change what the body names; props are replaced whole."""
        post = self.editable(request)
        self.edit(post, self.core.body_of(request, PATCH))
        return Answer.of(post.view())

    def update(self, request: Request) -> Answer:
        """Replace a post by the one in the body."""
        body = self.core.body_of(request, FULL)
        if body.get("id") != self.core.id_of(request, "post_id"):
            raise RefusalError(400, BODY_PARAM, "Invalid or missing id in request body.")
        post = self.editable(request)
        whole = {"message": "", "props": {}, "is_pinned": False}
        self.edit(post, {name: body.get(name, default) for name, default in whole.items()})
        return Answer.of(post.view())

    def edit(self, post: Post, change: dict[str, Any]) -> None:
        """Let a post say something else from now on."""
        now = max(self.core.now_ms(), post.update_at + 1)
        given = {name: value for name, value in change.items() if value is not None}
        version = replace(post.last, at=now, **given)
        self.check_content(version.message, version.props, post.file_ids)
        post.versions.append(version)
        post.update_at = now

    def delete(self, request: Request) -> Answer:
        """Delete a post and the replies to it."""
        self.core.check_no_body(request)
        user = self.core.user_of(request)
        post = self.visible(request, user)
        self.core.require(is_allowed=post.user_id == user.id)
        for each in self.core.state.posts.values():
            if post.id in (each.id, each.root_id):
                each.delete_at = each.update_at = self.core.now_ms()
        return Answer.of({"status": "OK"})

    def thread(self, request: Request) -> Answer:
        """Show the thread that a post belongs to."""
        self.core.check_no_body(request)
        post = self.visible(request, self.core.user_of(request))
        root_id = post.root_id or post.id
        kept = [each for each in self.kept() if root_id in (each.id, each.root_id)]
        return Answer.of(self.listed(each for each in kept if not each.delete_at))

    def channel(self, request: Request) -> Answer:
        """Show the posts of a channel: a page, or what changed since then."""
        self.core.check_no_body(request)
        user = self.core.user_of(request)
        channel = self.core.state.channels.get(self.core.id_of(request, "channel_id"))
        if channel is None:
            raise RefusalError(404, "app.channel.get.existing.app_error", "Channel not found.")
        self.core.require(is_allowed=self.core.is_member(user, channel))
        numbers = {name: self.number(request, name) for name in request.query}
        posts = [post for post in self.kept() if post.channel_id == channel.id]
        if "since" in numbers:
            if len(numbers) > 1:
                self.core.violate(f"{request.line}: since and pages exclude each other")
            changed = [post for post in posts if post.update_at > numbers["since"]]
            return Answer.of(self.listed(changed[:SINCE_POSTS]))
        return Answer.of(self.listed(self.page(request, numbers, posts)))

    def page(self, request: Request, numbers: dict[str, int], posts: list[Post]) -> list[Post]:
        """Return a page of posts without the deleted ones."""
        size = numbers.get("per_page", 60)
        if size > PER_PAGE:
            self.core.violate(f"{request.line}: per_page is above {PER_PAGE}")
        size = min(size, PER_PAGE)
        first = numbers.get("page", 0) * size
        alive = [post for post in posts if not post.delete_at]
        return alive[first : first + size]

    def kept(self) -> list[Post]:
        """Return every post that is not ephemeral, newest first."""
        posts = [post for post in self.core.state.posts.values() if not post.ephemeral_for]
        return sorted(posts, key=lambda post: post.create_at)[::-1]

    def listed(self, posts: Iterable[Post]) -> dict[str, Any]:
        """Return posts in their order, and by id together with the roots of their threads."""
        order = list(posts)
        roots = [self.core.state.posts[post.root_id] for post in order if post.root_id]
        views = {post.id: post.view() for post in [*roots, *order]}
        return {"order": [post.id for post in order], "posts": views}

    def number(self, request: Request, name: str) -> int:
        """Return a number among the parameters; 400 if it is none."""
        try:
            return int(request.query[name])
        except ValueError:
            raise RefusalError(400, URL_PARAM, f"Invalid or missing {name}.") from None
