"""What a machine is given to run autoctrl: units, cron, log rotation, Prometheus, compose.

Each file is read as the program would read it that it is for, and each command line in it is one
that autoctrl takes.
"""

from __future__ import annotations

import copy
import json
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import jsonschema_rs
import pytest
import yaml

from autoctrl.cli.app import app
from tests.acceptance.project import make_project
from tests.services import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DEPLOY = ROOT / "deploy"
PROGRAM, FOLDER = "/opt/autoctrl/bin/autoctrl", "/data/camera"
UNITS = sorted(path.name for path in (DEPLOY / "systemd").iterdir())
CRON = re.compile(r"(?:(?:\*(?:/\d+)?|[\d,-]+)\s+){5}autoctrl (?P<command>.+)")
VARIABLE = re.compile(r"[A-Z_]+=.*")
METRIC = re.compile(r"autoctrl_\w+")


def check_command(words: list[str]) -> None:
    """Raise an error of click's unless autoctrl takes these words."""
    group: click.Command = app
    context = click.Context(app)
    while isinstance(group, click.Group):
        found = group.get_command(context, words.pop(0))
        assert found is not None
        group = found
    group.make_context(group.name, words)


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file but for comments and empty ones."""
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def entries_of(unit: str) -> dict[str, list[str]]:
    """Return what a unit sets, by its key."""
    entries: dict[str, list[str]] = {}
    for line in lines_of(DEPLOY / "systemd" / unit):
        if not line.startswith("["):
            key, _, value = line.partition("=")
            entries.setdefault(key, []).append(value)
    return entries


@pytest.mark.parametrize("unit", [name for name in UNITS if name.endswith(".service")])
def test_a_unit_starts_what_there_is(unit: str) -> None:
    """A service names the program from / on, with a verb and options that it has, and a user."""
    entries = entries_of(unit)
    (line,) = entries["ExecStart"]
    program, *words = shlex.split(line)
    assert program == PROGRAM
    check_command(words)
    assert entries["User"] == ["autoctrl"]
    assert entries["WorkingDirectory"] == [FOLDER]


@pytest.mark.parametrize("unit", [name for name in UNITS if name.endswith(".timer")])
def test_a_timer_has_something_to_start(unit: str) -> None:
    """Each timer has a service of its name."""
    assert unit.replace(".timer", ".service") in UNITS
    assert "OnCalendar" in entries_of(unit)


def test_systemd_reads_the_units(tmp_path: Path) -> None:
    """Where systemd is, it finds nothing wrong with them but that the program is not there."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        assert all(entries_of(unit) for unit in UNITS)
        return
    for unit in UNITS:
        text = (DEPLOY / "systemd" / unit).read_text()
        (tmp_path / unit).write_text(text.replace(PROGRAM, "/bin/true"))
    done = subprocess.run(
        [tool, "verify", *(str(tmp_path / unit) for unit in UNITS)],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_cron_runs_what_stands_there(tmp_path: Path) -> None:
    """In cron's poor surroundings each line works, and what it says is in its log."""
    project = make_project(tmp_path / "camera")
    text = (DEPLOY / "cron/autoctrl").read_text()
    program = f"{sys.executable} -m autoctrl.cli"
    for old, new in ((PROGRAM, program), (FOLDER, str(project)), ("/var/log/autoctrl", tmp_path)):
        assert old in text
        text = text.replace(old, str(new))
    (tmp_path / "cron").write_text(text)
    variables, ran = [f"PYTHONPATH={ROOT}"], 0  # and not the environment, which the project lacks
    for line in lines_of(tmp_path / "cron"):
        if VARIABLE.fullmatch(line):
            variables += [line] * ("ENVIRONMENT" not in line)
            continue
        found = CRON.fullmatch(line)
        assert found, line
        command = found["command"]
        done = subprocess.run(
            ["env", "-i", *variables, "sh", "-c", command],
            cwd="/",
            timeout=250,
            check=False,
        )
        assert done.returncode in {0, 1}, line
        ran += 1
    assert ran == len([*tmp_path.glob("*.log")]) == 2
    assert "reco" in (tmp_path / "cycle.log").read_text()


def test_logs_of_cron_are_rotated() -> None:
    """The rotation is of the folder into which cron's lines write, and its braces are closed."""
    text = "\n".join(lines_of(DEPLOY / "logrotate/autoctrl"))
    found = re.fullmatch(r"(/\S+)/\*\.log \{\n((?: +[a-z]+(?: \w+)*\n)+)\}", text)
    assert found
    assert f">>{found[1]}/" in (DEPLOY / "cron/autoctrl").read_text()
    words = {line.split()[0] for line in found[2].splitlines()}
    assert {"weekly", "rotate", "compress", "missingok", "su", "create"} <= words


def test_rules_are_the_same_everywhere() -> None:
    """Prometheus on a machine has the rules of OpenShift, and they ask for metrics that we have."""
    rules = yaml.safe_load((DEPLOY / "prometheus/autoctrl.rules.yaml").read_text())
    other = yaml.safe_load((ROOT / "openshift/components/monitoring/rules.yaml").read_text())
    assert rules == other["spec"]
    reference = (ROOT / "docs/reference/web.md").read_text()
    asked = {
        name
        for group in rules["groups"]
        for rule in group["rules"]
        for name in METRIC.findall(rule["expr"])
    }
    assert asked
    assert all(f"`{name}`" in reference for name in asked), asked


def test_prometheus_is_told_where_to_ask() -> None:
    """The example names the page's port, and the file of the rules."""
    scrape = yaml.safe_load((DEPLOY / "prometheus/scrape.yaml").read_text())
    (job,) = scrape["scrape_configs"]
    (line,) = entries_of("autoctrl-serve.service")["ExecStart"]
    assert job["static_configs"][0]["targets"] == [f"127.0.0.1:{line.split()[-1]}"]
    assert scrape["rule_files"] == ["/etc/prometheus/autoctrl.rules.yaml"]


def compose() -> Any:
    """Return what compose.yaml says, its merged parts written out."""
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def schema() -> jsonschema_rs.Validator:
    """Return what a file of compose may say, as far as ours says it."""
    return jsonschema_rs.validator_for(
        json.loads((ROOT / "tests/acceptance/compose.schema.json").read_text())
    )


def test_compose_reads_its_file() -> None:
    """The file keeps to the schema; nothing in it may write to its image or is more than a user."""
    found = compose()
    assert [str(error) for error in schema().iter_errors(found)] == []
    for service in found["services"].values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["user"].endswith(":0")
        program, *words = service["command"]
        if program == "autoctrl":
            check_command(words)
    assert all(
        port.startswith("127.0.0.1:")
        for service in found["services"].values()
        for port in service.get("ports", [])
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [("restart", "sometimes"), ("ports", ["http"]), ("mem_limit", "1 GB"), ("privilegd", True)],
)
def test_a_mistake_in_compose_is_found(key: str, value: object) -> None:
    """The schema is one that refuses."""
    found = copy.deepcopy(compose())
    found["services"]["web"][key] = value
    assert not schema().is_valid(found)
