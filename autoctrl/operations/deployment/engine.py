"""From a REF to the release that an environment runs: fetched, tried, switched to, recorded."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.config.release import is_release
from autoctrl.errors import AutoctrlError, DeploymentError
from autoctrl.operations.deployment import journal
from autoctrl.operations.deployment.checkout import (
    check_out,
    commit_in,
    empty_trash,
    look_through,
    mark,
    remove,
)
from autoctrl.operations.deployment.clone import Clone
from autoctrl.operations.deployment.examination import examine
from autoctrl.operations.deployment.journal import Entry
from autoctrl.operations.deployment.refs import TAG, Resolved, resolve
from autoctrl.operations.deployment.requests import refuse_used
from autoctrl.operations.deployment.standing_in import refuse_others
from autoctrl.operations.deployment.switch import alone, switch, telling
from autoctrl.operations.deployment.trial import try_out
from autoctrl.operations.deployment.usage import find_unused

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from autoctrl.model.actor import Actor
    from autoctrl.operations.deployment.layout import Place
    from autoctrl.operations.deployment.refs import Rule
    from autoctrl.operations.deployment.requests import DeployRequest
    from autoctrl.ports import Clock

LEAST_KEPT = 2  # the one that is used, and the one to go back to


class Site(NamedTuple):
    """Where to deploy, and by which rules.

    place       the folders
    address     the repository
    rule        which refs are taken
    keep        how many releases stay
    user        who runs what is deployed, empty: nobody special
    is_signed   a ref must be a signed tag
    """

    place: Place
    address: str
    rule: Rule
    keep: int = 5
    user: str = ""
    is_signed: bool = False


class Wish(NamedTuple):
    """Who wants something deployed.

    actor     who
    reason    why
    request   the request that is consumed by it, None if it needs none
    is_dry    do everything but the switch
    may_move  take a tag that stands elsewhere than when it was deployed last
    """

    actor: Actor
    reason: str = ""
    request: DeployRequest | None = None
    is_dry: bool = False
    may_move: bool = False


class Deployed(NamedTuple):
    """What came of a deployment.

    environment  where
    ref, commit  what is current now, or would be
    previous     the first digits of the commit that was current before, empty if none was
    folder       the project's folder in its release
    is_new       it was switched to now, or would be
    remarks      what people should know
    """

    environment: str
    ref: str
    commit: str
    previous: str
    folder: Path
    is_new: bool
    remarks: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {**self._asdict(), "folder": str(self.folder)}


class Engine:
    """Deploys into one place; what takes long or waits is said to ``say``."""

    def __init__(self, site: Site, clock: Clock, say: Callable[[str], object]) -> None:
        """Deploy into ``site``."""
        self.site, self.place = site, site.place
        self._clock, self._say = clock, say

    def deploy(self, wanted: str, wish: Wish, known: Mapping[str, str] | None = None) -> Deployed:
        """Make the commit that a REF means the current one, if everything is as it must be.

        ``known`` are the repository's refs, where they were asked for already. Raises
        ``DeploymentError``, ``UsageError`` or ``GitError``; then nothing was switched.
        """
        refuse_others(self.site.user)
        with alone(self.place.lock, self._say):
            entries = self._settle()
            refuse_used(wish.request, entries)
            found, release = self._obtain(wanted, wish, entries, known)
            before = self.place.current_release()
            if self._is_current(found, entries) and wish.request is None:
                remarks = [] if wish.is_dry else self._tidy()  # it was ended before, perhaps
                return self._result(found, before, release, remarks, is_new=False)
            remarks = self._try_out(found, release)
            if not wish.is_dry:
                self._switch(found, release, wish)
                remarks += self._tidy()
            return self._result(found, before, release, remarks)

    def _try_out(self, found: Resolved, release: Path) -> list[str]:
        """Return what is to be remarked on a release.

        Raises ``DeploymentError`` if it must not be used.
        """
        remarks = look_through(self.place, release)
        project, before = self.place.project_in(release), self.place.current_release()
        trial = try_out(project)
        mark(self.place, found.commit, trial.modules)
        old = self.place.project_in(before) if before is not None else None
        return remarks + examine(project, old)

    def go_back(self, wish: Wish) -> Deployed:
        """Make the release that was current before this one the current one; git is not asked.

        Raises ``DeploymentError`` if there is none any more.
        """
        refuse_others(self.site.user)
        with alone(self.place.lock, self._say):
            entries = self._settle()
            refuse_used(wish.request, entries)
            before = self.place.current_release()
            for entry in journal.earlier(entries):
                release = self.place.release(entry.commit)
                if release != before and commit_in(self.place, release) == entry.commit:
                    found = Resolved(entry.ref, entry.commit)
                    if not wish.is_dry:
                        self._switch(found, release, wish, is_back=True)
                    return self._result(found, before, release)
        message = f"There is no earlier release of {self.site.rule.environment} to go back to."
        raise DeploymentError(message, hint="Deploy a ref: autoctrl deploy ENVIRONMENT REF")

    def _settle(self) -> list[Entry]:
        """Write down what became of deployments that were ended, and return the journal."""
        empty_trash(self.place)
        entries = journal.read_entries(self.place.journal)
        now, current = self._clock.now(), self.place.current_release()
        for intent in journal.unfinished(entries):
            outcome = journal.outcome_of(intent, current.name if current else "", now)
            journal.write_entry(self.place.journal, outcome)
            entries.append(outcome)
        return entries

    def _obtain(
        self,
        wanted: str,
        wish: Wish,
        entries: Collection[Entry],
        known: Mapping[str, str] | None,
    ) -> tuple[Resolved, Path]:
        """Fetch what a REF means, and return it with the folder of its checkout."""
        with open_clone(self.site, self._say) as clone:
            refs = clone.list_refs() if known is None else known
            found = resolve(wanted, refs, self.site.rule)
            clone.fetch([found.ref])
            found = self._confirm(found, wanted, clone.commit_of(found.ref))
            if self.site.is_signed:
                clone.check_signature(found.ref)
            if not wish.may_move:
                self._refuse_moved(found, entries)
            return found, check_out(self.place, clone, found.commit)

    def _confirm(self, found: Resolved, wanted: str, fetched: str) -> Resolved:
        """Return what was fetched; a ref may have moved since the repository listed it."""
        if wanted == found.commit and fetched != wanted:
            message = f"{found.ref} has just moved away from {wanted}."
            raise DeploymentError(message, hint="Repeat, if it is still wanted.")
        return found._replace(commit=fetched)

    def _refuse_moved(self, found: Resolved, entries: Collection[Entry]) -> None:
        if not found.ref.startswith(TAG):
            return  # a branch moves
        earlier = journal.commits_of(entries, found.ref)
        if earlier and earlier[-1] != found.commit:
            message = (
                f"{found.ref} stood at {earlier[-1][:12]} when it was deployed, and stands at "
                f"{found.commit[:12]} now: somebody has moved it."
            )
            raise DeploymentError(
                message, hint="Set a new tag; or say --moved if you know why it was moved."
            )

    def _is_current(self, found: Resolved, entries: Collection[Entry]) -> bool:
        """Say whether a ref is what was deployed last, and still current."""
        last = next(reversed(journal.deployed(entries)), None)
        is_last = last is not None and (last.ref, last.commit) == found
        return is_last and self.place.current_release() == self.place.release(found.commit)

    def _switch(self, found: Resolved, release: Path, wish: Wish, *, is_back: bool = False) -> None:
        before = self.place.current_release()
        intent = Entry(
            id=journal.new_id(),
            step=journal.INTENT,
            time=self._clock.now(),
            actor=wish.actor,
            ref=found.ref,
            commit=found.commit,
            previous=before.name if before is not None else "",
            reason=wish.reason,
            is_back=is_back,
            request=wish.request.id if wish.request is not None else "",
        )
        journal.write_entry(self.place.journal, intent)
        switch(self.place, release)
        done = intent.followed(journal.DONE, self._clock.now())
        journal.write_entry(self.place.journal, done)

    def _tidy(self) -> list[str]:
        """Remove the releases that are too many and that nobody uses; say what could not be."""
        current, left = self.place.current_release(), self._list_superfluous()
        if not left or current is None:
            return []
        try:
            for release in find_unused(self.place.project_in(current), left):
                remove(self.place, release)
            with open_clone(self.site, self._say) as clone:
                clone.prune()
        except (AutoctrlError, OSError) as error:
            return [f"Old releases could not be removed: {error}"]
        return []

    def _list_superfluous(self) -> list[Path]:
        """Return the releases beyond those to keep, and those that never were current."""
        deployed = journal.by_age(journal.read_entries(self.place.journal))
        kept = {self.place.releases / name for name in deployed[: max(self.site.keep, LEAST_KEPT)]}
        found = {path for path in self.place.releases.iterdir() if is_release(path)}
        return sorted(found - kept - {self.place.current_release()})

    def _result(
        self,
        found: Resolved,
        before: Path | None,
        release: Path,
        remarks: Collection[str] = (),
        *,
        is_new: bool = True,
    ) -> Deployed:
        return Deployed(
            environment=self.site.rule.environment,
            ref=found.ref,
            commit=found.commit,
            previous=before.name if before is not None else "",
            folder=self.place.project_in(release),
            is_new=is_new,
            remarks=tuple(remarks),
        )


@contextmanager
def open_clone(site: Site, say: Callable[[str], object]) -> Iterator[Clone]:
    """Yield the clone of a site, which nobody else works in meanwhile."""
    folder = site.place.clone
    with alone(folder.with_name(f".{folder.name}.lock"), say) as lock:
        clone = Clone(folder, site.address, [lock])
        clone.prepare()
        yield clone


def read_history(place: Place) -> list[Entry]:
    """Return what was deployed in a place, and what was not after all, oldest first.

    Raises ``DeploymentError`` if the journal cannot be read.
    """
    with telling(place.folder):
        entries = journal.read_entries(place.journal)
    open_ones = journal.unfinished(entries)
    return [entry for entry in entries if entry.step != journal.INTENT or entry in open_ones]


def time_of(entries: Collection[Entry], commit: str) -> datetime | None:
    """Return when a commit was deployed first, None if it never was."""
    return next((one.time for one in journal.deployed(entries) if one.commit == commit), None)
