"""Arguments of autoctrl-camera."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from autoctrl.errors import UsageError
from autoctrl.model.unit import parse_runs
from autoctrl.science.camera.cli import camera, main
from autoctrl.science.camera.options import load_extensions, parse_range, refuse_overwriting
from autoctrl.science.camera.simulation_cli import plan_runs

if TYPE_CHECKING:
    from typing import Any

OPTIONS: dict[str, Any] = {
    "runs": "10-14",
    "kind": None,
    "pedestal_every": 0,
    "events": 6,
    "pedestal_events": 25,
    "seed": 1,
    "fill": None,
    "size": "2304",
    "small": False,
    "spots": None,
    "alphas": None,
    "muons": None,
    "electrons": None,
}


@pytest.mark.parametrize(
    ("text", "parsed"), [("0:200", (0, 200)), (":", (0, None)), ("5:", (5, None)), (":7", (0, 7))]
)
def test_ranges_are_half_open(text: str, parsed: tuple[int, int | None]) -> None:
    """Both ends of a range may be left out."""
    assert parse_range(text) == parsed


@pytest.mark.parametrize("text", ["", "5", "7:5", "a:b", "-1:3"])
def test_nonsense_ranges_are_refused(text: str) -> None:
    """What is not a range is refused with a word on how to write it."""
    with pytest.raises(UsageError, match="FIRST:LAST"):
        parse_range(text)


@pytest.mark.parametrize("runs", ["1-99999999999", "4503-4500", "4500,x", ""])
def test_impossible_runs_are_refused(
    runs: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A selection that is too long, backwards, or nonsense ends in a sentence and exit code 2."""
    words = ["autoctrl-camera", "simulate", "--runs", runs, "--output", str(tmp_path / "raw")]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr().err
    assert end.value.code == UsageError.exit_code
    assert said.startswith("autoctrl-camera: ")
    assert said.count("\n") == 1
    assert "run selection" in said
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    ("changed", "kinds"),
    [
        ({}, "Pxxxx"),
        ({"pedestal_every": 2}, "PxPxP"),
        ({"kind": "pedestal"}, "PPPPP"),
        ({"runs": "10"}, "x"),
        ({"runs": "10", "pedestal_every": 1}, "P"),
    ],
)
def test_which_runs_are_pedestal_runs(changed: dict[str, Any], kinds: str) -> None:
    """The first of several, or every Nth, or as the kind says; a lone run is a physics run."""
    options = OPTIONS | changed
    plans = plan_runs(parse_runs(options["runs"]), options)
    assert "".join("P" if plan.is_pedestal else "x" for plan in plans) == kinds


@pytest.mark.parametrize("command", sorted(camera.commands))
def test_help_ends_with_an_example(command: str) -> None:
    """The last lines of every command's help are an example of it."""
    text = CliRunner().invoke(camera, [command, "--help"]).output
    assert f"Example: autoctrl-camera {command} " in " ".join(text.split("\n\n")[-1].split())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("broken.py", "1 / 0"),
        ("leaving.py", "raise SystemExit(0)"),
        ("missing.py", None),
        ("notes.txt", "words"),
    ],
)
def test_an_extension_that_cannot_be_loaded_is_named(
    tmp_path: Path, name: str, text: str | None
) -> None:
    """A file that fails, leaves, is missing or is not a Python file is refused by its name."""
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=name):
        load_extensions((path,))


@pytest.mark.parametrize("output", ["reco.root", "./link.root", "", ".", "/"])
def test_an_output_replaces_no_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    """An output with the place of an input, under whatever name, or without a name is refused."""
    monkeypatch.chdir(tmp_path)
    Path("link.root").symlink_to("reco.root")
    with pytest.raises(UsageError, match="name"):
        refuse_overwriting([Path(output)], [Path("raw.mid.gz"), None, tmp_path / "reco.root"])


@pytest.mark.parametrize(
    "line",
    [
        "pedestal raw.mid.gz --output raw.mid.gz",
        "reco raw.mid.gz --pedestal pedestal.root --output pedestal.root",
        "merge part0.root part1.root --output part1.root",
        "friends reco.root --output reco.root",
        "calibrate reco.root truth.json --output truth.json",
        "dq reco.root --pedestal pedestal.root --output reco.json",
        "dq reco.root --pedestal pedestal.root --output report.root",
        "dq-merge part0.json --limits limits.toml --output limits.toml",
        "dq-trend dq_run04501.json --output dq_run04501.json",
    ],
)
def test_every_command_keeps_its_inputs(line: str) -> None:
    """Commands refuse an output that is an input, also where the histograms would lie beside a
    report.
    """
    refused = CliRunner().invoke(camera, line.split()).exception
    assert isinstance(refused, UsageError)
    assert "would replace another file" in refused.message
