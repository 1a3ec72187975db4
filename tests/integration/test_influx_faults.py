"""The InfluxDB store when something breaks: nothing lost, nothing doubled, a sentence, and it goes
on afterwards.
"""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import SettingsError, StoreError
from autoctrl.model.status import TaskStatus
from autoctrl.ports import Selection
from autoctrl.stores.influx.address import parse_address
from autoctrl.stores.influx.journal import WorkflowKey
from autoctrl.stores.influx.server import Server, read_token
from autoctrl.stores.influx.store import InfluxStore
from tests.contract.samples import NOW, finish, output, task
from tests.contract.stores import append_in_a_fork, bucket_url, wait_until
from tests.proxy import Fault, Kind, Proxy, once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.proxy import Request
    from tests.services import Influx

PATIENCE_S = 20.0


# What happens between the client and a proxy is the same in front of either server.
ONE_SERVER = pytest.mark.parametrize("server", ["influxdb2"], indirect=True)


@pytest.fixture(params=["influxdb1", "influxdb2"])
def server(request: pytest.FixtureRequest) -> Influx:
    found: Influx = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def bucket(server: Influx) -> str:
    return server.fresh_bucket()


@pytest.fixture
def url(server: Influx, bucket: str, tmp_path: Path) -> str:
    return bucket_url(server, bucket, tmp_path)


@pytest.fixture
def proxy(server: Influx) -> Iterator[Proxy]:
    with Proxy(server.url) as opened:
        yield opened


@contextmanager
def opened(
    url: str, *, turn_s: float = 5.0, patience_s: float = PATIENCE_S, timeout_s: float = 10.0
) -> Iterator[InfluxStore]:
    address = parse_address(url)
    edge = Server(address, read_token(address), timeout_s=timeout_s, patience_s=patience_s)
    with closing(InfluxStore(address, server=edge, turn_s=turn_s)) as store:
        yield store


@pytest.fixture
def store(url: str) -> Iterator[InfluxStore]:
    with opened(url) as found:
        yield found


@pytest.fixture
def shaken(server: Influx, bucket: str, tmp_path: Path, proxy: Proxy) -> Iterator[InfluxStore]:
    """Open a client that reaches the server over the proxy."""
    folder = tmp_path / "shaken"
    folder.mkdir()
    with opened(bucket_url(server, bucket, folder, through=proxy.url)) as found:
        yield found


PARTIAL = b'{"message": "partial write: some points were dropped"}'
BATCH = [task(str(number)) for number in range(1, 21)]


def has_journal(request: Request) -> bool:
    return request.is_write and b"journal," in request.body


def has_end(request: Request) -> bool:
    return request.is_write and b'\\"word\\": \\"end\\"' in request.body


def has_claim(request: Request) -> bool:
    return request.is_write and b'\\"word\\": \\"claim\\"' in request.body


def has_words(request: Request) -> bool:
    return request.is_query and b"words" in request.body


@ONE_SERVER
@pytest.mark.parametrize("meant", [has_claim, has_journal, has_end, has_words])
@pytest.mark.parametrize("kind", [Kind.CUT, Kind.CUT_AFTER, Kind.CUT_HALF, Kind.ANSWER])
def test_one_broken_request(
    store: InfluxStore,
    shaken: InfluxStore,
    proxy: Proxy,
    kind: Kind,
    meant: Callable[[Request], bool],
) -> None:
    """A request that is cut before, within or after, or refused as busy, is repeated: the batch is
    there once.
    """
    proxy.plan = once(Fault(kind), meant)
    shaken.append(BATCH)
    assert [len(store.history(one.key)) for one in BATCH] == [1] * len(BATCH)
    shaken.append([BATCH[0].moved(TaskStatus.PROCESSING, NOW)])
    assert len(store.history(BATCH[0].key)) == 2


@ONE_SERVER
@pytest.mark.parametrize("status", [400, 401, 422, 500])
def test_half_a_batch_refused(
    store: InfluxStore, shaken: InfluxStore, proxy: Proxy, status: int
) -> None:
    """Of a batch that the server keeps in part nothing is seen; the error quotes it, and it can be
    written again.
    """

    def only_first(request: Request) -> Fault | None:
        if not has_journal(request):
            return None
        proxy.plan = lambda _: None
        with opened_beside(store) as beside:
            half = request.body[: len(request.body) // 2].rpartition(b"\n")[0]
            beside.write(half.decode().split("\n"))
        return Fault(Kind.ANSWER, status=status, body=PARTIAL)

    proxy.plan = only_first
    with pytest.raises(StoreError, match="partial write"):
        shaken.append(BATCH)
    assert store.tasks(Selection("prompt")) == []
    shaken.append(BATCH)
    assert store.tasks(Selection("prompt")) == BATCH
    assert [one.task for one in store.open_tasks("prompt", "reco")] == BATCH
    assert list(store.records()) == sorted(BATCH, key=lambda one: one.key)
    with opened_url(store) as newcomer:
        assert newcomer.tasks(Selection("prompt")) == BATCH


@contextmanager
def opened_beside(store: InfluxStore) -> Iterator[Server]:
    edge = Server(store.server.address, read_token(store.server.address))
    try:
        yield edge
    finally:
        edge.close()


@contextmanager
def opened_url(store: InfluxStore) -> Iterator[InfluxStore]:
    with closing(InfluxStore(store.server.address)) as found:
        yield found


@ONE_SERVER
def test_a_holder_that_is_silent_too_long(
    store: InfluxStore, server: Influx, bucket: str, tmp_path: Path
) -> None:
    """Of a writer whose commit comes after others have taken over nothing counts, and it writes
    again by itself.
    """
    folder = tmp_path / "slow"
    folder.mkdir()
    with Proxy(server.url) as proxy:
        slow_url = bucket_url(server, bucket, folder, through=proxy.url)
        with opened(slow_url, turn_s=0.4, timeout_s=60.0) as slow, opened_quick(store) as quick:
            proxy.plan = once(Fault(Kind.STALL), has_end)
            thread = threading.Thread(target=slow.append, args=(BATCH,), daemon=True)
            thread.start()
            wait_until(lambda: any(map(has_end, proxy.requests)), "the end is on its way")
            quick.append([task("77")])
            assert quick.tasks(Selection("prompt")) == [task("77")]
            proxy.released.set()
            thread.join(60)
            assert not thread.is_alive()
            assert quick.tasks(Selection("prompt")) == [*BATCH, task("77")]
            assert [len(quick.history(one.key)) for one in BATCH] == [1] * len(BATCH)


@contextmanager
def opened_quick(store: InfluxStore) -> Iterator[InfluxStore]:
    with closing(InfluxStore(store.server.address, turn_s=0.4)) as found:
        yield found


def test_server_killed_and_started(server: Influx, store: InfluxStore) -> None:
    """While the server is away that is said; when it is back all is there, and writing goes on."""
    finish(store, task("1"))
    with opened_impatient(store) as impatient:
        server.kill()
        try:
            with pytest.raises(StoreError, match=r"does not answer.*Is the server running"):
                impatient.append(BATCH[1:])
            with pytest.raises(StoreError, match="does not answer"):
                impatient.tasks(Selection("prompt"))
        finally:
            server.start()
        impatient.append(BATCH[1:])
    assert len(store.tasks(Selection("prompt"))) == len(BATCH)
    assert len(store.history(task("1").key)) == 3


@contextmanager
def opened_impatient(store: InfluxStore) -> Iterator[InfluxStore]:
    edge = Server(store.server.address, read_token(store.server.address), patience_s=0.2)
    with closing(InfluxStore(store.server.address, server=edge)) as found:
        yield found


@ONE_SERVER
def test_busy_for_long(shaken: InfluxStore, store: InfluxStore, proxy: Proxy) -> None:
    """A server that says that it is busy for longer than one waits is named, with its own words."""
    shaken.server._patience_s = 0.2
    proxy.plan = lambda request: (
        Fault(Kind.ANSWER, status=503, body=b"overloaded") if request.is_write else None
    )
    with pytest.raises(StoreError, match=r"is busy: 503, overloaded"):
        shaken.append(BATCH)
    proxy.plan = lambda _: None
    shaken.append(BATCH)
    assert store.tasks(Selection("prompt")) == BATCH


class TestRefusals:
    """What cannot serve as a store is refused with its reason."""

    def test_short_retention(self, server: Influx, tmp_path: Path) -> None:
        """A bucket that deletes old points cannot be a store."""
        url = bucket_url(server, server.fresh_bucket(7 * 86_400), tmp_path)
        with pytest.raises(SettingsError, match=r"retention is 7\.0 days.*infinite"), opened(url):
            pass

    def test_no_bucket(self, server: Influx, tmp_path: Path) -> None:
        """A bucket that does not exist is named."""
        with (
            pytest.raises(StoreError, match="does not exist"),
            opened(bucket_url(server, "no/autogen", tmp_path)),
        ):
            pass

    def test_wrong_token(self, url: str, tmp_path: Path) -> None:
        """A wrong token is told from a missing one."""
        (tmp_path / "token").write_text("no:token")
        with (
            pytest.raises(
                StoreError, match=r"refuses the token.*Give a token.*\[store\] token_file names"
            ),
            opened(url),
        ):
            pass

    @ONE_SERVER
    def test_no_server(self, url: str) -> None:
        """A server that is not there is told after the time to wait."""
        nowhere = url.replace(url.split("/")[2], "127.0.0.1:9")
        with pytest.raises(StoreError, match="does not answer"), opened(nowhere, patience_s=0.1):
            pass

    def test_limited_token(self, server: Influx, bucket: str, tmp_path: Path) -> None:
        """A token for this bucket alone is enough."""
        url = bucket_url(server, bucket, tmp_path)
        (tmp_path / "token").write_text(server.limited_token(bucket))
        with opened(url) as store:
            store.append(BATCH)
            assert store.tasks(Selection("prompt")) == BATCH


@ONE_SERVER
def test_nothing_to_look_up_beside_others(store: InfluxStore, url: str) -> None:
    """What needs no look-up is appended although others have written since one looked."""
    with opened(url) as other:
        store.append([task("1")])
        other.append([output(task("1"))])
    assert [one.name for one in store.find_outputs(Selection("prompt"))] == ["output"]


@ONE_SERVER
def test_fork(store: InfluxStore) -> None:
    """A forked child connects anew; both go on writing."""
    append_in_a_fork(store)


def test_marks_move(store: InfluxStore) -> None:
    """What waits since the first day is found though reading begins where much was done since."""
    waiting = [task(str(number)) for number in range(1, 6)]
    store.append(waiting)
    store.open_tasks("prompt", "reco")
    done = [task(str(number)) for number in range(100, 400)]
    for status in (None, TaskStatus.PROCESSING, TaskStatus.DONE):
        done = [one.moved(status, NOW) for one in done] if status else done
        store.append(done)
    with opened_url(store) as newcomer:
        assert [one.task for one in newcomer.open_tasks("prompt", "reco")] == waiting
        assert newcomer.follower.cache.read_since[WorkflowKey("prompt", "reco")] > 0
        assert newcomer.follower.cache.read_count[WorkflowKey("prompt", "reco")] < 600
        assert len(list(newcomer.records())) == 905
    assert len(store.history(waiting[0].key)) == 1


def test_ping(store: InfluxStore) -> None:
    """Pinging tells the store's id, where it lies, and how far the clocks are apart."""
    assert store.ping().startswith(f"store {store.store_id} in {store.server.address.location} (")
    assert float(store.ping().split()[-3]) < 60
