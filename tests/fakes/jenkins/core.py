"""What all parts of the fake use: rows of requests, who asks, which item is meant, refusals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote
from xml.etree.ElementTree import Element

from tests.fakes.http import HttpFake
from tests.fakes.jenkins.access import Access, may
from tests.fakes.jenkins.pages import not_found, refused
from tests.fakes.jenkins.site import VERSION, Site
from tests.fakes.jenkins.state import Group, Item, State, User

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fakes.http import Answer, Request

    Respond = Callable[["Call"], Answer]

FORM = "application/x-www-form-urlencoded"
ITEM = re.compile(r"/job/([^/]+)")
PATTERNS = {
    "item": r"(?P<item>(?:/job/[^/]+)+)",
    "group": r"(?P<group>(?:/job/[^/]+)*)",
    "number": r"(?P<number>\d+)",
}


class Row(NamedTuple):
    """A request that a row of the contract covers.

    ``{item}`` in the path is ``/job/a/job/b``, ``{group}`` may also be the root, ``{number}`` is a
    build's. ``query`` are the parameters it may have; None allows any.
    """

    method: str
    path: str
    respond: Respond
    query: frozenset[str] | None = frozenset()


@dataclass(frozen=True)
class Call:
    """A request of somebody, about an item or the root; ``params`` are decoded."""

    request: Request
    user: User
    item: Item
    params: Mapping[str, str]
    form: Mapping[str, str]

    def value(self, name: str) -> str | None:
        """Return a parameter of the address or else of the form."""
        return self.request.query.get(name, self.form.get(name))

    @property
    def group(self) -> Group:
        """The folder or the root that is meant; 404 if it is no such thing."""
        if not isinstance(self.item, Group):
            raise not_found()
        return self.item


@cache
def pattern_of(path: str) -> re.Pattern[str]:
    """Return the pattern of a row's path."""
    pieces = re.split(r"\{(\w+)\}", path)
    made = [
        PATTERNS.get(piece, f"(?P<{piece}>[^/]+)") if number % 2 else re.escape(piece)
        for number, piece in enumerate(pieces)
    ]
    return re.compile("".join(made))


class Core(HttpFake):
    """A server with its state and its clock, and what every request goes through."""

    def __init__(self, site: Site | None = None, now: float = 1_700_000_000.0) -> None:
        super().__init__()
        self.site = site or Site()
        self.now = now
        self.state = State(Group("", None, Element("root")))
        self.access = Access(self)
        self.rows: list[Row] = []
        self.log: list[str] = []
        self.is_starting = False
        self.is_quieting_down = False

    def prepare(self, request: Request) -> None:
        """Look for secrets where none may be; refuse all while the server starts."""
        self.check_text(f"{request.path} {dict(request.query)}", f"the URL of {request.method}")
        if "/credentials/" not in request.path:
            self.check_text(request.body.decode("utf-8", "replace"), f"the text of {request.line}")
        if self.is_starting:
            text = "Please wait while Jenkins is getting ready to work ..."
            raise refused(503, text, (("Retry-After", "10"),))

    def complete(self, request: Request, answer: Answer) -> Answer:
        """Add what every answer says."""
        del request
        return answer._replace(headers=(*answer.headers, ("X-Jenkins", VERSION)))

    def check_text(self, text: str, where: str) -> None:
        """Record a violation if a text holds a secret of the server."""
        with self.lock:
            if any(secret in text for secret in self.state.secrets):
                self.violate(f"a secret appears in {where}")

    def require(self, user: User, permission: str, item: Item | None = None) -> None:
        """Refuse with 403 what somebody may not do; the page names the permission."""
        if may(user, permission, item.full_name if item else ""):
            return
        text = f"{user.name} is missing the {permission} permission"
        raise refused(403, text if user.tokens or user.password else f"{text}: log in at /login")

    def find(self, user: User, path: str) -> Item:
        """Return the item of ``/job/a/job/b``: 404 if it is not there or must not be seen, 403 if
        one may know of it but not read it.
        """
        item: Item = self.state.root
        for name in ITEM.findall(path):
            child = item.child(unquote(name)) if isinstance(item, Group) else None
            if child is None or not may(user, "Item/Discover", child.full_name):
                raise not_found()
            self.require(user, "Item/Read", child)
            item = child
        return item

    def _dispatch(self, request: Request) -> Answer:
        user, is_by_token = self.access.identify(request)
        form = form_of(request)
        if request.method == "POST" and not is_by_token:
            self.access.check_crumb(request, user, form)
        row, fields = self._row_of(request)
        self.require(user, "Overall/Read")
        item = self.find(user, fields.pop("item", "") or fields.pop("group", ""))
        fields.pop("group", None)
        params = {name: unquote(value) for name, value in fields.items()}
        return row.respond(Call(request, user, item, params, form))

    def _row_of(self, request: Request) -> tuple[Row, dict[str, str]]:
        """Return the row that covers a request; without one it is a violation."""
        if "%2f" in request.path.lower():
            self.violate(f"{request.line}: a slash in a name is sent as %252F")
            raise refused(400, "Ambiguous URI path separator")
        found = [(row, pattern_of(row.path).fullmatch(request.path)) for row in self.rows]
        known = [(row, match) for row, match in found if match is not None]
        for row, match in known:
            if row.method == request.method:
                allowed = request.query.keys() if row.query is None else row.query
                for name in sorted(request.query.keys() - allowed):
                    self.violate(f"{request.line}: the parameter {name} is unknown")
                return row, {name: value or "" for name, value in match.groupdict().items()}
        self.violate(f"{request.line}: the {'method' if known else 'path'} is unknown")
        raise refused(405 if known else 404, "no row of the contract covers this")

    def absolute(self, path: str) -> str:
        """Return the whole address of a path."""
        return f"{self.url}{path}"


def form_of(request: Request) -> dict[str, Any]:
    """Return the fields of a form that was sent, if one was."""
    if not request.header("Content-Type").startswith(FORM):
        return {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
