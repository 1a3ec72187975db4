"""Runs as a run table in CSV has them: ``type = "table"``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoctrl.config import Adapter, SourceSettings, setting
from autoctrl.errors import UsageError, nearest
from autoctrl.model.unit import LONGEST_NUMBER
from autoctrl.ports import Seen
from autoctrl.sources.values import typed_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from autoctrl.config import Settings
    from autoctrl.model.run import Value

NO = frozenset({"", "false", "no", "0"})


@dataclass(frozen=True)
class TableSourceSettings(SourceSettings):
    """``[sources.<name>]`` with ``type = "table"``: a run table in CSV."""

    path: str = setting("CSV file below the project's folder; its first line names the columns.")
    run_column: str = setting("Column that holds the run number.", "run")
    closed_column: str = setting(
        "Column that is filled (and not `false`) once the run is closed; empty if none.", ""
    )


class TableSource:
    """A CSV file, one line per run; a blank cell is not known yet, other columns are ignored."""

    def __init__(
        self, name: str, path: Path, section: TableSourceSettings, types: Mapping[str, str]
    ) -> None:
        """Read ``path``; attributes have the declared ``types``."""
        self.name = name
        self._path, self._section, self._types = path, section, types
        self._problems: list[str] = []
        self._stamp: tuple[int, int] | None = None
        self._seen: list[Seen] = []

    @property
    def problems(self) -> Sequence[str]:
        """Sentences about what could not be read in the last ``discover``."""
        return tuple(self._problems)

    def discover(self) -> list[Seen]:
        """Return all runs of the table, by number; the file is read again only if it has
        changed.
        """
        try:
            facts = self._path.stat()
            stamp = (facts.st_size, facts.st_mtime_ns)
            if stamp != self._stamp:
                self._problems = []
                with self._path.open(encoding="utf-8-sig", newline="") as file:
                    self._seen = self._read(file)
                self._stamp = stamp
        except OSError as error:
            self._stamp, self._seen = None, []
            self._problems = [f"{self._path} cannot be read: {error.strerror}"]
        return self._seen

    def _read(self, lines: Iterable[str]) -> list[Seen]:
        rows = csv.reader(lines)
        runs: dict[int, Seen] = {}
        try:
            columns = [name.strip() for name in next(rows, [])]
            if not self._has_columns(columns):
                return []
            for cells in rows:
                if any(cell.strip() for cell in cells):
                    self._take(runs, columns, cells, f"{self._path}:{rows.line_num}")
        except (csv.Error, UnicodeDecodeError) as error:
            self._problems.append(
                f"{self._path}:{rows.line_num + 1}: {error}; the rest of the table was not read"
            )
        return [runs[number] for number in sorted(runs)]

    def _has_columns(self, columns: Sequence[str]) -> bool:
        """Say whether the table can be read, and name what is missing or there twice."""
        needed = [name for name in (self._section.run_column, self._section.closed_column) if name]
        for name in needed:
            if name not in columns:
                self._problems.append(
                    f"{self._path}:1: there is no column '{name}'. {nearest(name, columns)}"
                )
        twice = sorted(
            {
                name
                for name in columns
                if columns.count(name) > 1 and name in {*needed, *self._types}
            }
        )
        self._problems += [f"{self._path}:1: the column '{name}' is there twice" for name in twice]
        return self._section.run_column in columns and not twice

    def _take(
        self, runs: dict[int, Seen], columns: Sequence[str], cells: Sequence[str], where: str
    ) -> None:
        if len(cells) > len(columns):
            self._problems.append(
                f"{where}: there are {len(cells)} cells for {len(columns)} columns"
            )
            return
        row = dict(zip(columns, cells, strict=False))
        run = row.get(self._section.run_column, "").strip()
        if not run.isdecimal() or len(run) > LONGEST_NUMBER:
            self._problems.append(f"{where}: '{run[:40]}' is not a run number")
            return
        if int(run) in runs:
            self._problems.append(
                f"{where}: run {int(run)} is there twice; this line is the one that counts"
            )
        closed = (
            row.get(self._section.closed_column, "").strip().lower()
            if self._section.closed_column
            else ""
        )
        runs[int(run)] = Seen(int(run), self._attributes(row, where), closed not in NO)

    def _attributes(self, row: Mapping[str, str], where: str) -> dict[str, Value]:
        attributes = {}
        for name in self._types:
            try:
                value = typed_value(name, row.get(name, ""), self._types)
            except UsageError as error:
                self._problems.append(f"{where}: {error.message}")
                continue
            if value is not None:
                attributes[name] = value
        return attributes


def open_table(name: str, section: TableSourceSettings, settings: Settings) -> TableSource:
    """Return the source of this table."""
    return TableSource(name, settings.path(section.path), section, settings.attributes)


ADAPTER = Adapter(TableSourceSettings, open_table)
