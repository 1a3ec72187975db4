"""Names that several rooms must spell alike: of leases, of folders, of an executor; and how long a
name may be.
"""

from __future__ import annotations

INLINE = "inline"

# Names of campaigns and workflows become folders, and so do units; a file system bounds these.
LONGEST_WORD = 200  # letters, each of one byte
LONGEST_FOLDER = 255  # bytes

# The folder in a project that holds what autoctrl writes for itself, and the parts of that folder:
# jobs by executor, descriptions of versions, what sources have read, how far a bucket was counted,
# alerts that nobody else gets, and a file whose time wakes the loops.
STATE_FOLDER = ".autoctrl"
JOBS = "jobs"
BODIES = "bodies"
SOURCES = "sources"
QUOTAS = "quotas"
ALERTS = "alerts.log"
WAKE_FILE = "wake"

# The file in the folder of outputs that says which store they belong to.
OWNER_FILE = ".store"

RUNS_LEASE = "runs"
CAMPAIGNS_LEASE = "campaigns"

# The mark that says which deployed release makes the cycles of a campaign.
RELEASE = "release"
COPY_LEASE = "copy"


def workflow_lease(campaign: str, workflow: str) -> str:
    """Return the name of the lease under which the tasks of a workflow are moved."""
    return f"{campaign}/{workflow}"


def loop_lease(campaign: str) -> str:
    """Return the name of the lease that the built-in scheduler of a campaign holds."""
    return f"loop/{campaign}"


def incidents_lease(campaign: str) -> str:
    """Return the name of the lease under which people are told of a campaign's incidents."""
    return f"incidents/{campaign}"
