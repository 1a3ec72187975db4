"""Sources on real folders, with a real command and real tables."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from autoctrl.config import parse_settings
from autoctrl.sources import open_sources
from autoctrl.sources.files.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from autoctrl.ports import Source

INSPECTOR = """
import json, pathlib, sys
with open("calls", "a") as calls:
    print(*sys.argv[1:], file=calls)
answers = []
for path in map(pathlib.Path, sys.argv[1:]):
    text = path.read_text()
    if text == "hang":
        import time; time.sleep(600)
    if text == "crash":
        sys.exit("no begin of run at offset 0")
    about = {"run": int(path.name[3:8]), "attributes": {"fill": int(text)}, "is_closed": True}
    answers.append({"path": str(path), **about})
print(json.dumps({"schema": 1, "files": answers}))
"""
ATTRIBUTES = "[runs.attributes]\nfill = 'int'\nkind = 'str'\nlumi = 'float'\n"


def files_source(folder: Path, command: str = "{paths}", limit_s: float = 20) -> Source:
    """Open a source of ``raw/run00001.mid.gz`` and so on that asks the inspector above."""
    (folder / "inspector.py").write_text(INSPECTOR)
    text = f"{ATTRIBUTES}[sources.raw]\ntype = 'files'\npattern = 'raw/run{{run:05d}}.mid.gz'\n"
    text += f"inspect_limit_s = {limit_s}\ninspect = '{sys.executable} inspector.py {command}'\n"
    return open_sources(parse_settings(text, folder, environ={}))[0]


def table_source(folder: Path, table: str, extra: str = "") -> Source:
    """Open a source of this run table."""
    (folder / "runs.csv").write_text(table)
    text = f"{ATTRIBUTES}[sources.runs]\ntype = 'table'\npath = 'runs.csv'\n{extra}"
    return open_sources(parse_settings(text, folder, environ={}))[0]


def write_raw(folder: Path, contents: Iterable[str]) -> None:
    """Write one old raw file per content, for runs 1, 2 and so on."""
    (folder / "raw").mkdir(exist_ok=True)
    for run, content in enumerate(contents, 1):
        path = folder / "raw" / f"run{run:05d}.mid.gz"
        path.write_text(content)
        os.utime(path, (0, 0))


def calls(folder: Path) -> list[str]:
    """Return the files of each call of the inspector, as names."""
    lines = (folder / "calls").read_text().splitlines()
    return [" ".join(word.rpartition("/")[2][3:8] for word in line.split()) for line in lines]


def test_files_are_inspected_together_and_once(tmp_path: Path) -> None:
    """One call for all new files, and none in the next process, which finds the memory on disk."""
    write_raw(tmp_path, ["8222", "8223"])
    assert [seen.attributes["fill"] for seen in files_source(tmp_path).discover()] == [8222, 8223]
    again = files_source(tmp_path)
    assert [seen.is_closed for seen in again.discover()] == [True, True]
    assert calls(tmp_path) == ["00001 00002"]


def test_a_spoilt_memory_is_made_again(tmp_path: Path) -> None:
    """Nothing is lost with the memory but the time to inspect again."""
    write_raw(tmp_path, ["8222"])
    first = files_source(tmp_path).discover()
    memory = tmp_path / ".autoctrl" / "sources" / "raw.json"
    memory.write_bytes(b'{"schema": 1, "meaning"')
    assert files_source(tmp_path).discover() == first
    assert len(calls(tmp_path)) == 2


def test_a_memory_that_cannot_be_written_is_a_problem_and_no_more(tmp_path: Path) -> None:
    """Runs are found all the same."""
    write_raw(tmp_path, ["8222"])
    (tmp_path / ".autoctrl").write_text("a file in the way")
    source = files_source(tmp_path)
    assert [seen.number for seen in source.discover()] == [1]
    assert len(source.problems) == 1
    assert "cannot be kept" in source.problems[0]


def test_one_bad_file_costs_only_itself(tmp_path: Path) -> None:
    """A batch that fails is asked for file by file; the command's last words are the reason."""
    write_raw(tmp_path, ["8222", "crash", "8223"])
    source = files_source(tmp_path)
    assert [seen.number for seen in source.discover()] == [1, 3]
    assert source.problems == ("raw/run00002.mid.gz cannot be used: no begin of run at offset 0",)
    assert calls(tmp_path) == ["00001 00002 00003", "00001", "00002", "00003"]


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    """The time limit ends it; the file is a problem and the others are read."""
    write_raw(tmp_path, ["hang", "8222"])
    source = files_source(tmp_path, "{path}", limit_s=1)
    assert [seen.number for seen in source.discover()] == [2]
    assert "did not answer within 1 s" in source.problems[0]


def test_a_command_that_always_hangs_is_given_up(tmp_path: Path) -> None:
    """After three files without an answer the rest waits for the next look."""
    write_raw(tmp_path, ["hang"] * 5)
    source = files_source(tmp_path, "{path}", limit_s=1)
    assert list(source.discover()) == []
    assert len(calls(tmp_path)) == 3
    assert any(
        "did not answer within 1 s for 3 files; 3 raw files wait" in problem
        for problem in source.problems
    )


def test_a_command_that_does_not_exist_is_one_problem(tmp_path: Path) -> None:
    """The problem names the command and counts the files."""
    write_raw(tmp_path, ["1", "2"])
    text = (
        "[sources.raw]\ntype = 'files'\npattern = 'raw/run{run}.mid.gz'\ninspect = "
        "'no-such-command {path}'\n"
    )
    source = open_sources(parse_settings(text, tmp_path, environ={}))[0]
    assert list(source.discover()) == []
    assert source.problems == (
        (
            "no-such-command cannot be run: No such file or directory; 2 raw files wait to be "
            "inspected"
        ),
    )


def test_a_missing_folder_is_a_problem(tmp_path: Path) -> None:
    """A folder of raw data that is not mounted is said, not raised."""
    source = files_source(tmp_path)
    assert list(source.discover()) == []
    assert f"folder {tmp_path}/raw cannot be listed: No such file or directory" in source.problems


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("raw/run{run:05d}.mid.gz", {1: {}, 123456: {}}),
        ("raw/run{run}.mid.gz", {1: {}, 12: {}, 123456: {}}),
        (
            "{kind}/run{run:05d}.mid.gz",
            {1: {"kind": "raw"}, 2: {"kind": "ped"}, 123456: {"kind": "raw"}},
        ),
        ("days/*/{run}/data.bin", {7: {}}),
        ("days/day-?/{run}/{kind}.bin", {7: {"kind": "data"}}),
        ("by/{run}/run{run:05d}.mid", {3: {}}),
    ],
)
def test_a_pattern_finds_files(
    tmp_path: Path, pattern: str, expected: dict[int, dict[str, str]]
) -> None:
    """Widths, fields, wildcards and repeated runs are honoured; folders and near misses are not
    taken.
    """
    names = [
        "raw/run00001.mid.gz",
        "raw/run12.mid.gz",
        "raw/run123456.mid.gz",
        "raw/run00001.mid.gz.part",
    ]
    names += [
        "ped/run00002.mid.gz",
        "days/day-1/7/data.bin",
        "by/3/run00003.mid",
        "by/4/run00005.mid",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "raw" / "run00009.mid.gz").mkdir()
    complaints: list[str] = []
    found = list(Pattern(pattern, ["kind"], "").find(str(tmp_path), complaints.append))
    assert {file.run: dict(file.values) for file in found} == expected
    absolute = Pattern(f"{tmp_path}/{pattern}", ["kind"], "").find("/elsewhere", complaints.append)
    assert {file.run: dict(file.values) for file in absolute} == expected
    assert complaints == []


def test_a_table_gives_typed_attributes(tmp_path: Path) -> None:
    """Blanks are not yet known, other columns are ignored, blank lines too."""
    source = table_source(
        tmp_path, "run, fill,kind,shifter\n2,8222,physics,Ada\n\n1,,pedestal,Bob\n"
    )
    first, second = source.discover()
    assert (first.number, dict(first.attributes)) == (1, {"kind": "pedestal"})
    assert (second.number, dict(second.attributes)) == (2, {"fill": 8222, "kind": "physics"})
    assert not first.is_closed
    assert source.problems == ()


def test_a_bad_cell_is_named_with_its_line(tmp_path: Path) -> None:
    """Each mistake costs the cell or the line, never the table."""
    table = (
        "run,fill,kind\n1,many,physics\nten,1,physics\n3,1,physics,x\n4,5,physics\n4,6,physics\n"
        f"{'9' * 5000},1,physics\n"
    )
    source = table_source(tmp_path, table)
    assert [(seen.number, seen.attributes.get("fill")) for seen in source.discover()] == [
        (1, None),
        (4, 6),
    ]
    said = "\n".join(source.problems)
    assert (
        f"{tmp_path}/runs.csv:2: Run attribute 'fill' is declared as int, which 'many' is not."
        in said
    )
    assert "runs.csv:3: 'ten' is not a run number" in said
    assert "runs.csv:4: there are 4 cells for 3 columns" in said
    assert "runs.csv:6: run 4 is there twice" in said
    assert f"runs.csv:7: '{'9' * 40}' is not a run number" in said


def test_a_column_can_close_runs(tmp_path: Path) -> None:
    """A run is closed once the column is filled, and not with a no."""
    table = "number,end\n1,2026-01-01\n2,\n3,no\n"
    source = table_source(tmp_path, table, "run_column = 'number'\nclosed_column = 'end'\n")
    assert [seen.is_closed for seen in source.discover()] == [True, False, False]


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ("runs,fill\n1,2\n", "there is no column 'run'. Did you mean 'runs'?"),
        ("run,fill,fill\n1,2,3\n", "the column 'fill' is there twice"),
        ("", "there is no column 'run'"),
    ],
)
def test_a_table_without_sense_is_a_problem(tmp_path: Path, table: str, part: str) -> None:
    """A table whose head cannot be used gives no runs and one reason."""
    source = table_source(tmp_path, table)
    assert list(source.discover()) == []
    assert part in source.problems[0]


def test_a_binary_table_keeps_what_was_read(tmp_path: Path) -> None:
    """Bytes that are no text end the reading with a problem, not with an exception."""
    source = table_source(tmp_path, "")
    (tmp_path / "runs.csv").write_bytes(b"run,fill\n1,2\n" + b"x" * 10000 + b"\xff\xfe\n")
    list(source.discover())
    assert "the rest of the table was not read" in source.problems[0]


def test_a_table_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """A run that is added is seen; a table that goes away is a problem until it is back."""
    source = table_source(tmp_path, "run\n1\n")
    assert [seen.number for seen in source.discover()] == [1]
    (tmp_path / "runs.csv").write_text("run\n1\n2\n")
    assert [seen.number for seen in source.discover()] == [1, 2]
    (tmp_path / "runs.csv").unlink()
    assert list(source.discover()) == []
    assert "cannot be read: No such file" in source.problems[0]
