"""An installation with a real repository, and `autoctrl deploy` as a person calls it there."""

from __future__ import annotations

import getpass
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.actor import Actor
from autoctrl.operations.deployment.engine import Engine, Wish
from autoctrl.operations.deployment.sites import open_deployment, site_of
from autoctrl.process import SystemClock
from tests.acceptance.project import Said, ask
from tests.integration.deployed import Repository, git, make_repository, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

ROOT = Path(__file__).parents[2]
ADA = Actor("ada", "cli")
SETTINGS = (
    '[runs.attributes]\nkind = "str"\n[sources.raw]\ntype = "files"\npattern = "run{run:05d}.dat"\n'
)
HANDLER = """
from autoctrl import inline


@inline("{name}")
def work(task):
    return {{"answer": {answer}}}
"""


def handler(name: str, answer: float = 1.0) -> str:
    """Return a module with one workflow whose tasks report a number."""
    return HANDLER.format(name=name, answer=answer)


def project(answer: float = 1.0, **changed: str) -> dict[str, str]:
    """Return the files of a small project; ``changed`` are settings, or further files."""
    files = {
        "autoctrl.toml": SETTINGS,
        "workflows/reco/handler.py": handler("reco", answer),
        "workflows/plots/handler.py": handler("plots"),
    }
    return {**files, **changed}


class Installation(NamedTuple):
    """An administrator's folder, and the repository that it takes refs from."""

    root: Path
    repository: Repository

    def commit(self, files: Mapping[str, str], tag: str = "") -> str:
        """Commit these files and no others in somebody's clone; return the commit."""
        work = self.repository.work
        for known in work.iterdir():
            if known.name != ".git":
                shutil.rmtree(known) if known.is_dir() else known.unlink()
        write(work, files)
        git(work, "add", "--all", "--force")
        git(work, "commit", "-qm", "Change it", "--allow-empty")
        return git(work, "tag", tag) if tag else git(work, "rev-parse", "HEAD")

    def tag(self, name: str, files: Mapping[str, str]) -> str:
        """Push a tag of these files and no others; return its commit."""
        commit = self.commit(files)
        git(self.repository.work, "tag", "--force", name)
        git(self.repository.work, "push", "-q", "--force", "origin", f"refs/tags/{name}")
        return commit

    def tag_many(self, count: int) -> list[str]:
        """Push so many tags, prod-0 and so on, each of other code; return their commits."""
        for number in range(count):
            self.commit(project(float(number)), f"prod-{number}")
        git(self.repository.work, "push", "-q", "origin", "--tags")
        names = [f"prod-{number}" for number in range(count)]
        return git(self.repository.work, "rev-parse", *names).split()

    def branch(self, name: str, files: Mapping[str, str]) -> str:
        """Push a branch of these files and no others; return its commit."""
        commit = self.commit(files)
        git(self.repository.work, "push", "-q", "--force", "origin", f"HEAD:refs/heads/{name}")
        return commit

    def deploy(self, *words: str, **variables: str) -> Said:
        """Call ``autoctrl deploy`` in the administrator's folder."""
        return ask(self.root, "deploy", *words, PYTHONPATH=str(ROOT), **variables)

    def call(self, *words: str, **variables: str) -> Said:
        """Call ``autoctrl``, and wait for what it says."""
        return ask(self.root, *words, PYTHONPATH=str(ROOT), **variables)

    def engine(self, environment: str = "production") -> Engine:
        """Return what deploys into an environment of refs."""
        site = site_of(open_deployment(self.root), environment)
        return Engine(site, SystemClock(), lambda _: None)

    @property
    def current(self) -> Path:
        """The link to production's release."""
        return self.root / "production" / "current"


def install(folder: Path, text: str) -> Installation:
    """Write an administrator's file beside an empty repository."""
    repository = make_repository(folder / "upstream")
    root = folder / "site"
    root.mkdir()
    (root / "deployment.toml").write_text(
        f'repository = "{repository.address}"\n{text.replace("{root}", str(root))}'
    )
    return Installation(root, repository)


def leave_out_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a deployment try nothing and ask no doctor: what is tested lies before or after that."""
    from autoctrl.operations.deployment import engine
    from autoctrl.operations.deployment.trial import Trial

    monkeypatch.setattr(engine, "try_out", lambda *_: Trial({}, []))
    monkeypatch.setattr(engine, "examine", lambda *_: [])


def wish(**changes: object) -> Wish:
    """Return what a person wants who says why."""
    return Wish(ADA, "because")._replace(**changes)  # type: ignore[arg-type]  # as the caller has them


PRODUCTION = '[environments.production]\nrefs = ["refs/tags/prod-*"]\nkeep = 2\n'
MIRROR = f"""
[environments.mirror]
branches = "feature/.*|dev-.*|a.b"
user = "{getpass.getuser()}"
[environments.mirror.settings.inputs]
root = "{{root}}/mirror/raw"
"""
