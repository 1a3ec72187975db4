"""python-jenkins as we use it: an API token alone, no redirects, no page taken for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin

import jenkins
from requests import Request, TooManyRedirects

from autoctrl.operations.jenkins.place import item_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import Response

XML = {"Content-Type": "text/xml; charset=utf-8"}


class LoginPage(Exception):
    """A page for people came instead of an answer; the text says what it looks like."""


class Client(jenkins.Jenkins):  # type: ignore[misc]  # it publishes no types
    """Asks Jenkins; what the class that it extends would take for an answer it refuses.

    That class follows every redirect and loses what the first answer said; and it takes the login
    page of a single sign-on, which comes with status 200, for success.
    """

    def __init__(self, url: str, user: str, token: str, timeouts_s: tuple[float, float]) -> None:
        """Connect to nobody yet. ``timeouts_s`` are those for connecting and for an answer."""
        super().__init__(url, user, token, timeout=timeouts_s)
        self._session.max_redirects = 0
        # It would try Kerberos before the token where that package is installed.
        del self._auths[1:]
        # Who comes with an API token needs no crumb; python-jenkins would never renew one.
        self.crumb = False

    def jenkins_request(self, *given: Any, **more: Any) -> Response:  # noqa: ANN401 - handed on
        """Ask, and return the answer. Raises ``LoginPage`` beside what python-jenkins raises."""
        try:
            answer: Response = super().jenkins_request(*given, **more)
        except TooManyRedirects as error:
            raise LoginPage(_describe_redirect(error.response)) from None
        if "text/html" in answer.headers.get("Content-Type", "") and answer.text.strip():
            message = "a page of HTML"
            raise LoginPage(message)
        return answer

    def get_json(self, path: str, tree: str) -> Any:  # noqa: ANN401 - JSON
        """Return the fields ``tree`` of what lies at a path."""
        request = Request("GET", urljoin(self.server, f"{path}api/json"), params={"tree": tree})
        return self.jenkins_request(request).json()

    def create_item(self, name: str, config: str) -> None:
        """Make an item; its folder is there. Nothing is asked before and after."""
        folder, _, short_name = name.rpartition("/")
        address = urljoin(self.server, f"{item_path(folder)}createItem")
        query, body = {"name": short_name}, config.encode()
        self.jenkins_request(Request("POST", address, params=query, data=body, headers=XML))

    def remove_item(self, name: str) -> None:
        """Remove an item with all its builds."""
        parent = name.rpartition("/")[0]
        self._act(f"{item_path(name)}doDelete", item_path(parent))

    def start_build(self, name: str, parameters: Mapping[str, str]) -> Response:
        """Ask for a build, and return what is answered: 201, 302 or 303."""
        address = self.build_job_url(name, dict(parameters))
        return self._act(address, item_path(name), "queue/item/")

    def look_for_branches(self, name: str) -> None:
        """Let a multibranch project look through its repository now."""
        self._act(f"{item_path(name)}build?delay=0", item_path(name))

    def _act(self, address: str, *goals: str) -> Response:
        """Post to an address, and return the answer, also one that leads to one of the ``goals``.

        Raises ``LoginPage`` for one that leads elsewhere.
        """
        request = Request("POST", urljoin(self.server, address))
        try:
            answer: Response = super().jenkins_request(request)
        except TooManyRedirects as error:
            leads_to = _target(error.response)
            if not leads_to.startswith(tuple(urljoin(self.server, goal) for goal in goals)):
                raise LoginPage(_describe_redirect(error.response)) from None
            answer = cast("Response", error.response)
        return answer


def _target(answer: Any) -> str:  # noqa: ANN401 - a response, which requests has as an option
    return urljoin(str(answer.url), str(answer.headers.get("Location", "")))


def _describe_redirect(answer: Any) -> str:  # noqa: ANN401 - as above
    """Say where an answer leads, without what stands behind the path."""
    return f"it leads to {_target(answer).partition('?')[0]}"
