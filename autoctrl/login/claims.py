"""What the provider signs: a person's id, an access token, the word that a login has ended."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any, NoReturn

from joserfc import jwt
from joserfc.errors import JoseError

from autoctrl.login.errors import UNKNOWN_KEY, LoginRefused
from autoctrl.login.provider import has_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.login.provider import Provider

    Claims = dict[str, Any]

ALGORITHMS = ["RS256", "ES256", "PS256"]
LEEWAY_S = 60
LOGOUT_FOR_S = 600  # whoever keeps the word of an earlier logout cannot end later logins by it
LARGEST = 16 * 1024
ACCESS_TYPES = frozenset({"at+jwt", "application/at+jwt"})
ACCESS_KINDS = ("bearer", "access", "access_token")
OF_OTHERS = frozenset({"nonce", "at_hash", "c_hash", "events"})
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


def judge_access_token(provider: Provider, token: str, audience: str) -> Claims | None:
    """Return the claims of an access token that was made for us; None if that does not stand in it,
    so that the provider must be asked. Raises as above, also for a token of another kind.
    """
    if str(_header(token).get("typ", "JWT")).lower() not in {"jwt", *ACCESS_TYPES}:
        _refuse("it is no access token")
    claims = _read(provider, token, "exp", "sub")
    check_kind(claims)
    named = claims.get("aud", [])
    is_ours = audience in (named if isinstance(named, list) else [named])
    return claims if is_ours and _is_access_token(token, claims) else None


def check_kind(claims: Mapping[str, Any]) -> None:
    """Raise ``LoginRefused`` for the claims of what is no access token: an id token, the word that
    a login has ended, a token that renews.
    """
    kind = claims.get("typ", claims.get("token_use", ACCESS_KINDS[0]))
    if OF_OTHERS & claims.keys() or str(kind).lower() not in ACCESS_KINDS:
        _refuse("it is no access token")


def _is_access_token(token: str, claims: Claims) -> bool:
    """Say whether a token declares that it is an access token: an id token may lack all that is
    its own.
    """
    is_declared = str(_header(token).get("typ", "")).lower() in ACCESS_TYPES
    return is_declared or bool({"typ", "token_use", "scope", "scp", "client_id"} & claims.keys())


def read_logout_token(provider: Provider, token: str) -> Claims:
    """Return the claims of the provider's word that a login has ended; raises as above."""
    claims = _read(provider, token, "iat", "jti", aud=provider.client.id)
    if provider.clock.now().timestamp() - claims["iat"] > LOGOUT_FOR_S:
        _refuse("it is old, and may have been said before")
    events = claims.get("events")
    is_logout = isinstance(events, dict) and isinstance(events.get(BACKCHANNEL), dict)
    if not is_logout or "nonce" in claims or not (claims.get("sid") or claims.get("sub")):
        _refuse("it does not say that a login has ended")
    return claims


def is_jwt(token: str) -> bool:
    """Say whether a token is signed text of a kind that can be judged here."""
    is_signed = token.count(".") == 2  # noqa: PLR2004 - header, body, signature
    return is_signed and _header(token).get("alg") in ALGORITHMS


def _read(provider: Provider, token: str, *essential: str, **values: str) -> Claims:
    header = _header(token)
    kid = str(header.get("kid", ""))
    keys = provider.keys(kid)
    if kid and not has_key(keys, kid):
        message = "What the provider has signed is not accepted: its key is not known yet."
        raise LoginRefused(message, hint="Log in again in a minute.", word=UNKNOWN_KEY)
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
    is_of_time = word in {"expired_token", "invalid_token"} or claim in {"iat", "nbf", "exp"}
    clock = "; perhaps a clock is wrong" if is_of_time else ""
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
