"""The mirror: the head of each allowed branch, each in a folder and a campaign of its own."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from autoctrl.compose import Project
from autoctrl.config import load_settings
from autoctrl.config.deployment import BRANCHES
from autoctrl.config.release import is_release
from autoctrl.errors import AutoctrlError, DeploymentError
from autoctrl.files import write_whole
from autoctrl.operations.deployment.branch_campaign import close, follow
from autoctrl.operations.deployment.checkout import modules_in
from autoctrl.operations.deployment.engine import Engine, open_clone, read_history, time_of
from autoctrl.operations.deployment.layout import campaign_of
from autoctrl.operations.deployment.refs import BRANCH, resolve
from autoctrl.operations.deployment.secrets import refuse_open_secrets
from autoctrl.operations.deployment.sites import site_of
from autoctrl.operations.deployment.standing_in import KILLED, PROGRAM, refuse_others
from autoctrl.operations.deployment.switch import alone, telling
from autoctrl.operations.deployment.usage import find_unused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from autoctrl.config.deployment import Deployment
    from autoctrl.operations.deployment.engine import Deployed, Site, Wish
    from autoctrl.ports import Clock
    from autoctrl.verbs import Request

IDLE_AFTER = timedelta(days=30)
NAME_FILE = "branch.json"


class Mirrored(NamedTuple):
    """What came of one branch.

    branch       its name
    campaign     the campaign of its runs
    state        ``switched``, ``unchanged``, ``tried`` (a dry run), ``closed`` or ``failed``
    ref, commit  what is current now; empty where nothing is
    previous     the first digits of the commit that was current before
    folder       the project's folder in its release, None where there is none
    runs         the runs that the campaign follows
    reprocessed  how many tasks each workflow whose code changed does again
    remarks      what people should know
    problem      why it failed or was closed
    """

    branch: str
    campaign: str
    state: str
    ref: str = ""
    commit: str = ""
    previous: str = ""
    folder: Path | None = None
    runs: str = ""
    reprocessed: Mapping[str, int] = {}
    remarks: tuple[str, ...] = ()
    problem: str = ""

    def values(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {**self._asdict(), "folder": str(self.folder) if self.folder else None}


class Mirror:
    """Deploys the branches of one environment."""

    def __init__(
        self, deployment: Deployment, environment: str, clock: Clock, say: Callable[[str], object]
    ) -> None:
        """Deploy branches into ``environment``.

        Raises ``DeploymentError`` if we are not their user, and ``SettingsError`` if that one could
        open what belongs to another environment.
        """
        refuse_others(deployment.environment(environment).user)
        refuse_open_secrets(deployment, environment)
        self.deployment, self.name = deployment, environment
        self.folder = deployment.environment(environment).folder
        self._clock, self._say = clock, say

    def deploy(self, branch: str, wish: Wish) -> Mirrored:
        """Bring one branch up to date, or close its campaign if it is gone.

        Raises ``AutoctrlError`` if it cannot be deployed; then what was current still is.
        """
        branch = branch.removeprefix(BRANCH)
        known = self._list_refs()
        if f"{BRANCH}{branch}" not in known and branch in self._known_branches():
            return self._close(branch, "the branch is gone", wish)
        return self._bring_up(branch, wish, known)

    def deploy_all(self, wish: Wish) -> Iterator[Mirrored]:
        """Bring every allowed branch up to date, and close the campaigns of those gone or idle.

        A branch that cannot be deployed says why, and holds up no other.
        """
        known = self._list_refs()
        taken = [ref for ref in sorted(known) if self._site().rule.takes(ref)]
        branches = [ref.removeprefix(BRANCH) for ref in taken]
        idle = self._find_idle(known, branches)
        for branch in sorted({*branches, *self._known_branches()}):
            try:
                if branch not in branches:
                    yield self._close(branch, "the branch is gone", wish)
                elif branch not in idle:
                    yield self._bring_up(branch, wish, known)
                elif branch in self._known_branches():
                    why = f"the branch has had no commit since {idle[branch]:%Y-%m-%d}"
                    yield self._close(branch, why, wish)
            except AutoctrlError as error:
                yield Mirrored(branch, campaign_of(branch), "failed", problem=str(error))

    def make_cycle(self, mirrored: Mirrored, junit: Path | None, out: TextIO) -> int:
        """Make one cycle of a branch's campaign; return its exit code, 2 if it was killed.

        Nothing for a branch without runs. ``junit`` is the file of a report; what the cycle says is
        written to ``out``.
        """
        if not mirrored.runs:
            return 0
        report = ["--junit", str(junit.absolute())] if junit is not None else []
        of_branch = ["--project", str(mirrored.folder), "--campaign", mirrored.campaign]
        said = subprocess.run(
            [*PROGRAM, "cycle", *of_branch, *report],
            cwd="/",
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
        )
        out.write(said.stdout)
        return said.returncode if said.returncode >= 0 else KILLED

    def _site(self, branch: str = "") -> Site:
        return site_of(self.deployment, self.name, branch)

    def _list_refs(self) -> dict[str, str]:
        with open_clone(self._site(), self._say) as clone:
            return clone.list_refs()

    def _find_idle(self, known: Mapping[str, str], branches: list[str]) -> dict[str, datetime]:
        """Return the branches that have had no commit for long, and since when."""
        if not branches:
            return {}
        with open_clone(self._site(), self._say) as clone:
            clone.fetch([f"{BRANCH}{branch}" for branch in branches])
            made = {
                branch: self._date(clone.committed_at(clone.commit_of(f"{BRANCH}{branch}")))
                for branch in branches
            }
        since = {
            branch: self._last_news(branch, known[f"{BRANCH}{branch}"], when)
            for branch, when in made.items()
        }
        limit = self._clock.now() - IDLE_AFTER
        return {branch: when for branch, when in since.items() if when < limit}

    def _date(self, committed_at: int) -> datetime:
        """Return when a commit was made; whoever makes one may have written any number."""
        now = self._clock.now()
        return datetime.fromtimestamp(min(max(committed_at, 0), now.timestamp()), UTC)

    def _last_news(self, branch: str, commit: str, committed: datetime) -> datetime:
        """Return when a branch had news: a commit may be older than its push."""
        first = time_of(read_history(self._site(branch).place), commit)
        return max(committed, first) if first is not None else committed

    def _known_branches(self) -> dict[str, Path]:
        """Return the branches that have a folder, and that folder."""
        found: dict[str, Path] = {}
        for file in sorted((self.folder / BRANCHES).glob(f"*/{NAME_FILE}")):
            with suppress(OSError, ValueError, TypeError, KeyError):
                found[str(json.loads(file.read_bytes())["branch"])] = file.parent
        return found

    def _bring_up(self, branch: str, wish: Wish, known: Mapping[str, str]) -> Mirrored:
        site = self._site(branch)
        found = resolve(f"{BRANCH}{branch}", known, site.rule)
        with telling(site.place.folder):
            self._claim(site.place.folder, branch)
        done = Engine(site, self._clock, self._say).deploy(found.ref, wish, known)
        state = "switched" if done.is_new else "unchanged"
        if wish.is_dry:
            return self._result(branch, "tried", done)
        commit = done.commit
        modules = modules_in(site.place, site.place.release(commit))
        with Project(load_settings(done.folder)) as opened:
            request = self._request(opened, branch, wish, f"{done.ref} is at {commit[:12]}")
            followed = follow(opened, request, commit, modules)
        return self._result(branch, state, done)._replace(**followed._asdict())

    def _claim(self, folder: Path, branch: str) -> None:
        """Write down whose folder it is. Raises ``DeploymentError`` if it is another branch's."""
        other = next(
            (name for name, path in self._known_branches().items() if path == folder), branch
        )
        if other != branch:
            message = f"Branch {branch} would lie in the folder of {other}."
            raise DeploymentError(message, hint="Give one of the two another name.")
        folder.mkdir(parents=True, exist_ok=True)
        name = json.dumps({"schema": 1, "branch": branch}).encode()
        write_whole(folder / NAME_FILE, name, mode=0o644)

    def _result(self, branch: str, state: str, done: Deployed) -> Mirrored:
        return Mirrored(
            branch=branch,
            campaign=campaign_of(branch),
            state=state,
            ref=done.ref,
            commit=done.commit,
            previous=done.previous,
            folder=done.folder,
            remarks=done.remarks,
        )

    def _request(self, project: Project, branch: str, wish: Wish, reason: str) -> Request:
        why = f"{wish.reason} ({reason})" if wish.reason else reason
        return project.request(wish.actor, campaign_of(branch), why)

    def _close(self, branch: str, why: str, wish: Wish) -> Mirrored:
        """Close the campaign of a branch, and remove its folder unless a job still needs it."""
        closed = Mirrored(branch, campaign_of(branch), "closed", problem=f"{why}.")
        place = self._site(branch).place
        if wish.is_dry:
            return closed
        with alone(place.lock, self._say):
            current = place.current_release()
            if current is not None and current.is_dir():
                project = place.project_in(current)
                with Project(load_settings(project)) as opened:
                    close(opened, self._request(opened, branch, wish, why))
                releases = [path for path in place.releases.iterdir() if is_release(path)]
                if len(find_unused(project, releases)) < len(releases):
                    remark = "Its folder stays: a job or a process still needs it."
                    return closed._replace(remarks=(remark,))
            self._remove(place.folder)
        with open_clone(self._site(), self._say) as clone:
            clone.prune()
        return closed

    def _remove(self, folder: Path) -> None:
        trash = self.folder / "trash"
        trash.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            folder.rename(trash / f"{folder.name}.{secrets.token_hex(4)}")
        for left in trash.iterdir():
            shutil.rmtree(left, ignore_errors=True)
