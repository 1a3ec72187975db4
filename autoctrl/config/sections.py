"""Every setting, section by section: its name, type, default, bounds and explanation."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import Field

SEVERITIES = ("info", "warning", "alarm")


def setting(
    explanation: str,
    default: object = None,
    *,
    least: float | None = None,
    choices: tuple[str, ...] = (),
    separate: str = "",
) -> Any:  # noqa: ANN401 - a field of every type
    """Declare one setting; without a ``default`` it must be given.

    ``least`` is the smallest permitted number. ``separate`` says that two environments must not
    share the value, and how it is compared: as ``text``, ``path`` or ``url``.
    """
    facts = {"doc": explanation, "least": least, "choices": choices, "separate": separate}
    return field(metadata=facts) if default is None else field(default=default, metadata=facts)


@dataclass(frozen=True)
class ProjectSettings:
    """Keys at the top of autoctrl.toml."""

    name: str = setting("Title of the project, shown on pages and in alerts.", "")
    timezone: str = setting(
        "Time zone in which times are shown, and the one of the lock `Window`.", "UTC"
    )
    executor: str = setting("Executor of every workflow that names no other.", "local")
    log_url: str = setting(
        "Address under which people read a job's log; `{path}` stands for the log's path.", ""
    )


@dataclass(frozen=True)
class StoreSettings:
    """``[store]``."""

    url: str = setting(
        "Where records are kept. A relative path counts from the project's folder.",
        "sqlite:.autoctrl/state.sqlite",
        separate="url",
    )
    token_file: str = setting(
        (
            "File with the token of an InfluxDB store; without it the variable "
            "AUTOCTRL_STORE_TOKEN holds it."
        ),
        "",
    )


@dataclass(frozen=True)
class HintSettings:
    """``[hints]``."""

    url: str = setting(
        (
            "InfluxDB bucket in which jobs on worker nodes leave hints, as "
            "`influxdb://host:8086/org/bucket`; empty: none."
        ),
        "",
        separate="url",
    )
    token_file: str = setting(
        "File with a token for that bucket alone; it travels with the jobs.", ""
    )


@dataclass(frozen=True)
class InputSettings:
    """``[inputs]``."""

    root: str = setting(
        "Folder of the raw data: the patterns of `Files` and of file sources count from it.", "."
    )


@dataclass(frozen=True)
class OutputSettings:
    """``[outputs]``."""

    root: str = setting("Folder into which jobs write.", "outputs", separate="path")


@dataclass(frozen=True)
class CycleSettings:
    """``[cycle]``."""

    lease_s: float = setting("How long a lease holds unless it is renewed, seconds.", 60.0, least=5)
    verb_wait_s: float = setting(
        "How long an operator's verb waits for the lease, seconds.", 10.0, least=0
    )
    lock_limit_s: float = setting("Time limit of one lock's answer, seconds.", 10.0, least=0.1)
    module_limit_s: float = setting(
        "Time limit of one workflow's module in a cycle, seconds.", 300.0, least=1
    )
    patience_s: float = setting(
        "How long a cycle waits for short local work to finish, seconds.", 2.0, least=0
    )


@dataclass(frozen=True)
class WorkflowSettings:
    """``[defaults]`` for every workflow, and ``[workflows.<name>]`` for one."""

    executor: str = setting(
        "Executor that runs its jobs; empty takes the project's `executor`.", ""
    )
    memory_mb: int = setting("Memory that a job asks for, MB.", 2000, least=1)
    max_memory_mb: int = setting(
        "Largest memory that a job may ask for after it ran out of it, MB.", 16000, least=1
    )
    time_limit_s: int = setting("Wall time after which a job is stopped, seconds.", 3600, least=1)
    cpus: int = setting("Cores that a job asks for.", 1, least=1)
    attempts: int = setting(
        "Largest number of attempts that count before the task fails.", 3, least=1
    )
    back_off_s: float = setting(
        "Delay before the second attempt, seconds; doubled for each further.", 30.0, least=0
    )
    max_back_off_s: float = setting("Longest delay between attempts, seconds.", 3600.0, least=0)
    enabled: bool = setting("Whether the workflow takes part in cycles.", default=True)


@dataclass(frozen=True)
class LocalExecutorSettings:
    """``[executors.<name>]`` with ``type = "local"``: processes on this machine."""

    type: str = setting("Kind of executor.")
    slots: int = setting("Jobs that may run at once; 0 takes all usable cores.", 0, least=0)
    submit_deadline_s: float = setting(
        "Time after which a silent submission is given up, seconds.", 20.0, least=1
    )
    grace_s: float = setting(
        "Time that a job has between SIGTERM and SIGKILL, seconds.", 10.0, least=0
    )


@dataclass(frozen=True)
class HTCondorExecutorSettings:
    """``[executors.<name>]`` with ``type = "htcondor"``: jobs of an HTCondor pool."""

    type: str = setting("Kind of executor.")
    schedd: str = setting("Name of the schedd; empty takes the one of this machine.", "")
    collector: str = setting("Address of the pool's collector; empty takes the configured one.", "")
    config: str = setting(
        "HTCondor configuration file to use; empty takes the usual one (CONDOR_CONFIG).", ""
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
    x509_proxy: str = setting("X.509 proxy that travels with every job.", "")
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
        "Submissions of more jobs are materialised late.", 2000, least=1
    )
    max_idle: int = setting(
        "Idle jobs that a late materialisation keeps in the queue.", 1000, least=1
    )


@dataclass(frozen=True)
class FilesSourceSettings:
    """``[sources.<name>]`` with ``type = "files"``: runs appear as their raw files do."""

    type: str = setting("Kind of source.")
    pattern: str = setting(
        "Path of a raw file below `inputs.root`: `{run}` or `{run:05d}` is the run number, "
        "`{name}` a declared "
        "attribute, `*` and `?` stand for any characters of one name.",
    )
    quiet_s: float = setting(
        "A run is closed once its files have not changed for this time, seconds.", 300.0, least=0
    )
    inspect: str = setting(
        "Command that reads `{path}`, or many `{paths}` at once, and prints attributes and "
        "the end of run as JSON; "
        "empty looks at names and times only.",
        "",
    )
    inspect_every_s: float = setting(
        "A file that keeps growing is read again after this time, seconds.", 60.0, least=1
    )
    inspect_limit_s: float = setting(
        "Time limit of one call of the command, seconds.", 120.0, least=1
    )


@dataclass(frozen=True)
class TableSourceSettings:
    """``[sources.<name>]`` with ``type = "table"``: a run table in CSV."""

    type: str = setting("Kind of source.")
    path: str = setting("CSV file below the project's folder; its first line names the columns.")
    run_column: str = setting("Column that holds the run number.", "run")
    closed_column: str = setting(
        "Column that is filled (and not `false`) once the run is closed; empty if none.", ""
    )


@dataclass(frozen=True)
class LogNotifierSettings:
    """``[notifiers.<name>]`` with ``type = "log"``: one line per message."""

    type: str = setting("Kind of notifier.")
    path: str = setting(
        "File to append to, below the project's folder; empty writes to stderr.",
        "",
        separate="path",
    )
    severity: str = setting("Least severity that is told.", "info", choices=SEVERITIES)


SECTIONS: Mapping[str, type] = {
    "store": StoreSettings,
    "hints": HintSettings,
    "inputs": InputSettings,
    "outputs": OutputSettings,
    "cycle": CycleSettings,
    "defaults": WorkflowSettings,
}
# The word after ``type =`` chooses the class; a section without types has one class, under the
# empty word.
NAMED: Mapping[str, Mapping[str, type]] = {
    "executors": {"local": LocalExecutorSettings, "htcondor": HTCondorExecutorSettings},
    "sources": {"files": FilesSourceSettings, "table": TableSourceSettings},
    "notifiers": {"log": LogNotifierSettings},
    "workflows": {"": WorkflowSettings},
}
ATTRIBUTES = ("runs", "attributes")


def declared(section: type) -> dict[str, Field[Any]]:
    """Return the settings of one section by name."""
    return {item.name: item for item in fields(section)}
