"""The API is as its description says: the file in the documentation, and whatever is asked."""

from __future__ import annotations

import json
import os
import zlib
from typing import TYPE_CHECKING, Any

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

from autoctrl.hooks.rate import Rate, RateLimit
from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.views import to_plain
from autoctrl.web.api import ENDPOINTS
from autoctrl.web.openapi import QUESTIONS, describe_api
from autoctrl.web.orders import Orders
from tests.house.source import ROOT
from tests.unit.web.desk import HERE, Desk

if TYPE_CHECKING:
    from schemathesis import Case

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


def test_only_known_schemas_are_referred_to() -> None:
    """Every reference leads to a schema of the description, and every schema is referred to."""
    described = describe_api()
    parts = described["components"]["schemas"]
    text = json.dumps(to_plain(described))
    assert {name for name in parts if f'"#/components/schemas/{name}"' in text} == parts.keys()
    assert text.count('"$ref"') == sum(
        text.count(f'"#/components/schemas/{name}"') for name in parts
    )


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a page over two runs with everything that a record may hold."""
    desk = Desk()
    scene = desk.scene
    scene.runs(1, 2, kind="physics", fill=7)
    scene.workflow("reco")
    scene.workflow("friends", after=["reco"])
    key = scene.task(1, "reco", TaskStatus.DONE, reason="alarm: light is low")
    scene.job(key, JobStatus.DONE)
    scene.output(key)
    scene.store.append([FieldsRecord(key, 1, {"light": 0.5, "chip": "a"}, scene.clock.now())])
    scene.job(scene.task(2, "reco", TaskStatus.FAILED), JobStatus.FAILED)
    scene.task(1, "friends", reads=[(key, 1)])
    app: Any = desk.app
    app.app.state.site.orders = Orders(tmp_path_factory.mktemp("openapi") / "orders.sqlite")
    app.app.state.site.rate = RateLimit(Rate(per_s=1e6, burst=10**6))
    return app


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
def test_whatever_is_asked_is_answered_as_described(case: Case[Any], app: Any) -> None:
    """No question that the description allows is a defect, and no answer is undescribed."""
    with TestClient(app, base_url=HERE, follow_redirects=False) as browser:
        request = case.as_transport_kwargs(base_url=HERE)
        request.pop("cookies", None)
        request["content"] = request.pop("data", None)
        answer = browser.request(**request)
    case.validate_response(answer, checks=CHECKS)
