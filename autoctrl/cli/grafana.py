"""The verbs about Grafana: export, check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import say, show_json, show_table
from autoctrl.cli.session import VerbGroup, verb
from autoctrl.errors import MissingExtra, SettingsError
from autoctrl.model.table import Table

if TYPE_CHECKING:
    from autoctrl.cli.session import Session
    from autoctrl.config import Settings
    from autoctrl.operations.grafana.wanted import Wanted

language_option = click.option(
    "--language",
    type=click.Choice(["flux", "influxql"]),
    default="flux",
    show_default=True,
    help="How Grafana asks the store.",
)


@click.group(cls=VerbGroup, example="grafana export provisioning")
def grafana() -> None:
    """Show the store in Grafana: write its files, try its queries."""


@verb("grafana export provisioning", group=grafana)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@language_option
def export(session: Session, folder: Path, language: str) -> None:
    """Write data source, dashboards and the alert as files that Grafana provisions.

    What is in DIR under the same names is replaced; the same settings give the same files.
    """
    from autoctrl.files import write_whole

    try:
        from autoctrl.operations.grafana.provisioning import write_files
    except ImportError as error:
        what = "The export for Grafana"
        raise MissingExtra(what, "grafana") from error
    files = write_files(read_wanted(session.settings(), session.campaign, language))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    if session.is_json:
        show_json(folder=str(folder), files=sorted(files))
        return
    say(f"{len(files)} files written into {folder}.")
    say("Grafana takes the token of the data source from its own environment.")


@verb("grafana check", group=grafana)
@language_option
def check(session: Session, language: str) -> int:
    """Put every query of the dashboards to the store, and say what each gives.

    A panel whose query the store refuses is named, with the store's reason; then the exit code is
    2.
    """
    from autoctrl.compose import open_tables
    from autoctrl.operations.grafana.asking import ask_all

    with open_tables(session.settings()) as tables:
        answers = list(ask_all(tables, session.campaign, language))
    if session.is_json:
        show_json(campaign=session.campaign, language=language, queries=answers)
    else:
        rows = [
            (one.question, str(one.rows), str(len(one.columns)), str(one.ms), one.shown_by)
            for one in answers
        ]
        show_table(Table(("QUERY", "ROWS", "COLUMNS", "MS", "SHOWN BY"), rows))
        for one in answers:
            if one.problem:
                say(f"\n{one.shown_by} shows nothing: {one.problem}")
    return 2 if any(one.problem for one in answers) else 0


def read_wanted(settings: Settings, campaign: str, language: str) -> Wanted:
    """Return what the files depend on.

    Raises ``SettingsError`` without an address of the page, ``UsageError`` without an InfluxDB.
    """
    from autoctrl.compose import open_tables
    from autoctrl.operations.grafana.wanted import Wanted

    grafana_settings = settings.grafana
    if not grafana_settings.page_url:
        message = "Nothing says where the web page is, to which the dashboards lead."
        raise SettingsError(message, hint="Say it: [grafana] page_url = 'https://…'.")
    with open_tables(settings) as tables:
        return Wanted(
            language=language,
            server=grafana_settings.store_url or tables.server,
            org=tables.org,
            bucket=tables.bucket,
            uid=grafana_settings.uid,
            page_url=grafana_settings.page_url,
            campaign=campaign,
            folder=grafana_settings.folder,
            files=grafana_settings.files,
            title=settings.project.name,
        )
