"""The files for Grafana: the same for the same, of the shape that it takes, without any secret."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from autoctrl.model.status import JobStatus
from autoctrl.operations.grafana.provisioning import write_files
from autoctrl.operations.grafana.questions import ALL, SHOWN_BY, STATUSES, names_in, question
from autoctrl.operations.grafana.wanted import LANGUAGES, Wanted
from tests.unit.operations import grafana_shapes as shapes

THEIRS = "shared/contracts/data"
LACKING = "the schemas of Grafana's dashboards are not here"
SHAPES = {
    "datasources/autoctrl.yaml": shapes.DATASOURCES,
    "dashboards/autoctrl.yaml": shapes.PROVIDERS,
    "alerting/autoctrl.yaml": shapes.ALERTS,
}
KEYS = {"Data quality": "quality"}
DASHBOARDS = ("runs", "task", "flow", "quality", "system")
SCHEMA_OF = {
    "table": "table",
    "timeseries": "timeseries",
    "state-timeline": "statetimeline",
    "stat": "stat",
}
GLOBAL = frozenset({"__field", "__data", "store"})


def wanted(language: str, *, is_v1: bool = False) -> Wanted:
    org, bucket = ("-", "camera/autogen") if is_v1 else ("experiment", "camera")
    return Wanted(
        language,
        "http://influx:8086",
        org,
        bucket,
        "autoctrl",
        "https://runs.example.org/",
        "prompt",
        "Camera",
        "/etc/grafana/provisioning/dashboards",
        "Camera & Co",
    )


@pytest.fixture(params=[(name, old) for name in LANGUAGES for old in (False, True)], ids=str)
def files(request: pytest.FixtureRequest) -> dict[str, str]:
    language, is_v1 = request.param
    return write_files(wanted(language, is_v1=is_v1))


def dashboards(files: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {name: json.loads(files[f"dashboards/{name}.json"]) for name in DASHBOARDS}


def check(schema: Any, value: Any) -> None:
    assert [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(value)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_settings_give_the_same_files(language: str) -> None:
    """Byte for byte, so that a repository shows what has changed."""
    assert write_files(wanted(language)) == write_files(wanted(language))


def test_the_files_are_those_that_are_promised(files: dict[str, str]) -> None:
    """One data source, one folder, one alert and five dashboards, and never notification policies,
    which would replace those of the whole organization.
    """
    assert set(files) == {*SHAPES, *(f"dashboards/{name}.json" for name in DASHBOARDS)}
    assert not any("policies" in text for text in files.values())


def test_the_files_have_the_shape_that_grafana_takes(files: dict[str, str]) -> None:
    """No key that it would ignore."""
    for name, shape in SHAPES.items():
        check(shape, yaml.safe_load(files[name]))
    for dashboard in dashboards(files).values():
        check(shapes.DASHBOARD, dashboard)
        for panel in dashboard["panels"]:
            defaults = panel.get("fieldConfig", {}).get("defaults", {})
            check(shapes.CUSTOM[panel["type"]], defaults.get("custom", {}))


def test_no_secret_stands_in_a_file(files: dict[str, str]) -> None:
    """Credentials are variables that Grafana replaces from its own environment."""
    (source,) = yaml.safe_load(files["datasources/autoctrl.yaml"])["datasources"]
    assert source["secureJsonData"]
    for value in [*source["secureJsonData"].values(), source.get("user", "$USER")]:
        assert re.fullmatch(r"(Token )?\$[A-Z_]+", value)


def test_panels_have_ids_of_their_own_and_do_not_overlap(files: dict[str, str]) -> None:
    """Grafana would show one of two, without a word."""
    for dashboard in dashboards(files).values():
        panels = dashboard["panels"]
        ids = [panel["id"] for panel in panels]
        assert len(set(ids)) == len(ids)
        for one, other in combinations([panel["gridPos"] for panel in panels], 2):
            assert (
                one["x"] + one["w"] <= other["x"]
                or other["x"] + other["w"] <= one["x"]
                or one["y"] + one["h"] <= other["y"]
                or other["y"] + other["h"] <= one["y"]
            )
        assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_titles_and_uids_are_different(files: dict[str, str]) -> None:
    """Of two dashboards with one of them in common Grafana writes neither."""
    found = [*dashboards(files).values()]
    assert len({one["uid"] for one in found}) == len({one["title"] for one in found}) == 5


def test_every_variable_is_declared(files: dict[str, str]) -> None:
    """In queries and links; an alert knows none."""
    for dashboard in dashboards(files).values():
        declared = {one["name"] for one in dashboard["templating"]["list"]}
        used = {name.partition(".")[0] for name in names_in(json.dumps(dashboard))}
        used |= set(re.findall(r"\$\{(__\w+)\.", json.dumps(dashboard)))
        assert used <= declared | GLOBAL, used - declared
    assert names_in(files["alerting/autoctrl.yaml"]) == set()


def test_every_data_source_is_one_that_a_file_makes(files: dict[str, str]) -> None:
    """Panels name a variable whose first value it is, and the alert names it itself."""
    (source,) = yaml.safe_load(files["datasources/autoctrl.yaml"])["datasources"]
    for dashboard in dashboards(files).values():
        (store,) = [one for one in dashboard["templating"]["list"] if one["name"] == "store"]
        assert (store["type"], store["query"]) == ("datasource", "influxdb")
        assert store["current"]["value"] == source["uid"]
    (group,) = yaml.safe_load(files["alerting/autoctrl.yaml"])["groups"]
    asked = {step["datasourceUid"] for rule in group["rules"] for step in rule["data"]}
    assert asked == {source["uid"], "__expr__"}


def test_a_status_has_a_colour_a_sign_and_its_word(files: dict[str, str]) -> None:
    """Whoever cannot tell colours apart reads it; a skipped task is hatched by its sign, and is
    taken neither for a new nor for a done one.
    """
    (table,) = [
        panel
        for panel in dashboards(files)["runs"]["panels"]
        if panel["title"] == "Runs and workflows"
    ]
    (mapping,) = table["fieldConfig"]["defaults"]["mappings"]
    shown = {status: mapping["options"][status] for status in STATUSES}
    assert [one["text"] for one in shown.values()] == [
        "○ new",
        "◐ processing",
        "✓ done",
        "✕ failed",
        "▨ skipped",
    ]
    assert len({one["color"] for one in shown.values()}) == len(STATUSES)
    assert {str(status) for status in JobStatus} <= set(mapping["options"])


def test_what_happened_is_marked_on_every_dashboard(files: dict[str, str]) -> None:
    """Deployments, incidents, pauses and reprocessing, wherever there are curves."""
    for dashboard in dashboards(files).values():
        (asked,) = dashboard["annotations"]["list"]
        is_flux = "fromAnnotations" not in asked["target"]
        assert ("mappings" in asked) == is_flux
        assert question("occasions").texts(is_flux=is_flux) == (asked["target"]["query"],)


def test_a_log_is_read_on_our_page(files: dict[str, str]) -> None:
    """That of an attempt by its numbers, that of a task by its row."""
    places = {"Attempts of its jobs": "attempt=${__data.fields.attempt}"}
    places["What failed, waits or is under way"] = "/read/${__data.fields.workflow}/"
    panels = [panel for each in dashboards(files).values() for panel in each["panels"]]
    for title, part in places.items():
        (panel,) = [one for one in panels if one["title"] == title]
        overrides = panel["fieldConfig"]["overrides"]
        (log,) = [one for one in overrides if one["matcher"]["options"] == "log"]
        (address,) = [each["value"][0]["url"] for each in log["properties"]]
        assert part in address


def test_thresholds_colour_what_is_slow_or_full(files: dict[str, str]) -> None:
    """From green by amber to red, in rising order."""
    found = {}
    for dashboard in dashboards(files).values():
        for panel in dashboard["panels"]:
            defaults = panel.get("fieldConfig", {}).get("defaults", {})
            limits = defaults.get("thresholds")
            if limits:
                found[panel["title"]] = [step["value"] for step in limits["steps"]]
    assert found == {
        "Mean latency by workflow": [None, 3600.0, 86400.0],
        "Quotas over time": [None, 80.0, 95.0],
        "Quotas": [None, 80.0, 95.0],
    }


def test_what_check_says_of_a_query_is_where_it_is_shown(files: dict[str, str]) -> None:
    """The panel that a shifter sees empty is the one that is named."""
    for name, place in SHOWN_BY.items():
        if name in {"campaigns", "workflows", "quantities", "fields", "occasions", "silence"}:
            continue
        where, _, title = place.partition(": ")
        for shown in where.split(" and "):
            dashboard = dashboards(files)[KEYS.get(shown, shown.lower())]
            (panel,) = [one for one in dashboard["panels"] if one["title"] == title]
            asked = {target["query"] for target in panel["targets"]}
            both = (set(question(name).texts(is_flux=one)) for one in (True, False))
            assert asked in list(both), name


def test_no_workflow_is_named_in_a_dashboard(files: dict[str, str]) -> None:
    """A new workflow is a new column without a new export: one link serves all of them."""
    text = files["dashboards/runs.json"]
    assert "/tasks/${__field.name}/${__data.fields.run}" in text
    assert "camera-" not in text


def test_the_alert_says_that_nobody_makes_cycles(files: dict[str, str]) -> None:
    """No answer is the trouble itself, and an error of the store is not."""
    (group,) = yaml.safe_load(files["alerting/autoctrl.yaml"])["groups"]
    (rule,) = group["rules"]
    assert (rule["noDataState"], rule["execErrState"]) == ("Alerting", "KeepLast")
    query = rule["data"][0]["model"]["query"]
    assert "30m" in query
    assert "prompt" in query


def test_every_question_is_asked_by_a_dashboard_or_the_alert() -> None:
    """Nothing is tried in vain, and nothing is left untried."""
    shown = "\n".join(write_files(wanted("influxql")).values())
    for name in ALL:
        for text in question(name).influxql:
            assert json.dumps(text)[1:-1] in shown or name == "silence", name


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    folder = next(
        (there for base in Path(__file__).parents if (there := base / THEIRS).is_dir()), None
    )
    if folder is None:
        pytest.skip(LACKING)
    names = ("dashboard", *SCHEMA_OF.values())
    found = {name: json.loads((folder / f"{name}.schema.json").read_text()) for name in names}
    parts = found["dashboard"]["definitions"]
    parts["MatcherConfig"]["properties"]["options"] = {}
    parts["DynamicConfigValue"]["properties"]["value"] = {}
    cells = found["table"]["definitions"]["TableCellOptions"]
    cells["anyOf"] = cells.pop("oneOf", cells.get("anyOf"))
    return found


class TestTheirSchemas:
    """The dashboards beside the schemas that Grafana publishes, with what these have wrong put
    right.
    """

    def test_the_dashboards_keep_them(self, theirs: dict[str, Any], files: dict[str, str]) -> None:
        """The dashboard as a whole, and the options of each panel by its type."""
        for dashboard in dashboards(files).values():
            check(theirs["dashboard"], dashboard)
            for panel in dashboard["panels"]:
                definitions = theirs[SCHEMA_OF[panel["type"]]]["definitions"]
                custom = panel.get("fieldConfig", {}).get("defaults", {}).get("custom", {})
                for name, part in (("Options", panel.get("options", {})), ("FieldConfig", custom)):
                    if name in definitions:
                        check({"$ref": f"#/definitions/{name}", "definitions": definitions}, part)

    @pytest.mark.parametrize("spoil", ["refresh", "gridPos", "cellOptions"])
    def test_they_refuse_what_is_wrong(self, theirs: dict[str, Any], spoil: str) -> None:
        """So a comparison that finds nothing says something."""
        dashboard = dashboards(write_files(wanted("flux")))["runs"]
        panel = dashboard["panels"][1]
        schema: Any = theirs["dashboard"]
        value: Any = dashboard
        if spoil == "refresh":
            dashboard["refresh"] = 60
        elif spoil == "gridPos":
            panel["gridPos"]["hh"] = 3
        else:
            definitions = theirs["table"]["definitions"]
            schema = {"$ref": "#/definitions/FieldConfig", "definitions": definitions}
            value = {**panel["fieldConfig"]["defaults"]["custom"], "celOptions": {}}
        assert not jsonschema_rs.validator_for(schema).is_valid(value)
