"""Every trap of InfluxDB as the real servers lay it, and how the store passes by; where else they
are proved: traps.md.

Each test first shows that the trap is there, then that the store does not fall into it.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from autoctrl.errors import StoreError
from autoctrl.model.output import FieldsRecord, MarkRecord
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.ports import Selection
from autoctrl.stores.influx import flux
from autoctrl.stores.influx.address import parse_address
from autoctrl.stores.influx.points import decode_body
from autoctrl.stores.influx.server import Server, read_token
from autoctrl.stores.influx.store import InfluxStore
from tests.acceptance.project import call
from tests.contract.samples import ALICE, NOW, finish, job, run, task
from tests.contract.stores import bucket_url
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autoctrl.stores.influx.server import FluxRow
    from tests.services import Influx

T = 1_700_000_000_000_000_000  # ns since 1970
ODD = ('a"b', "a\\", "${r}", "a/b|c", "a,b c=d", "ä€😀", "a\nb", ".*", '") |> drop()', "%", "%41")


class Raw(NamedTuple):
    """A bucket as anybody sees it, without the store.

    server  whose it is
    edge    speaks to it
    """

    server: Influx
    edge: Server

    @property
    def bucket(self) -> str:
        return self.edge.address.bucket

    def points(self, measurement: str, then: str = "") -> list[FluxRow]:
        """Return the rows of all fields of a measurement."""
        return self.edge.query(
            f"from(bucket: {flux.text(self.bucket)}) |> range(start: 0, stop: {flux.END_OF_TIME})"
            f" |> filter(fn: (r) => r._measurement == {flux.text(measurement)}){then}\n"
        )

    def values(self, measurement: str, then: str = "") -> dict[str, str]:
        return {row.field: row.value for row in self.points(measurement, then)}

    def delete(self, measurement: str, kind: str = "") -> None:
        """Do what nobody should: delete points, all of a measurement or those of a kind."""
        if self.edge.address.is_v1:
            said = f'DELETE FROM "{measurement}"' + (f" WHERE \"kind\" = '{kind}'" if kind else "")  # noqa: S608
            path, body = f"/query?{urlencode({'db': self.bucket.partition('/')[0], 'q': said})}", ""
        else:
            path = f"/api/v2/delete?{urlencode({'org': self.server.org, 'bucket': self.bucket})}"
            predicate = f'_measurement="{measurement}"' + (f' AND kind="{kind}"' if kind else "")
            body = json.dumps(
                {
                    "start": "1970-01-01T00:00:00Z",
                    "stop": "2100-01-01T00:00:00Z",
                    "predicate": predicate,
                }
            )
        headers = {
            "Authorization": f"Token {self.server.token}",
            "Content-Type": "application/json",
        }
        with urlopen(Request(self.server.url + path, body.encode(), headers), timeout=30) as answer:  # noqa: S310
            assert b"error" not in answer.read()


@pytest.fixture(params=["influxdb1", "influxdb2"])
def server(request: pytest.FixtureRequest) -> Influx:
    found: Influx = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def url(server: Influx, tmp_path: Path) -> str:
    return bucket_url(server, server.fresh_bucket(), tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[InfluxStore]:
    with closing(InfluxStore(parse_address(url))) as opened:
        yield opened


@pytest.fixture
def raw(server: Influx, store: InfluxStore) -> Iterator[Raw]:
    """Open the store's bucket for looking at it and for spoiling it."""
    edge = Server(store.server.address, server.token)
    yield Raw(server, edge)
    edge.close()


def test_points_of_equal_tags_and_time_are_one(raw: Raw, store: InfluxStore) -> None:
    """The later of two such points takes the other's place; each record has a time of its own, in
    whole µs.
    """
    raw.edge.write([f"trap,unit=1 a=1 {T}", f"trap,unit=1 a=2 {T}"])
    assert [row.value for row in raw.points("trap")] == ["2"]
    first = task("1")
    second, third = (
        first.moved(TaskStatus.NEW, NOW),
        first.moved(TaskStatus.NEW, NOW).moved(TaskStatus.NEW, NOW),
    )
    store.append([first, task("2"), second, third])
    times = [row.time for row in raw.points("journal")]
    assert len(set(times)) == len(times) == 4
    assert not any(time % 1000 for time in times)
    assert store.history(first.key) == [first, second, third]


def test_the_client_cuts_nanoseconds(raw: Raw, store: InfluxStore) -> None:
    """The client's own answers hold whole µs; ours tell points apart that lie one ns apart, as the
    mutex needs.
    """
    raw.edge.write([f"trap a=1 {T}", f"trap a=2 {T + 1}"])
    asked = (
        f"from(bucket: {flux.text(raw.bucket)}) |> range(start: 0) |> filter(fn: (r) => "
        'r._measurement == "trap")'
    )
    client: Any = raw.edge._connected()
    tables = client.query_api().query(asked, org=raw.server.org)
    assert len({record.get_time() for table in tables for record in table.records}) == 1
    assert [row.time for row in raw.points("trap")] == [T, T + 1]
    assert {row.time % 1000 % 2 for row in raw.points("mutex") if '"end"' in row.value} == {1}
    assert store.view.committed > 0


def test_a_status_as_tag_is_a_series_for_each_value(raw: Raw, store: InfluxStore) -> None:
    """`last()` gives every status that ever was; with the status as field it gives the newest."""
    raw.edge.write(
        [
            f"trap,unit=1,status={word} a=1 {T + number}"
            for number, word in enumerate(("new", "done"))
        ]
    )
    assert len(raw.points("trap", flux.LAST)) == 2
    finish(store, task("1"))
    for measurement in ("task", "overview"):
        assert raw.values(measurement, flux.LAST)["status"] == "done"
        assert (
            len([row for row in raw.points(measurement, flux.LAST) if row.field == "status"]) == 1
        )


def test_last_mixes_times(raw: Raw, store: InfluxStore) -> None:
    """`last()` takes each field from another record; the store reads records that are complete in
    themselves.
    """
    waiting = task("1").moved(TaskStatus.NEW, NOW, reason="waits", until=NOW)
    going = waiting.moved(TaskStatus.PROCESSING, NOW)
    store.append([task("1"), waiting, going])
    mixed = raw.values("task", flux.LAST)
    assert (mixed["status"], mixed["until"]) == ("processing", NOW.isoformat())
    assert going.until is None
    assert store.tasks(Selection("prompt")) == [going]
    newest = max(
        (row for row in raw.points("journal") if row.field == "body"), key=lambda row: row.time
    )
    assert decode_body("task", newest.value) == going


def test_a_conflict_of_types_drops_the_whole_point(raw: Raw, store: InfluxStore) -> None:
    """Fields of the right type are lost with the wrong one; of custom fields that is a remark, and
    all is kept.
    """
    raw.edge.write([f"trap a=1 {T}"])
    with pytest.raises(StoreError, match="field type conflict"):
        raw.edge.write([f'trap a="x",b=2 {T + 1}'])
    assert {row.field for row in raw.points("trap")} == {"a"}
    done = finish(store, task("1"))
    given: list[dict[str, float | str]] = [
        {"peak": 3},
        {"peak": 3.5},
        {"peak": "none", "width": 2.0},
    ]
    told = []
    for values in given:
        store.append([FieldsRecord(done.key, 1, values, NOW)])
        told.append(list(store.remarks))
    assert told[:2] == [[], []]
    assert "are kept, but not shown in Grafana" in told[2][0]
    assert "field type conflict" in told[2][0]
    kept = [record.values for record in store.history(done.key) if isinstance(record, FieldsRecord)]
    assert kept == given
    assert [row.value for row in raw.points("fields_reco") if row.field == "peak"] == ["3", "3.5"]


def test_an_empty_tag_vanishes(raw: Raw, store: InfluxStore) -> None:
    """The client leaves it out, the server refuses it; a record whose campaign is empty comes back
    all the same.
    """
    from influxdb_client.client.write import point

    made: Any = point
    assert made.Point("trap").tag("campaign", "").field("a", 1).to_line_protocol() == "trap a=1i"
    with pytest.raises(StoreError, match="missing tag value"):
        raw.edge.write([f"trap,campaign= a=1 {T}"])
    mark = MarkRecord("seen", "", "", {"files": 3}, NOW, ALICE)
    store.append([mark])
    assert store.marks("seen") == [mark]
    assert list(store.records()) == [mark]


def test_the_batching_writer_is_silent(raw: Raw, store: InfluxStore) -> None:
    """The client's default writer says nothing of what is refused; ours raises."""
    with raw.edge._connected().write_api() as writer:
        writer.write(bucket=raw.bucket, org=raw.server.org, record=f"trap a=1 {T}")
        writer.write(bucket=raw.bucket, org=raw.server.org, record=f'trap a="x" {T + 1}')
    assert len(raw.points("trap")) < 2
    with pytest.raises(StoreError, match="field type conflict"):
        store.server.write([f'trap a="x" {T + 1}'])


def test_a_refusal_may_have_stored_a_part(raw: Raw, store: InfluxStore) -> None:
    """Of a batch of which the server drops some points by itself, what it has kept counts for
    nobody.
    """
    raw.edge.write([f"trap a=1 {T}"])
    with pytest.raises(StoreError):
        raw.edge.write([f"trap b=1 {T}", f'trap a="x" {T + 1}'])
    assert raw.values("trap") == {"a": "1", "b": "1"}
    raw.edge.write([f"job,campaign=prompt,workflow=reco,unit=1 status=1 {raw_now(store)}"])
    going = task("1").moved(TaskStatus.PROCESSING, NOW)
    with pytest.raises(StoreError, match="conflict"):
        store.append([task("1"), going, job(going), run(7)])
    assert len(raw.points("journal")) >= 4
    with closing(InfluxStore(store.server.address)) as newcomer:
        for one in (store, newcomer):
            assert one.tasks(Selection("prompt")) == []
            assert one.open_tasks("prompt", "reco") == []
            assert one.runs() == ([], 0)
            assert list(one.records()) == []
        newcomer.append([task("1"), run(7)])
    assert store.tasks(Selection("prompt")) == [task("1")]


def raw_now(store: InfluxStore) -> int:
    """Return the server's time in ns: on 1.8 a type is fixed for each shard, which has a week."""
    return store.view.look().state.now


def test_nothing_is_written_over_and_nothing_deleted(
    server: Influx, url: str, tmp_path: Path
) -> None:
    """Over a life with retries, leases and a second client no point but those of the overview and
    the board has a second content.
    """
    folder = tmp_path / "beside"
    folder.mkdir()
    bucket = parse_address(url).bucket
    with Proxy(server.url) as proxy:
        seen_url = bucket_url(server, bucket, folder, through=proxy.url)
        with (
            closing(InfluxStore(parse_address(seen_url))) as one,
            closing(InfluxStore(parse_address(seen_url))) as two,
        ):
            done = finish(one, task("1"))
            lease = two.lease("prompt/reco", "two", 30)
            two.append([done.moved(TaskStatus.NEW, NOW, version=2), task("2")], lease)
            two.lease("prompt/reco", "two", 0)
            one.lease("prompt/reco", "one", 30)
            one.append([run(1), run(1, 2, fill=7)])
        paths = {request.path.partition("?")[0] for request in proxy.requests}
        assert paths <= {"/api/v2/write", "/api/v2/query", "/api/v2/buckets", "/query"}
        written: dict[tuple[str, str], str] = {}
        for request in proxy.requests:
            for line in request.body.decode().split("\n") if request.is_write else ():
                head, _, rest = line.partition(" ")
                fields, _, time = rest.rpartition(" ")
                if time and not head.startswith(("overview,", "board,")):
                    assert written.setdefault((head, time), fields) == fields
    assert len(written) > 20


def test_names_are_never_a_part_of_the_question(store: InfluxStore) -> None:
    """Whatever stands in the name of a unit is found by it, and nothing else is."""
    tasks = [
        task(f"odd:{number}")._replace(key=task().key._replace(unit=f"odd:{word}"))
        for number, word in enumerate(ODD)
    ]
    store.append(tasks)
    for one in tasks:
        assert store.history(one.key) == [one]
        assert store.tasks(Selection("prompt", ("reco",), (one.key.unit,))) == [one]
    assert store.tasks(Selection("prompt", ('reco") |> drop()',))) == []
    lease = store.lease('a" or true', "me", 30)
    assert store.lease("another", "you", 30).epoch == lease.epoch == 1


def test_a_lost_overview_is_made_anew(raw: Raw, store: InfluxStore) -> None:
    """It has one row for each task, and the same again after somebody has deleted it."""
    finish(store, task("1"))
    store.append([task("2"), task("1", "plots")])
    before = sorted((row.time, row.field, row.value) for row in raw.points("overview"))
    assert len([field for _, field, _ in before if field == "status"]) == 3
    raw.delete("overview")
    assert raw.points("overview") == []
    assert store.rebuild("prompt") == 3
    assert sorted((row.time, row.field, row.value) for row in raw.points("overview")) == before


COUNTING = """
import sys
from pathlib import Path

from autoctrl import InlineHandler


def count(task):
    with Path("calls").open("a") as file:
        file.write(f"{task.unit}\\n")


handler = InlineHandler("count", count)

if __name__ == "__main__":
    sys.exit(handler())
"""


def test_a_vanished_record_is_no_work(server: Influx, tmp_path: Path) -> None:
    """Tasks whose records somebody has deleted are not done again by themselves."""
    folder = tmp_path / "project"
    (folder / "workflows/count").mkdir(parents=True)
    (folder / "workflows/count/handler.py").write_text(COUNTING)
    url = bucket_url(server, server.fresh_bucket(), tmp_path)
    (folder / "autoctrl.toml").write_text(
        f"[store]\nurl = '{url.partition('?')[0]}'\ntoken_file = '../token'\n"
    )
    assert call(folder, "runs", "add", "1-3").code == 0
    assert call(folder, "loop", "--until-idle").code == 0
    edge = Server(parse_address(url), server.token)
    with closing(edge):
        raw = Raw(server, edge)
        for kind in ("task", "job"):
            raw.delete(kind)
            raw.delete("journal", kind)
        assert raw.points("task") == []
    assert call(folder, "loop", "--until-idle").code == 0
    assert sorted((folder / "calls").read_text().split()) == ["1", "2", "3"]


def test_a_token_for_hints_does_not_open_the_store(
    server: Influx, url: str, tmp_path: Path
) -> None:
    """Whoever has what travels with the jobs can neither read nor write a record."""
    with closing(InfluxStore(parse_address(url))) as store:
        store.append([task("1")])
        (tmp_path / "token").write_text(server.limited_token(server.fresh_bucket()))
        edge = Server(store.server.address, read_token(store.server.address))
        with closing(edge):
            with pytest.raises(StoreError):
                edge.write([f"journal a=1 {T}"])
            with pytest.raises(StoreError):
                Raw(server, edge).points("journal")
        assert [record for record in store.records() if isinstance(record, TaskRecord)] == [
            task("1")
        ]
