"""A web page over the small store of the scene, and a browser that knows how to send its forms."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from starlette.testclient import TestClient

from autoctrl.compose import Project
from autoctrl.config import parse_settings
from autoctrl.testing import ScriptedExecutor
from autoctrl.web import create_app
from tests.unit.scene import Scene

if TYPE_CHECKING:
    from httpx2 import Response

    from autoctrl.ports import Store
    from autoctrl.web.site.state import Site

OK = 200
HERE = "http://127.0.0.1"
SETTINGS = """
name = "Camera & Co"
timezone = "Europe/Zurich"
store.url = "memory:"
[runs.attributes]
kind = "str"
[environments.mirror]
store.url = "memory:mirror"
outputs.root = "mirror"
"""
TOKEN = re.compile(r'name="token" value="(\w+)"')
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
LINK = re.compile(r'href="(/[^"]*)"')


class Desk:
    """A scene, its web page, and a browser in front of it."""

    def __init__(
        self,
        scene: Scene | None = None,
        store: Store | None = None,
        folder: Path = Path("/nowhere"),
        more: str = "",
    ) -> None:
        self.scene = scene or Scene()
        settings = parse_settings(SETTINGS + more, folder, environment="mirror", environ={})
        self.project = Project(settings, self.scene.clock)
        self.project.store = store or self.scene.store
        self.executor = ScriptedExecutor()
        self.project._executors["local"] = self.executor
        self.app = create_app(self.project)
        self.browser = TestClient(self.app, base_url=HERE, follow_redirects=False)

    def get(self, path: str, code: int = 200, **headers: str) -> str:
        """Return a page's text, entities resolved; fails unless the answer has this code."""
        answer = self.browser.get(path, headers=headers)
        assert answer.status_code == code, answer.text
        return unescape(answer.text)

    def links(self, path: str) -> list[str]:
        """Return the addresses that a page links to, in order, each once."""
        return list(dict.fromkeys(map(unescape, LINK.findall(self.browser.get(path).text))))

    def send(self, verb: str, runs: object, workflow: str = "reco", **changes: Any) -> Response:
        """Open the page of some tasks, send its form, and agree to what it would do; with a name
        and a reason unless ``changes`` say otherwise.
        """
        headers = changes.get("headers", {"Origin": HERE})
        answer = self.preview(verb, runs, workflow, **changes)
        if answer.status_code != OK:
            return answer
        form = {name: unescape(value) for name, value in HIDDEN.findall(answer.text)}
        path = f"/campaigns/prompt/verbs/{workflow}"
        return self.browser.post(path, data={**form, "verb": verb}, headers=headers)

    def preview(self, verb: str, runs: object, workflow: str = "reco", **changes: Any) -> Response:
        """Open the page of some tasks and send its form, as ``send`` does; agree to nothing."""
        path = f"/campaigns/prompt/verbs/{workflow}"
        headers = changes.pop("headers", {"Origin": HERE})
        token = TOKEN.search(self.browser.get(f"{path}?runs={runs}").text)
        form = {
            "verb": verb,
            "runs": str(runs),
            "name": "Anna Ärger",
            "reason": "the node was down",
            "token": token[1] if token else self.token(),
            **changes,
        }
        return self.browser.post(path, data=form, headers=headers)

    def post(self, path: str, **fields: str) -> Response:
        """Send a form of a page that this browser has opened, and agree to what it would do; with a
        name and a reason unless ``fields`` say otherwise.
        """
        answer = self.ask(path, **fields)
        if answer.status_code != OK:
            return answer
        form = {name: unescape(value) for name, value in HIDDEN.findall(answer.text)}
        return self.ask(path, verb=fields["verb"], **form)

    def ask(self, path: str, **fields: str) -> Response:
        """Send a form as ``post`` does; agree to nothing."""
        form = {"name": "Anna Ärger", "reason": "the node was down", "token": self.token()}
        return self.browser.post(path, data={**form, **fields}, headers={"Origin": HERE})

    def token(self) -> str:
        """Return the token of this browser, whatever pages show."""
        site: Site = cast("Any", self.app).app.state.site
        return site.guard.token(self.browser.cookies.get("autoctrl_form") or "")


def text_of(page: str) -> str:
    """Return what a person reads of a page, in one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())
