"""The realms of the Keycloak that tests log in at: one in its own style, one with what is different
at INDIGO IAM.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SECRET = "page-secret"  # noqa: S105 - of a server that lives as long as the tests
PAGE = "autoctrl-page"
DEVICE = "autoctrl-cli"
PEOPLE = {"sara": "/cygno/shifters", "anna": "/cygno", "otto": "/others"}


def password_of(name: str) -> str:
    """Return the password of one of the people."""
    return f"{name}-password"


def person(name: str, group: str) -> dict[str, Any]:
    """Return somebody who can log in, and the group that they are in."""
    return {
        "username": name,
        "enabled": True,
        "emailVerified": True,
        "email": f"{name}@example.org",
        "firstName": name.title(),
        "lastName": "Example",
        "groups": [group],
        "credentials": [{"type": "password", "value": password_of(name), "temporary": False}],
    }


def groups_mapper(*places: str, full_path: bool) -> dict[str, Any]:
    """Return the mapper that tells groups in some of ``id``, ``access`` and ``userinfo``."""
    tokens = {f"{place}.token.claim": str(place in places).lower() for place in ("id", "access")}
    return {
        "name": "groups",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-group-membership-mapper",
        "config": {
            "claim.name": "groups",
            "full.path": str(full_path).lower(),
            **tokens,
            "userinfo.token.claim": str("userinfo" in places).lower(),
        },
    }


def audience_mapper() -> dict[str, Any]:
    """Return the mapper that makes the page the audience of an access token."""
    return {
        "name": "audience",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {"included.client.audience": PAGE, "access.token.claim": "true"},
    }


def page(*groups_in: str) -> dict[str, Any]:
    """Return the page as a client that is told groups in these tokens."""
    return {
        "clientId": PAGE,
        "enabled": True,
        "protocol": "openid-connect",
        "secret": SECRET,
        "standardFlowEnabled": True,
        "directAccessGrantsEnabled": False,
        "redirectUris": ["http://127.0.0.1/login/callback", "http://127.0.0.1:*"],
        "attributes": {
            "pkce.code.challenge.method": "S256",
            "post.logout.redirect.uris": "http://127.0.0.1/*##http://127.0.0.1:*",
            "backchannel.logout.session.required": "true",
        },
        "protocolMappers": [groups_mapper(*groups_in, full_path=True)],
    }


def program() -> dict[str, Any]:
    """Return a program that a person lets in, as a client whose tokens are for the page."""
    return {
        "clientId": DEVICE,
        "enabled": True,
        "protocol": "openid-connect",
        "publicClient": True,
        "standardFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "attributes": {"oauth2.device.authorization.grant.enabled": "true"},
        "protocolMappers": [groups_mapper("access", "userinfo", full_path=True), audience_mapper()],
    }


def realm(name: str, *groups_in: str) -> dict[str, Any]:
    """Return a realm whose page's client is told groups in these tokens."""
    return {
        "realm": name,
        "enabled": True,
        "sslRequired": "none",
        "accessTokenLifespan": 3600,
        "accessCodeLifespan": 600,
        "passwordPolicy": "hashAlgorithm(pbkdf2-sha256) and hashIterations(1)",
        "ssoSessionIdleTimeout": 86_400,
        "revokeRefreshToken": True,
        "refreshTokenMaxReuse": 0,
        "attributes": {"oauth2DevicePollingInterval": "1"},
        "groups": [
            {"name": "cygno", "subGroups": [{"name": "shifters"}]},
            {"name": "others"},
        ],
        "users": [person(one, group) for one, group in PEOPLE.items()],
        "clients": [page(*groups_in), program()],
    }


def write(folder: str) -> None:
    """Write the realms as a Keycloak reads them when it starts first."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for one in ALL:
        (place / f"{one['realm']}-realm.json").write_text(json.dumps(one))


ALL = (realm("autoctrl", "id", "access", "userinfo"), realm("indigo", "userinfo"))
