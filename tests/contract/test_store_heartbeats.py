"""What every store must do with heartbeats: keep the last one of each campaign, but no record."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from autoctrl.ports import Heartbeat
from tests.contract.samples import NOW, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.ports import Store

OWNER = "node7.example.org:4711:123456:987654321"
BEAT = Heartbeat("prompt", NOW, OWNER)
LATER = Heartbeat("prompt", NOW + timedelta(minutes=1), "node8:12:34:56")


class TestHeartbeats:
    """The last heartbeat of each campaign is there, and nothing else of them."""

    def test_none_at_first(self, store: Store) -> None:
        """A store in which nobody made a round has no heartbeat."""
        assert store.heartbeats() == {}

    def test_the_last_one_is_kept(self, store: Store, client: Callable[[], Store]) -> None:
        """A heartbeat replaces the one before, for every client."""
        store.beat(BEAT)
        other = client()
        assert other.heartbeats() == {"prompt": BEAT}
        other.beat(LATER)
        assert store.heartbeats() == {"prompt": LATER}

    def test_whoever_wrote_anything_the_revision_is_another(
        self, store: Store, client: Callable[[], Store]
    ) -> None:
        """A record, a lease or a heartbeat, by this client or another; reading leaves it. A store
        that would have to read for it says nothing.
        """
        other = client()
        seen = [store.revision()]
        if seen[0] is None:
            assert other.revision() is None
            return
        for write in (
            lambda: store.append([task("1")]),
            lambda: other.append([task("2")]),
            lambda: other.lease("prompt/reco", OWNER, 60),
            lambda: other.beat(BEAT),
            lambda: store.beat(LATER),
        ):
            write()
            seen.append(store.revision())
            store.heartbeats()
            assert store.revision() == seen[-1]
        assert len({*seen}) == 6

    def test_a_clock_that_was_wrong_is_put_right(self, store: Store) -> None:
        """What was written last holds, so that a time in the future does not stay until then."""
        store.beat(BEAT._replace(time=NOW.replace(year=2038)))
        store.beat(BEAT)
        assert store.heartbeats() == {"prompt": BEAT}

    def test_each_campaign_has_its_own(self, store: Store) -> None:
        """Campaigns of any name come back as they were given, and so do owners."""
        names = ["prompt", "again 2", "größer", 'a"b\\c', "x,y=z", "$x/y", "line\nbreak", "%", ""]
        given = {
            name: Heartbeat(name, NOW + timedelta(microseconds=number), f'{OWNER} "{number}\\"')
            for number, name in enumerate(names)
        }
        for heartbeat in given.values():
            store.beat(heartbeat)
        assert store.heartbeats() == given

    def test_a_heartbeat_is_no_record(self, store: Store) -> None:
        """Neither does it appear among the records nor stand in the way of any."""
        store.append([task("1")])
        store.beat(BEAT)
        store.append([task("2")])
        assert list(store.records()) == [task("1"), task("2")]
        assert store.heartbeats() == {"prompt": BEAT}
