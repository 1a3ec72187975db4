"""Who gets in: by a login, a token or a proxy's word, as a reader of what is public, or everybody
who can reach the machine itself.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser

from autoctrl.config import read_secret_lines
from autoctrl.errors import MissingExtra, SettingsError, UsageError
from autoctrl.login.book import FILE_NAME, Book
from autoctrl.login.errors import LoginRefused
from autoctrl.login.keyring import Keyring
from autoctrl.login.roles import read_groups
from autoctrl.login.tokens import PREFIX
from autoctrl.model.actor import LONGEST_NAME
from autoctrl.model.address import is_loopback
from autoctrl.model.role import Role
from autoctrl.web.entry.cookies import Cookies
from autoctrl.web.entry.visitor import STRANGER, Visitor

if TYPE_CHECKING:
    from starlette.datastructures import Headers

    from autoctrl.config import Settings, WebSettings
    from autoctrl.login.porter import Porter
    from autoctrl.login.sessions import Person
    from autoctrl.ports import Clock

    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

BEARER = "bearer "


class Gate:
    """Says who makes a request."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Know what the settings say, and the logins and tokens in the state folder.

        Raises ``SettingsError`` if a login is wanted that cannot be had.
        """
        self.section = section = settings.web
        self.clock = clock
        self.groups = read_groups(section)
        self.book = Book(settings.state_folder / FILE_NAME)
        self.porter = open_porter(settings, self.book, clock) if section.issuer else None
        self.cookies = Cookies(is_secure=section.url.startswith("https:"))
        self.keyring = Keyring(self.book)
        self.proxies = read_networks(section.proxies)
        anonymous = Role.VIEWER if section.public else Role.NOBODY
        self.stranger = STRANGER._replace(role=anonymous)

    @property
    def is_closed(self) -> bool:
        """Whether people must say who they are, to a provider or to a proxy, before they act.

        What everybody may read nobody changes, also where there is no way to say who one is.
        """
        section = self.section
        return bool(section.issuer or section.behind_proxy or section.public)

    def close(self) -> None:
        """End the connections to the provider of logins."""
        if self.porter is not None:
            self.porter.provider.close()

    def visitor(self, headers: Headers, peer: str) -> Visitor:
        """Return who makes a request that came from the address ``peer``.

        Answers 401 for a token that is not good, 400 for two persons in one request. Raises
        ``TooManyAsk``, ``ProviderDown`` or ``StoreError``.
        """
        shown = headers.get("authorization", "")
        if shown[: len(BEARER)].lower() == BEARER:
            return self._bearer(shown[len(BEARER) :].strip(), self.client_of(headers, peer))
        if not self.is_closed:
            return Visitor(Role.ADMIN)
        word = cookie_parser(headers.get("cookie", "")).get(self.cookies.session)
        if self.porter is not None and word:
            session = self.porter.recognise(word)
            if session is not None:
                return self._welcome(session.person, "web", session.digest.hex())
        if self.section.behind_proxy and self._is_proxy(peer):
            return self._named(headers)
        return self.stranger

    def leads_to_login(self, visitor: Visitor, method: str, path: str) -> bool:
        """Say whether a login helps somebody who may not read: a person who has none."""
        is_browsing = is_page(path) and method in {"GET", "HEAD"}
        return self.porter is not None and not visitor.is_known and is_browsing

    def client_of(self, headers: Headers, peer: str) -> str:
        """Return the address that asks: the one that a named proxy has added, else ``peer``."""
        told = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return told if is_address(told) and self._is_proxy(peer) else peer

    def is_encrypted(self, headers: Headers, peer: str) -> bool:
        """Say whether people reach the page by https, as the settings or a named proxy say."""
        told = headers.get("x-forwarded-proto", "").lower() == "https"
        return self.cookies.is_secure or (told and self._is_proxy(peer))

    def _bearer(self, text: str, address: str) -> Visitor:
        token = self.keyring.recognise(text, self.clock.now())
        if token is not None:
            return Visitor(token.may, token.maker, f"token {token.id}", via="api")
        if self.porter is None or not text or text.startswith(PREFIX):
            raise HTTPException(401, "This token is not good, or not any more.")
        try:
            return self._welcome(self.porter.owner_of(text, address), "api")
        except LoginRefused as error:
            raise HTTPException(401, error.message) from error

    def _welcome(self, person: Person, via: str, session: str = "") -> Visitor:
        subject = f"{person.issuer} {person.subject}"
        return self._admit(
            person.role, Visitor(Role.NOBODY, person.name, subject, via, session=session)
        )

    def _admit(self, role: Role, visitor: Visitor) -> Visitor:
        """Return somebody we know with the role of their own, or that of the public."""
        self.keyring.note_role(visitor.subject, role, self.clock.now())
        allowed = max(role, self.stranger.role)
        return visitor._replace(role=allowed, is_member=role >= Role.VIEWER)

    def _named(self, headers: Headers) -> Visitor:
        """Return whom a proxy names."""
        word = read_once(headers, self.section.proxy_header)
        name = "".join(filter(str.isprintable, word)).strip()[:LONGEST_NAME]
        if not name:
            return self.stranger
        header = self.section.proxy_groups_header
        named = read_once(headers, header) if header else ""
        role = self.groups.role_with_login(group.strip() for group in named.split(","))
        return self._admit(role, Visitor(Role.NOBODY, name, f"proxy {name}"))

    def _is_proxy(self, peer: str) -> bool:
        return is_address(peer) and any(
            ipaddress.ip_address(peer) in network for network in self.proxies
        )


def is_address(text: str) -> bool:
    """Say whether a text is the number of a machine."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def open_porter(settings: Settings, book: Book, clock: Clock) -> Porter:
    """Return who lets people in by the provider that the settings name.

    Raises ``SettingsError``, and ``MissingExtra`` where the packages for it are not installed.
    """
    try:
        from autoctrl.login.porter import Porter
    except ImportError as error:
        what = "The login of people"
        raise MissingExtra(what, "login") from error
    section = settings.web
    if not section.client_id:
        message = "[web] issuer is given without [web] client_id."
        raise SettingsError(message, hint="It is the name under which the provider knows the page.")
    file = section.client_secret_file
    name = "[web] client_secret_file"
    secret = read_secret_lines(settings.path(file), name)[0] if file else ""
    return Porter(section, secret, book, clock)


def read_once(headers: Headers, name: str) -> str:
    """Return what a header of a proxy says, empty without it.

    Answers 400 if it stands there twice, under a spelling that other programs read as the same, or
    as one that the next program must remove: then somebody else than the proxy has written too.
    """
    wanted = _plain(name)
    alike = [text for key, text in headers.items() if _plain(key) == wanted]
    dropped = {_plain(word) for word in headers.get("connection", "").split(",")}
    if len(alike) > 1 or wanted in dropped:
        raise HTTPException(400, f"The header {name} stands there twice, or is to be removed.")
    return headers.get(name, "")


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def is_page(path: str) -> bool:
    """Say whether a person reads what is at an address."""
    return not path.startswith(("/api/", "/metrics"))


def read_networks(text: str) -> tuple[Network, ...]:
    """Return the addresses and networks of a setting. Raises ``UsageError`` for another text."""
    found = []
    for word in text.replace(",", " ").split():
        try:
            found.append(ipaddress.ip_network(word))
        except ValueError as error:
            message = f"[web] proxies has '{word}', which is no address and no network."
            raise UsageError(message, hint="Write them as 10.1.2.3 or 10.2.0.0/16.") from error
    return tuple(found)


def check_exposure(section: WebSettings, host: str) -> None:
    """Raise ``UsageError`` where people could act without saying who they are, or where what they
    show could be read on its way.
    """
    if section.behind_proxy and not read_networks(section.proxies):
        message = "[web] behind_proxy is true, but no proxy is named: anybody could pass for it."
        raise UsageError(message, hint="Name its address: [web] proxies = '10.1.2.3'.")
    if is_loopback(host):
        return
    if not section.issuer and not section.behind_proxy:
        message = f"Whoever reaches {host} could move tasks: nobody would ask who they are."
        hint = (
            "Let people log in ([web] issuer), put a proxy in front that asks ([web] behind_proxy "
            "and proxies), or listen at 127.0.0.1. See docs/howto/log-in.md."
        )
        raise UsageError(message, hint=hint)
    if section.issuer and not section.url.startswith("https://"):
        message = f"[web] url = '{section.url}' is no https address, and {host} is not local."
        raise UsageError(
            message,
            hint="A login could be read on its way. Name the address that people see, with https.",
        )
