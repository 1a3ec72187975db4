"""The settings of the page: where it is reached, who may log in, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass

from autoctrl.config.declaration import setting


@dataclass(frozen=True)
class WebSettings:
    """``[web]``: who may see the page, and what they may do there."""

    url: str = setting(
        "Address under which people reach the page, as `https://runs.example.org`.", ""
    )
    hosts: str = setting(
        (
            "Names under which the page answers, separated by spaces; empty: the one in `web.url`, "
            "this machine's and its addresses."
        ),
        "",
    )
    issuer: str = setting("Issuer of the provider of logins (OpenID Connect); empty: none.", "")
    client_id: str = setting("Name under which the provider knows the page.", "")
    client_secret_file: str = setting("File with the secret that goes with it.", "")
    scopes: str = setting("What the provider is asked for.", "openid profile email")
    groups_claim: str = setting("Claim in which the provider names a person's groups.", "groups")
    viewers: str = setting(
        "Groups that may read, separated by spaces; `*` is whoever can log in.", ""
    )
    shifters: str = setting("Groups that may also retry, skip, acknowledge and mute.", "")
    operators: str = setting(
        "Groups that may also reprocess, fail, complete, pause, resume and keep campaigns.", ""
    )
    admins: str = setting("Groups that may also deploy, and see and revoke everybody's tokens.", "")
    public: bool = setting(
        "Whether everybody may see how all stands, without a login.", default=False
    )
    audience: str = setting(
        "Audience of the provider's tokens that programs show; empty takes `web.client_id`.", ""
    )
    device_client_id: str = setting(
        "Name under which the provider knows `autoctrl login`; empty: it is not offered.", ""
    )
    behind_proxy: bool = setting(
        "Whether a proxy in front of the page asks who people are.", default=False
    )
    proxies: str = setting(
        "Addresses or networks of the proxy before the page, as `10.1.2.3 10.2.0.0/16`.", ""
    )
    proxy_header: str = setting("Header in which it names the person.", "X-Forwarded-User")
    proxy_groups_header: str = setting(
        (
            "Header in which it names the person's groups, separated by commas, as "
            "`X-Forwarded-Groups`; empty: none is read. The proxy must set or remove it."
        ),
        "",
    )
    idle_s: int = setting("How long a login lasts unused, seconds.", 28_800, least=60)
    longest_s: int = setting("How long a login lasts at most, seconds.", 86_400, least=60)
    recheck_s: int = setting(
        "How often a person's groups are asked for again, seconds.", 900, least=10
    )
