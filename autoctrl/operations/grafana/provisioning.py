"""The files from which Grafana provisions a data source, a folder of dashboards and alerts; pure.

No secret stands in them: ``$NAME`` is replaced by Grafana from its own environment. There is
never a file of notification policies, since one replaces those of the whole organization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from autoctrl.operations.grafana.dashboards import write_dashboards
from autoctrl.operations.grafana.questions import fill_in, question
from autoctrl.operations.grafana.wanted import FLUX

if TYPE_CHECKING:
    from autoctrl.operations.grafana.wanted import Wanted

TOKEN, USER, PASSWORD = (
    "AUTOCTRL_GRAFANA_TOKEN",
    "AUTOCTRL_GRAFANA_USER",
    "AUTOCTRL_GRAFANA_PASSWORD",
)
HEAD = "# Written by: autoctrl grafana export. What is changed here is lost with the next export.\n"
SILENT_S = 1800


def write_files(wanted: Wanted) -> dict[str, str]:
    """Return the text of every file by its path, always the same for the same."""
    return {
        "datasources/autoctrl.yaml": _spell(datasources(wanted)),
        "dashboards/autoctrl.yaml": _spell(providers(wanted)),
        "alerting/autoctrl.yaml": _spell(alerts(wanted)),
        **{f"dashboards/{name}": text for name, text in write_dashboards(wanted).items()},
    }


def _spell(values: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(values, sort_keys=False, width=100, allow_unicode=True)
    return HEAD + text


def datasources(wanted: Wanted) -> dict[str, Any]:
    """Return the data source; its credentials may only read."""
    source = {
        "name": wanted.uid,
        "uid": wanted.uid,
        "type": "influxdb",
        "access": "proxy",
        "url": wanted.server,
        "editable": False,
        **_access(wanted),
    }
    return {"apiVersion": 1, "datasources": [source]}


def _access(wanted: Wanted) -> dict[str, Any]:
    """Return what language is spoken, and by whose right."""
    if wanted.language == FLUX:
        return {
            "jsonData": {
                "version": "Flux",
                "organization": wanted.org,
                "defaultBucket": wanted.bucket,
            },
            "secureJsonData": {"token": f"${TOKEN}"},
        }
    if wanted.is_v1:
        return {
            "user": f"${USER}",
            "jsonData": {"dbName": wanted.database, "httpMode": "POST"},
            "secureJsonData": {"password": f"${PASSWORD}"},
        }
    return {
        "jsonData": {
            "dbName": wanted.database,
            "httpMode": "POST",
            "httpHeaderName1": "Authorization",
        },
        "secureJsonData": {"httpHeaderValue1": f"Token ${TOKEN}"},
    }


def providers(wanted: Wanted) -> dict[str, Any]:
    """Return where Grafana finds the dashboards."""
    provider = {
        "name": wanted.uid,
        "type": "file",
        "folder": wanted.folder,
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 60,
        "options": {"path": wanted.files},
    }
    return {"apiVersion": 1, "providers": [provider]}


def alerts(wanted: Wanted) -> dict[str, Any]:
    """Return the one rule about what autoctrl cannot tell itself: that it makes no cycles."""
    (text,) = question("silence").texts(is_flux=wanted.language == FLUX)
    # An alert knows no variables of a dashboard, and Grafana reads a dollar here as one of its own.
    query = fill_in(text, {"campaign": wanted.campaign}, bucket=wanted.bucket).replace("$", "$$")
    rule = {
        "uid": f"{wanted.uid}-silent"[:40],
        "title": f"autoctrl makes no cycles of campaign {wanted.campaign}",
        "condition": "B",
        "for": "5m",
        "noDataState": "Alerting",
        "execErrState": "KeepLast",
        "labels": {"application": "autoctrl", "campaign": wanted.campaign},
        "annotations": {
            "summary": "No cycle has been made for 30 minutes.",
            "description": f"Look at {wanted.link('health')}, and what starts the cycles.",
        },
        "data": [_asked(wanted, query), _threshold()],
    }
    group = {
        "orgId": 1,
        "name": wanted.uid,
        "folder": wanted.folder,
        "interval": "1m",
        "rules": [rule],
    }
    return {"apiVersion": 1, "groups": [group]}


def _asked(wanted: Wanted, query: str) -> dict[str, Any]:
    model: dict[str, Any] = {"refId": "A", "query": query}
    if wanted.language != FLUX:
        model |= {"rawQuery": True, "resultFormat": "table"}
    return {
        "refId": "A",
        "relativeTimeRange": {"from": SILENT_S, "to": 0},
        "datasourceUid": wanted.uid,
        "model": model,
    }


def _threshold() -> dict[str, Any]:
    below = {"type": "lt", "params": [1]}
    model = {
        "refId": "B",
        "type": "threshold",
        "expression": "A",
        "conditions": [{"evaluator": below}],
    }
    return {
        "refId": "B",
        "relativeTimeRange": {"from": SILENT_S, "to": 0},
        "datasourceUid": "__expr__",
        "model": model,
    }
