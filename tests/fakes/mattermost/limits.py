"""The figures of Mattermost's contract, and what a site may set."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

MESSAGE_RUNES = 16_383
PROPS_RUNES = 800_000
FILES = 10
PER_PAGE = 200
SINCE_POSTS = 1000

TRIGGER_RUNES = 128
URL_RUNES = 1024
COMMAND_NAME_RUNES = 64
COMMAND_DESCRIPTION_RUNES = 128
ANSWER_BYTES = 1_048_576
RESPONSE_USES = 5
RESPONSE_SECONDS = 1800

TITLE_RUNES = 24
ELEMENT_LABEL_RUNES = 24
ELEMENT_NAME_RUNES = 300
ELEMENT_HINT_RUNES = 150
TEXT_RUNES = 150
TEXTAREA_RUNES = 3000

BUILT_IN_TRIGGERS = frozenset(
    {
        "away",
        "code",
        "collapse",
        "dnd",
        "echo",
        "expand",
        "groupmsg",
        "header",
        "help",
        "invite",
        "invite_people",
        "join",
        "kick",
        "leave",
        "logout",
        "marketplace",
        "me",
        "msg",
        "mute",
        "offline",
        "online",
        "open",
        "purpose",
        "remove",
        "rename",
        "search",
        "settings",
        "share-channel",
        "shortcuts",
        "shrug",
        "status",
    }
)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time, in seconds since 1970."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.now += seconds


@dataclass
class Site:
    """What an administrator sets.

    site_url              SiteURL; None is the address of the fake, "" is a server without one
    integration_seconds   OutgoingIntegrationRequestsTimeout
    edit_seconds          PostEditTimeLimit; negative is no limit
    edit_status           what an edit is refused with that comes too late: 400, or 403
    are_*_on              EnableCommands, EnableIncomingWebhooks, EnableBotAccountCreation
    can_override          EnablePostUsernameOverride and EnablePostIconOverride
    refuses_private       whether loopback and private addresses are refused to integrations
    allowed_internal      AllowedUntrustedInternalConnections: hosts that are not refused
    oauth_token           of an outgoing OAuth connection that matches the commands' URLs
    files                 how many files a post may have; 5 on older servers
    rate_per_second       RateLimitSettings; 0 is off
    rate_burst            as above
    """

    site_url: str | None = None
    integration_seconds: float = 30.0
    edit_seconds: int = -1
    edit_status: int = 400
    are_commands_on: bool = True
    are_webhooks_on: bool = True
    are_bots_on: bool = True
    can_override: bool = False
    refuses_private: bool = False
    allowed_internal: set[str] = field(default_factory=set)
    oauth_token: str = ""
    files: int = FILES
    rate_per_second: float = 0.0
    rate_burst: int = 100


class Bucket:
    """Counts requests: so many at once, so many more each second."""

    def __init__(self) -> None:
        self.used = 0.0
        self.at: float | None = None

    def take(self, site: Site, now: float) -> bool:
        """Say whether one more request is within the limits."""
        if self.at is not None:
            self.used = max(0.0, self.used - (now - self.at) * site.rate_per_second)
        self.at = now
        if self.used + 1 > site.rate_burst:
            return False
        self.used += 1
        return True

    def headers(self, site: Site) -> tuple[tuple[str, str], ...]:
        """Return what every answer says about the limits; Reset is in seconds from now."""
        reset = -int(-self.used // site.rate_per_second)
        return (
            ("X-Ratelimit-Limit", str(site.rate_burst)),
            ("X-Ratelimit-Remaining", str(int(site.rate_burst - self.used))),
            ("X-Ratelimit-Reset", str(reset)),
        )


wall_clock = time.time
