"""The web page as people and programs meet it: the real command, the real port, a real browser."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import urlopen

import pytest

from autoctrl.errors import UsageError
from autoctrl.web.server import listen
from tests.acceptance.chromium import Chromium, find_chromium
from tests.acceptance.project import ask, make_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services import Influx

LIMIT_S = 30.0
SAME = {
    "/api/status": ("status",),
    "/api/status?runs=2-3": ("status", "--runs", "2-3"),
    "/api/runs": ("runs", "list"),
    "/api/campaigns": ("campaign", "list"),
    "/api/health": ("health",),
    "/api/outputs?workflow=reco": ("outputs", "--workflow", "reco"),
    "/api/outputs?where=fill%3D7&quality=good": (
        "outputs",
        "--where",
        "fill=7",
        "--quality",
        "good",
    ),
    "/api/fields/reco": ("fields", "reco"),
    "/api/why/3/reco": ("why", "3", "reco"),
    "/api/why/fill:7/sums": ("why", "fill:7", "sums"),
    "/api/history/3/reco": ("history", "3", "reco"),
    "/api/jobs/1/reco": ("jobs", "1", "reco"),
    "/api/log/3/reco": ("log", "3", "reco"),
    "/api/provenance/1/plots": ("provenance", "1", "plots"),
}


class Served(NamedTuple):
    """A project and its page.

    folder  the project
    url     where the page is, without a slash at the end
    """

    folder: Path
    url: str


def start(folder: Path, *words: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start ``autoctrl serve`` on a free port and return the process and its address, once it says
    so.
    """
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "autoctrl.cli", "serve", "--port", "0", *words]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    said, deadline = b"", time.monotonic() + LIMIT_S
    while not (found := re.search(rb"at (http://\S+)/ ", said)):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(process.stdout.fileno(), 4096) if ready else b""
        assert chunk, f"the server did not start: {said!r}"
        said += chunk
    return process, found[1].decode()


def read(url: str) -> str:
    """Return what is at an address of the page."""
    with urlopen(url, timeout=LIMIT_S) as answer:  # noqa: S310 - always http
        text: str = answer.read().decode()
    return text


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a project with five runs, one of which fails."""
    folder = make_project(tmp_path_factory.mktemp("web"))
    assert ask(folder, "runs", "add", "1-3", "--set", "kind=physics", "--set", "fill=7").code == 0
    assert ask(folder, "runs", "add", "4-5", "--set", "kind=physics", "--set", "fill=8").code == 0
    ask(folder, "loop", "--until-idle")
    process, url = start(folder)
    yield Served(folder, url)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, said.strip()) == (0, b"")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    """Open a headless Chromium."""
    program = find_chromium()
    if program is None:
        pytest.skip("no chromium is installed (Debian: apt-get install chromium)")
    with Chromium(program, tmp_path / "profile") as opened:
        yield opened


@pytest.mark.parametrize("path", SAME)
def test_the_api_says_what_the_command_line_says(served: Served, path: str) -> None:
    """Each address answers letter by letter what the verb prints with ``--format json``."""
    said, verb = read(served.url + path), SAME[path]
    assert said == ask(served.folder, *verb, "--format", "json").out
    assert json.loads(said)


def test_a_person_finds_the_failed_run_and_tries_it_again(
    served: Served, browser: Chromium, tmp_path: Path
) -> None:
    """From the overview by clicks to the failed task, its reason and log, and a retry that the
    history keeps.
    """
    browser.resize(1280, 900)
    browser.open(served.url + "/")
    assert "Why tasks wait or failed" in browser.text()
    browser.press('a[href$="status=failed"]')
    browser.press('a[href="/campaigns/prompt/tasks/reco/3"]')
    assert "the detector was off" in browser.ask("document.querySelector('.why').innerText")
    assert "reconstructing run 3" in browser.ask("document.querySelector('pre').innerText")
    browser.fill("input[name=name]", "Grace")
    browser.fill("input[name=reason]", "the detector is on again")
    browser.press("button[value=retry]")
    assert "Nothing is done yet." in browser.text()
    browser.press("button.agree")
    assert "run 3 / reco went from failed to new." in browser.text()
    assert len(browser.picture(tmp_path / "task.png")) > 10_000
    newest = ask(served.folder, "history", "3", "reco").out.splitlines()[-1]
    assert " ".join(newest.split()).endswith("task 1 new Grace (web) the detector is on again")
    assert browser.complaints == []


def test_the_page_works_without_scripts(served: Served, browser: Chromium) -> None:
    """Every step of the work goes by links and forms alone."""
    browser.open("about:blank")
    browser.switch_scripts_off()
    browser.open(served.url + "/campaigns/prompt/tasks/plots/1")
    browser.fill("input[name=name]", "Grace")
    browser.fill("input[name=reason]", "once more")
    browser.press("button[value=reprocess]")
    browser.press("button.agree")
    assert "run 1 / plots went from done to new (version 2)." in browser.text()


@pytest.mark.parametrize(
    "path", ["/campaigns/prompt", "/campaigns/prompt/tasks/reco/3", "/campaigns/prompt/runs/3"]
)
@pytest.mark.parametrize("is_dark", [False, True])
def test_pages_fit_a_desk_and_a_telephone(
    served: Served, browser: Chromium, tmp_path: Path, path: str, *, is_dark: bool
) -> None:
    """No page is wider than its screen, light and dark look different, and the browser complains of
    nothing.
    """
    for width in (1280, 390):
        browser.resize(width, 900, is_dark=is_dark)
        browser.open(served.url + path)
        assert browser.ask("document.documentElement.scrollWidth") <= width
        back = browser.ask("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", back))) < 300) == is_dark
        assert len(browser.picture(tmp_path / f"{width}.png")) > 5_000
    assert browser.complaints == []


KEY = """
document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "%s", bubbles: true}));
decodeURIComponent(new URL(document.activeElement.href).pathname)
"""


def test_the_grid_is_walked_through_by_the_arrow_keys(served: Served, browser: Chromium) -> None:
    """One cell is reached by Tab, the arrows go on from it, and at the edge they stay."""
    browser.open(served.url + "/campaigns/prompt/grid")
    assert browser.ask("document.querySelectorAll('#grid tbody [tabindex=\"0\"]').length") == 1
    browser.ask("document.querySelector('#grid tbody [tabindex=\"0\"]').focus()")
    walked = [browser.ask(KEY % key) for key in ("ArrowDown", "ArrowRight", "ArrowUp", "ArrowUp")]
    assert [path.removeprefix("/campaigns/prompt/") for path in walked[:3]] == [
        "runs/4",
        "tasks/reco/4",
        "tasks/reco/5",
    ]
    assert walked[3] == walked[2]
    assert browser.complaints == []


SMALL = """
[...document.querySelectorAll("button, select, input:not([type=hidden]), nav a, summary")]
    .filter((part) => part.checkVisibility() && part.getBoundingClientRect().height < 24)
    .map((part) => part.outerHTML)
"""
OTHERS = (
    "grid",
    "workflows/reco",
    "read/reco/3",
    "incidents",
    "verbs/reco?runs=1-5",
    "plots/1",
    "trends",
    "quotas",
)


def test_the_other_pages_fit_a_desk_and_a_telephone(served: Served, browser: Chromium) -> None:
    """Grid, workflow, log, incidents, plots, trends, quotas and the choice of a verb are not wider
    than the screen, and what is pressed on a telephone is as high as a finger needs.
    """
    for path in OTHERS:
        for width in (1280, 390):
            browser.resize(width, 900)
            browser.open(f"{served.url}/campaigns/prompt/{path}")
            assert browser.ask("document.documentElement.scrollWidth") <= width, path
        assert browser.ask(SMALL) == [], path
    assert browser.complaints == []


def test_the_overview_comes_up_to_date_by_itself(served: Served, browser: Chromium) -> None:
    """A page that is left open shows what happened since, without being reloaded."""
    browser.open(served.url + "/campaigns/prompt")
    assert ask(served.folder, "runs", "add", "77", "--set", "kind=physics").code == 0
    browser.ask("refresh()")
    assert "77" in browser.ask("document.querySelector('#table').innerText")
    assert browser.complaints == []


def test_a_port_that_is_taken_is_a_sentence(served: Served) -> None:
    """Listening where somebody else does, or at an address of another machine, is refused with what
    to do.
    """
    said = ask(served.folder, "serve", "--port", served.url.rpartition(":")[2])
    assert said.code == 2
    assert re.fullmatch(
        r"The web page cannot listen on 127.0.0.1, port \d+: .*\. Choose another --port.*\n",
        said.err,
    )
    with pytest.raises(UsageError, match=re.escape("cannot listen on 203.0.113.1, port 0")):
        listen("203.0.113.1", 0)


def test_an_unknown_campaign_is_refused_at_the_start(served: Served) -> None:
    """A server for a campaign that does not exist does not start."""
    said = ask(served.folder, "serve", "--port", "0", "--campaign", "promt")
    assert (said.code, "Did you mean 'prompt'?" in said.err) == (2, True)


def test_without_the_extra_the_command_names_it(served: Served) -> None:
    """Where the web packages are not installed, the command says what to install."""
    hide = (
        "import sys; sys.modules['starlette'] = None; from autoctrl.cli import main; "
        "sys.exit(main())"
    )
    command = [sys.executable, "-c", hide, "serve"]
    done = subprocess.run(
        command, cwd=served.folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, "They are the extra 'web'." in done.stderr) == (2, True)


HINTED = """
import subprocess, sys, os
hint = [sys.executable, os.environ["AUTOCTRL_HINT"], "status=fitting", "progress=0.4"]
subprocess.run(hint, check=True)
"""


def test_what_a_job_says_of_itself_is_shown(influxdb2: Influx, tmp_path: Path) -> None:
    """A hint of a job stands on the task's page as in the terminal, and is told as missing where
    nobody answers.
    """
    folder, bucket = make_project(tmp_path / "project"), influxdb2.fresh_bucket()
    (folder / "token").write_text(influxdb2.limited_token(bucket))
    place = f"influxdb:{influxdb2.url.removeprefix('http:')}/{influxdb2.org}/{bucket}"
    job = folder / "workflows" / "reco" / "job.py"
    job.write_text(HINTED + job.read_text())
    settings = folder / "autoctrl.toml"
    settings.write_text(
        settings.read_text() + f'[hints]\nurl = "{place}"\ntoken_file = "{folder / "token"}"\n'
    )
    ask(folder, "runs", "add", "1", "--set", "kind=physics", "--set", "fill=7")
    ask(folder, "loop", "--until-idle")
    process, url = start(folder)
    try:
        said, api, page = (
            ask(folder, "jobs", "1", "reco").out,
            read(f"{url}/api/jobs/1/reco"),
            read(f"{url}/campaigns/prompt/tasks/reco/1"),
        )
        assert [said.count(words) for words in ("fitting, progress 0.4", "job 0.1")] == [1, 1]
        assert page.count("fitting, progress 0.4") == 1
        assert [hint["values"] for hint in json.loads(api)["hints"]] == [{"progress": 0.4}]
        assert api == ask(folder, "jobs", "1", "reco", "--format", "json").out
        (folder / "token").write_text("somebody:else")
        assert "refuses the token" in read(f"{url}/campaigns/prompt/tasks/reco/1")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT_S)
