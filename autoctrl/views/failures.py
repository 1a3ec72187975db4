"""What has failed for good and waits for a person: one line for all that share a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.campaigns import find_campaign
from autoctrl.model.status import TaskStatus
from autoctrl.ports import Selection
from autoctrl.views.reasons import shared_reasons

if TYPE_CHECKING:
    from autoctrl.ports import Store
    from autoctrl.views.reasons import SharedReason


def list_failed(store: Store, campaign: str) -> list[SharedReason]:
    """Return why tasks of a campaign have failed, by workflow, what most share first.

    Raises ``UsageError`` for an unknown campaign.
    """
    find_campaign(store, campaign)
    return shared_reasons((), store.tasks(Selection(campaign, statuses=(TaskStatus.FAILED,))))
