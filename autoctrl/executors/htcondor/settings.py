"""What settings may say of an HTCondor pool."""

from __future__ import annotations

from dataclasses import dataclass

from autoctrl.config import ADMINISTRATOR, ExecutorSettings, setting


@dataclass(frozen=True)
class HTCondorExecutorSettings(ExecutorSettings):
    """``[executors.<name>]`` with ``type = "htcondor"``: jobs of an HTCondor pool."""

    schedd: str = setting(
        "Name of the schedd; empty takes the one of this machine.", "", owner=ADMINISTRATOR
    )
    collector: str = setting(
        "Address of the pool's collector; empty takes the configured one.", "", owner=ADMINISTRATOR
    )
    config: str = setting(
        "HTCondor configuration file to use; empty takes the usual one (CONDOR_CONFIG).",
        "",
        owner=ADMINISTRATOR,
        is_path=True,
    )
    mode: str = setting(
        (
            "`spool`: files travel with the job; `shared`: nodes and this machine see the same "
            "file system."
        ),
        "spool",
        choices=("spool", "shared"),
    )
    accounting_group: str = setting(
        "Accounting group that the jobs are charged to.", "", separate="text"
    )
    requirements: str = setting("ClassAd expression that a node must fulfil.", "")
    container_image: str = setting("Image in which the jobs run.", "")
    transfer_input: str = setting(
        "Further files that travel with every job, separated by commas.", ""
    )
    x509_proxy: str = setting(
        "X.509 proxy that travels with every job.", "", owner=ADMINISTRATOR, is_path=True
    )
    python: str = setting("Python 3.9 or later on the node.", "python3")
    path: str = setting("PATH of the jobs.", "/usr/local/bin:/usr/bin:/bin")
    submit_deadline_s: float = setting(
        "Time after which a silent submission is given up, seconds.", 30.0, least=1
    )
    query_deadline_s: float = setting(
        "Time after which a silent question is given up, seconds.", 20.0, least=1
    )
    grace_s: float = setting(
        "Time that a job has between SIGTERM and SIGKILL, seconds.", 10.0, least=0
    )
    lost_after_s: float = setting(
        "A job that is neither in the queue nor in the history is lost after this time, seconds.",
        300.0,
        least=1,
    )
    materialize_above: int = setting(
        "Submissions of more jobs than this are materialised late (`shared`) or split into several "
        "clusters (`spool`).",
        2000,
        least=1,
    )
    max_idle: int = setting(
        "Idle jobs that a late materialisation keeps in the queue.", 1000, least=1
    )
