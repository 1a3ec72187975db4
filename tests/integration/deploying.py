"""An installation with a real repository, and `autoctrl deploy` as a person calls it there."""

from __future__ import annotations

import getpass
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.actor import Actor
from autoctrl.operations.deployment.engine import Engine, Wish
from autoctrl.operations.deployment.sites import open_deployment, site_of
from autoctrl.process import SystemClock
from tests.acceptance.project import Said, ask
from tests.integration.deployed import PLAIN, Repository, git, make_repository, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

ROOT = Path(__file__).parents[2]
ADA = Actor("ada", "cli")
TRUNK = "refs/drafts/trunk"  # of what was pushed; nobody lists it
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

    def commit(self, files: Mapping[str, str]) -> str:
        """Commit these files and no others in somebody's clone; return the commit."""
        work = self.repository.work
        for known in work.iterdir():
            if known.name != ".git":
                shutil.rmtree(known) if known.is_dir() else known.unlink()
        write(work, files)
        git(work, "add", "--all", "--force")
        git(work, "commit", "-qm", "Change it", "--allow-empty")
        return git(work, "rev-parse", "HEAD")

    def tag(self, name: str, files: Mapping[str, str]) -> str:
        """Let there be a tag of these files and no others; return its commit."""
        return self.push({f"refs/tags/{name}": files})[0]

    def tag_many(self, count: int) -> list[str]:
        """Let there be so many tags, prod-0 and so on, each of other code; return their commits."""
        names = [f"refs/tags/prod-{number}" for number in range(count)]
        return self.push({name: project(float(number)) for number, name in enumerate(names)})

    def branch(self, name: str, files: Mapping[str, str]) -> str:
        """Let there be a branch of these files and no others; return its commit."""
        return self.push({f"refs/heads/{name}": files})[0]

    def push(self, refs: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Let each of these refs be at a new commit of its files; return the commits.

        They are put into the repository by one git, which is many times faster than to push them.
        """
        text = "".join(self._spell(number, *ref) for number, ref in enumerate(refs.items(), 1))
        address = self.repository.address
        command = ["git", "-C", str(address), "fast-import", "--quiet", "--force"]
        done = subprocess.run(
            command, input=text.encode(), stdout=subprocess.PIPE, timeout=60, check=True, env=PLAIN
        )
        return done.stdout.decode().split()

    def _spell(self, number: int, ref: str, files: Mapping[str, str]) -> str:
        is_first = number == 1 and not (self.repository.address / TRUNK).exists()
        changes = [
            f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n"
            for path, text in files.items()
        ]
        return "".join(
            [
                f"commit {TRUNK}\nmark :{number}\n",
                f"committer Ada <ada@example.org> {int(time.time())} +0000\ndata 9\nChange it\n",
                "" if is_first or number > 1 else f"from {TRUNK}^0\n",
                "deleteall\n",
                *changes,
                f"reset {ref}\nfrom :{number}\n\nget-mark :{number}\n",
            ]
        )

    def rewrite_history(self) -> None:
        """Let what comes next have nothing to do with what there is."""
        (self.repository.address / TRUNK).unlink()

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
