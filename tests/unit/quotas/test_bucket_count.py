"""How far the objects of a bucket have been counted."""

from __future__ import annotations

from autoctrl.quotas.bucket_count import BucketCount, read_count


def test_a_count_goes_on_page_by_page_until_it_is_whole() -> None:
    """The last whole one stays good while the next is under way."""
    count = BucketCount("here").with_page([1, 2], "next", 10.0)
    assert (count.used, count.objects, count.whole_used) == (3, 2, None)
    whole = read_count(count._asdict(), "here").with_page([4], "", 20.0)
    assert whole == BucketCount("here", whole_used=7, whole_objects=3, whole_at=20.0)
    second = whole.with_page([5], "on", 30.0)
    assert (second.used, second.whole_used) == (5, 7)
    assert second.begun_again() == whole


def test_a_count_of_something_else_is_worth_nothing() -> None:
    """After the settings have changed it begins anew; so it does where nothing was kept."""
    count = BucketCount("here").with_page([1], "", 10.0)
    assert read_count(count._asdict(), "there") == BucketCount("there")
    assert read_count(None, "there") == BucketCount("there")
    assert read_count({"where": "there", "of_a_newer_version": 1}, "there") == BucketCount("there")


def test_a_whole_count_rests_for_a_while() -> None:
    """One under way goes on at once; a clock that was set back does not stop it for ever."""
    whole = BucketCount("here").with_page([1], "", 100.0)
    assert BucketCount("here").is_due(100.0, 60)
    assert [whole.is_due(now, 60) for now in (100.0, 159.0, 160.0, 99.0)] == [
        *(False, False),
        *(True, True),
    ]
    assert whole.with_page([1], "on", 110.0).is_due(111.0, 60)
