"""The provider: people, codes, tokens that renew once, keys that change."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.fakes.http import Answer, HttpFake, Request, Route

CLIENT, SECRET, PROGRAM = "page", "s3cret", "cli"
CALLBACK = "http://127.0.0.1/login/callback"
LASTS_S = 300
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


class Style(NamedTuple):
    """How a provider differs from others.

    slash      its issuer ends in one
    groups_in  where groups are told: ``id_token``, ``userinfo``
    names_itself  it says in its answer who it is
    """

    slash: bool = False
    groups_in: tuple[str, ...] = ("id_token", "userinfo")
    names_itself: bool = True


INDIGO = Style(slash=True, groups_in=("userinfo",), names_itself=False)


@dataclass
class Account:
    """Somebody who can log in."""

    name: str
    groups: list[str]
    sub: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass
class Grant:
    """One login of somebody: what was asked, and the tokens that are good now."""

    account: Account
    query: dict[str, str]
    sid: str = field(default_factory=lambda: secrets.token_hex(8))
    is_used: bool = False
    is_over: bool = False
    access: str = ""
    refresh: str = ""
    spent: set[str] = field(default_factory=set)


class FakeProvider(HttpFake):
    """A provider on 127.0.0.1; ``now`` is its clock, ``visit`` what a person does in a browser."""

    def __init__(self, style: Style = Style()) -> None:  # noqa: B008 - a value
        super().__init__()
        self.style, self.now = style, time.time
        self.accounts: dict[str, Account] = {}
        self.codes: dict[str, Grant] = {}
        self.devices: dict[str, Grant | None] = {}
        self.keys = [new_key()]
        self.routes = [
            Route("GET", "/.well-known/openid-configuration", self._discover),
            Route("POST", "/token", self._token),
            Route("GET", "/keys", self._keys),
            Route("GET", "/userinfo", self._userinfo),
            Route("POST", "/introspect", self._introspect),
            Route("POST", "/device", self._device),
        ]

    @property
    def issuer(self) -> str:
        return self.url + ("/" if self.style.slash else "")

    def add(self, name: str, *groups: str) -> Account:
        """Let somebody in from now on."""
        self.accounts[name] = Account(name, [*groups])
        return self.accounts[name]

    def visit(self, address: str, name: str) -> str:
        """Log somebody in at the address to which the page leads; return where they are sent."""
        path, _, text = address.partition("?")
        query = dict(parse_qsl(text))
        assert path == f"{self.url}/authorize"
        assert query["client_id"] == CLIENT
        assert query["redirect_uri"] == CALLBACK
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        assert len(query["code_challenge"]) == 43
        assert "openid" in query["scope"].split()
        code = secrets.token_hex(16)
        self.codes[code] = Grant(self.accounts[name], query)
        back = {"code": code, "state": query["state"]}
        back |= {"iss": self.issuer} if self.style.names_itself else {}
        return f"{CALLBACK}?{urlencode(back)}"

    def rotate(self) -> None:
        """Sign with a new key from now on; the old ones are still told."""
        self.keys.insert(0, new_key())

    def sign(self, claims: dict[str, Any], *, by: RSAKey | None = None, **header: str) -> str:
        """Return signed claims."""
        key = by or self.keys[0]
        kid = key.kid or ""
        return jwt.encode({"alg": "RS256", "kid": kid, **header}, claims, key)

    def grant_of(self, name: str) -> Grant:
        """Return the last login of somebody."""
        return [grant for grant in self.codes.values() if grant.account.name == name][-1]

    def claims(self, grant: Grant, *, audience: str = CLIENT) -> dict[str, Any]:
        """Return the claims of a login as they are signed."""
        now = int(self.now())
        account = grant.account
        facts = {"iss": self.issuer, "sub": account.sub, "aud": audience, "sid": grant.sid}
        times = {"iat": now, "exp": now + LASTS_S}
        named = {"preferred_username": account.name}
        groups = {"groups": account.groups} if "id_token" in self.style.groups_in else {}
        return {**facts, **times, **named, **groups}

    def logout_token(self, grant: Grant, **changes: Any) -> str:
        """Return the word that a login has ended."""
        event = "http://schemas.openid.net/event/backchannel-logout"
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": int(self.now()), "jti": "1"}
        return self.sign({**claims, "sid": grant.sid, "events": {event: {}}, **changes})

    def _discover(self, request: Request) -> Answer:
        del request
        names = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "keys",
            "userinfo_endpoint": "userinfo",
            "introspection_endpoint": "introspect",
            "device_authorization_endpoint": "device",
        }
        ends = {} if self.style.slash else {"end_session_endpoint": f"{self.url}/end"}
        found = {name: f"{self.url}/{path}" for name, path in names.items()}
        return Answer.of({"issuer": self.issuer, **found, **ends})

    def _keys(self, request: Request) -> Answer:
        del request
        listed = [{**key.as_dict(private=False), "use": "sig"} for key in self.keys]
        other = {**other_key().as_dict(private=False), "use": "enc", "alg": "RSA-OAEP"}
        return Answer.of({"keys": [*listed, other]})

    def _token(self, request: Request) -> Answer:
        form = dict(parse_qsl(request.body.decode()))
        if form["grant_type"] == DEVICE:
            return self._device_token(form)
        if (form["grant_type"], form.get("client_id")) == ("refresh_token", PROGRAM):
            return self._renew(form["refresh_token"])  # a public client shows no secret
        login = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.header("authorization") != f"Basic {login}":
            return Answer.of({"error": "unauthorized_client"}, 401)
        if form["grant_type"] == "refresh_token":
            return self._renew(form["refresh_token"])
        grant = self.codes.get(form["code"])
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_good = grant is not None and grant.query["code_challenge"] == challenge
        if grant is None or not is_good or grant.is_used or form["redirect_uri"] != CALLBACK:
            if grant is not None:
                grant.is_over = grant.is_over or grant.is_used
            return Answer.of({"error": "invalid_grant"}, 400)
        grant.is_used = True
        return self._tokens(grant, nonce=grant.query["nonce"])

    def _renew(self, token: str) -> Answer:
        for grant in (*self.codes.values(), *filter(None, self.devices.values())):
            if token in grant.spent:
                grant.is_over = True  # whoever shows it twice loses the newer one, too
            if token == grant.refresh and not grant.is_over:
                grant.spent.add(token)
                return self._tokens(grant)
        return Answer.of({"error": "invalid_grant"}, 400)

    def _tokens(self, grant: Grant, **more: Any) -> Answer:
        grant.access, grant.refresh = secrets.token_hex(16), secrets.token_hex(16)
        signed = self.sign({**self.claims(grant), **more})
        tokens = {"access_token": grant.access, "refresh_token": grant.refresh}
        return Answer.of({**tokens, "id_token": signed, "token_type": "Bearer", "expires_in": 300})

    def _find(self, access: str) -> Grant | None:
        known = [*self.codes.values(), *filter(None, self.devices.values())]
        return next((one for one in known if one.access == access and not one.is_over), None)

    def _userinfo(self, request: Request) -> Answer:
        grant = self._find(request.header("authorization").removeprefix("Bearer "))
        if grant is None:
            return Answer.of({"error": "invalid_token"}, 401)
        account = grant.account
        groups = {"groups": account.groups} if "userinfo" in self.style.groups_in else {}
        return Answer.of({"sub": account.sub, "preferred_username": account.name, **groups})

    def _introspect(self, request: Request) -> Answer:
        grant = self._find(dict(parse_qsl(request.body.decode()))["token"])
        if grant is None:
            return Answer.of({"active": False})
        facts = {"active": True, "sub": grant.account.sub, "username": grant.account.name}
        client = grant.query.get("client_id", "")
        meant = {"client_id": client, "iss": self.issuer}
        return Answer.of({**facts, **meant, "exp": int(self.now()) + LASTS_S})

    def _device(self, request: Request) -> Answer:
        assert dict(parse_qsl(request.body.decode()))["client_id"] == PROGRAM
        code = secrets.token_hex(16)
        self.devices[code] = None
        facts = {"device_code": code, "user_code": "ABCD-EFGH", "expires_in": 600, "interval": 1}
        return Answer.of({**facts, "verification_uri": f"{self.url}/device"})

    def _device_token(self, form: dict[str, str]) -> Answer:
        grant = self.devices.get(form["device_code"])
        if grant is None:
            return Answer.of({"error": "authorization_pending"}, 400)
        return self._tokens(grant)


@cache
def other_key() -> RSAKey:
    """Return a key with which nothing is signed."""
    return new_key()


def new_key() -> RSAKey:
    """Return a key with a name."""
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)})
