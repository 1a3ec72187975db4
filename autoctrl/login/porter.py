"""Lets people in: begins a login, ends it well or not, and looks again who they are."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.book import digest_of
from autoctrl.login.claims import (
    LARGEST,
    check_kind,
    is_jwt,
    judge_access_token,
    read_id_token,
    read_logout_token,
)
from autoctrl.login.errors import UNKNOWN_KEY, LoginRefused, ProviderDown, TooManyAsk
from autoctrl.login.limits import LOGINS, TOKENS, Gatekeeper, Refused, Turns
from autoctrl.login.provider import Client, Provider
from autoctrl.login.roles import groups_in, read_groups
from autoctrl.login.sessions import Flow, Limits, Person, Sessions
from autoctrl.model.actor import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.config import WebSettings
    from autoctrl.login.book import Book
    from autoctrl.login.sessions import Session
    from autoctrl.ports import Clock

KEPT_FOR = timedelta(seconds=60)
REFUSED_FOR = timedelta(seconds=30)
MOST_KEPT = 1000
LATE_FOR = timedelta(seconds=10)  # while others ask whose token it is
MOST_AT_ONCE = 4
SOON_S = 1.0


class Answer(NamedTuple):
    """With what the provider has sent a person back to us.

    state, code  of the login that began here, and what tokens are given for
    issuer       who says so, empty if the provider does not tell
    error        why it failed, empty if it did not
    """

    state: str
    code: str
    issuer: str
    error: str


class Owner(NamedTuple):
    """Whose access token one is.

    until  how long that is believed
    ends   when the token ends
    """

    person: Person
    until: datetime
    ends: datetime


class Porter:
    """Knows the people whom one provider lets in."""

    def __init__(self, section: WebSettings, secret: str, book: Book, clock: Clock) -> None:
        """Know what the settings say, the ``secret`` of our client and the sessions in a book."""
        client = Client(section.issuer, section.client_id, secret, section.scopes)
        self.section, self.clock = section, clock
        self.provider = Provider(client, clock)
        self.groups = read_groups(section)
        limits = Limits(
            timedelta(seconds=section.idle_s),
            timedelta(seconds=section.longest_s),
            timedelta(seconds=section.recheck_s),
        )
        self.sessions = Sessions(book, limits)
        self._owners: OrderedDict[bytes, Owner] = OrderedDict()
        self._lock = Lock()
        self._logins, self._tokens = Gatekeeper(LOGINS), Gatekeeper(TOKENS)
        self._refused = Refused(REFUSED_FOR, MOST_KEPT)
        self._looks = Turns(MOST_AT_ONCE)
        self._judges = Turns(MOST_AT_ONCE, waiting=MOST_AT_ONCE)

    def begin(self, browser: str, target: str, redirect: str, address: str = "") -> str:
        """Return the address at which a person logs in, who wants to see ``target`` afterwards and
        asks from an ``address``.

        Raises ``TooManyAsk``, ``ProviderDown`` or ``StoreError``.
        """
        _count(self._logins, address, self.clock.now())
        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        address = self.provider.authorization_url(redirect, state, nonce, verifier)
        self.sessions.begin(state, browser, Flow(nonce, verifier, target), self.clock.now())
        return address

    def finish(
        self, browser: str, answer: Answer, redirect: str, instead_of: str = ""
    ) -> tuple[str, str]:
        """Return the word for the browser and the page that was wanted; the login that the browser
        had, ``instead_of``, ends.

        Raises ``LoginRefused``, ``ProviderDown`` or ``StoreError``.
        """
        flow = self.sessions.take(answer.state, browser, self.clock.now())
        if flow is None:
            message = "This login did not begin in this browser, or it has ended already."
            raise LoginRefused(message, hint="Begin it again.")
        if answer.issuer and answer.issuer != self.provider.issuer:
            message = "Somebody else than our provider of logins has answered."
            raise LoginRefused(message, hint="Begin the login again.")
        if answer.error or not answer.code:
            word = "".join(filter(str.isprintable, answer.error))[:60] or "no code"
            message = f"The provider of logins did not let you in: {word}."
            raise LoginRefused(message, hint="Begin the login again.")
        tokens = self.provider.exchange(answer.code, flow.verifier, redirect)
        claims = read_id_token(self.provider, str(tokens.get("id_token", "")), flow.nonce)
        person = self._person(claims, tokens)
        return self.sessions.open(person, self.clock.now(), instead_of), flow.target

    def recognise(self, word: str) -> Session | None:
        """Return the login of a browser, None if it has none that holds; now and then the provider
        is asked whether it still knows the person, and with which groups. Raises ``StoreError``.
        """
        now = self.clock.now()
        session = self.sessions.find(word, now)
        if session is None or not self.sessions.is_check_due(session, now):
            return session
        with self._looks.one() as is_our_turn:  # a silent provider holds up a few readers alone
            if not is_our_turn or not self.sessions.claim_check(session, now):
                return session
            try:
                person = self._look_again(session)
            except ProviderDown:
                return session
            except LoginRefused as error:
                if error.word == UNKNOWN_KEY:  # keys are asked for again in a minute
                    return session
                self.sessions.end(session.digest)
                return None
            self.sessions.renew(session, person, now)
            return session._replace(person=person)

    def _look_again(self, session: Session) -> Person:
        """Return the person as the provider sees them now.

        A token that renews is used up by it, so the new one is written down before anything else is
        asked. Raises ``LoginRefused`` if it does not know them any more, ``ProviderDown``.
        """
        person = session.person
        if not person.refresh_token:
            claims = self.provider.userinfo(person.access_token)
            self._check_same(claims, person)
            return person._replace(role=self.groups.role_with_login(self._groups(claims)))
        tokens = self.provider.refresh(person.refresh_token)
        access = str(tokens.get("access_token") or person.access_token)
        refresh = str(tokens.get("refresh_token") or person.refresh_token)
        person = person._replace(access_token=access, refresh_token=refresh)
        self.sessions.keep_tokens(session, person)
        if "id_token" in tokens:
            person = person._replace(id_token=str(tokens["id_token"]))
            claims = read_id_token(self.provider, person.id_token)
        else:
            claims = self.provider.userinfo(access)
        self._check_same(claims, person)
        found = self._person({**claims, "iss": person.issuer}, {"access_token": access})
        return person._replace(role=found.role)

    def _check_same(self, claims: Mapping[str, Any], person: Person) -> None:
        if claims.get("sub") != person.subject:
            message = "The provider of logins speaks of somebody else now."
            raise LoginRefused(message, hint="Log in again.")

    def _person(self, claims: Mapping[str, Any], tokens: Mapping[str, Any]) -> Person:
        access = str(tokens.get("access_token", ""))
        groups = groups_in(claims, self.section.groups_claim)
        if groups is None and access:
            told = self.provider.userinfo(access)
            if told and told.get("sub") != claims["sub"]:
                message = "The provider of logins speaks of two people."
                raise LoginRefused(message, hint="Log in again.")
            claims = {**told, **claims}
        return self._describe(claims)._replace(
            id_token=str(tokens.get("id_token", "")),
            access_token=access,
            refresh_token=str(tokens.get("refresh_token", "")),
        )

    def _describe(self, claims: Mapping[str, Any]) -> Person:
        named = claims.get("preferred_username") or claims.get("name") or claims.get("username")
        name = "".join(filter(str.isprintable, str(named or claims["sub"])))[:LONGEST_NAME]
        role = self.groups.role_with_login(self._groups(claims))
        sid = str(claims.get("sid", ""))
        return Person(str(claims["iss"]), str(claims["sub"]), name, role, sid)

    def _groups(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        return groups_in(claims, self.section.groups_claim) or ()

    def leave(self, word: str, back: str) -> str:
        """End the login of a browser; return the address at which it ends at the provider too,
        empty if there is none. Raises ``StoreError``.
        """
        session = self.sessions.find(word, self.clock.now())
        if session is None:
            return ""
        self.sessions.end(session.digest)
        try:
            return self.provider.logout_url(session.person.id_token, back)
        except ProviderDown:
            return ""

    def end_by_word(self, logout_token: str) -> int:
        """End the logins that the provider says have ended; return how many.

        Raises ``LoginRefused`` for a word that is not the provider's, ``ProviderDown``,
        ``StoreError``.
        """
        claims = read_logout_token(self.provider, logout_token)
        sid, subject = str(claims.get("sid", "")), str(claims.get("sub", ""))
        return self.sessions.end_all(self.provider.issuer, sid, subject)

    def owner_of(self, token: str, address: str = "") -> Person:
        """Return whose access token this is, which came from an ``address``; an answer holds for a
        minute at most, a refusal for half of one.

        Raises ``LoginRefused``, ``TooManyAsk`` or ``ProviderDown``.
        """
        if len(token) > LARGEST:
            raise _not_good()
        now, digest = self.clock.now(), digest_of(token)
        known = self._known_owner(digest, now)
        if known is not None:
            return known.person
        with self._judges.one() as is_our_turn:
            found = self._known_owner(digest, now, is_late=not is_our_turn)
            if found is not None:  # by somebody else meanwhile
                return found.person
            if not is_our_turn:
                raise TooManyAsk(SOON_S)
            _count(self._tokens, address, now)
            try:
                return self._keep_owner(digest, self._find_owner(token, now)).person
            except LoginRefused:
                self._refused.add(digest, now)
                raise

    def _known_owner(self, digest: bytes, now: datetime, *, is_late: bool = False) -> Owner | None:
        """Return whose token this is as far as it is known, a moment longer where ``is_late``.

        Raises ``LoginRefused`` for one that was refused a moment ago.
        """
        if self._refused.holds(digest, now):
            raise _not_good()
        with self._lock:
            kept = self._owners.get(digest)
        until = kept and (min(kept.until + LATE_FOR, kept.ends) if is_late else kept.until)
        return kept if until is not None and now < until else None

    def _keep_owner(self, digest: bytes, owner: Owner) -> Owner:
        with self._lock:
            self._owners[digest] = owner
            while len(self._owners) > MOST_KEPT:
                self._owners.popitem(last=False)
        return owner

    def _find_owner(self, token: str, now: datetime) -> Owner:
        claims = {**self._judge(token, now), "iss": self.provider.issuer}
        until = ends = now + KEPT_FOR
        if isinstance(claims.get("exp"), int | float):
            ends = datetime.fromtimestamp(claims["exp"], UTC)
        person = self._person(claims, {"access_token": token})
        return Owner(person, min(until, ends), ends)

    def _is_meant_for_us(self, claims: Mapping[str, Any], audience: str) -> bool:
        """Say whether a token that the provider calls good was made for the page: another service
        at the same provider has tokens of the same people.
        """
        named = claims.get("aud", [])
        clients = {self.section.client_id, self.section.device_client_id} - {""}
        is_ours = audience in ([named] if isinstance(named, str) else named)
        is_ours = is_ours or claims.get("client_id") in clients
        return is_ours and claims.get("iss", self.provider.issuer) == self.provider.issuer

    def _judge(self, token: str, now: datetime) -> dict[str, Any]:
        """Return the claims of an access token that is good: one of ours is judged here, of any
        other the provider is asked.
        """
        audience = self.section.audience or self.section.client_id
        if is_jwt(token):
            ours = judge_access_token(self.provider, token, audience)
            if ours is not None:
                return self._with_groups_of_now(ours, token, now)
        claims = self.provider.introspect(token)
        is_good = claims.get("active") is True and claims.get("sub")
        if not is_good or not self._is_meant_for_us(claims, audience):
            raise _not_good()
        check_kind(claims)
        return claims

    def _with_groups_of_now(
        self, claims: dict[str, Any], token: str, now: datetime
    ) -> dict[str, Any]:
        """Return the claims of a token; the groups in one that was made long ago count no more
        than those in a session, so the provider is asked for them.
        """
        made = claims.get("iat")
        is_new = isinstance(made, int | float) and now.timestamp() - made < self.section.recheck_s
        if is_new:
            return claims
        told = self.provider.userinfo(token)
        if told.get("sub") != claims["sub"]:
            raise _not_good()
        return {**told, "exp": claims["exp"]}


def _count(gatekeeper: Gatekeeper, address: str, now: datetime) -> None:
    """Raise ``TooManyAsk`` for one question too many."""
    wait_s = gatekeeper.take(address, now)
    if wait_s:
        raise TooManyAsk(wait_s)


def _not_good() -> LoginRefused:
    message = "This token is not good, or not any more."
    return LoginRefused(message, hint="Log in again: autoctrl login URL.")
