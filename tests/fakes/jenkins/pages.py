"""Pages in HTML, redirections, and what is raised to refuse a request."""

from __future__ import annotations

import html

from tests.fakes.http import Answer, RefusedError


def quoted(name: str) -> str:
    """Return a name in the quotes of the server."""
    return f"\N{LEFT SINGLE QUOTATION MARK}{name}\N{RIGHT SINGLE QUOTATION MARK}"


def page(text: str, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Return an answer in HTML."""
    body = f"<!DOCTYPE html><html><head><title>Jenkins</title></head><body>{html.escape(text)}"
    return Answer(status, f"{body}</body></html>".encode(), "text/html;charset=utf-8", headers)


def refused(status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> RefusedError:
    """Return what is raised to refuse a request, with a page that says why."""
    return RefusedError(f"{status} {text}", page(text, status, headers))


def failure(status: int, text: str) -> RefusedError:
    """Return what is raised for a mistake of the client, with a header that says which.

    Characters beyond Latin-1, as the quotes in most messages, become ``?`` in the header.
    """
    header = text.encode("latin-1", "replace").decode("latin-1")
    return refused(status, text, (("X-Error", header),))


def not_found() -> RefusedError:
    """Return what is raised for what is not there, or must not be seen."""
    return refused(404, "Not Found")


def redirect(place: str, status: int = 302) -> Answer:
    """Send the client to another place."""
    return Answer(status, headers=(("Location", place),))
