"""The verbs about runs: runs add, runs list, discover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import Listing, say, show_json, show_tail, warn_all
from autoctrl.cli.session import VerbGroup, limit_option, verb
from autoctrl.model.pairs import parse_pairs
from autoctrl.model.table import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.cli.session import Session
    from autoctrl.config import Settings
    from autoctrl.machine.discover_runs import DiscoveredRuns
    from autoctrl.views import RunLine, Spelling


def tell_empty(selection: str | None, settings: Settings) -> None:
    """Say that there is no run, and what to do about it."""
    if selection is not None:
        say(f"None of the runs {selection} is in the campaign.")
    elif settings.sources:
        say("No runs yet. Ask the sources: autoctrl discover")
    else:
        say("No runs yet. Add some: autoctrl runs add 1-5")


@click.group(cls=VerbGroup, example="runs list")
def runs() -> None:
    """Register runs by hand, and list them."""


@verb("runs add 4500-4510,4521 --set fill=8222", group=runs, has_campaign=False)
@click.argument("selection", metavar="RUNS")
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set an attribute; may be given repeatedly.",
)
@click.option(
    "--open/--closed",
    "is_open",
    default=None,
    help="Whether data taking goes on. New runs are closed.",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing.")
def add(
    session: Session, selection: str, pairs: tuple[str, ...], is_open: bool | None, dry_run: bool
) -> None:
    """Register runs, or set attributes of known ones.

    RUNS is a selection such as 4500-4510,4521. What is not given stays as it is.
    """
    from autoctrl.verbs import add_runs
    from autoctrl.views.outcomes import spell_registration

    with session.open() as project:
        done = add_runs(
            session.request(project, dry_run=dry_run),
            selection,
            parse_pairs(pairs),
            project.settings.attributes,
            is_closed=None if is_open is None else not is_open,
        )
    if session.is_json:
        show_json(**done._asdict(), dry_run=dry_run)
        return
    say(spell_registration(done._asdict(), dry_run=dry_run))


@verb("runs list --runs 4500-4510", name="list", group=runs)
@click.option("--runs", "selection", metavar="RUNS", help="Only these, e.g. 4500-4510,fill:8222.")
@limit_option
def list_(session: Session, selection: str | None, limit: int | None) -> None:
    """List the campaign's runs with their attributes, the newest last."""
    from autoctrl.campaigns import find_campaign
    from autoctrl.views import list_runs
    from autoctrl.views.runs import RunIndex, select_runs

    with session.open() as project:
        store, numbers = project.store, None
        if selection is not None:
            numbers = select_runs(store, RunIndex(store).numbers(), selection)
        campaign = find_campaign(project.store, session.campaign)
        lines = list_runs(project.store, campaign, numbers, limit)
        spell = _run_speller(session.spelling(project))
    if session.is_json:
        show_json(campaign=session.campaign, runs=lines)
    elif lines:
        headings = ("RUN", "DATA TAKING", "ATTRIBUTES", "FROM")
        show_tail(lines, limit, Listing(headings, spell, "runs"))
    else:
        tell_empty(selection, project.settings)


def _run_speller(spelling: Spelling) -> Callable[[RunLine], tuple[str, ...]]:
    from autoctrl.views import spell_actor

    def spell(line: RunLine) -> tuple[str, ...]:
        return (
            str(line.run),
            "closed" if line.is_closed else "open",
            spelling.pairs(line.attributes) or NOTHING,
            spell_actor(line.actor),
        )

    return spell


@verb("discover", has_campaign=False)
def discover(session: Session) -> int:
    """Ask the sources for new runs, and write down what is new."""
    from autoctrl.machine.discover_runs import discover as ask_sources

    with session.open() as project:
        sources = project.sources()
        arrivals = ask_sources(project.store, sources, project.clock)
    if session.is_json:
        show_json(**arrivals.values())
    else:
        show_arrivals(arrivals, is_asked=bool(sources))
    return 2 if arrivals.problems and not (arrivals.new or arrivals.changed) else 0


def show_arrivals(arrivals: DiscoveredRuns, *, is_asked: bool) -> None:
    """Print how many runs the sources gave, and what is wrong with them."""
    from autoctrl.views.spelling import count

    warn_all(arrivals.problems)
    if is_asked:
        say(f"{count(arrivals.new, 'new run')}, {count(arrivals.changed, 'changed run')}.")
    else:
        say(
            "The settings name no source. Add runs by hand (autoctrl runs add 1-5), or add a "
            "[sources.NAME]."
        )
