"""The provider of logins: what it says of itself, and what it is asked (OpenID Connect)."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc.jwk import KeySet

from autoctrl.login.errors import DOWN_HINT, LoginRefused, ProviderDown
from autoctrl.login.remembered import Remembered
from autoctrl.login.transport import TIMEOUT_S, Careful

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from autoctrl.ports import Clock

    Json = dict[str, Any]

METADATA_FOR = timedelta(hours=1)
AWAKE_FOR = timedelta(minutes=1)
KEYS_EVERY = timedelta(minutes=1)
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


class Client(NamedTuple):
    """As whom the provider is asked.

    issuer  the provider, as the settings name it
    id      our name there
    secret  what goes with it, empty for a client without
    scopes  what is asked for, separated by spaces
    """

    issuer: str
    id: str
    secret: str = ""
    scopes: str = "openid profile email"


class Provider:
    """Asks one provider as one client; threads may share it."""

    def __init__(self, client: Client, clock: Clock) -> None:
        """Ask nothing yet."""
        self.client, self.clock = client, clock
        self.transport = Careful(clock)
        self._metadata = Remembered(self._discover, clock)
        self._keys = Remembered(self._fetch_keys, clock, KEYS_EVERY)

    def close(self) -> None:
        """End all connections."""
        self.transport.shut()

    @property
    def issuer(self) -> str:
        """The issuer exactly as it spells itself. Raises ``ProviderDown``."""
        return str(self.metadata()["issuer"])

    def metadata(self, *, must_be_awake: bool = False) -> Json:
        """Return what the provider says of itself, at most an hour old while it answers.

        Raises ``ProviderDown`` if it was never heard of, and where it ``must_be_awake`` if it has
        been silent for the last minute.
        """
        lasts = AWAKE_FOR if must_be_awake else METADATA_FOR
        now = self.clock.now()
        found = self._metadata.get(lambda known: now - known.at < lasts)
        if must_be_awake and self._metadata.failure:
            raise self._metadata.refusal()
        return dict(found)

    def _discover(self) -> Json:
        configured = self.client.issuer.rstrip("/")
        found = self._get(f"{configured}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != configured:
            message = f"The provider at {configured} calls itself another one."
            raise ProviderDown(message, hint="Look at [web] issuer.")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(found.get(name), str):
                message = f"The provider of logins does not say its {name}."
                raise ProviderDown(message, hint="Look at [web] issuer.")
        return found

    def keys(self, kid: str) -> KeySet:
        """Return the keys with which the provider signs.

        They are asked for again when ``kid`` is not among them, once a minute at most. Raises
        ``ProviderDown``, also if it is not among them and they cannot be had now.
        """
        found = self._keys.get(lambda known: has_key(known.value, kid))
        if self._keys.failure and not has_key(found, kid):
            raise self._keys.refusal()
        return found

    def _fetch_keys(self) -> KeySet:
        return _read_keys(self._get(self.metadata()["jwks_uri"]))

    def authorization_url(self, redirect: str, state: str, nonce: str, verifier: str) -> str:
        """Return the address at which a person logs in. Raises ``ProviderDown``."""
        with self._session() as session:
            session.code_challenge_method = "S256"
            address, _ = session.create_authorization_url(
                self.metadata(must_be_awake=True)["authorization_endpoint"],
                state=state,
                code_verifier=verifier,
                nonce=nonce,
                redirect_uri=redirect,
            )
        return str(address)

    def exchange(self, code: str, verifier: str, redirect: str) -> Json:
        """Return the tokens for a code. Raises ``LoginRefused`` or ``ProviderDown``."""
        return self._token(
            lambda session, url: session.fetch_token(
                url,
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                redirect_uri=redirect,
            )
        )

    def refresh(self, refresh_token: str) -> Json:
        """Return new tokens for an older one, which is used up by it.

        Raises ``LoginRefused`` or ``ProviderDown``.
        """
        return self._token(
            lambda session, url: session.refresh_token(url, refresh_token=refresh_token)
        )

    def _token(self, ask: Callable[[Any, str], Mapping[str, Any]]) -> Json:
        with self._session() as session:
            return dict(ask(session, self.metadata()["token_endpoint"]))

    def userinfo(self, access_token: str) -> Json:
        """Return the claims of a person. Raises ``LoginRefused`` or ``ProviderDown``."""
        address = self.metadata().get("userinfo_endpoint")
        if not address:
            return {}
        return self._get(str(address), {"Authorization": f"Bearer {access_token}"})

    def introspect(self, token: str) -> Json:
        """Return what the provider knows of a token that somebody else got; ``active`` says whether
        it is good. Raises ``ProviderDown``.
        """
        address = self.metadata().get("introspection_endpoint")
        if not address:
            return {"active": False}
        with self._session() as session:
            return _content(session.introspect_token(str(address), token=token))

    def begin_device(self) -> Json:
        """Begin the login of a program on a machine without a browser; return what the person must
        do, as RFC 8628 names it. Raises ``LoginRefused`` or ``ProviderDown``.
        """
        address = self.metadata().get("device_authorization_endpoint")
        if not address:
            message = "The provider of logins lets no programs in."
            raise LoginRefused(message, hint="Make a token instead: autoctrl token create.")
        form = {"client_id": self.client.id, "scope": self.client.scopes}
        with self._session() as session:
            answer = session.request("POST", str(address), data=form, withhold_token=True)
            return _content(answer)

    def ask_device(self, device_code: str) -> Json:
        """Return the tokens of a program that a person has let in.

        Raises ``LoginRefused``, whose ``word`` says ``authorization_pending`` until then, or
        ``slow_down``; and ``ProviderDown``.
        """
        return self._token(
            lambda session, url: session.fetch_token(
                url, grant_type=DEVICE, device_code=device_code
            )
        )

    def logout_url(self, id_token: str, back: str) -> str:
        """Return the address at which a login ends at the provider too, empty if it has none."""
        address = str(self.metadata().get("end_session_endpoint") or "")
        if not address or not id_token:
            return ""
        query = urlencode({"id_token_hint": id_token, "post_logout_redirect_uri": back})
        return f"{address}{'&' if '?' in address else '?'}{query}"

    def _get(self, url: str, headers: Mapping[str, str] | None = None) -> Json:
        with self._session() as session:
            return _content(session.request("GET", url, headers=headers, withhold_token=True))

    @contextmanager
    def _session(self) -> Iterator[Any]:
        """Give a client, and bring what it raises into our words, without any secret."""
        client = OAuth2Client(
            client_id=self.client.id,
            client_secret=self.client.secret or None,
            scope=self.client.scopes,
            transport=self.transport,
            timeout=TIMEOUT_S,
            follow_redirects=False,
            trust_env=False,
        )
        try:
            yield client
        except OAuthError as error:
            word = "".join(filter(str.isprintable, str(error.error)))[:60]
            message = f"The provider of logins refused: {word}."
            raise LoginRefused(message, hint="Log in again.", word=word) from None
        except (httpx2.HTTPError, ValueError, TypeError, KeyError) as error:
            message = (
                f"The provider of logins answers what nobody expects ({type(error).__name__})."
            )
            raise ProviderDown(message, hint=DOWN_HINT) from error


def has_key(keys: KeySet, kid: str) -> bool:
    """Say whether a key of this name is among some."""
    return any(key.kid == kid for key in keys.keys)


def _content(answer: httpx2.Response) -> Json:
    """Return the JSON object of an answer. Raises ``LoginRefused`` for 401 and 403."""
    if answer.status_code in {401, 403}:
        message = f"The provider of logins refused ({answer.status_code})."
        raise LoginRefused(message, hint="Log in again.")
    if answer.status_code != httpx2.codes.OK:
        message = f"The provider of logins answers {answer.status_code}."
        raise ProviderDown(message, hint=DOWN_HINT)
    found = answer.json()
    if not isinstance(found, dict):
        message = "The provider of logins answers no object."
        raise ProviderDown(message, hint=DOWN_HINT)
    return found


def _read_keys(document: Json) -> KeySet:
    listed = document.get("keys")
    wanted = [
        key
        for key in (listed if isinstance(listed, list) else [])
        if isinstance(key, dict) and key.get("use", "sig") == "sig" and key.get("kty") != "oct"
    ]
    return KeySet.import_key_set({"keys": wanted})
