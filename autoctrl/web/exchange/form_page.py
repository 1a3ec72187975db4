"""A page with a form: what the form asks for is done, or the page says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from autoctrl.errors import AutoctrlError, UsageError
from autoctrl.web.exchange.posted import accept, name_missing, read_form, remember_name
from autoctrl.web.exchange.problems import code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.web.exchange.posted import SentForm


class Show(Protocol):
    """Shows a page with its form filled in, and why what it asked for was refused."""

    def __call__(
        self, request: Request, form: SentForm, refusals: Sequence[str] = (), code: int = 200
    ) -> Response:
        """Return the page."""


class FormPage(NamedTuple):
    """A page whose form is sent to its own address.

    verbs  those that the form may name
    show   shows the page
    do     does what the form asks for, and answers; what it raises is a refusal
    """

    verbs: Collection[str]
    show: Show
    do: Callable[[Request, SentForm], Response]

    async def act(self, request: Request) -> Response:
        """Do what was sent; a refusal is said at once, and the form stays filled in."""
        form = await read_form(request)
        return await run_in_threadpool(self._act, request, form)

    def _act(self, request: Request, sent: SentForm) -> Response:
        form = accept(request, sent, self.verbs)
        missing = name_missing(form)
        if missing:
            return self.show(request, form, [missing], 400)
        try:
            return self.do(request, form)
        except AutoctrlError as error:
            code = 409 if isinstance(error, UsageError) else code_of(error)
            return self.show(request, form, [str(error)], code)


def lead_to(request: Request, form: SentForm, address: str) -> Response:
    """Lead to the page that shows what was done; the browser keeps the person's name."""
    return remember_name(request, RedirectResponse(address, 303), form)
