"""The verb that exchanges the workflows of an environment: deploy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoctrl.cli.output import say, show_json, show_table, warn, warn_all
from autoctrl.cli.session import person, verb
from autoctrl.errors import UsageError
from autoctrl.model.table import NOTHING, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autoctrl.cli.session import Session
    from autoctrl.config.deployment import Deployment
    from autoctrl.operations.deployment.engine import Deployed, Wish
    from autoctrl.operations.deployment.mirror import Mirrored

MARKS = {"done": "deployed", "failed": "not deployed", "intent": "under way, or was ended"}


root_option = click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    envvar="AUTOCTRL_ROOT",
    help="Folder with the deployment.toml; by default AUTOCTRL_ROOT, else the one above.",
)
reason_option = click.option(
    "--reason", default="", metavar="TEXT", help="Why; kept in the list of deployments."
)
dry_option = click.option("--dry-run", is_flag=True, help="Do everything but the switch.")
back_option = click.option(
    "--back", is_flag=True, help="Go back to the release before this one, at once."
)
list_option = click.option(
    "--list", "is_list", is_flag=True, help="List what was deployed, and when."
)
moved_option = click.option(
    "--moved", is_flag=True, help="Take a tag that stands elsewhere than when it was deployed."
)
request_option = click.option(
    "--request", "name", default="", metavar="ID", help="The request that is fulfilled."
)
branch_option = click.option("--branch", default="", metavar="NAME", help="A branch of a mirror.")
all_option = click.option("--all", "is_all", is_flag=True, help="Every allowed branch of a mirror.")
cycle_option = click.option(
    "--cycle", "is_cycle", is_flag=True, help="Make a cycle of each branch's campaign afterwards."
)
junit_option = click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --cycle: write the tasks as a JUnit report.",
)
OF_MIRROR = {"--branch": "branch", "--all": "is_all", "--cycle": "is_cycle", "--junit": "junit"}


@verb("deploy production prod-2026-11", has_campaign=False, has_project=False)
@click.argument("target", metavar="ENVIRONMENT")
@click.argument("ref", metavar="[REF]", required=False, default="")
@root_option
@reason_option
@dry_option
@back_option
@list_option
@moved_option
@request_option
@branch_option
@all_option
@cycle_option
@junit_option
def deploy(session: Session, target: str, **given: Any) -> int:  # noqa: ANN401 - one option each
    """Exchange an environment's workflows for those of a tag, or of branches in a mirror.

    The ref is fetched, its settings and handlers are tried, doctor looks at it, and one rename
    switches. Exits with 2 if it was not deployed; what was current still is.
    """
    from autoctrl.operations.deployment.sites import open_deployment
    from autoctrl.operations.deployment.standing_in import find_stand_in, stand_in

    deployment = open_deployment(given["root"])
    is_mirror = bool(deployment.environment(target).branches)
    _refuse_contradictions(given, is_mirror=is_mirror)
    user = find_stand_in(deployment.environment(target).user)
    if user is not None:
        return stand_in(user, _spell_call(session, deployment, target, given))
    if given["is_list"]:
        _show_history(session, deployment, target, given)
        return 0
    if is_mirror:
        return _deploy_branches(session, deployment, target, given)
    done = _deploy_ref(deployment, target, given)
    _show(session, done, dry_run=given["dry_run"])
    return 0


def _spell_call(
    session: Session, deployment: Deployment, target: str, given: Mapping[str, Any]
) -> list[str]:
    """Return the words of this call, such that they mean the same in any folder."""
    report = given["junit"] and given["junit"].absolute()
    whole = {**given, "root": deployment.root, "junit": report}
    words = [f"--format={session.format}"]
    for option in deploy.params:
        value = whole.get(str(option.name))
        if isinstance(option, click.Option) and value:
            words.append(option.opts[0] if value is True else f"{option.opts[0]}={value}")
    return ["deploy", *words, "--", target, *filter(None, [given["ref"]])]


def _refuse_contradictions(given: Mapping[str, Any], *, is_mirror: bool) -> None:
    """Raise ``UsageError`` for options that do not go together."""
    named = [*filter(None, (given["ref"], given["branch"])), *["--all"] * given["is_all"]]
    if len(named) > 1:
        message = f"{named[0]} and {named[1]} exclude each other."
        raise UsageError(message, hint="Say what to deploy once.")
    if is_mirror:
        _refuse_in_mirror(given)
        return
    of_mirror = [name for name, key in OF_MIRROR.items() if given[key]]
    if of_mirror:
        message = f"{of_mirror[0]} is for environments that take branches."
        raise UsageError(message, hint="Name a ref: autoctrl deploy ENVIRONMENT REF")


def _refuse_in_mirror(given: Mapping[str, Any]) -> None:
    """Raise ``UsageError`` for what makes no sense where branches are deployed."""
    if given["junit"] and (given["is_all"] or not given["is_cycle"]):
        message = "--junit is the report of one cycle."
        raise UsageError(message, hint="Name a branch, and add --cycle.")
    if given["back"]:
        message = "A mirror follows the heads of its branches: it does not go back."
        raise UsageError(message, hint="Push the earlier commit to the branch, then deploy that.")


def _deploy_ref(deployment: Deployment, environment: str, given: Mapping[str, Any]) -> Deployed:
    """Deploy a ref, or go back. Raises ``AutoctrlError`` if it was not deployed."""
    from autoctrl.operations.deployment.engine import Engine
    from autoctrl.operations.deployment.refs import choose_default
    from autoctrl.operations.deployment.requests import BACK
    from autoctrl.operations.deployment.sites import site_of
    from autoctrl.process import SystemClock

    site = site_of(deployment, environment)
    engine = Engine(site, SystemClock(), warn)
    if given["back"]:
        return engine.go_back(_wish(deployment, environment, BACK, given))
    ref = given["ref"] or choose_default(site.rule)
    return engine.deploy(ref, _wish(deployment, environment, ref, given))


def _wish(deployment: Deployment, environment: str, ref: str, given: Mapping[str, Any]) -> Wish:
    """Return who wants it: the person who calls, or whose request a build of Jenkins fulfils.

    Raises ``UsageError`` in a build that nobody requested, where that is needed.
    """
    from autoctrl.operations.deployment.engine import Wish
    from autoctrl.operations.deployment.requests import Asked, is_build, require_request
    from autoctrl.process import SystemClock

    needs_request = deployment.environment(environment).needs_request
    request = require_request(
        deployment.root,
        Asked(environment, ref, given["name"]),
        SystemClock().now(),
        is_needed=needs_request and is_build(),
    )
    return Wish(
        actor=person() if request is None else request.actor,
        reason=given["reason"] or (request.reason if request is not None else ""),
        request=request,
        is_dry=given["dry_run"],
        may_move=given["moved"],
    )


def _show(session: Session, done: Deployed, *, dry_run: bool) -> None:
    if session.is_json:
        show_json(**done.values())
        return
    warn_all(done.remarks)
    at = f"{done.ref} ({done.commit[:12]})"
    before = f", before it {done.previous}" if done.previous else ""
    if not done.is_new:
        say(f"{done.environment} is at {at} already.")
    elif dry_run:
        say(f"{done.environment} would be switched to {at}{before}. Nothing was switched.")
    else:
        say(f"{done.environment} is at {at} now{before}.")
        say(f"The project is in {done.folder}. A loop that runs goes on with what it had.")


def _show_history(
    session: Session, deployment: Deployment, environment: str, given: Mapping[str, Any]
) -> None:
    from autoctrl.operations.deployment.engine import read_history
    from autoctrl.operations.deployment.sites import site_of

    is_mirror = bool(deployment.environment(environment).branches)
    branch = given["branch"] or given["ref"] if is_mirror else ""
    if is_mirror and not branch:
        message = "Each branch of a mirror has a list of its own."
        raise UsageError(message, hint=f"As: autoctrl deploy {environment} --list --branch NAME")
    entries = read_history(site_of(deployment, environment, branch).place)
    if session.is_json:
        show_json(environment=environment, deployments=entries)
        return
    rows = [
        (
            f"{one.time:%Y-%m-%d %H:%M:%S}",
            one.ref + (" (back)" if one.is_back else ""),
            one.commit[:12],
            one.previous or NOTHING,
            one.actor.name,
            MARKS.get(one.step, one.step),
            one.reason or NOTHING,
        )
        for one in entries
    ]
    show_table(Table(("TIME (UTC)", "REF", "COMMIT", "BEFORE", "WHO", "IS", "WHY"), rows))


def _deploy_branches(
    session: Session, deployment: Deployment, environment: str, given: Mapping[str, Any]
) -> int:
    """Deploy one branch of a mirror or all; make a cycle of each if that is wanted."""
    from autoctrl.operations.deployment.mirror import Mirror
    from autoctrl.process import SystemClock

    branch = given["branch"] or given["ref"]
    mirror = Mirror(deployment, environment, SystemClock(), warn)
    wish = _wish(deployment, environment, branch, given)
    done = [mirror.deploy(branch, wish)] if branch else list(mirror.deploy_all(wish))
    _show_branches(session, environment, done, is_one=bool(branch))
    codes = [2 if one.state == "failed" else 0 for one in done]
    if given["is_cycle"]:
        out = sys.stderr if session.is_json else sys.stdout
        codes += [mirror.make_cycle(one, given["junit"], out) for one in done]
    return max(codes, default=0)


def _show_branches(
    session: Session, environment: str, done: Sequence[Mirrored], *, is_one: bool
) -> None:
    if session.is_json:
        values = [one.values() for one in done]
        show_json(environment=environment, **(values[0] if is_one else {"branches": values}))
        return
    for one in done:
        _say_branch(one)
    if not done:
        say(f"The repository has no branch that {environment} takes.")


def _say_branch(one: Mirrored) -> None:
    warn_all(one.remarks)
    at = f"{one.branch} at {one.commit[:12]}"
    if one.problem:
        (warn if one.state == "failed" else say)(f"{one.branch}: {one.state}. {one.problem}")
        return
    again = "".join(f", {count} {name} again" for name, count in one.reprocessed.items() if count)
    followed = f" --campaign {one.campaign}, runs {one.runs}{again}" if one.runs else ""
    say(f"{at}: {one.state}.{followed} --project {one.folder}")
