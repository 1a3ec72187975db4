"""The verb login: a person lets this machine's programs in at a page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from autoctrl.cli.output import say, show_json, warn
from autoctrl.cli.session import verb
from autoctrl.errors import MissingExtra, UsageError
from autoctrl.process import SystemClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.cli.session import Session

LARGEST = 64 * 1024


@verb("login https://runs.example.org", has_campaign=False, has_project=False)
@click.argument("url", metavar="URL")
def login(session: Session, url: str) -> None:
    """Log in at the page at URL, for programs and notebooks on this machine.

    A browser, on whatever machine, lets them in.
    """
    try:
        from autoctrl.login import device, logins
        from autoctrl.login.provider import Client
    except ImportError as error:
        what = "The login of people"
        raise MissingExtra(what, "login") from error
    page = url.rstrip("/")
    facts = _ask_page(page)
    client = Client(str(facts["issuer"]), str(facts["client_id"]), "", str(facts["scopes"]))
    kept = device.log_in(client, SystemClock(), _tell, time.sleep)
    path = logins.file_for(page)
    logins.write(path, kept)
    if session.is_json:
        show_json(url=page, file=str(path), expires=kept.expires)
    else:
        say(f"You are logged in at {page}; the login is kept in {path}.")


def _ask_page(page: str) -> Mapping[str, Any]:
    """Return whom the page lets people log in at. Raises ``UsageError``."""
    import httpx2

    from autoctrl.login.errors import ProviderDown
    from autoctrl.login.transport import TIMEOUT_S, Careful

    careful = Careful(SystemClock())
    try:
        with httpx2.Client(transport=careful, timeout=TIMEOUT_S, trust_env=False) as asking:
            answer = asking.get(f"{page}/login/device")
            found = answer.json() if answer.status_code == httpx2.codes.OK else None
    except (ProviderDown, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        message = f"{page} is not the address of a page that answers by https."
        raise UsageError(message, hint="Write it as https://runs.example.org.") from error
    finally:
        careful.shut()
    if not isinstance(found, dict) or not {"issuer", "client_id", "scopes"} <= found.keys():
        message = f"{page} does not offer this login."
        raise UsageError(message, hint="Make a token there: autoctrl token create.")
    return found


def _tell(begun: Mapping[str, Any]) -> None:
    whole = begun.get("verification_uri_complete")
    warn(f"Open {whole or begun.get('verification_uri')} in a browser, on any machine,")
    warn(f"and let it in if it shows the code {begun.get('user_code')}.")
