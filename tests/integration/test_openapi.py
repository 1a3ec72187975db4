"""The API is as its description says: the file in the documentation, and whatever is asked."""

from __future__ import annotations

import json
import os
import zlib
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from autoctrl.hooks.rate import Rate
from autoctrl.login.book import Book
from autoctrl.login.keyring import Keyring
from autoctrl.login.tokens import Maker
from autoctrl.model.output import FieldsRecord
from autoctrl.model.role import Role
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.views import to_plain
from autoctrl.web.api.endpoints import ENDPOINTS
from autoctrl.web.api.openapi import describe_api
from autoctrl.web.api.questions import QUESTIONS
from autoctrl.web.app import ROUTES
from autoctrl.web.entry.gate import Gate
from autoctrl.web.site.order_ledger import OrderLedger
from autoctrl.web.site.pace import Pace
from tests.house.source import ROOT
from tests.unit.web.desk import HERE, Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemathesis import Case

    from autoctrl.web.site.state import Site
    from tests.unit.scene import Scene

FILE = ROOT / "docs" / "reference" / "openapi.json"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 8
WORDS: dict[str, list[Any]] = {
    "unit": ["1", "2", "7", "fill:7", "x"],
    "workflow": ["reco", "friends", "rco"],
    "campaign": ["prompt", "", "x"],
    "runs": ["1-2", "2", "fill:7", "x"],
    "where": [["kind=physics"], ["kind=", "kid=1"]],
}


def test_the_file_is_what_the_server_says() -> None:
    """The description in the documentation is the one that the server hands out;
    ``UPDATE_GOLDEN=1`` writes it anew.
    """
    text = json.dumps(to_plain(describe_api()), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        FILE.write_text(text)
    assert FILE.read_text() == text
    assert Desk().get("/api/openapi.json") == text


def test_every_address_is_described() -> None:
    """No address answers without being described, and none is described that does not answer."""
    assert QUESTIONS.keys() == ENDPOINTS.keys()
    paths = [str(getattr(route, "path", "")) for route in ROUTES]
    answering = {path for path in paths if path.startswith("/api/")}
    described = describe_api()["paths"].keys()
    assert {path.replace(":path", "") for path in answering} == set(described)


def test_only_known_schemas_are_referred_to() -> None:
    """Every reference leads to a schema of the description, and every schema is referred to."""
    described = describe_api()
    parts = described["components"]["schemas"]
    text = json.dumps(to_plain(described))
    assert {name for name in parts if f'"#/components/schemas/{name}"' in text} == parts.keys()
    assert text.count('"$ref"') == sum(
        text.count(f'"#/components/schemas/{name}"') for name in parts
    )


def fill(scene: Scene) -> None:
    """Put two runs with everything that a record may hold into a scene."""
    scene.runs(1, 2, kind="physics", fill=7)
    scene.workflow("reco")
    scene.workflow("friends", after=["reco"])
    key = scene.task(1, "reco", TaskStatus.DONE, reason="alarm: light is low")
    scene.job(key, JobStatus.DONE)
    scene.output(key)
    scene.store.append([FieldsRecord(key, 1, {"light": 0.5, "chip": "a"}, scene.clock.now())])
    scene.job(scene.task(2, "reco", TaskStatus.FAILED), JobStatus.FAILED)
    scene.task(1, "friends", reads=[(key, 1)])


class Asker(NamedTuple):
    """Somebody who asks, and what is answered wherever they are not let in."""

    browser: TestClient
    headers: dict[str, str]
    refusals: frozenset[int] = frozenset()


@pytest.fixture(scope="module")
def askers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Asker]]:
    """Return who asks, in turn for ever: somebody where nobody logs in; and where people do, one
    without a token, one with that of a viewer, one with that of an operator.
    """
    with ExitStack() as stack:
        desk = open_desk(tmp_path_factory.mktemp("open"))
        found = [Asker(stack.enter_context(browse(desk)), {})]
        desk = open_desk(tmp_path_factory.mktemp("closed"))
        keyring = close_gate(desk, tmp_path_factory.mktemp("keys"))
        browser = stack.enter_context(browse(desk))
        found.append(Asker(browser, {}, frozenset({401})))
        for role in (Role.VIEWER, Role.OPERATOR):
            now, lasts = desk.scene.clock.now(), timedelta(days=1)
            token = keyring.make("x", role, Maker("anna"), now, lasts)
            found.append(Asker(browser, {"Authorization": f"Bearer {token}"}))
        yield cycle(found)


def open_desk(folder: Path) -> Desk:
    """Return a page over two runs, whose verbs are not counted."""
    desk = Desk()
    fill(desk.scene)
    site = site_of(desk)
    site.orders = OrderLedger(folder / "orders.sqlite")
    site.pace = Pace(desk.scene.clock, verbs=Rate(per_s=1e6, burst=10**6))
    return desk


def site_of(desk: Desk) -> Site:
    """Return what the pages of a desk share."""
    app: Any = desk.app
    site: Site = app.app.state.site
    return site


def close_gate(desk: Desk, folder: Path) -> Keyring:
    """Let nobody in who is not named by a proxy or shows a token; return what makes tokens."""
    settings, app = desk.project.settings, desk.app
    web = replace(settings.web, behind_proxy=True, proxies="10.0.0.1")
    app.gate = site_of(desk).gate = Gate(replace(settings, web=web), desk.scene.clock)
    app.gate.keyring = Keyring(Book(folder / "login.sqlite"))
    return app.gate.keyring


def browse(desk: Desk) -> TestClient:
    """Return a browser in front of a desk."""
    return TestClient(desk.app, base_url=HERE, follow_redirects=False)


described = schemathesis.openapi.from_dict(json.loads(json.dumps(to_plain(describe_api()))))
described.config.update(base_url=HERE)


def mix(given: Any) -> Any:
    """Return what was generated with most of the names that are known here in their places."""
    if not isinstance(given, dict):
        return given
    return {name: choose(str(name), value) for name, value in given.items()}


def choose(name: str, value: Any) -> Any:
    """Return a value, or mostly a word instead that means something here."""
    number = zlib.crc32(repr(value).encode())
    words = WORDS.get(name, [])
    return value if number % 4 == 0 or not words else words[number % len(words)]


@described.hook
def map_path_parameters(_: Any, path_parameters: Any) -> Any:
    return mix(path_parameters)


@described.hook
def map_query(_: Any, query: Any) -> Any:
    return mix(query)


@described.hook
def map_body(_: Any, body: Any) -> Any:
    return mix(body)


@described.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_asked_is_answered_as_described(
    case: Case[Any], askers: Iterator[Asker]
) -> None:
    """No question that the description allows is a defect, and no answer is undescribed, whoever
    asks; who is not known is told nothing.
    """
    asker = next(askers)
    request = case.as_transport_kwargs(base_url=HERE)
    request.pop("cookies", None)
    request["content"] = request.pop("data", None)
    request["headers"] = {**(request.get("headers") or {}), **asker.headers}
    answer = asker.browser.request(**request)
    asker.browser.cookies.clear()
    case.validate_response(answer, checks=CHECKS)
    assert not asker.refusals or answer.status_code in asker.refusals
