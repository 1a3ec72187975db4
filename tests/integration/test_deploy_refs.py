"""A REF is data: what an environment takes, what it refuses, and in which words."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import AutoctrlError
from autoctrl.git import Git, GitError, failure
from autoctrl.operations.deployment.clone import Clone
from autoctrl.operations.deployment.trial import try_out
from tests.integration.deployed import PLAIN, git, write
from tests.integration.deploying import (
    PRODUCTION,
    SETTINGS,
    Installation,
    install,
    leave_out_trials,
    project,
    wish,
)

if TYPE_CHECKING:
    from pathlib import Path

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1234567\n"


@pytest.fixture
def site(tmp_path: Path) -> Installation:
    """Return an installation to whose production prod-1 may be deployed."""
    made = install(tmp_path, PRODUCTION)
    made.tag("prod-1", project())
    return made


def refuse(site: Installation, ref: str, **wanted: object) -> str:
    """Deploy what must be refused; return the sentence. Nothing is switched."""
    before = site.current.readlink() if site.current.exists() else None
    with pytest.raises(AutoctrlError) as caught:
        site.engine().deploy(ref, wish(**wanted))
    assert (site.current.readlink() if site.current.exists() else None) == before
    return str(caught.value)


def test_a_text_that_is_no_name_is_refused(site: Installation) -> None:
    """Options, paths and transports are no names of refs; git never sees them."""
    for ref in ("--upload-pack=touch owned", "../prod-1", "ext::sh -c touch% owned"):
        assert "cannot be the name of a tag or a branch" in refuse(site, ref)
    assert not list(site.root.rglob("owned"))


def test_only_refs_of_the_rule_are_taken(site: Installation) -> None:
    """A branch, a tag of another name, a commit where no allowed ref stands: each is refused."""
    work = site.branch("main", project(2.0))
    site.tag("test-1", project(3.0))
    assert "production takes refs/tags/prod-* only" in refuse(site, "main")
    assert "refs/tags/test-1 is none of these" in refuse(site, "test-1")
    assert f"No ref that production takes stands at {work}" in refuse(site, work)
    assert "There is no tag and no branch 'prod-7'" in refuse(site, "prod-7")


def test_a_branch_called_like_a_tag_is_no_tag(site: Installation) -> None:
    """A branch `prod-9` is not what the rule means by the tags prod-*."""
    site.branch("prod-9", project(2.0))
    assert "refs/heads/prod-9 is none of these" in refuse(site, "prod-9")


def test_a_commit_is_taken_where_an_allowed_ref_stands(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 40 digits of a tagged commit mean its tag."""
    leave_out_trials(monkeypatch)
    commit = site.tag("prod-2", project(2.0))
    assert site.engine().deploy(commit, wish()).ref == "refs/tags/prod-2"


def test_a_tag_that_moved_is_refused_unless_that_is_said(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tag that stands elsewhere than when it was deployed is not taken by chance."""
    leave_out_trials(monkeypatch)
    site.engine().deploy("prod-1", wish())
    commit = site.tag("prod-1", project(2.0))
    assert "somebody has moved it" in refuse(site, "prod-1")
    assert site.engine().deploy("prod-1", wish(may_move=True)).commit == commit


def test_a_branch_that_moves_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an environment takes a branch, its head is deployed whenever that is asked for."""
    leave_out_trials(monkeypatch)
    site = install(tmp_path, '[environments.stage]\nrefs = ["refs/heads/main"]\n')
    for answer in (1.0, 2.0):
        commit = site.branch("main", project(answer))
        assert site.engine("stage").deploy("main", wish()).commit == commit


def test_a_deleted_tag_is_missing(site: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the clone has kept of a deleted tag does not count."""
    leave_out_trials(monkeypatch)
    site.engine().deploy("prod-1", wish())
    git(site.repository.work, "push", "-q", "origin", ":refs/tags/prod-1")
    assert "It may have been deleted" in refuse(site, "prod-1")


def test_a_tag_of_a_tree_is_no_commit(site: Installation) -> None:
    """A tag must name a commit."""
    work = site.repository.work
    site.commit(project())
    git(work, "tag", "prod-tree", "HEAD^{tree}")
    git(work, "push", "-q", "origin", "refs/tags/prod-tree")
    assert "refs/tags/prod-tree names no commit" in refuse(site, "prod-tree")


def sign(site: Installation, folder: Path) -> tuple[str, ...]:
    """Make a key, let the clone trust it, and return how git signs with it."""
    key = folder / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, env={**PLAIN}
    )
    public = key.with_suffix(".pub").read_text()
    (folder / "signers").write_text(f"ada@example.org {public}")
    clone = site.root / "repository.git"
    git(site.root, "init", "-q", "--bare", str(clone))
    git(clone, "config", "gpg.ssh.allowedSignersFile", str(folder / "signers"))
    return ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}")


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
def test_where_tags_must_be_signed_others_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unsigned tag is refused, and a signed one in the place of another; a signed one is not."""
    leave_out_trials(monkeypatch)
    site = install(tmp_path, PRODUCTION + "signed = true\n")
    with_key, work = sign(site, tmp_path), site.repository.work
    commit = site.commit(project())
    git(work, "tag", "prod-1")
    git(work, "push", "-q", "origin", "prod-1")
    assert "refs/tags/prod-1 is not signed as it must be" in refuse(site, "prod-1")
    git(work, *with_key, "tag", "--sign", "-m", "good", "prod-2")
    git(work, "update-ref", "refs/tags/prod-3", "refs/tags/prod-2")
    git(work, "push", "-q", "origin", "--tags")
    assert site.engine().deploy("prod-2", wish()).commit == commit
    assert "holds a signed tag that is called prod-2" in refuse(site, "prod-3")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"workflows/reco/handler.py": "import os\n1 / 0\n"}, "ZeroDivisionError in line 2"),
        ({"workflows/reco/handler.py": "def x(:\n"}, "SyntaxError"),
        ({"workflows/reco/handler.py": "import os\nos._exit(0)\n"}, "exited early"),
        ({"workflows/reco/handler.py": "while True:\n    pass\n"}, "was not loaded within 1 s"),
        ({"workflows/reco/handler.py": "x = 1\n"}, "declares no handler"),
        ({"autoctrl.toml": "nonsense = 1\n"}, "nonsense"),
        ({"autoctrl.toml": "autoctrl = '>=7'\nnonsense = 1\n"}, "wants autoctrl >=7"),
        ({"autoctrl.toml": "[workflows.reco]\nexecutor = 'grid'\n"}, "'grid', which does not"),
        ({"autoctrl.toml": "[store]\nurl = 'sqlite:mine.sqlite'\n"}, "[store] url"),
        (
            {"autoctrl.toml": "[notifiers.x]\ntype = 'log'\n[store]\ntoken_file = '/etc/token'\n"},
            "token_file",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_ref_that_does_not_load_is_refused(
    tmp_path: Path, files: dict[str, str], sentence: str
) -> None:
    """Settings and every handler are tried; the sentence says which file is wrong and how."""
    short = f"{SETTINGS}[cycle]\nmodule_limit_s = 1\n"
    (tmp_path / "deployment.toml").write_text(f'repository = "/none"\n{PRODUCTION}')
    release = tmp_path / "production/releases/0123456789ab"
    write(release, {**project(), "autoctrl.toml": short, **files})
    with pytest.raises(AutoctrlError) as caught:
        try_out(release)
    assert sentence in str(caught.value)


def test_what_cannot_be_tried_is_not_switched_to(site: Installation) -> None:
    """The ref is fetched and tried before anything is changed."""
    site.tag("prod-2", project() | {"workflows/reco/handler.py": "import os\n1 / 0\n"})
    assert "ZeroDivisionError in line 2" in refuse(site, "prod-2")


def test_what_is_tried_sees_no_token(site: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that looks for secrets in the environment finds none while it is tried."""
    monkeypatch.setenv("AUTOCTRL_STORE_TOKEN", "s3cret")
    monkeypatch.setenv("MY_PASSWORD", "s3cret")
    curious = (
        "import os\nassert 's3cret' not in str(os.environ), 'seen'\nraise SystemExit('blind')\n"
    )
    site.tag("prod-2", project() | {"workflows/reco/handler.py": curious})
    assert "blind" in refuse(site, "prod-2")


FORGER = """
import os, signal

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'{"modules": {}, "problems": []}')
    except OSError:
        pass
os.kill(os.getppid(), signal.SIGKILL)
"""


def test_a_handler_that_answers_for_the_trial_is_refused(site: Installation) -> None:
    """What it writes in the place of the child that it has killed counts for nothing."""
    site.tag("prod-2", project() | {"workflows/reco/handler.py": FORGER})
    assert "could not be tried" in refuse(site, "prod-2")


def test_pointers_and_links_that_lead_out_are_refused(site: Installation) -> None:
    """A file that Git LFS keeps elsewhere, and a link out of the checkout, are refused by name."""
    site.tag("prod-2", project() | {"workflows/reco/model.bin": POINTER})
    assert "workflows/reco/model.bin elsewhere" in refuse(site, "prod-2")
    work = site.repository.work
    site.commit(project())
    (work / "workflows/reco/data").symlink_to("/etc")
    (work / "workflows/reco/up").symlink_to("../../../../x")
    (work / "workflows/reco/fine").symlink_to("handler.py")
    git(work, "add", "--all")
    git(work, "commit", "-qm", "Link")
    git(work, "tag", "prod-3")
    git(work, "push", "-q", "origin", "prod-3")
    said = refuse(site, "prod-3")
    assert "workflows/reco/data, workflows/reco/up." in said


def test_nothing_of_a_tree_is_executed(
    site: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Filters, submodules and hooks that a tree names are not run; a submodule is remarked on."""
    leave_out_trials(monkeypatch)
    hostile = {
        ".gitattributes": "* filter=evil\n*.py filter=lfs diff=evil\n",
        ".gitmodules": f'[submodule "a"]\npath = a\nurl = ext::sh -c "touch% {tmp_path}/owned"\n',
        ".lfsconfig": f"[lfs]\nurl = file://{tmp_path}\n",
    }
    site.commit(project() | hostile)
    work = site.repository.work
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},a")
    git(work, "commit", "-qm", "Add a submodule")
    git(work, "tag", "prod-2")
    git(work, "push", "-q", "origin", "prod-2")
    hook = site.root / "evil"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/owned\n")
    hook.chmod(0o755)
    config = (
        f'[filter "evil"]\nsmudge = {hook}\n[core]\nfsmonitor = {hook}\nhooksPath = {site.root}\n'
    )
    (tmp_path / "gitconfig").write_text(config)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    done = site.engine().deploy("prod-2", wish())
    assert done.remarks == ("Submodules are not fetched; these folders are empty: a.",)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "address",
    ["ext::sh -c x", "git://host/x", "http://host/x", "-x", "--upload-pack=x", "x", "u:p@-h:x"],
)
def test_other_transports_are_refused(tmp_path: Path, address: str) -> None:
    """An address is https, ssh or a path; everything else is refused before git sees it."""
    with pytest.raises(GitError, match="is of no kind that is used"):
        Git(tmp_path, address).ask("version")
    with pytest.raises(GitError, match="holds a password"):
        Git(tmp_path, "https://me:s3cret@host/x").ask("version")


def test_a_release_that_was_changed_by_hand_is_not_touched(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither overwritten nor switched to: the sentence names the file."""
    leave_out_trials(monkeypatch)
    first = site.engine().deploy("prod-1", wish()).folder
    site.tag("prod-2", project(2.0))
    site.engine().deploy("prod-2", wish())
    (first / "workflows/reco/handler.py").write_text("print('mine')\n")
    (first / "workflows/reco/new.py").write_text("")
    said = refuse(site, "prod-1")
    assert "was changed by hand: workflows/reco/handler.py, workflows/reco/new.py." in said


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written of a checkout before the disk was full is removed; then it is repeated."""
    leave_out_trials(monkeypatch)

    def fill(_: Clone, folder: Path, commit: str) -> None:
        (folder / "half").mkdir(parents=True)
        said = f"error: unable to write file {commit}\nfatal: Could not reset index file\n"
        what = "git worktree"
        raise failure(what, said)

    with monkeypatch.context() as patch:
        patch.setattr(Clone, "add_worktree", fill)
        said = refuse(site, "prod-1")
    assert "a file cannot be written (unable to write file" in said
    assert "See whether the disk is full" in said
    assert not list((site.root / "production/releases").iterdir())
    assert site.engine().deploy("prod-1", wish()).is_new


def test_what_the_system_refuses_is_a_sentence(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something else in the place of the link, of the journal, of the environment's folder."""
    leave_out_trials(monkeypatch)
    assert site.engine().deploy("prod-1", wish()).is_new
    site.tag("prod-2", project(2.0))
    journal = site.root / "production/deployments.jsonl"
    kept = journal.rename(journal.with_name("kept"))
    journal.mkdir()
    assert "deployments.jsonl cannot be written: Is a directory." in refuse(site, "prod-2")
    assert "cannot be written" in site.deploy("production", "--list").err
    journal.rmdir()
    kept.rename(journal)
    site.current.unlink()
    site.current.mkdir()
    with pytest.raises(AutoctrlError, match="cannot be written: Is a directory"):
        site.engine().deploy("prod-2", wish())
    site.current.rmdir()
    assert site.engine().deploy("prod-2", wish()).is_new
    (site.root / "production").rename(site.root / "moved")
    (site.root / "production").write_text("a file")
    with pytest.raises(AutoctrlError, match="cannot be written"):
        site.engine().deploy("prod-2", wish())


def test_an_installation_may_be_moved_and_its_clone_be_lost(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The releases that stayed are found again: as they are, and looked at for changes."""
    leave_out_trials(monkeypatch)
    first = site.engine().deploy("prod-1", wish()).commit
    site.tag("prod-2", project(2.0))
    site.engine().deploy("prod-2", wish())
    moved = site._replace(root=site.root.rename(site.root.with_name("elsewhere")))
    assert moved.engine().deploy("prod-1", wish()).commit == first
    assert git(moved.root / "production/releases" / first[:12], "rev-parse", "HEAD") == first
    shutil.rmtree(moved.root / "repository.git")
    assert moved.engine().deploy("prod-2", wish()).is_new
    assert moved.engine().deploy("prod-1", wish()).commit == first
    shutil.rmtree(moved.root / "repository.git")
    (moved.root / "production/releases" / first[:12] / "README").write_text("mine")
    moved.engine().deploy("prod-2", wish())
    assert "was changed by hand: README." in refuse(moved, "prod-1")


def test_a_repository_that_is_gone_is_a_sentence(site: Installation) -> None:
    """Where the repository does not answer, the sentence says so."""
    shutil.rmtree(site.repository.address)
    assert "the repository cannot be reached" in refuse(site, "prod-1")


def test_git_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that gives no answer is ended after its time, with what it started."""
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nsleep 600 & echo $! > pid\nwait\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GitError, match=r"git fetch did not end within 0.5 s"):
        Git(tmp_path).ask("fetch", limit_s=0.5)


def test_an_environment_says_what_it_follows(tmp_path: Path) -> None:
    """Without a REF, an environment with one plain ref takes that; another asks for one."""
    site = install(tmp_path, '[environments.stage]\nrefs = ["refs/heads/main"]\n')
    site.branch("main", {"README": "no project"})
    assert "There is no autoctrl.toml" in site.deploy("stage").err
    (site.root / "deployment.toml").write_text(
        f'repository = "{site.repository.address}"\n{PRODUCTION}'
    )
    assert (
        "Say which ref to deploy: production takes refs/tags/prod-*"
        in site.deploy("production").err
    )
