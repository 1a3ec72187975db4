"""How often a client may ask, and how it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.discord import Discord, Fault, Kind, Limits, Rate, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.fakes.discord.client import Answer, Client, Hands

COUNTS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset-After")


@pytest.fixture
def discord(hands: Hands) -> Iterator[Discord]:
    limits = Limits(
        user=Rate(2, 2.5), shared=Rate(3, 60.25), everywhere=Rate(7, 100.0), invalid_answers=3
    )
    with Discord(clock=hands, limits=limits) as service:
        yield service


def counts(answer: Answer) -> list[str | None]:
    return [answer.headers.get(name) for name in COUNTS]


def assert_refused(answer: Answer, scope: str, retry_after_s: float, whole_s: str) -> None:
    assert answer.status == 429
    assert answer.headers["X-RateLimit-Scope"] == scope
    assert answer.headers["Retry-After"] == whole_s
    assert answer.headers.get("X-RateLimit-Global") == ("true" if scope == "global" else None)
    assert answer.body["retry_after"] == retry_after_s
    assert isinstance(answer.body["retry_after"], float)
    assert answer.body["global"] is (scope == "global")


def test_answers_say_how_much_is_left(client: Client, hands: Hands) -> None:
    """Each answer counts down what is left, and says when it is given back."""
    first = client.post(content="a")
    hands.now_s += 1.0
    second = client.post(content="")
    assert counts(first) == ["2", "1", "2.500"]
    assert counts(second) == ["2", "0", "1.500"]
    assert first.headers["X-RateLimit-Reset"] == "1800000002.500"
    assert first.headers["X-RateLimit-Bucket"] == second.headers["X-RateLimit-Bucket"]
    assert second.status == 400
    hands.now_s += 1.5
    assert counts(client.ask("GET")) == ["2", "1", "2.500"]


def test_webhook_that_asks_too_often_has_to_wait(
    discord: Discord, client: Client, hands: Hands
) -> None:
    """The limit of a webhook refuses with the time to wait, and lets through after it."""
    client.post(content="a")
    client.post(content="b")
    hands.now_s += 0.25
    refused = client.post(content="c")
    assert_refused(refused, "user", 2.25, "3")
    assert counts(refused) == ["2", "0", "2.250"]
    assert client.post(content="c", hook=discord.add_webhook()).status == 200
    hands.now_s += refused.body["retry_after"]
    assert client.post(content="c").status == 200
    assert len(discord.posts) == 4


def test_who_does_not_wait_is_noticed(discord: Discord, client: Client, hands: Hands) -> None:
    """To ask before the time to wait is over is a violation."""
    for _ in range(3):
        client.ask("GET")
    hands.now_s += 2.4
    assert client.ask("GET").status == 429
    [found] = discord.take_violations()
    assert found.startswith("asked before retry_after was over")


def test_channel_is_shared(discord: Discord, client: Client, hands: Hands) -> None:
    """The limit of a channel counts the messages of all its webhooks, and no edits."""
    other = discord.add_webhook(channel_id=discord.webhook.channel_id)
    number = client.post(content="a").body["id"]
    client.post(content="b")
    client.post(content="c", hook=other)
    refused = client.post(content="d", hook=other)
    assert_refused(refused, "shared", 60.25, "61")
    assert counts(refused) == ["2", "1", "2.500"]
    assert discord.invalid_answers == 0
    hands.now_s += 3
    assert client.say("PATCH", f"/messages/{number}", content="z").status == 200


def test_address_of_the_client_has_a_limit(discord: Discord, client: Client) -> None:
    """The limit of an address counts over all webhooks, and its refusal names no bucket."""
    for _ in range(7):
        client.post(content="a", hook=discord.add_webhook())
    refused = client.post(content="a", hook=discord.add_webhook())
    assert_refused(refused, "global", 100.0, "100")
    assert counts(refused) == [None, None, None]


@pytest.mark.parametrize("scope", Scope)
def test_refusal_can_be_planned(
    discord: Discord, client: Client, hands: Hands, scope: Scope
) -> None:
    """A planned refusal holds until its time is over, for others of its scope too."""
    discord.plan(Fault(Kind.THROTTLED, scope=scope, retry_after_s=64.57))
    refused = client.post(content="a")
    assert_refused(refused, scope.value, 64.57, "65")
    hands.now_s += 64.5
    assert_refused(client.post(content="a"), scope.value, 0.07, "1")
    assert len(discord.take_violations()) == 1
    hands.now_s += 0.07
    assert client.post(content="a").status == 200


def test_too_many_invalid_answers_shut_a_client_out(
    discord: Discord, client: Client, hands: Hands
) -> None:
    """After so many invalid answers the network before Discord answers, for ten minutes."""
    discord.plan(*[Fault(Kind.FORBIDDEN)] * 3)
    for _ in range(3):
        hands.now_s += 3
        assert client.ask("GET").status == 403
    out = client.ask("GET")
    assert out.status == 429
    assert out.headers["Content-Type"].startswith("text/html")
    assert discord.invalid_answers == 3
    hands.now_s += 600
    assert client.ask("GET").status == 200


def test_limits_are_those_that_people_see(client: Client) -> None:
    """By default a webhook may ask five times in two seconds, in the time of the machine."""
    with Discord() as service:
        client.service = service
        assert counts(client.ask("GET"))[0] == "5"
        assert service.requests[0].at_s > 1_700_000_000
