"""Jenkins starts what the project does: a table of jobs, brought there and kept by ``sync``.

The table and what is made of it are pure (``jobs``, ``pipelines``, ``config_xml``, ``elements``,
``plan``, ``cron``); ``server`` is the border, behind which python-jenkins asks.
"""

from autoctrl.operations.jenkins.branches import trigger_branch
from autoctrl.operations.jenkins.status import (
    JobState,
    OfflineNode,
    find_offline_nodes,
    list_states,
    ping_jenkins,
)
from autoctrl.operations.jenkins.syncing import Sync, prepare_sync
from autoctrl.operations.jenkins.triggering import (
    Built,
    Triggered,
    await_build,
    follow_build,
    trigger_job,
)

__all__ = [
    "Built",
    "JobState",
    "OfflineNode",
    "Sync",
    "Triggered",
    "await_build",
    "find_offline_nodes",
    "follow_build",
    "list_states",
    "ping_jenkins",
    "prepare_sync",
    "trigger_branch",
    "trigger_job",
]
