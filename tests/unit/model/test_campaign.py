"""Campaigns and their parents."""

from __future__ import annotations

from autoctrl.model.campaign import Campaign, lineage, read_campaign
from autoctrl.model.output import MarkRecord
from tests.unit.given import NOW


def mark(campaign: Campaign) -> MarkRecord:
    return MarkRecord("campaign", campaign.name, campaign.name, campaign.values(), NOW)


def test_a_campaign_is_what_its_mark_says() -> None:
    """Writing a campaign down and reading it back changes nothing."""
    campaign = Campaign(
        "again", "prompt", ("reco",), {"tag": "v2"}, "abc", "1-3", follow=True, closed=True
    )
    assert read_campaign(mark(campaign)) == campaign
    assert read_campaign(mark(Campaign("prompt"))) == Campaign("prompt")


def test_an_old_or_newer_mark_reads_as_well_as_it_can() -> None:
    """A value that the mark lacks is the default, and one that nobody knows is passed over."""
    assert read_campaign(MarkRecord("campaign", "x", "x", {"colour": "red"}, NOW)) == Campaign("x")


def test_a_campaign_without_a_list_has_every_workflow_and_run() -> None:
    """None stands for all; a list stands for itself."""
    assert Campaign("prompt").has("anything")
    assert Campaign("prompt").wanted() is None
    chosen = Campaign("again", workflows=("reco",), runs="1-2,7")
    assert (chosen.has("reco"), chosen.has("friends")) == (True, False)
    assert chosen.wanted() == frozenset({1, 2, 7})


def test_the_lineage_goes_from_the_campaign_to_its_oldest_parent() -> None:
    """Parents follow one another, nearest first, and others are left out."""
    campaigns = [
        Campaign("prompt"),
        Campaign("a", "prompt"),
        Campaign("b", "a"),
        Campaign("other", "prompt"),
    ]
    assert [campaign.name for campaign in lineage("b", map(mark, campaigns))] == [
        "b",
        "a",
        "prompt",
    ]


def test_a_lineage_ends_whatever_the_marks_say() -> None:
    """An unknown campaign has none, an unknown parent ends it, and a circle is walked once."""
    circle = [mark(Campaign("a", "b")), mark(Campaign("b", "a")), mark(Campaign("c", "gone"))]
    assert lineage("nobody", circle) == []
    assert [campaign.name for campaign in lineage("a", circle)] == ["a", "b"]
    assert [campaign.name for campaign in lineage("c", circle)] == ["c"]
