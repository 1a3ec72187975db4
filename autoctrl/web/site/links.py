"""Addresses of pages: the only place that knows how they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from autoctrl.views.outputs import short_content

if TYPE_CHECKING:
    from autoctrl.views import OutputLine


def overview(campaign: str, **query: object) -> str:
    """Return the address of a campaign's overview; what is None or empty in ``query`` is left
    out, several values of one name stand one after the other.
    """
    return _written(f"/campaigns/{_word(campaign)}", query)


def run(campaign: str, number: int) -> str:
    """Return the address of one run's page."""
    return f"/campaigns/{_word(campaign)}/runs/{number}"


def task(campaign: str, workflow: str, unit: str, **query: object) -> str:
    """Return the address of one task's page; ``unit`` is a run or a group."""
    return _written(f"/campaigns/{_word(campaign)}/tasks/{_word(workflow)}/{_word(unit)}", query)


def log(campaign: str, workflow: str, unit: str, **query: object) -> str:
    """Return the address of what one attempt printed, as plain text."""
    return _written(f"/campaigns/{_word(campaign)}/logs/{_word(workflow)}/{_word(unit)}", query)


def output(campaign: str, line: OutputLine, **query: object) -> str:
    """Return the address of the file of an output; ``line`` as a list of outputs has it."""
    path = f"/campaigns/{_word(campaign)}/outputs/{_word(line.workflow)}/{_word(line.unit)}"
    which = {"name": line.name, "version": line.version, "content": short_content(line)}
    return _written(path, {**which, **query})


def plots(campaign: str, number: int) -> str:
    """Return the address of the page with one run's plots."""
    return f"/campaigns/{_word(campaign)}/plots/{number}"


def trends(campaign: str, **query: object) -> str:
    """Return the address of the page with numbers of one workflow over runs."""
    return _written(f"/campaigns/{_word(campaign)}/trends", query)


def verbs(campaign: str, workflow: str, **query: object) -> str:
    """Return the address of the page that acts on several tasks of one workflow."""
    return _written(f"/campaigns/{_word(campaign)}/verbs/{_word(workflow)}", query)


def grid(campaign: str, **query: object) -> str:
    """Return the address of the dense grid; ``query`` filters as that of ``overview``."""
    return _written(f"/campaigns/{_word(campaign)}/grid", query)


def workflow(campaign: str, name: str, **query: object) -> str:
    """Return the address of one workflow's page."""
    return _written(f"/campaigns/{_word(campaign)}/workflows/{_word(name)}", query)


def log_reader(campaign: str, workflow: str, unit: str, **query: object) -> str:
    """Return the address of what one attempt printed, as a page with numbered lines."""
    return _written(f"/campaigns/{_word(campaign)}/read/{_word(workflow)}/{_word(unit)}", query)


def incidents(campaign: str, **query: object) -> str:
    """Return the address of a campaign's incidents."""
    return _written(f"/campaigns/{_word(campaign)}/incidents", query)


def incident(campaign: str, identity: str, **query: object) -> str:
    """Return the address of one incident's page."""
    return _written(f"/campaigns/{_word(campaign)}/incidents/{_word(identity)}", query)


def quotas(campaign: str) -> str:
    """Return the address of the page of the quotas."""
    return f"/campaigns/{_word(campaign)}/quotas"


def campaigns(**query: object) -> str:
    """Return the address of the page of all campaigns."""
    return _written("/campaigns", query)


def tokens(**query: object) -> str:
    """Return the address of the page of the tokens."""
    return _written("/tokens", query)


def _word(text: str) -> str:
    return quote(text, safe=":")


def _written(path: str, query: dict[str, object]) -> str:
    given = {name: value for name, value in query.items() if value not in {None, "", ()}}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path
