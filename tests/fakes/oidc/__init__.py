"""A strict provider of logins (OpenID Connect): what Keycloak and INDIGO IAM do."""

from __future__ import annotations

from tests.fakes.oidc.provider import FakeProvider, Style

__all__ = ["FakeProvider", "Style"]
