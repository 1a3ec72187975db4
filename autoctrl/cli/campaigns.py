"""The verbs about campaigns: create, list, edit, close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from autoctrl.cli.output import say, show_json, show_table
from autoctrl.cli.session import VerbGroup, complete_campaigns, complete_workflows, verb
from autoctrl.model.campaign import PROMPT, Campaign
from autoctrl.model.pairs import parse_pairs
from autoctrl.model.table import NOTHING, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.cli.session import Session
    from autoctrl.verbs.campaign_text import CampaignText

name_argument = click.argument("name", metavar="NAME", shell_complete=complete_campaigns)
reason_option = click.option(
    "--reason", default="", metavar="TEXT", help="Why; kept with the campaign."
)
set_option = click.option(
    "--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting: {campaign.KEY}."
)
runs_option = click.option(
    "--runs", metavar="RUNS", help="A fixed list of runs; by default those registered now."
)
code_option = click.option(
    "--code", metavar="COMMIT", help="Commit at which its workflows must stand."
)
dry_option = click.option(
    "--dry-run", is_flag=True, help="Say what would happen and write nothing."
)


@click.group(cls=VerbGroup, example="campaign list")
def campaign() -> None:
    """Process many runs again with settings of their own."""


@verb(
    (
        "campaign create rereco --workflows camera-reco,camera-friends --runs 4500-4510 --set "
        "global_tag=v7"
    ),
    group=campaign,
    has_campaign=False,
)
@click.argument("name", metavar="NAME")
@click.option(
    "--workflows",
    required=True,
    metavar="A,B",
    help="Workflows that it processes; others are looked up in the parent.",
    shell_complete=complete_workflows,
)
@click.option(
    "--parent",
    default=PROMPT,
    show_default=True,
    metavar="NAME",
    help="Where the other workflows are.",
)
@runs_option
@set_option
@code_option
@click.option(
    "--follow",
    is_flag=True,
    help="Take runs as the sources discover them, instead of a fixed list.",
)
@reason_option
@dry_option
def create(session: Session, name: str, **given: Any) -> None:  # noqa: ANN401 - one option each
    """Create a campaign."""
    from autoctrl.verbs import create_campaign, known_workflows
    from autoctrl.views.outcomes import spell_created

    wanted = read_text(given).campaign(name)
    with session.open() as project:
        request = session.request(project, given["reason"], dry_run=given["dry_run"])
        created = create_campaign(request, wanted, known_workflows(project.store, project.folder))
    _show_campaign(session, created, spell_created(name, dry_run=given["dry_run"]))


@verb("campaign list", name="list", group=campaign, has_campaign=False)
def list_(session: Session) -> None:
    """List all campaigns."""
    from autoctrl.verbs import list_campaigns

    with session.open() as project:
        found = list_campaigns(project.store)
    if session.is_json:
        show_json(campaigns=found)
        return
    rows = [
        (
            item.name,
            item.parent or NOTHING,
            "all" if item.workflows is None else ",".join(item.workflows),
            "follows the sources" if item.follow else item.runs or "all",
            " ".join(f"{key}={value}" for key, value in item.settings.items()) or NOTHING,
            "closed" if item.closed else "open",
        )
        for item in found
    ]
    show_table(Table(("NAME", "PARENT", "WORKFLOWS", "RUNS", "SETTINGS", "IS"), rows))


@verb("campaign edit rereco --runs 4500-4600", group=campaign, has_campaign=False)
@name_argument
@click.option(
    "--workflows",
    metavar="A,B",
    help="Workflows that it processes.",
    shell_complete=complete_workflows,
)
@click.option("--parent", metavar="NAME", help="Where the other workflows are; empty for nowhere.")
@click.option("--runs", metavar="RUNS", help="A fixed list of runs instead of the present one.")
@set_option
@code_option
@click.option(
    "--follow/--no-follow", default=None, help="Whether to take runs as the sources discover them."
)
@click.option("--reopen", is_flag=True, help="Open a closed campaign again.")
@reason_option
@dry_option
def edit(session: Session, name: str, **given: Any) -> None:  # noqa: ANN401 - one option each
    """Change a campaign; what is not given stays as it is."""
    from autoctrl.verbs import edit_campaign, known_workflows
    from autoctrl.views.outcomes import spell_edited

    with session.open() as project:
        request = session.request(project, given["reason"], dry_run=given["dry_run"])
        known = known_workflows(project.store, project.folder)
        edited, is_changed = edit_campaign(request, name, read_text(given).changes(), known)
    text = spell_edited(name, is_changed=is_changed, dry_run=given["dry_run"])
    _show_campaign(session, edited, text)


@verb("campaign close rereco", group=campaign, has_campaign=False)
@name_argument
@reason_option
def close(session: Session, name: str, reason: str) -> None:
    """Close a campaign: it takes no more runs and starts nothing more."""
    from autoctrl.verbs import close_campaign
    from autoctrl.views.outcomes import spell_closed

    with session.open() as project:
        closed, is_changed = close_campaign(session.request(project, reason), name)
    _show_campaign(session, closed, spell_closed(name, is_changed=is_changed))


def read_text(given: Mapping[str, Any]) -> CampaignText:
    """Return what the options say of a campaign."""
    from autoctrl.verbs.campaign_text import CampaignText

    said = {name: given[name] for name in ("workflows", "parent", "runs", "code", "follow")}
    settings = parse_pairs(given["pairs"])
    return CampaignText(**said, settings=settings, reopen=given.get("reopen", False))


def _show_campaign(session: Session, campaign: Campaign, text: str) -> None:
    if session.is_json:
        show_json(campaign=campaign)
    else:
        say(text)
