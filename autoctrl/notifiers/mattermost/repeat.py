"""Which of the bot's posts is the message that may have been told before, pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.notifiers.mattermost.calls import Posted
    from autoctrl.ports import Message

# Reminders say the same every four hours, and a digest has no trouble of its own: of those only a
# young post can be the one that is meant.
YOUNG_S = 3 * 3600


def find_told(posts: Iterable[Posted], message: Message, me: str, now: float) -> Posted | None:
    """Return the bot's own post that tells this message, perhaps as it was some changes ago.

    ``now`` is in seconds since 1970. A reminder is only looked for below its root.
    """
    own = [post for post in posts if post.user_id == me and _is_about(post, message)]
    found = max(own, key=lambda post: (post.change == message.revision, post.at), default=None)
    if found is None or (found.change == message.revision and not message.below):
        return found
    is_meant = found.change == message.revision or not message.below
    return found if is_meant and now - found.at < YOUNG_S else None


def _is_about(post: Posted, message: Message) -> bool:
    return post.incident == message.key and post.root_id == message.below
