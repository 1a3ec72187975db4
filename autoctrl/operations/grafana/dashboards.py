"""The five dashboards; pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import common as build
from grafana_foundation_sdk.builders.dashboard import (
    CustomVariable,
    Dashboard,
    DatasourceVariable,
    QueryVariable,
    TextBoxVariable,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh

from autoctrl.operations.grafana.panels import (
    AMBER,
    SOURCE,
    coloured_table,
    counts,
    curves,
    hide_columns,
    limits,
    link,
    order_columns,
    plain_cell,
    plain_link,
    rename_columns,
    setting,
    source,
    table_of,
    timeline,
)
from autoctrl.operations.grafana.questions import OURS, STATUSES, question
from autoctrl.operations.grafana.wanted import FLUX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from grafana_foundation_sdk.builders import table

    from autoctrl.operations.grafana.wanted import Wanted

TAG = "autoctrl"
NOT_OURS = f"/^(?!({'|'.join(OURS)})$)/"
SCHEMA_VERSION = 39  # Grafana 10.4 and 11 do not understand a newer one; newer ones migrate it
NEWEST = "200"
LAST_RUN = "999999999999999"
FIRST_COLUMNS = ("run", "attr_fill", "end", "attr_tag", "attr_lumi", "attr_luminosity", "status")
STAGES = ("workflow", "locks_s", "queue_s", "running_s", "collecting_s", "total_s")
SPLIT = (
    "Of first versions. locks: from the end of the run until the task began; queue: until the job "
    "began on its node; running; collecting: until the result was accepted; total: from the end of "
    "the run until the task was done."
)
SLOW_S, VERY_SLOW_S = 3600.0, 86_400.0
NEARLY_FULL, FULL, WHOLE = 80.0, 95.0, 100.0
HIDDEN = "^(time|Time|campaign|start|start_s|end_s|attr_start|attr_end|attr_start_s|attr_end_s)$"


def write_dashboards(wanted: Wanted) -> dict[str, str]:
    """Return the text of each dashboard by the name of its file, always the same for the same."""
    return {f"{name}.json": encode(make(wanted), wanted) for name, make in DASHBOARDS.items()}


def encode(dashboard: Dashboard, wanted: Wanted) -> str:
    """Return a dashboard as JSON whose keys are sorted, with what happened marked on its curves."""
    values: dict[str, Any] = json.loads(JSONEncoder(sort_keys=True).encode(dashboard.build()))
    values["schemaVersion"] = SCHEMA_VERSION
    values.pop("id", None)
    values["annotations"] = {"list": [_occasions(wanted)]}
    for number, panel in enumerate(values["panels"], start=1):
        panel["id"] = number
    return json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _occasions(wanted: Wanted) -> dict[str, Any]:
    """Return what marks deployments, incidents, pauses, reprocessing and new campaigns."""
    (text,) = question("occasions").texts(is_flux=wanted.language == FLUX)
    columns = {"textColumn": "text", "tagsColumn": "kind", "timeEndColumn": "ended_ms"}
    target = {"refId": "Anno", "query": text}
    sources = {"text": "text", "tags": "kind", "timeEnd": "ended_ms"}
    mappings = {
        "mappings": {to: {"source": "field", "value": name} for to, name in sources.items()}
    }
    is_flux = wanted.language == FLUX
    return {
        "name": "What happened",
        "datasource": {"type": "influxdb", "uid": SOURCE},
        "enable": True,
        "iconColor": AMBER,
        "target": target if is_flux else {**target, "fromAnnotations": True, **columns},
        **(mappings if is_flux else {}),
    }


def _dashboard(wanted: Wanted, name: str, title: str) -> Dashboard:
    """Begin a dashboard with what all of them have."""
    shown = f"{wanted.title}: {title}" if wanted.title else f"autoctrl: {title}"
    begun = Dashboard(shown).uid(f"{wanted.uid}-{name}").tags([TAG]).readonly().refresh("1m")
    begun = begun.time("now-7d", "now").timezone("utc").link(link("autoctrl", wanted.link("")))
    store = VariableOption(text=wanted.uid, value=wanted.uid)
    begun = begun.with_variable(
        DatasourceVariable("store").label("Store").type("influxdb").current(store)
    )
    first = VariableOption(text=wanted.campaign, value=wanted.campaign)
    campaigns = _asked("campaign", "Campaign", "campaigns", wanted).current(first)
    return begun.with_variable(campaigns)


def _asked(name: str, label: str, asked: str, wanted: Wanted) -> QueryVariable:
    (text,) = question(asked).texts(is_flux=wanted.language == FLUX)
    variable = QueryVariable(name).label(label).datasource(source()).query(text)
    return variable.refresh(VariableRefresh.ON_DASHBOARD_LOAD)


def _newest() -> CustomVariable:
    first = VariableOption(text=NEWEST, value=NEWEST)
    return CustomVariable("newest").label("At most").values("50,200,1000").current(first)


def runs(wanted: Wanted) -> Dashboard:
    """Return the overview of all runs: a row for each, a column for each workflow."""
    every = VariableOption(text=["All"], value=["$__all"])
    statuses = CustomVariable("status").label("Status").values(",".join(STATUSES))
    statuses = statuses.multi(True).include_all(True).all_value(".*").current(every)  # noqa: FBT003 - the builder's
    waiting = (
        coloured_table("What failed, waits or is under way", "waiting", wanted)
        .override_by_regexp("^(unit|workflow)$", [plain_link("Open", wanted.task_link())])
        .override_by_name("log", [plain_link("Read the log", wanted.log_link())])
        .height(10)
    )
    return (
        _dashboard(wanted, "runs", "Runs")
        .with_variable(statuses)
        .with_variable(TextBoxVariable("first").label("From run").default_value("0"))
        .with_variable(TextBoxVariable("last").label("To run").default_value(LAST_RUN))
        .with_variable(_newest())
        .with_panel(counts("Runs by status", "runs_by_status", wanted))
        .with_panel(_board(wanted))
        .with_panel(waiting)
    )


def _board(wanted: Wanted) -> table.Panel:
    """Return the table of runs; a cell leads to its task, the others of a row to the run."""
    to_run = plain_link("Open the run", wanted.run_link())
    return (
        coloured_table("Runs and workflows", "runs", wanted)
        .description("The newest runs first; a cell leads to its task, a number to its run.")
        .data_links([link("Open the task", wanted.cell_link())])
        .with_transformation(hide_columns(HIDDEN))
        .with_transformation(order_columns(FIRST_COLUMNS))
        .with_transformation(rename_columns("^attr_(.*)$", "$1"))
        .override_by_regexp("^attr_.*|^open$|^end$", plain_cell(setting("links", [])))
        .override_by_name("run", plain_cell(to_run, setting("custom.width", 100)))
        .override_by_name("status", [setting("displayName", "Global status"), to_run])
        .footer(build.TableFooterOptions().show(True).count_rows(True).reducer(["count"]))  # noqa: FBT003 - the builder's
        .height(18)
    )


def task(wanted: Wanted) -> Dashboard:
    """Return the life of one task."""
    attempts = (
        coloured_table("Attempts of its jobs", "attempts", wanted)
        .override_by_name("log", [plain_link("Read the log", wanted.attempt_link())])
        .override_by_name("peak_memory_mb", [setting("unit", "decmbytes")])
        .override_by_name("wall_s", [setting("unit", "s")])
        .height(8)
    )
    records = (
        coloured_table("What happened", "records", wanted)
        .data_links([link("Open the task", wanted.chosen_link())])
        .height(8)
    )
    return (
        _dashboard(wanted, "task", "Task")
        .with_variable(_asked("workflow", "Workflow", "workflows", wanted))
        .with_variable(TextBoxVariable("unit").label("Run or group").default_value("1"))
        .with_panel(timeline("Statuses", "timeline", wanted))
        .with_panel(records)
        .with_panel(attempts)
    )


def flow(wanted: Wanted) -> Dashboard:
    """Return how tasks flow, and where their time goes."""
    slow = [setting("custom.cellOptions", {"type": "color-text"})]
    latency = (
        table_of("Mean latency by workflow", "latency", wanted)
        .description(SPLIT)
        .unit("s")
        .thresholds(limits(SLOW_S, VERY_SLOW_S))
        .with_transformation(hide_columns(HIDDEN))
        .with_transformation(order_columns(STAGES))
        .override_by_regexp("_s$", slow)
        .height(8)
    )
    oldest = (
        coloured_table("Oldest open tasks", "oldest", wanted)
        .sort_by([build.TableSortByFieldState().display_name("since").desc(False)])  # noqa: FBT003 - the builder's
        .override_by_regexp("^(unit|workflow)$", [plain_link("Open", wanted.task_link())])
        .height(8)
    )
    over_time = curves("Mean latency over time", "latency_over_time", wanted, unit="s")
    return (
        _dashboard(wanted, "flow", "Flow")
        .with_panel(table_of("Tasks by status", "tasks_by_status", wanted).height(8))
        .with_panel(latency)
        .with_panel(over_time.description(SPLIT))
        .with_panel(curves("Transitions", "transitions", wanted))
        .with_panel(curves("Open tasks", "tasks_now", wanted))
        .with_panel(oldest.span(12))
        .with_panel(table_of("Failures", "failures", wanted).span(12).height(8))
        .with_panel(table_of("Jobs by host", "jobs_by_host", wanted).span(12).height(8))
    )


def quality(wanted: Wanted) -> Dashboard:
    """Return one custom field of one workflow, over time and over runs."""
    windows = CustomVariable("window").label("Average over").values("10m,1h,6h,1d,7d")
    windows = windows.current(VariableOption(text="1h", value="1h"))
    mean = curves("Mean over time", "quality_over_time", wanted).description(
        "At the time when the data were taken; a long run weighs more than a short one."
    )
    by_run = (
        table_of("By run", "quality_by_run", wanted)
        .override_by_name("run", [plain_link("Open the run", wanted.run_link())])
        .height(10)
    )
    return (
        _dashboard(wanted, "quality", "Data quality")
        .with_variable(_asked("quantities", "Workflow's fields", "quantities", wanted))
        .with_variable(_asked("field", "Field", "fields", wanted).regex(NOT_OURS))
        .with_variable(windows)
        .with_variable(_newest())
        .with_panel(mean.span(24))
        .with_panel(by_run)
    )


def system(wanted: Wanted) -> Dashboard:
    """Return what the cycles say of themselves, of machines, quotas and services."""
    percent = limits(NEARLY_FULL, FULL)
    quotas = (
        table_of("Quotas", "quotas", wanted)
        .override_by_regexp("_bytes$", [setting("unit", "bytes")])
        .override_by_name("percent", [setting("unit", "percent")])
        .override_by_name("percent", [setting("custom.cellOptions", {"type": "color-text"})])
        .thresholds(percent)
        .span(12)
        .height(8)
    )
    over_time = curves("Quotas over time", "quotas_over_time", wanted, unit="percent")
    return (
        _dashboard(wanted, "system", "System")
        .with_panel(_conditions(wanted))
        .with_panel(curves("Jobs and slots", "jobs_now", wanted))
        .with_panel(curves("Nodes with running jobs", "nodes_now", wanted))
        .with_panel(curves("Open tasks", "tasks_now", wanted))
        .with_panel(curves("Length of a round", "rounds_now", wanted, unit="s"))
        .with_panel(curves("Free on the disk of outputs", "disks_now", wanted, unit="decmbytes"))
        .with_panel(over_time.thresholds(percent).max(WHOLE).min(0))
        .with_panel(quotas)
        .with_panel(table_of("Leases", "leases", wanted).span(12).height(8))
    )


def _conditions(wanted: Wanted) -> table.Panel:
    """Return the table of what the cycles and the watch have found that cannot be done."""
    to_page = plain_link("What to do", wanted.link("campaigns", "${campaign:percentencode}"))
    return (
        table_of("What cannot be done", "conditions", wanted)
        .description("What doctor would say of services, disks and settings, as cycles found it.")
        .no_value("Nothing is wrong.")
        .override_by_regexp("^(name|about)$", [to_page])
        .height(6)
    )


DASHBOARDS: Mapping[str, Callable[[Wanted], Dashboard]] = {
    "runs": runs,
    "task": task,
    "flow": flow,
    "quality": quality,
    "system": system,
}
