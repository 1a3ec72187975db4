"""Discord's webhooks on 127.0.0.1, as strict as what Discord documents and stricter on manners.

A test's fixture opens the service; leaving it raises what the client did wrong meanwhile::

    @pytest.fixture
    def discord() -> Iterator[Discord]:
        with Discord() as service:
            yield service
"""

from tests.fakes.discord.limiter import Limits, Rate, Scope
from tests.fakes.discord.markdown import NOBODY, Layout, Mentions, blocks, mentions
from tests.fakes.discord.records import Edit, Fault, Kind, Message, Repeat, Request, Webhook
from tests.fakes.discord.service import Discord

__all__ = [
    "NOBODY",
    "Discord",
    "Edit",
    "Fault",
    "Kind",
    "Layout",
    "Limits",
    "Mentions",
    "Message",
    "Rate",
    "Repeat",
    "Request",
    "Scope",
    "Webhook",
    "blocks",
    "mentions",
]
