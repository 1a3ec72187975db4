"""A bot that posts, edits what it has posted, and answers in threads."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from autoctrl.errors import NotifierError, PerhapsTold
from autoctrl.mattermost.address import read_secret
from autoctrl.notifiers.mattermost.failure import BAD, FORBIDDEN, MISSING, Refused
from autoctrl.notifiers.mattermost.repeat import find_told
from autoctrl.notifiers.mattermost.text import spell_post
from autoctrl.notifiers.patience import Patience

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from autoctrl.mattermost.address import Place
    from autoctrl.notifiers.mattermost.calls import Calls
    from autoctrl.notifiers.mattermost.panel import Panel
    from autoctrl.ports import Message

# What a server says of one post that cannot be edited, if it can be talked to at all.
OF_ONE_POST = frozenset({BAD, FORBIDDEN, MISSING})
POST_ID = re.compile(r"[a-z0-9]{26}")
PAGES = 3


class MattermostBot:
    """Posts into one channel; asks nobody before the first message."""

    has_safe_repeat = True

    def __init__(
        self,
        place: Place,
        token_file: Path,
        environment: str = "",
        *,
        patience: Patience | None = None,
        panel: Panel | None = None,
    ) -> None:
        """Post to ``place`` with the token in a file, which is read when it is needed; a ``panel``
        makes the buttons, without one there are none.
        """
        self._place, self._token_file, self._environment = place, token_file, environment
        self._patience, self._panel = patience or Patience(), panel
        self._calls: Calls | None = None
        self._channel_id = ""
        self._complaint: NotifierError | None = None

    def tell(self, message: Message) -> str | None:
        """Post a message and return the post's id, None if there is none.

        Raises ``PerhapsTold`` if nobody can know whether it was posted: the next one to tell it
        looks for it.
        """
        self._complaint = None
        try:
            known = self._find_again(message) if message.is_again else ""
            return known or self._post(message)
        except PerhapsTold:
            raise
        except NotifierError as error:
            self._complaint = error
            return None

    def change(self, message_id: str, message: Message) -> bool:
        """Edit a post; return whether people can see the new message.

        A post that is gone was taken away by people on purpose, and is not posted again. If the
        server lets nobody edit it, that the trouble is over is said in its thread.
        """
        self._complaint = None
        try:
            if self._edit(message_id, message):
                return True
        except NotifierError as error:
            self._complaint = error
            return False
        return self.tell(message._replace(below=message_id)) is not None

    def ping(self) -> str:
        """Say who posts where; posts nothing.

        Raises ``NotifierError``: after a message that was not told, with its reason.
        """
        complaint, self._complaint = self._complaint, None
        if complaint is not None:
            raise complaint
        self._check_channel()
        if self._panel is not None:
            self._panel.check()
        place = self._place
        return f"a bot posts to '{place.channel}' of '{place.team}' at {place.server}"

    def _check_channel(self) -> None:
        """Raise ``NotifierError`` unless the bot is in the channel."""
        self._connected().list_posts(self._channel(), number=1)

    def _connected(self) -> Calls:
        if self._calls is None:
            from autoctrl.notifiers.mattermost.calls import Calls

            token = read_secret(self._place.notifier, "token_file", self._token_file)
            self._calls = Calls(self._place, token, self._patience)
        return self._calls

    def _channel(self) -> str:
        self._channel_id = self._channel_id or self._connected().find_channel()
        return self._channel_id

    def _find_again(self, message: Message) -> str:
        """Return the id of the post that tells this message, empty if there is none.

        What people see then is the message as it is now. Raises ``PerhapsTold`` without an answer:
        it is still not known.
        """
        try:
            calls = self._connected()
            me, channel_id = calls.find_me(), self._channel()
            for page in range(PAGES):
                posts = calls.list_posts(channel_id, page)
                found = find_told(posts, message, me, time.time())
                if found is not None:
                    if found.change != message.revision:
                        self._edit(found.id, message)
                    return found.id
                if not posts:
                    break
        except NotifierError as error:
            raise PerhapsTold(error.message, hint=error.hint) from error
        return ""

    def _post(self, message: Message) -> str:
        """Make a post and return its id, as an answer if it is a reminder."""
        root_id = message.below if POST_ID.fullmatch(message.below) else ""
        content = {"channel_id": self._channel(), **self._content(message)}
        calls = self._connected()
        try:
            if root_id:
                return calls.create({**content, "root_id": root_id})
        except Refused as error:
            # A root that is gone; what is wrong with the message itself shows without it as well.
            if error.failure.status != BAD:
                _raise_if_perhaps(error)
                raise
        try:
            return calls.create(content)
        except Refused as error:
            _raise_if_perhaps(error)
            raise

    def _edit(self, post_id: str, message: Message) -> bool:
        """Edit a post; return False if people are to be told in another way.

        Raises ``NotifierError`` if the server, not the post, is the matter.
        """
        is_gone = False
        if POST_ID.fullmatch(post_id):
            try:
                self._connected().patch(post_id, self._content(message))
            except Refused as error:
                if error.failure.status not in OF_ONE_POST:
                    raise
                is_gone = error.failure.status == MISSING
                self._check_channel()
            else:
                return True
        return is_gone or not message.is_over

    def _content(self, message: Message) -> dict[str, Any]:
        # What is not among the props is taken away from a post that is edited.
        mark = {"incident": message.key, "change": message.revision}
        props: dict[str, Any] = {"autoctrl": mark}
        attachments = self._panel.attach(message) if self._panel is not None else []
        if attachments:
            props["attachments"] = attachments
        return {"message": spell_post(message, self._environment), "props": props}


def _raise_if_perhaps(error: Refused) -> None:
    if error.failure.is_perhaps:
        raise PerhapsTold(error.message, hint=error.hint) from error
