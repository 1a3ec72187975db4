"""Answers an analyst's questions from a project's own store, as its web page would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from autoctrl.campaigns import find_campaign
from autoctrl.compose import open_lasting_store
from autoctrl.config import find_project, load_settings
from autoctrl.errors import StoreError
from autoctrl.process import SystemClock
from autoctrl.views import (
    Choice,
    explain,
    find_allowed,
    limit_silence,
    list_fields,
    list_outputs,
    list_runs,
    read_overview,
    to_plain,
)
from autoctrl.views.runs import RunIndex, select_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from autoctrl.client.answerer import Query
    from autoctrl.views.choice import Allowed


class Folder:
    """A project's folder; its store is opened, and neither made nor written."""

    def __init__(self, folder: Path, environment: str | None = None) -> None:
        """Open the store of the project in ``folder``, or in the nearest folder above it.

        Raises ``SettingsError`` without a project, ``StoreError`` without a store.
        """
        self._settings = load_settings(find_project(folder), environment=environment)
        self._store = open_lasting_store(self._settings, self._settings.store.url, must_exist=True)

    def ask(self, path: str, query: Query) -> Any:  # noqa: ANN401 - whatever is answered
        """Return what ``/api`` answers; see ``Answerer``."""
        question, *words = map(unquote, path.split("/"))
        return to_plain(ANSWERS[question](self, query, *words))

    def pages(self, path: str, query: Query) -> Iterator[Any]:
        """Yield what ``ask`` returns: here one page has it all."""
        yield self.ask(path, query)

    def download(self, path: str, query: Query, target: Path) -> None:  # noqa: ARG002 - as a page
        """Say that a folder hands nothing over: what it has lies on a disk that is not here."""
        message = f"{target.name} lies on a disk that cannot be seen from here."
        raise StoreError(
            message, hint="Mount it, or open the project's page instead of its folder."
        )

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    @property
    def _silent_before(self) -> datetime | None:
        return limit_silence(self._settings, SystemClock().now())

    def _allowed(self, query: Query) -> Allowed:
        choice = Choice(
            runs=_word(query, "runs"),
            where=tuple(query.get("where", ())),
            quality=_word(query, "quality") or "any",
        )
        return find_allowed(
            self._store, _word(query, "campaign"), choice, self._settings.attributes
        )

    def _numbers(self, query: Query) -> list[int] | None:
        if not query.get("runs"):
            return None
        known = RunIndex(self._store).numbers()
        return select_runs(self._store, known, _word(query, "runs"))

    def outputs(self, query: Query) -> Any:  # noqa: ANN401 - see ask
        """Answer with the published outputs."""
        return list_outputs(
            self._store,
            _word(query, "campaign"),
            _word(query, "workflow") or None,
            superseded="superseded" in query,
            allowed=self._allowed(query),
        )

    def fields(self, query: Query, workflow: str) -> Any:  # noqa: ANN401 - see ask
        """Answer with the custom fields of a workflow's tasks."""
        campaign = _word(query, "campaign")
        return {"fields": list_fields(self._store, campaign, workflow, self._allowed(query))}

    def runs(self, query: Query) -> Any:  # noqa: ANN401 - see ask
        """Answer with the campaign's runs."""
        campaign = find_campaign(self._store, _word(query, "campaign"))
        return {"runs": list_runs(self._store, campaign, self._numbers(query), None)}

    def why(self, query: Query, unit: str, workflow: str) -> Any:  # noqa: ANN401 - see ask
        """Answer how a task stands and why."""
        campaign = _word(query, "campaign")
        return explain(self._store, campaign, unit, workflow, silent_before=self._silent_before)

    def status(self, query: Query) -> Any:  # noqa: ANN401 - see ask
        """Answer with the overview."""
        return read_overview(
            self._store,
            _word(query, "campaign"),
            self._numbers(query),
            None,
            silent_before=self._silent_before,
        ).values()


ANSWERS: Mapping[str, Callable[..., Any]] = {
    "outputs": Folder.outputs,
    "fields": Folder.fields,
    "runs": Folder.runs,
    "why": Folder.why,
    "status": Folder.status,
}


def _word(query: Query, name: str) -> str:
    return str(query.get(name, ""))
