"""What the provider signs: a person's id, an access token, the word that a login has ended."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any, NoReturn

from joserfc import jwt
from joserfc.errors import JoseError

from autoctrl.login.errors import LoginRefused

if TYPE_CHECKING:
    from autoctrl.login.provider import Provider

    Claims = dict[str, Any]

ALGORITHMS = ["RS256", "ES256", "PS256"]
LEEWAY_S = 60
LARGEST = 16 * 1024
BACKCHANNEL = "http://schemas.openid.net/event/backchannel-logout"


def read_id_token(provider: Provider, token: str, nonce: str = "") -> Claims:
    """Return the claims of an id token that is ours, good now and, if a ``nonce`` is given, answers
    to that one login. Raises ``LoginRefused`` or ``ProviderDown``.
    """
    wanted = {"aud": provider.client.id, **({"nonce": nonce} if nonce else {})}
    claims = _read(provider, token, "exp", "iat", "sub", **wanted)
    audience = claims["aud"]
    is_shared = isinstance(audience, list) and len(audience) > 1
    if (is_shared or "azp" in claims) and claims.get("azp") != provider.client.id:
        _refuse("it was made for somebody else")
    return claims


def read_access_token(provider: Provider, token: str, audience: str) -> Claims:
    """Return the claims of an access token whose audience we are; raises as above."""
    claims = _read(provider, token, "exp", "sub", aud=audience)
    if {"nonce", "at_hash"} & claims.keys() or claims.get("typ") == "ID":
        _refuse("it is no access token")
    return claims


def read_logout_token(provider: Provider, token: str) -> Claims:
    """Return the claims of the provider's word that a login has ended; raises as above."""
    claims = _read(provider, token, "iat", "jti", aud=provider.client.id)
    events = claims.get("events")
    is_logout = isinstance(events, dict) and isinstance(events.get(BACKCHANNEL), dict)
    if not is_logout or "nonce" in claims or not (claims.get("sid") or claims.get("sub")):
        _refuse("it does not say that a login has ended")
    return claims


def is_jwt(token: str) -> bool:
    """Say whether a token is signed text, so that it can be judged here."""
    return token.count(".") == 2 and bool(_header(token))  # noqa: PLR2004 - header, body, signature


def _read(provider: Provider, token: str, *essential: str, **values: str) -> Claims:
    header = _header(token)
    keys = provider.keys(str(header.get("kid", "")))
    rules: dict[str, Any] = {name: {"essential": True} for name in essential}
    rules |= {name: {"essential": True, "value": value} for name, value in values.items()}
    rules["iss"] = {"essential": True, "value": provider.issuer}
    now = int(provider.clock.now().timestamp())
    try:
        found = jwt.decode(token, keys, algorithms=ALGORITHMS)
        jwt.JWTClaimsRegistry(now=now, leeway=LEEWAY_S, **rules).validate(found.claims)
    except (JoseError, ValueError, TypeError) as error:
        _refuse(_why(error))
    return dict(found.claims)


def _why(error: Exception) -> str:
    word = getattr(error, "error", "") or type(error).__name__
    claim = getattr(error, "claim", None)
    clock = "; perhaps a clock is wrong" if word in {"expired_token", "invalid_token"} else ""
    return f"{word}{f' {claim}' if claim else ''}{clock}"


def _header(token: str) -> dict[str, Any]:
    part = token.partition(".")[0]
    if len(token) > LARGEST:
        return {}
    try:
        found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _refuse(why: str) -> NoReturn:
    message = f"What the provider has signed is not accepted: {why}."
    raise LoginRefused(message, hint="Log in again.")
