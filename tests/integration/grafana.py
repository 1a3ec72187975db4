"""Asks a bucket what the dashboards ask, with the variables as a person would set them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.operations.grafana.asking import ask_all
from autoctrl.operations.grafana.questions import VARIABLES, fill_in, question
from autoctrl.operations.grafana.wanted import FLUX, LANGUAGES
from autoctrl.stores.influx.tables import open_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.operations.grafana.asking import Answered
    from autoctrl.stores.influx.tables import BucketTables

__all__ = ["LANGUAGES", "Asker"]


class Asker(NamedTuple):
    """One bucket, asked in one language about so many days of one campaign."""

    tables: BucketTables
    language: str
    campaign: str
    days: int = 7

    @classmethod
    @contextmanager
    def open(cls, url: str, language: str, campaign: str = "prompt") -> Iterator[Asker]:
        """Open the bucket of a complete URL."""
        with open_tables(url) as tables:
            yield cls(tables, language, campaign)

    @property
    def is_flux(self) -> bool:
        """Whether the language is Flux."""
        return self.language == FLUX

    def check(self) -> list[Answered]:
        """Put every query, as ``autoctrl grafana check`` does."""
        return [*ask_all(self.tables, self.campaign, self.language)]

    def __call__(self, name: str, **chosen: str) -> list[dict[str, Any]]:
        """Return the rows of one question, with these values of variables."""
        values = {**VARIABLES, "campaign": self.campaign, **chosen}
        found = []
        for text in question(name).texts(is_flux=self.is_flux):
            filled = fill_in(text, values, bucket=self.tables.bucket)
            meant = filled.replace("-7d", f"-{self.days}d").replace("- 7d", f"- {self.days}d")
            found += self.tables.ask(meant, is_flux=self.is_flux)
        return found
