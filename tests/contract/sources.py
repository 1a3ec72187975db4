"""The sources that must keep the contract, one line each."""

from __future__ import annotations

import csv
import json
import os
import shutil
import time
from datetime import datetime
from typing import TYPE_CHECKING

from autoctrl.config import parse_settings
from autoctrl.conformance import ATTRIBUTES
from autoctrl.ports import Inbox, Seen
from autoctrl.sources import open_sources
from autoctrl.testing import ScriptedSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from autoctrl.conformance import SourceSubject
    from autoctrl.model.run import Value
    from autoctrl.ports import Source

DECLARED = "[runs.attributes]\n" + "".join(
    f"{name} = '{kind}'\n" for name, kind in ATTRIBUTES.items()
)
RECENTLY_S, LONG_AGO_S = 20, 1000


class Scripted:
    """The double for tests."""

    name = "scripted"

    def __init__(self, folder: Path) -> None:
        del folder
        self.source = ScriptedSource(self.name)

    def open(self) -> Source:
        return self.source

    def put(self, number: int, attributes: Mapping[str, Value], *, is_closed: bool) -> None:
        self.source.put(Seen(number, attributes, is_closed))

    def spoil(self, number: int) -> None:
        self.source.spoil(number, "it is torn")

    def lose(self) -> None:
        self.source.is_down = True


class Files:
    """Raw files that hold what the inspecting command would print about them."""

    name = "raw"

    def __init__(self, folder: Path) -> None:
        self.folder, self.raw = folder, folder / "raw"
        self.raw.mkdir()
        self.text = f"{DECLARED}[sources.raw]\ntype = 'files'\npattern = 'raw/{{run}}.json'\n"
        self.text += "inspect = 'cat {path}'\n"

    def open(self) -> Source:
        return open_sources(parse_settings(self.text, self.folder, environ={}))[0]

    def put(self, number: int, attributes: Mapping[str, Value], *, is_closed: bool) -> None:
        content = {
            "schema": 1,
            "run": number,
            "attributes": {name: _as_text(value) for name, value in attributes.items()},
            "is_closed": is_closed,
        }
        self._write(number, json.dumps(content), RECENTLY_S)

    def spoil(self, number: int) -> None:
        self._write(number, "torn", LONG_AGO_S)

    def lose(self) -> None:
        shutil.rmtree(self.raw)

    def _write(self, number: int, text: str, age_s: float) -> None:
        path = self.raw / f"{number}.json"
        path.write_text(text)
        changed = time.time() - age_s
        os.utime(path, (changed, changed))


class Table:
    """A run table."""

    name = "shift"

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "runs.csv"
        self.rows: dict[int, Mapping[str, object]] = {}
        self._write()

    def open(self) -> Source:
        text = f"{DECLARED}[sources.shift]\ntype = 'table'\npath = 'runs.csv'\n"
        text += "closed_column = 'end'\n"
        return open_sources(parse_settings(text, self.folder, environ={}))[0]

    def put(self, number: int, attributes: Mapping[str, Value], *, is_closed: bool) -> None:
        values = {name: _as_text(value) for name, value in attributes.items()}
        self.rows[number] = {"run": number, "end": "yes" if is_closed else "", **values}
        self._write()

    def spoil(self, number: int) -> None:
        self.rows[number] = {"run": f"{number}?"}
        self._write()

    def lose(self) -> None:
        self.path.unlink()

    def _write(self) -> None:
        with self.path.open("w", newline="") as file:
            table = csv.DictWriter(file, ["run", "end", *ATTRIBUTES])
            table.writeheader()
            table.writerows(self.rows.values())


class Hook:
    """Deliveries, each about one run; what is put again replaces what waits."""

    name = "daq"

    def __init__(self, folder: Path) -> None:
        self.folder, self.spool = folder, folder / ".autoctrl/sources/daq"

    def open(self) -> Inbox:
        text = f"{DECLARED}[sources.daq]\ntype = 'hook'\nsecret_file = 'key'\n"
        (source,) = open_sources(parse_settings(text, self.folder, environ={}))
        assert isinstance(source, Inbox)
        return source

    def put(self, number: int, attributes: Mapping[str, Value], *, is_closed: bool) -> None:
        values = {name: _as_text(value) for name, value in attributes.items()}
        content = {"run": number, "attributes": values, "is_closed": is_closed}
        self._drop(number)
        self.open().keep(f"run{number}", json.dumps(content).encode())

    def spoil(self, number: int) -> None:
        self._drop(number)
        self.open().keep(f"run{number}", b"torn")

    def lose(self) -> None:
        shutil.rmtree(self.spool)
        self.spool.write_text("this is no folder")

    def _drop(self, number: int) -> None:
        for path in self.spool.glob(f"*-run{number}.json"):
            path.unlink()


def _as_text(value: Value) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


SOURCES: dict[str, Callable[[Path], SourceSubject]] = {
    "scripted": Scripted,
    "files": Files,
    "table": Table,
    "hook": Hook,
}
