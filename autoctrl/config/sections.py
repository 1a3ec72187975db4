"""Every setting, section by section: its name, type, default, bounds and explanation."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from autoctrl.config.declaration import setting
from autoctrl.config.web import WebSettings
from autoctrl.model.names import STATE_FOLDER
from autoctrl.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import Field

SEVERITIES = tuple(map(str, Severity))


@dataclass(frozen=True)
class ProjectSettings:
    """Keys at the top of autoctrl.toml."""

    name: str = setting("Title of the project, shown on pages and in alerts.", "")
    autoctrl: str = setting(
        "Versions of autoctrl that can run the project, as `>=0.1,<0.3`; empty: any.", ""
    )
    timezone: str = setting(
        "Time zone in which times are shown, and the one of the lock `Window`.", "UTC"
    )
    executor: str = setting("Executor of every workflow that names no other.", "local")
    log_url: str = setting(
        "Address under which people read a job's log; `{path}` stands for the log's path.", ""
    )


@dataclass(frozen=True)
class StateSettings:
    """``[state]``."""

    folder: str = setting(
        "Folder of what autoctrl writes for itself; a relative path counts from the project's.",
        STATE_FOLDER,
        separate="path",
    )


@dataclass(frozen=True)
class StoreSettings:
    """``[store]``."""

    url: str = setting(
        (
            "Where records are kept; `{state}` stands for the state folder. A relative path counts "
            "from the project's folder."
        ),
        "sqlite:{state}/state.sqlite",
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
class HookSettings:
    """``[hooks]``: what other services send."""

    url: str = setting(
        "Address under which chat reaches the listener, as `https://host:8443`; empty: no buttons.",
        "",
        separate="url",
    )
    secret_file: str = setting(
        "File with the key by which buttons and dialogs are signed, 32 characters or more.", ""
    )
    wake: str = setting(
        "What begins a cycle when a source was told of runs: the built-in `loop`, or `jenkins`.",
        "loop",
        choices=("loop", "jenkins"),
    )
    wake_jobs: str = setting(
        "Jobs of Jenkins that are triggered then, one after the other: discover cycle-reco.",
        "discover",
    )


@dataclass(frozen=True)
class JenkinsSettings:
    """``[jenkins]``: the Jenkins that starts what the project does."""

    url: str = setting("Address of Jenkins, as `https://jenkins.example.org`; empty: none.", "")
    user: str = setting("User as whom autoctrl speaks to Jenkins.", "")
    token_file: str = setting("File with an API token of that user.", "")
    folder: str = setting(
        "Folder in Jenkins that holds the jobs; those above it, as in `group/camera`, must exist.",
        "autoctrl",
    )
    agent: str = setting("Label of the agents that run the jobs; empty: any.", "autoctrl")
    home: str = setting(
        (
            "Folder on the agent in which the project is deployed: the jobs run there. Empty: each "
            "cycle checks out `jenkins.repository`."
        ),
        "",
    )
    path: str = setting(
        "Folders put before the PATH of the jobs, as `/opt/autoctrl/bin`; with `jenkins.home`.", ""
    )
    repository: str = setting(
        "Git repository with the workflows and their Jenkinsfiles; used without `jenkins.home`.",
        "",
    )
    repository_login: str = setting(
        "Id of the credential in Jenkins that reads the repository; empty: none is needed.", ""
    )
    reference: str = setting(
        "What cycles check out: refs/heads/NAME, refs/tags/NAME or a commit.", "refs/heads/main"
    )
    cron: str = setting(
        "When Jenkins starts discovery, and cycles of workflows without a `cron` of their own.",
        "H * * * *",
    )
    watch_cron: str = setting("When Jenkins starts the watch.", "H/10 * * * *")
    keep_builds: int = setting("Newest builds of each job that Jenkins keeps.", 100, least=1)
    build_limit_s: int = setting(
        "Time after which Jenkins aborts a build, seconds; with `jenkins.home`.", 21600, least=60
    )
    mirror_branches: str = setting(
        "Pattern of the branches that the mirror tries, as `feature/.*`; empty: no mirror.", ""
    )
    mirror_repository: str = setting(
        "Git repository of those branches; empty takes `jenkins.repository`.", ""
    )
    mirror_login: str = setting(
        "Id of the credential in Jenkins that reads them; empty: none is needed.", ""
    )


@dataclass(frozen=True)
class ChatSettings:
    """``[chat]``: the slash command, and who may do what with it."""

    notifier: str = setting(
        "Which of the [notifiers], a bot of Mattermost, tells server and team, and opens dialogs.",
        "",
    )
    token_file: str = setting(
        "File with the token of the slash command; a second line is good, too.", ""
    )
    viewers: str = setting(
        "Ids of the people who may read, separated by spaces; `*` is everybody in the team.", ""
    )
    shifters: str = setting("Ids of those who may also retry, skip, acknowledge and mute.", "")
    operators: str = setting(
        "Ids of those who may also reprocess, fail, complete, pause and resume.", ""
    )
    admins: str = setting("Ids of those who may also deploy.", "")
    page_url: str = setting(
        "Address of the web page, to which long answers lead; empty names the command instead.", ""
    )


@dataclass(frozen=True)
class GrafanaSettings:
    """``[grafana]``: what the files for Grafana say."""

    page_url: str = setting(
        "Address of the web page, to which the dashboards lead, as `https://runs.example.org`.", ""
    )
    store_url: str = setting(
        (
            "Address of the InfluxDB as Grafana reaches it, as `http://influx:8086`; empty: as in "
            "`store.url`."
        ),
        "",
    )
    uid: str = setting("Identity of the data source in Grafana.", "autoctrl")
    folder: str = setting("Folder of the dashboards and the alert in Grafana.", "autoctrl")
    files: str = setting(
        "Folder in which Grafana finds the dashboards' files.",
        "/etc/grafana/provisioning/dashboards",
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
    least_free_mb: int = setting(
        "Room below which the disk of the state folder or of the outputs counts as short, MB.",
        200,
        least=0,
    )
    silent_after_s: float = setting(
        (
            "How long a campaign may be without a cycle before that is a condition, seconds; 0: as "
            "long as it likes."
        ),
        7200.0,
        least=0,
    )
    long_after_s: float = setting(
        "How long a task may be processing before people are shown that it takes long, seconds; "
        "0: as long as it likes.",
        21_600.0,
        least=0,
    )
    held_after_s: float = setting(
        (
            "How long one process may hold the lease of a workflow before that is a condition, "
            "seconds; 0: as long as it likes."
        ),
        3600.0,
        least=0,
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
    setup: str = setting(
        (
            "What makes the software of its jobs ready on a node, in this order: "
            "`/PATH/setup.sh`, `git+URL@COMMIT`, `container:IMAGE`."
        ),
        "",
    )
    enabled: bool = setting("Whether the workflow takes part in cycles.", default=True)
    cron: str = setting("When Jenkins starts its cycles; empty takes `jenkins.cron`.", "")


@dataclass(frozen=True, kw_only=True)
class ExecutorSettings:
    """``[executors.<name>]``: what every kind of executor has."""

    type: str = setting("Kind of executor.")
    submit_deadline_s: float = setting(
        "Time after which a silent submission is given up, seconds.", 20.0, least=1
    )

    def count_slots(self) -> int | None:
        """Return how many jobs may run at once, None where the batch system alone knows."""
        return None


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """``[sources.<name>]``: what every kind of source has."""

    type: str = setting("Kind of source.")


@dataclass(frozen=True, kw_only=True)
class NotifierSettings:
    """``[notifiers.<name>]``: what every kind of notifier has."""

    type: str = setting("Kind of notifier.")
    severity: str = setting(
        "Lowest severity that is reported.", str(Severity.INFO), choices=SEVERITIES
    )
    workflows: str = setting(
        "Workflows that are reported, as patterns: camera-* dq. Empty means all.", ""
    )


SECTIONS: Mapping[str, type] = {
    "state": StateSettings,
    "store": StoreSettings,
    "hints": HintSettings,
    "hooks": HookSettings,
    "jenkins": JenkinsSettings,
    "chat": ChatSettings,
    "web": WebSettings,
    "grafana": GrafanaSettings,
    "inputs": InputSettings,
    "outputs": OutputSettings,
    "cycle": CycleSettings,
    "defaults": WorkflowSettings,
}
WORKFLOWS = "workflows"
TYPE_WORDS = ("str", "int", "float", "bool")
ATTRIBUTES = ("runs", "attributes")


def settings_of(section: type) -> dict[str, Field[Any]]:
    """Return the settings of one section by name."""
    return {item.name: item for item in fields(section)}


def type_word(item: Field[Any]) -> str:
    """Return the word for a setting's type, whether its module keeps annotations as text or not."""
    return item.type if isinstance(item.type, str) else item.type.__name__
