"""What a person writes of a campaign: texts of options, words or fields, and what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import UsageError
from autoctrl.model.campaign import PROMPT, Campaign
from autoctrl.model.pairs import type_values

if TYPE_CHECKING:
    from collections.abc import Mapping


class CampaignText(NamedTuple):
    """What is said of a campaign; None where nothing is.

    workflows  names with commas between them
    parent     the campaign in which other workflows are looked up, empty for nowhere
    runs       a fixed selection of runs
    settings   values by name
    code       commit at which its workflows must stand
    follow     whether it takes in runs as the sources discover them
    reopen     whether it is opened again
    """

    workflows: str | None = None
    parent: str | None = None
    runs: str | None = None
    settings: Mapping[str, Any] = {}
    code: str | None = None
    follow: bool | None = None
    reopen: bool = False

    def campaign(self, name: str) -> Campaign:
        """Return the campaign that this would be, with the usual parent where none is said.

        Raises ``UsageError`` without workflows.
        """
        names = split_names(self.workflows or "")
        if not names:
            message = f"Campaign {name} has no workflows."
            raise UsageError(message, hint="Name those that it processes, such as reco,friends.")
        return Campaign(
            name,
            parent=(PROMPT if self.parent is None else self.parent) or None,
            workflows=names,
            settings=type_values(self.settings),
            code=self.code,
            runs=self.runs,
            follow=bool(self.follow),
        )

    def changes(self) -> dict[str, Any]:
        """Return what this changes, by the campaign's field."""
        said = {"runs": self.runs, "code": self.code, "follow": self.follow}
        changes: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        if self.parent is not None:
            changes["parent"] = self.parent or None
        if self.workflows is not None:
            changes["workflows"] = split_names(self.workflows)
        if self.settings:
            changes["settings"] = type_values(self.settings)
        if self.reopen:
            changes["closed"] = False
        return changes


def split_names(text: str) -> tuple[str, ...]:
    """Return the names of a list such as ``camera-reco,camera-friends``."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
