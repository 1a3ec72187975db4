"""A channel of a fake server of Mattermost, and the notifiers that post into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.mattermost.address import Place, read_server
from autoctrl.notifiers.mattermost.bot import MattermostBot
from autoctrl.notifiers.mattermost.webhook import MattermostWebhook
from autoctrl.notifiers.patience import Patience

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.notifiers.mattermost.panel import Panel
    from tests.fakes.mattermost import Mattermost, Post, Scene


class Channel(NamedTuple):
    """A channel of a fake server, with what a notifier reads its secrets from."""

    server: Mattermost
    scene: Scene
    folder: Path
    slept: list[float]

    def bot(
        self, seconds: float = 5.0, *, channel: str = "shift", panel: Panel | None = None
    ) -> MattermostBot:
        """Open a bot, as another process would."""
        place = Place("shift", read_server("shift", self.server.url), "experiment", channel)
        patience = self._patience(seconds)
        return MattermostBot(place, self.folder / "token", patience=patience, panel=panel)

    def webhook(self, seconds: float = 5.0) -> MattermostWebhook:
        """Open a webhook, as another process would."""
        return MattermostWebhook("shift", self.folder / "hook", patience=self._patience(seconds))

    def _patience(self, seconds: float) -> Patience:
        return Patience(seconds, time_left=lambda: 60.0, sleep=self.slept.append)

    @property
    def alive(self) -> list[Post]:
        """The posts that people can see."""
        return [post for post in self.server.posts if not post.delete_at]
