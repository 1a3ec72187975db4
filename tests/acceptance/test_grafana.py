"""The verbs about Grafana: what is written, what is refused, and what a check says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import StoreError
from autoctrl.stores.influx.tables import BucketTables
from tests.acceptance.project import ask

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
name = "Camera & Co"
[store]
url = "influxdb://influx.example.org:8086/experiment/camera"
token_file = "nowhere"
[grafana]
page_url = "https://runs.example.org"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "autoctrl.toml").write_text(SETTINGS)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_an_export_needs_no_server_and_is_the_same_again(project: Path) -> None:
    """It reads the settings alone, and what it wrote before is replaced, not mixed."""
    first = ask(project, "grafana", "export", "out", "--format", "json")
    assert first.code == 0, first.err
    written = contents(project / "out")
    assert sorted(written) == json.loads(first.out)["files"]
    assert len(written) == 8
    again = ask(project, "grafana", "export", "out")
    assert "8 files written into out" in again.out
    assert contents(project / "out") == written
    influxql = ask(project, "grafana", "export", "out", "--language", "influxql")
    assert influxql.code == 0, influxql.err
    assert contents(project / "out").keys() == written.keys()
    assert b"SELECT" in contents(project / "out")["dashboards/runs.json"]


def test_what_cannot_be_exported_is_refused_with_what_to_do(project: Path) -> None:
    """Without an address of the page no link would lead anywhere; SQLite is nothing for Grafana."""
    file = project / "autoctrl.toml"
    file.write_text(SETTINGS.partition("[grafana]")[0])
    refused = ask(project, "grafana", "export", "out")
    assert refused.code == 2
    assert "[grafana] page_url = 'https://" in refused.err
    file.write_text('grafana.page_url = "https://runs.example.org"')
    refused = ask(project, "grafana", "export", "out")
    assert refused.code == 2
    assert "is no InfluxDB" in refused.err
    assert not (project / "out").exists()


def test_a_check_names_the_panel_that_fails(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the store's reason, below the table of all queries; and the exit code is 2."""
    (project / "nowhere").write_text("secret")

    def refuse_free(_tables: object, text: str, *, is_flux: bool) -> list[dict[str, str]]:
        if is_flux and '"free_mb"' in text:
            message = "The server could not answer a query: no such thing."
            raise StoreError(message, hint="Look at it.")
        return [{"run": "7", "_value": "x"}]

    monkeypatch.setattr(BucketTables, "ask", refuse_free)
    said = ask(project, "grafana", "check")
    assert said.code == 2, said.err
    assert "Flow: Mean latency by workflow" in said.out
    assert said.out.splitlines()[-1] == (
        "System: Free on the disk of outputs shows nothing: "
        "The server could not answer a query: no such thing. Look at it."
    )
    whole = ask(project, "grafana", "check", "--language", "influxql", "--format", "json")
    assert whole.code == 0, whole.err
    queries = json.loads(whole.out)["queries"]
    assert {one["problem"] for one in queries} == {""}
    assert all(one["shown_by"] for one in queries)


def test_a_check_without_a_token_says_where_to_put_it(project: Path) -> None:
    """Nothing is asked of anybody."""
    refused = ask(project, "grafana", "check")
    assert refused.code == 2
    assert "nowhere" in refused.err


@pytest.mark.parametrize("words", [(), ("--campaign", "prompt")])
def test_a_store_without_tables_has_none_to_rebuild(tmp_path: Path, words: tuple[str, ...]) -> None:
    """The verb says so, whether one campaign is meant or all."""
    (tmp_path / "autoctrl.toml").write_text('store.url = "sqlite:.autoctrl/state.sqlite"\n')
    assert ask(tmp_path, "runs", "add", "1").code == 0
    said = ask(tmp_path, "store", "rebuild", *words)
    assert said.code == 2
    assert "there is nothing to rebuild. Only an InfluxDB store keeps some" in said.err
