"""A repository with Jenkinsfiles, and jobs that are built from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.jenkins.git import git

if TYPE_CHECKING:
    from pathlib import Path

AUTHOR = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
SCRIPT_PATH = "workflows/reco/Jenkinsfile"


class Repository:
    """A repository on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        git("init", "-q", "-b", "main", str(folder))

    @property
    def url(self) -> str:
        """Its address."""
        return f"file://{self.folder}"

    def commit(self, files: dict[str, str], branch: str = "main") -> str:
        """Write files on a branch, which is made if need be, and return the commit."""
        known = git("branch", "--list", branch, cwd=self.folder).strip()
        if known:
            git("checkout", "-q", branch, cwd=self.folder)
        elif branch != "main":
            git("checkout", "-q", "-b", branch, cwd=self.folder)
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git("add", "-A", cwd=self.folder)
        git(*AUTHOR, "commit", "-q", "--allow-empty", "-m", "Change", cwd=self.folder)
        return git("rev-parse", "HEAD", cwd=self.folder).strip()

    def tag(self, name: str) -> None:
        """Tag the newest commit."""
        git("tag", name, cwd=self.folder)

    def drop(self, branch: str) -> None:
        """Delete a branch."""
        git("checkout", "-q", "main", cwd=self.folder)
        git("branch", "-q", "-D", branch, cwd=self.folder)

    def job(self, spec: str = "*/main", properties: str = "") -> str:
        """Return the config.xml of a job that is built from a revision."""
        remote = "hudson.plugins.git.UserRemoteConfig"
        branch = "hudson.plugins.git.BranchSpec"
        return (
            f"<flow-definition><properties>{properties}</properties><definition"
            ' class="org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition">'
            '<scm class="hudson.plugins.git.GitSCM">'
            f"<userRemoteConfigs><{remote}><url>{self.url}</url></{remote}></userRemoteConfigs>"
            f"<branches><{branch}><name>{spec}</name></{branch}></branches></scm>"
            f"<scriptPath>{SCRIPT_PATH}</scriptPath></definition></flow-definition>"
        )
