"""A real provider of logins for tests, started by ``scripts/services`` on demand."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests import realms
from tests.services import Service, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Keycloak(Service):
    """A Keycloak with the realms of `tests.realms`, which its administrator may change."""

    name = "keycloak"

    def prepare(self) -> None:
        """Lay the realms where its first start finds them."""
        realms.write(str(self.folder / "realms"))

    @property
    def url(self) -> str:
        return self.facts["URL"]

    def issuer(self, realm: str) -> str:
        """Return the issuer of a realm."""
        return f"{self.url}/realms/{realm}"

    def administer(self, method: str, path: str, body: Any = None) -> Any:
        """Do as the administrator of a realm what ``path`` says, e.g. ``autoctrl/users``."""
        form = {
            "grant_type": "password",
            "client_id": "admin-cli",
            "username": self.facts["ADMIN"],
            "password": self.facts["PASSWORD"],
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        place = "/realms/master/protocol/openid-connect/token"
        token = self._ask("POST", place, urlencode(form), headers)["access_token"]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        text = "" if body is None else json.dumps(body)
        return self._ask(method, f"/admin/realms/{path}", text, headers)

    def _ask(self, method: str, path: str, body: str, headers: dict[str, str]) -> Any:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
        return json.loads(text) if text else None


@pytest.fixture(scope="session")
def keycloak(service_folder: Path) -> Iterator[Keycloak]:
    server = Keycloak(service_folder / "keycloak")
    server.prepare()
    yield from running(server)
