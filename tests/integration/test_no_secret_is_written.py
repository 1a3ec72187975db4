"""A served page, a person and a program who log in and fail in all ways: nothing secret is written
down but where it must be kept.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest

from autoctrl.login.book import FILE_NAME
from tests.fakes.http import Answer, Fault
from tests.fakes.oidc import FakeProvider, Style
from tests.fakes.oidc.provider import CLIENT, SECRET, new_key
from tests.house.source import ROOT
from tests.integration.login_site import SETTINGS, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_S = 120.0
# As talkative as libraries are that somebody wants to hear.
SERVE = """
import logging, sys
from autoctrl.cli import main
logging.basicConfig(level=logging.INFO)
sys.exit(main(["serve", "--port", "0"]))
"""


class Server(NamedTuple):
    """A page in a process of its own, its provider, what it has printed so far, and the browsers
    that are open.
    """

    process: subprocess.Popen[bytes]
    url: str
    folder: Path
    provider: FakeProvider
    printed: list[bytes]
    browsers: ExitStack

    def browser(self) -> httpx2.Client:
        """Return a browser of its own."""
        client = httpx2.Client(base_url=self.url, timeout=LIMIT_S, trust_env=False)
        return self.browsers.enter_context(client)

    def end(self) -> str:
        """End it in good order, and return all that it has printed."""
        self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=LIMIT_S)
        self.printed.append(rest)
        return b"".join(self.printed).decode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Serve a page with a log of what its libraries say."""
    with FakeProvider(Style()) as provider:
        provider.add("sara", "cygno/shifters")
        secret = tmp_path / "secret"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        text = SETTINGS.format(client=CLIENT, issuer=provider.issuer)
        text = text.replace('store.url = "memory:"\n', "") + 'web.url = "http://127.0.0.1"\n'
        (tmp_path / "autoctrl.toml").write_text(text)
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", SERVE],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            printed = wait_for_address(process)
            found = re.search(rb"at (http://\S+)/ ", b"".join(printed))
            assert found is not None
            with ExitStack() as browsers:
                url = found[1].decode()
                yield Server(process, url, tmp_path, provider, printed, browsers)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def wait_for_address(process: subprocess.Popen[bytes]) -> list[bytes]:
    """Return what a server prints until it has said where it is."""
    assert process.stdout is not None
    printed: list[bytes] = []
    deadline = time.monotonic() + LIMIT_S
    while b"ends it" not in b"".join(printed):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(process.stdout.fileno(), 4096) if ready else b""
        assert chunk, f"the server did not start: {printed!r}"
        printed.append(chunk)
    return printed


def come_back(server: Server, browser: httpx2.Client, **changes: str) -> httpx2.Response:
    """Log in, with some changes to what leads back from the provider."""
    there = browser.get("/login").headers["location"]
    back = urlsplit(server.provider.visit(there, "sara"))
    query = {name: values[0] for name, values in parse_qs(back.query).items()}
    return browser.get("/login/callback", params={**query, **changes})


def fail_in_all_ways(server: Server) -> list[str]:
    """Let logins fail by what leads back, and by each thing that the provider may do wrong; return
    what was shown.
    """
    lies = ({"code": "0" * 32}, {"iss": "http://evil.example"}, {"error": "access_denied"})
    shown = [come_back(server, server.browser(), **lie).text for lie in lies]
    faults = [
        Fault(answer=Answer(500, b"<html>"), where="POST /token"),
        Fault(answer=Answer.of(["no object"]), where="POST /token"),
        Fault(answer=Answer.of({"access_token": "x" * 40}), where="POST /token"),
        Fault(answer=Answer.of({"error": "invalid_client"}, 401), where="POST /token"),
        Fault(answer=Answer.of({"id_token": "a.b.c"}), where="POST /token"),
    ]
    for fault in faults:
        server.provider.faults.append(fault)
        answer = come_back(server, server.browser())
        assert answer.status_code in {403, 503}
        shown.append(answer.text)
    return shown


def show_tokens(server: Server, *tokens: str) -> list[int]:
    """Return how programs with these tokens are answered."""
    headers = [{"Authorization": f"Bearer {token}"} for token in tokens]
    return [server.browser().get("/api/runs", headers=one).status_code for one in headers]


def make_token(server: Server) -> str:
    """Return a token that is made at the command line."""
    command = [sys.executable, "-m", "autoctrl.cli", "token", "create", "--name", "notebook"]
    done = subprocess.run(
        command,
        cwd=server.folder,
        env={"PATH": os.environ["PATH"], "HOME": str(server.folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    assert done.stdout.strip() not in done.stderr
    return done.stdout.strip()


def secrets_of(server: Server, *more: str) -> dict[str, str]:
    """Return all that the page and its provider have told each other and nobody else may know."""
    secrets = {"the client's secret": SECRET, **{f"given {n}": word for n, word in enumerate(more)}}
    for number, request in enumerate(server.provider.requests("POST /")):
        for name, text in parse_qsl(request.body.decode()):
            if name in {"code", "code_verifier", "refresh_token", "token"}:
                secrets[f"{name} {number}"] = text
    for number, grant in enumerate(server.provider.codes.values()):
        kept = {"nonce": grant.query["nonce"], "state": grant.query["state"]}
        tokens = {"access": grant.access, "refresh": grant.refresh}
        secrets |= {f"{name} of {number}": text for name, text in {**kept, **tokens}.items()}
    return {name: text for name, text in secrets.items() if len(text) >= len(SECRET)}


def leaks(text: bytes, secrets: dict[str, str]) -> list[str]:
    """Return the names of the secrets that stand in a text."""
    return [name for name, secret in secrets.items() if secret.encode() in text]


def process_list() -> bytes:
    """Return what everybody on this machine sees of its processes."""
    return b"\n".join(read(path) for path in Path("/proc").glob("[0-9]*/cmdline"))


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


def test_no_secret_is_written_down(server: Server) -> None:
    """What is printed and logged, shown to strangers, kept in files and listed of processes: no
    code, token, verifier, cookie or secret stands in it. The logins' own file holds what must be
    shown to the provider again, and digests of the rest.
    """
    browser = server.browser()
    assert come_back(server, browser).status_code == 303
    first = browser.cookies["autoctrl"]
    assert come_back(server, browser).status_code == 303
    cookies = [first, *browser.cookies.values()]
    assert browser.get("/api/runs").status_code == 200
    shown = fail_in_all_ways(server)
    made, grant = make_token(server), server.provider.grant_of("sara")
    good = [grant for grant in server.provider.codes.values() if grant.access][-1]
    claims = {**server.provider.claims(good), "typ": "Bearer", "groups": ["cygno"]}
    signed = server.provider.sign(claims)
    bad = [made[:-4] + "AAAA", "junk" * 8, server.provider.sign(claims, by=new_key())]
    assert show_tokens(server, made, signed, *bad) == [200, 200, 401, 401, 401]
    word = server.provider.logout_token(good)
    for text in (word + "x", word):
        server.browser().post("/login/backchannel", data={"logout_token": text})
    page = browser.get("/logout").text
    browser.post("/logout", data={"token": TOKEN.findall(page)[0]}, headers={"Origin": server.url})
    assert browser.get("/api/runs").status_code == 401
    told = secrets_of(server, made, signed, word, *bad, *cookies, grant.query["state"])
    assert {"code 0", "code_verifier 0"} <= told.keys()
    assert leaks(process_list(), told) == []
    server.provider.stop()
    shown.append(server.browser().get("/login").text)
    server.provider.start()
    printed = server.end()
    assert "HTTP Request: POST" in printed  # that the provider was asked is logged
    assert leaks(printed.encode(), told) == []
    assert leaks("".join(shown).encode(), told) == []
    check_files(server, told)


def check_files(server: Server, told: dict[str, Any]) -> None:
    """Fail if a file holds a secret that it need not hold, or one for all to read."""
    for path in server.folder.rglob("*"):
        if not path.is_file() or path.name == "secret":
            continue
        found = leaks(path.read_bytes(), told)
        if path.name == FILE_NAME:
            assert path.stat().st_mode & 0o077 == 0
            found = [name for name in found if not name.startswith(("nonce", "access", "refresh"))]
            found = [name for name in found if not name.startswith("code_verifier")]
        assert found == [], path
