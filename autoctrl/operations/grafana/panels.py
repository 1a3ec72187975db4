"""The kinds of panels that the dashboards use, made with Grafana's own builders; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import common as build
from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink, ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    RangeMap,
    RegexMap,
    SpecialValueMap,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from autoctrl.model.status import TaskStatus
from autoctrl.operations.grafana.questions import STATUSES, question
from autoctrl.operations.grafana.wanted import FLUX
from autoctrl.views.signs import SIGNS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.operations.grafana.wanted import Wanted

SOURCE = "${store}"
WIDTH = 24
GREY, BLUE, GREEN, RED, PALE, AMBER = (
    "#9fa7b3",
    "#1f78c1",
    "#299c46",
    "#d44a3a",
    "#d8d9da",
    "#e0a30b",
)
# A cell cannot be hatched, so the sign of a skipped task is.
SHOWN_SIGNS = {**SIGNS, TaskStatus.SKIPPED: "▨"}
COLOURS = dict(zip(STATUSES, (GREY, BLUE, GREEN, RED, PALE), strict=True))
JOB_COLOURS = {
    **dict.fromkeys(("submitting", "idle"), GREY),
    **dict.fromkeys(("running", "removing"), BLUE),
    **dict.fromkeys(("held", "removed"), AMBER),
    **dict.fromkeys(("lost",), RED),
}


class StoreQuery(Dataquery):
    """A query of an InfluxDB, which the builders do not know."""

    def __init__(self, text: str, ref_id: str, shape: str) -> None:
        self.ref_id = ref_id
        self.hide = None
        self._text = text
        self._shape = shape

    def to_json(self) -> dict[str, Any]:
        """Return what stands in the panel; ``shape`` empty is Flux."""
        common_part = {
            "refId": self.ref_id,
            "query": self._text,
            "datasource": {"type": "influxdb", "uid": SOURCE},
        }
        raw = {"rawQuery": True, "resultFormat": self._shape} if self._shape else {}
        return {**common_part, **raw}

    def dataquery_type(self) -> str:
        """Return the kind of data source that answers it."""
        return "influxdb"


class QueryBuilder(Builder[Dataquery]):
    """Hands a finished query to a panel."""

    def __init__(self, query: StoreQuery) -> None:
        self._query = query

    def build(self) -> Dataquery:
        """Return the query."""
        return self._query


def source() -> common.DataSourceRef:
    """Return the data source that the dashboard's variable chooses."""
    return common.DataSourceRef(type_val="influxdb", uid=SOURCE)


def queries(asked: str, wanted: Wanted, *, shape: str = "table") -> list[QueryBuilder]:
    """Return the queries of a question in the wanted language; ``shape`` is InfluxQL's alone."""
    is_flux = wanted.language == FLUX
    return [
        QueryBuilder(StoreQuery(text, chr(ord("A") + number), "" if is_flux else shape))
        for number, text in enumerate(question(asked).texts(is_flux=is_flux))
    ]


def status_mappings() -> list[ValueMap | RangeMap | RegexMap | SpecialValueMap]:
    """Return colour, sign and word of each status, for whoever cannot tell colours apart, too."""
    known = {
        status: (colour, f"{SHOWN_SIGNS[TaskStatus(status)]} {status}")
        for status, colour in COLOURS.items()
    }
    known |= {status: (colour, status) for status, colour in JOB_COLOURS.items()}
    results = {
        status: ValueMappingResult(color=colour, index=index, text=text)
        for index, (status, (colour, text)) in enumerate(known.items())
    }
    return [ValueMap(options=results)]


def limits(warning: float, alarm: float) -> ThresholdsConfig:
    """Return thresholds: green, amber from the first one, red from the second one."""
    steps = [(None, GREEN), (warning, AMBER), (alarm, RED)]
    listed = [Threshold(value=value, color=colour) for value, colour in steps]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(listed)


def link(title: str, url: str) -> DashboardLink:
    """Return a link that opens beside Grafana."""
    return DashboardLink(title).url(url).target_blank(True)  # noqa: FBT003 - the builder's


def setting(name: str, value: Any) -> DynamicConfigValue:  # noqa: ANN401 - each has its own type
    """Return one property that an override sets."""
    return DynamicConfigValue(id_val=name, value=value)


def plain_link(title: str, url: str) -> DynamicConfigValue:
    """Return an override that makes a cell a link."""
    return setting("links", [{"title": title, "url": url, "targetBlank": True}])


def plain_cell(*others: DynamicConfigValue) -> list[DynamicConfigValue]:
    """Return an override that leaves a cell without colour."""
    return [setting("custom.cellOptions", {"type": "auto"}), *others]


def hide_columns(pattern: str) -> DataTransformerConfig:
    """Return a step that leaves out the columns whose names fit."""
    return DataTransformerConfig(
        id_val="filterFieldsByName", options={"exclude": {"pattern": pattern}}
    )


def order_columns(names: Iterable[str]) -> DataTransformerConfig:
    """Return a step that puts these columns first, in this order."""
    places = {name: place for place, name in enumerate(names)}
    options = {"indexByName": places, "excludeByName": {}, "renameByName": {}}
    return DataTransformerConfig(id_val="organize", options=options)


def rename_columns(pattern: str, name: str) -> DataTransformerConfig:
    """Return a step that names columns anew."""
    options = {"regex": pattern, "renamePattern": name}
    return DataTransformerConfig(id_val="renameByRegex", options=options)


def table_of(title: str, asked: str, wanted: Wanted) -> table.Panel:
    """Return a table that can be filtered by each column."""
    panel = table.Panel().title(title).datasource(source()).filterable(True).span(WIDTH)  # noqa: FBT003 - the builder's
    for query in queries(asked, wanted):
        panel = panel.with_target(query)
    return panel


def coloured_table(title: str, asked: str, wanted: Wanted) -> table.Panel:
    """Return a table whose cells have the colour of the status that they name."""
    cells = common.TableColoredBackgroundCellOptions(
        mode=common.TableCellBackgroundDisplayMode.BASIC
    )
    return table_of(title, asked, wanted).mappings(status_mappings()).cell_options(cells)


def curves(title: str, asked: str, wanted: Wanted, *, unit: str = "") -> timeseries.Panel:
    """Return curves over time."""
    panel = timeseries.Panel().title(title).datasource(source()).span(WIDTH // 2).height(8)
    panel = panel.show_points(common.VisibilityMode.AUTO)
    if unit:
        panel = panel.unit(unit)
    for query in queries(asked, wanted, shape="time_series"):
        panel = panel.with_target(query)
    return panel


def timeline(title: str, asked: str, wanted: Wanted) -> statetimeline.Panel:
    """Return a bar of statuses over time."""
    panel = statetimeline.Panel().title(title).datasource(source()).mappings(status_mappings())
    for query in queries(asked, wanted, shape="time_series"):
        panel = panel.with_target(query)
    return panel.span(WIDTH).height(5)


def counts(title: str, asked: str, wanted: Wanted) -> stat.Panel:
    """Return a number for each row of a table, or for each of several queries."""
    shown = build.ReduceDataOptions().values(wanted.language == FLUX).calcs(["lastNotNull"])
    panel = stat.Panel().title(title).datasource(source()).reduce_options(shown).span(WIDTH)
    for query in queries(asked, wanted):
        panel = panel.with_target(query)
    return panel.text_mode(common.BigValueTextMode.VALUE_AND_NAME).height(4)
