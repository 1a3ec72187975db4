"""What Jenkins, or whatever stands before it, does wrong is one sentence, and no secret is told."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from requests.exceptions import SSLError

from autoctrl.errors import JenkinsError, MissingExtra
from autoctrl.operations.jenkins.failure import Asked, refused
from autoctrl.operations.jenkins.place import find_place
from autoctrl.operations.jenkins.server import Server, read_failure
from tests.acceptance.project import environment
from tests.fakes.http import Answer, Fault
from tests.fakes.jenkins import READER
from tests.integration.jenkins_site import open_site
from tests.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.jenkins_site import Site

LOGIN = "https://login.example.org/auth?back=https%3A%2F%2Fjenkins"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Make a project and a Jenkins that has its jobs."""
    with open_site(tmp_path) as opened:
        assert opened.ask("sync").code == 0
        yield opened


def complaint(site: Site, *words: str) -> str:
    """Return the sentence that a verb ends with, which holds no token."""
    said = site.ask(*words)
    assert said.code == 2, said.out
    assert len(said.err.splitlines()) == 1
    assert site.robot.token not in said.out + said.err
    return said.err


def test_a_page_of_a_single_sign_on_is_no_answer(site: Site) -> None:
    """A login page with status 200 is told, whether something was asked or sent."""
    site.server.be_behind_login()
    assert "a single sign-on or another server stands there: a page of HTML." in complaint(
        site, "sync"
    )
    for words in (["status"], ["trigger", "discover"]):
        site.server.be_behind_login(times=1)
        assert "the address that lets programs in with an API token" in complaint(site, *words)
    site.add_workflows("plots")
    site.server.be_behind_login(times=1, where="POST ")
    assert "autoctrl/cycle-plots: a single sign-on" in complaint(site, "sync")
    assert site.actions()["autoctrl/cycle-plots"] == "create"


@pytest.mark.parametrize("where", ["GET ", "POST "])
def test_a_redirect_to_a_login_is_not_followed(site: Site, where: str) -> None:
    """What leads elsewhere is told without the query, and nobody goes there with our name."""
    away = Answer(302, headers=(("Location", LOGIN),))
    site.server.faults.append(Fault(away, where=where))
    said = complaint(site, "trigger", "discover")
    assert "it leads to https://login.example.org/auth." in said
    assert "back=" not in said


def test_a_jenkins_that_starts_says_when_to_come_back(site: Site) -> None:
    """503 with Retry-After is a sentence with the seconds."""
    site.server.be_starting()
    said = complaint(site, "sync")
    assert "is starting, or too busy for autoctrl: 503, Please wait while Jenkins" in said
    assert said.endswith("Ask again in 10 s.\n")


def test_a_connection_that_is_cut_or_refused_is_told(site: Site) -> None:
    """Cut, refused, not listening: no answer, with what the system says."""
    site.server.cut()
    assert "gave no answer about autoctrl: the connection was cut" in complaint(site, "sync")
    site.server.lose_answer()
    assert "gave no answer about autoctrl/discover" in complaint(site, "trigger", "discover")
    site.server.stop()
    assert "Connection refused." in complaint(site, "status")
    site.server.start()


def test_a_silent_jenkins_is_not_waited_for(site: Site) -> None:
    """A request ends after its time-out, which python-jenkins does not set by itself."""
    site.server.be_slow(30)
    server = Server(find_place(site.settings()), timeouts_s=(1.0, 0.2))
    with pytest.raises(JenkinsError, match="about autoctrl: none came in time") as caught:
        server.find_config("autoctrl")
    assert caught.value.is_passing


def test_tls_that_fails_is_told(site: Site) -> None:
    """Where no TLS is spoken that is said; of a certificate that nobody knows, how to trust it."""
    place = find_place(site.settings())
    server = Server(place._replace(url=place.url.replace("http://", "https://")))
    with pytest.raises(
        JenkinsError, match=r"gave no answer about autoctrl: TLS: .*Check \[jenkins"
    ):
        server.find_config("autoctrl")
    refusal = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
    error = SSLError(refusal)
    error.__context__ = refusal
    failure = read_failure(error, place.token)
    assert failure.said == "TLS: certificate verify failed: self-signed certificate"
    assert "REQUESTS_CA_BUNDLE" in refused(Asked("https://jenkins", "robot", "x"), failure).hint


def test_who_is_not_known_or_may_not_is_told_apart(site: Site) -> None:
    """401 is about the token, 403 names the permission, 404 may be either."""
    site.robot.permissions -= {"Item/Configure"}
    site.set('cron = "@daily"\n')
    said = complaint(site, "sync")
    assert "does not let 'robot' do that to autoctrl" in said
    assert "the permission Item/" in said
    site.robot.permissions = set(READER)
    assert "the permission Item/Build." in complaint(site, "trigger", "discover")
    site.robot.permissions = {"Overall/Read"}
    assert "or does not show it to 'robot': 404" in complaint(site, "trigger", "discover")
    site.server.expire_tokens(site.robot)
    said = complaint(site, "sync")
    assert "does not know the user 'robot' with this token: 401" in said


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("my password", "is no API token of Jenkins. One has 34 characters"),
        ("0" * 32, "is no API token of Jenkins"),
        ("", "is no API token of Jenkins"),
        (None, "cannot be read: No such file or directory."),
        (b"\xff\xfe", "cannot be read: it does not hold text."),
    ],
)
def test_only_an_api_token_is_taken(site: Site, secret: str | bytes | None, words: str) -> None:
    """A password is refused before anything is sent, and not repeated."""
    asked, file = len(site.server.ledger), site.folder / "token"
    if secret is None:
        file.unlink()
    else:
        file.write_bytes(secret if isinstance(secret, bytes) else secret.encode())
    said = complaint(site, "status")
    assert words in said
    assert "my password" not in said
    assert len(site.server.ledger) == asked


def test_a_project_without_jenkins_says_what_is_missing(site: Site) -> None:
    """Without an address or a user there is nobody to ask."""
    (site.folder / "autoctrl.toml").write_text('name = "x"\n[jenkins]\nhome = "/x"\n')
    assert "[jenkins] url" in complaint(site, "status")


def test_another_server_is_not_taken_for_jenkins(site: Site) -> None:
    """An address below Jenkins' own has nothing that we know, and making a folder says so."""
    text = (site.folder / "autoctrl.toml").read_text()
    with site.server.violation("the path is unknown"):
        (site.folder / "autoctrl.toml").write_text(
            text.replace(site.server.url, f"{site.server.url}/ci")
        )
        assert "Check [jenkins] url and folder" in complaint(site, "sync")


def test_an_answer_that_is_no_json_is_told(site: Site) -> None:
    """Text where JSON was expected is another server's, or a proxy's."""
    site.server.faults.append(Fault(Answer.plain("hello"), where="GET /job/autoctrl/api/json"))
    assert "its answer is no JSON." in complaint(site, "sync")
    site.server.faults.append(Fault(Answer.of([]), where="GET /job/autoctrl/api/json"))
    assert "stands there: no object." in complaint(site, "sync")


def test_somebody_who_is_quicker_is_told(site: Site) -> None:
    """An item that came into being meanwhile is Jenkins' own sentence; the next sync sees it."""
    site.add_workflows("plots")
    taken = Answer(400, headers=(("X-Error", "A job already exists with the name ?cycle-plots?"),))
    site.server.faults.append(Fault(taken, where="POST "))
    assert "A job already exists with the name ?cycle-plots?" in complaint(site, "sync")


def test_a_job_that_cannot_be_removed_is_told(site: Site) -> None:
    """If what was removed is still there, that is an error."""
    (site.folder / "workflows/reco/handler.py").unlink()
    done = Answer(302, headers=(("Location", "/job/autoctrl/"),))
    site.server.faults.append(Fault(done, where="POST "))
    assert "it is still there after its removal" in complaint(site, "sync", "--prune")


def test_without_python_jenkins_the_extra_is_named(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package is optional; a sentence names the extra."""
    monkeypatch.delitem(sys.modules, "autoctrl.operations.jenkins.client", raising=False)
    monkeypatch.setitem(sys.modules, "jenkins", None)
    with pytest.raises(MissingExtra, match=r"autoctrl\[jenkins\]|'jenkins'"):
        Server(find_place(site.settings()))


def test_nothing_secret_is_sent_or_shown(site: Site) -> None:
    """Neither configurations nor output hold the token, and no crumb is asked for."""
    site.ask("trigger", "deploy", "--parameter", "ENVIRONMENT=mirror")
    assert "/crumbIssuer/api/json" not in [entry.path for entry in site.server.ledger]
    bodies = b"".join(one.request.body for one in site.server.exchanges)
    assert site.robot.token.encode() not in bodies
    assert site.robot.token not in json.dumps([entry.query for entry in site.server.ledger])


def test_debugging_shows_no_token(site: Site) -> None:
    """With --debug the traceback of an error holds no token either."""
    site.server.be_starting()
    command = [sys.executable, "-m", "autoctrl.cli", "jenkins", "status", "--debug"]
    variables = environment(site.folder) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=site.folder, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert site.robot.token not in done.stderr
