"""What Grafana takes, as small schemas of our own: a key that is not here would be ignored without
a word, so a test refuses it.
"""

from __future__ import annotations

from typing import Any

TEXT, TRUTH, NUMBER = {"type": "string"}, {"type": "boolean"}, {"type": "number"}
UID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,40}$"}
ANY: dict[str, Any] = {}


def closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """Return the schema of a mapping with these keys and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [*required],
        "properties": {**required, **optional},
    }


def listed(item: Any) -> dict[str, Any]:
    """Return the schema of a list that is not empty."""
    return {"type": "array", "items": item, "minItems": 1}


SECRET = {"type": "string", "pattern": r"^(Token )?\$[A-Z_]+$"}
DATASOURCES = closed(
    {
        "apiVersion": {"const": 1},
        "datasources": listed(
            closed(
                {
                    "name": TEXT,
                    "uid": UID,
                    "type": {"const": "influxdb"},
                    "access": {"const": "proxy"},
                    "url": {"type": "string", "pattern": "^https?://"},
                    "editable": {"const": False},
                    "jsonData": closed(
                        {},
                        version={"const": "Flux"},
                        organization=TEXT,
                        defaultBucket=TEXT,
                        dbName=TEXT,
                        httpMode={"const": "POST"},
                        httpHeaderName1={"const": "Authorization"},
                    ),
                    "secureJsonData": closed(
                        {}, token=SECRET, password=SECRET, httpHeaderValue1=SECRET
                    ),
                },
                user=SECRET,
            )
        ),
    }
)
PROVIDERS = closed(
    {
        "apiVersion": {"const": 1},
        "providers": listed(
            closed(
                {
                    "name": TEXT,
                    "type": {"const": "file"},
                    "folder": TEXT,
                    "disableDeletion": TRUTH,
                    "allowUiUpdates": {"const": False},
                    "updateIntervalSeconds": {"type": "integer", "minimum": 10},
                    "options": closed({"path": {"type": "string", "pattern": "^/"}}),
                }
            )
        ),
    }
)
RANGE = closed({"from": {"type": "integer"}, "to": {"type": "integer"}})
REF = {"type": "string", "pattern": "^[A-Z]$"}
RULE = closed(
    {
        "uid": UID,
        "title": {"type": "string", "minLength": 1, "maxLength": 190},
        "condition": REF,
        "for": {"type": "string", "pattern": "^[0-9]+[smh]$"},
        "noDataState": {"enum": ["NoData", "OK", "Alerting", "KeepLast"]},
        "execErrState": {"enum": ["Error", "OK", "Alerting", "KeepLast"]},
        "labels": {"type": "object", "additionalProperties": TEXT},
        "annotations": {"type": "object", "additionalProperties": TEXT},
        "data": listed(
            closed({"refId": REF, "relativeTimeRange": RANGE, "datasourceUid": TEXT, "model": ANY})
        ),
    }
)
ALERTS = closed(
    {
        "apiVersion": {"const": 1},
        "groups": listed(
            closed(
                {
                    "orgId": {"const": 1},
                    "name": TEXT,
                    "folder": TEXT,
                    "interval": TEXT,
                    "rules": listed(RULE),
                }
            )
        ),
    }
)
SOURCE = closed({"type": {"const": "influxdb"}, "uid": {"const": "${store}"}})
TARGET = closed(
    {"refId": REF, "query": {"type": "string", "minLength": 20}, "datasource": SOURCE},
    rawQuery={"const": True},
    resultFormat={"enum": ["table", "time_series"]},
)
PLACE = closed({name: {"type": "integer", "minimum": 0} for name in "hwxy"})
CELLS = {"enum": ["auto", "color-background", "color-text"]}
CUSTOM = {
    "table": closed(
        {},
        filterable=TRUTH,
        inspect=TRUTH,
        align=TEXT,
        width=NUMBER,
        cellOptions=closed({"type": CELLS}, mode={"enum": ["basic"]}),
    ),
    "timeseries": closed({}, showPoints={"enum": ["auto", "always", "never"]}),
    "state-timeline": closed({}, fillOpacity=NUMBER, lineWidth=NUMBER),
    "stat": closed({}),
}
PANEL = closed(
    {
        "id": {"type": "integer", "minimum": 1},
        "type": {"enum": [*CUSTOM]},
        "title": {"type": "string", "minLength": 1},
        "datasource": SOURCE,
        "targets": listed(TARGET),
        "gridPos": PLACE,
    },
    description=TEXT,
    fieldConfig=ANY,
    options=ANY,
    transparent=TRUTH,
    transformations=listed(
        closed(
            {
                "id": {"enum": ["filterFieldsByName", "organize", "renameByRegex"]},
                "options": {"type": "object"},
            }
        )
    ),
    repeatDirection=TEXT,
)
# An InfluxDB's annotations: in Flux their columns are mapped, in InfluxQL the query names them.
ANNOTATION = closed(
    {
        "name": TEXT,
        "datasource": SOURCE,
        "enable": {"const": True},
        "iconColor": TEXT,
        "target": closed(
            {"refId": TEXT, "query": {"type": "string", "minLength": 20}},
            fromAnnotations={"const": True},
            textColumn={"const": "text"},
            tagsColumn={"const": "kind"},
            timeEndColumn={"const": "ended_ms"},
        ),
    },
    mappings=closed(
        {
            name: closed({"source": {"const": "field"}, "value": TEXT})
            for name in ("text", "tags", "timeEnd")
        }
    ),
)
DASHBOARD = {
    "type": "object",
    "required": ["uid", "title", "templating", "annotations", "time", "tags", "links"],
    "properties": {
        "uid": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,40}$"},
        "id": False,
        "schemaVersion": {"const": 39},
        "editable": {"const": False},
        "timezone": {"const": "utc"},
        "panels": listed(PANEL),
        "annotations": closed({"list": listed(ANNOTATION)}),
        "refresh": TEXT,
    },
}
