"""A person with a browser at the pages of a Keycloak: fills in forms, follows where they lead."""

from __future__ import annotations

import re
import ssl
from html import unescape
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin

import httpx2

from tests.realms import password_of

if TYPE_CHECKING:
    from types import TracebackType

LIMIT_S = 240.0
TRUST = ssl.create_default_context()  # read once, for it takes long
ACTION = re.compile(r'<form[^>]*\baction="([^"]+)"')
HIDDEN = re.compile(r'<input[^>]*\bname="(\w+)"[^>]*\bvalue="([^"]*)"')


class Walker:
    """Somebody's browser; on this machine it sends what Keycloak marks as secure, as others do."""

    def __init__(self, name: str, known_by: Walker | None = None) -> None:
        """Open a browser; the provider knows the person already if it knows them in another."""
        self.name = name
        self.client = httpx2.Client(timeout=LIMIT_S, follow_redirects=False, verify=TRUST)
        for cookie in known_by.client.cookies.jar if known_by else ():
            self.client.cookies.jar.set_cookie(cookie)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()

    def go(self, url: str, form: dict[str, str] | None = None) -> httpx2.Response:
        """Open an address, or send a form there."""
        answer = self.client.request("POST" if form is not None else "GET", url, data=form)
        for cookie in self.client.cookies.jar:
            cookie.secure = False
        return answer

    def log_in(self, address: str) -> str:
        """Log in at the address to which a page leads; return where the person is sent."""
        answer = self.go(address)
        if answer.status_code == httpx2.codes.OK:
            answer = self.send(answer, username=self.name, password=password_of(self.name))
        assert answer.status_code in {302, 303}, answer.text[:2000]
        return str(answer.headers["location"])

    def send(self, page: httpx2.Response, **fields: str) -> httpx2.Response:
        """Send the form of a page."""
        found = ACTION.search(page.text)
        assert found is not None, page.text[:2000]
        hidden = {name: unescape(value) for name, value in HIDDEN.findall(page.text)}
        return self.go(urljoin(str(page.url), unescape(found[1])), {**hidden, **fields})

    def let_in(self, address: str) -> None:
        """Let a program in at the address that it has named."""
        answer = self.go(address)
        while answer.status_code in {302, 303}:
            answer = self.go(urljoin(str(answer.url), answer.headers["location"]))
        answer = self.send(answer, username=self.name, password=password_of(self.name))
        while answer.status_code in {302, 303}:
            answer = self.go(urljoin(str(answer.url), answer.headers["location"]))
        answer = self.send(answer, accept="Yes")
        while answer.status_code in {302, 303}:
            answer = self.go(urljoin(str(answer.url), answer.headers["location"]))
        assert answer.status_code == httpx2.codes.OK, answer.text[:2000]
