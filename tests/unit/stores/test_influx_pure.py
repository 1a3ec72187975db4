"""The pure parts of the InfluxDB store: whose turn it is, how records become points, what a URL
means.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.errors import SettingsError, StoreError
from autoctrl.stores.influx import flux
from autoctrl.stores.influx.address import HINTS, parse_address
from autoctrl.stores.influx.errors import Unreachable, refusal
from autoctrl.stores.influx.journal import joined
from autoctrl.stores.influx.points import (
    bodies,
    decode_body,
    encode_body,
    split,
    tag_text,
    tag_value,
)
from autoctrl.stores.influx.server import parse_rows, parse_time
from autoctrl.stores.influx.turns import (
    BEGINNING,
    FAILED,
    WITHDRAWN,
    Claim,
    End,
    Hole,
    NextStep,
    claim_word,
    end_word,
    find_voids,
    first_position,
    judge,
    other_word,
    read_state,
)
from autoctrl.stores.json_values import Encoder
from tests.contract.records import JOBS, TASKS
from tests.contract.samples import ALICE, NOW, job, mark, run, task

US = 1000


def claimed(rank: int, *names: int) -> tuple[int, str]:
    return rank, claim_word(Claim(rank, "host:1:2:3", names))


def ended(rank: int, first: int, last: int, previous: int, *voids: int) -> tuple[int, str]:
    return rank + 1, end_word(End(rank, first, last, previous, voids))


class TestTurns:
    """Ends that hold, claims that wait."""

    def test_nothing(self) -> None:
        """In the beginning nothing is committed and the first who claims may write."""
        assert read_state(0, []).committed == BEGINNING
        assert (
            judge(read_state(5, [claimed(10)]), Claim(10, "a"), is_established=False)
            is NextStep.ENTER
        )

    def test_lower_ranks_go_first(self) -> None:
        """Who saw no higher rank waits for the lower ones; who sees a higher one at once
        withdraws.
        """
        words = [claimed(10), claimed(20)]
        state = read_state(5, words)
        assert judge(state, Claim(20, "b"), is_established=False) is NextStep.WAIT
        assert judge(state, Claim(10, "a"), is_established=False) is NextStep.WITHDRAW
        assert judge(state, Claim(10, "a"), is_established=True) is NextStep.ENTER
        after = read_state(5, [*words, (11, other_word(WITHDRAWN))])
        assert judge(after, Claim(20, "b"), is_established=True) is NextStep.ENTER

    def test_below_what_is_committed(self) -> None:
        """A claim that arrives below a committed rank never enters."""
        state = read_state(5, [claimed(10), claimed(20), ended(20, 1, 3, 0)])
        assert state.committed.last == 3
        assert judge(state, Claim(10, "a"), is_established=True) is NextStep.WITHDRAW

    def test_failed_stays_until_it_is_named(self) -> None:
        """Who may have written something blocks the way until somebody declares it void."""
        words = [claimed(10), (11, other_word(FAILED)), claimed(20)]
        state = read_state(5, words)
        assert state.failed == {10}
        assert judge(state, Claim(20, "b"), is_established=True) is NextStep.WAIT
        mine = Claim(20, "b", (10,))
        named = read_state(5, [*words[:2], claimed(20, 10)])
        assert judge(named, mine, is_established=True) is NextStep.ENTER
        assert find_voids(named, mine) == (10,)

    def test_a_late_end_of_a_void_claim(self) -> None:
        """An end that was declared void does not hold, whenever it arrives, and its positions are a
        hole.
        """
        words = [claimed(10_000), claimed(20_000, 10_000), ended(20_000, 11, 12, 4, 10_000)]
        for late in ([], [ended(10_000, 5, 9, 4)]):
            state = read_state(5, [*words, *late])
            assert state.committed.rank == 20_000
            assert [end.hole for end in state.ends if end.hole] == [Hole(4, 11)]
            assert state.ended(10_000) is None

    def test_an_end_that_is_named_is_open(self) -> None:
        """While a claim that names it has not ended, an end neither counts nor may be built on."""
        words = [claimed(10), ended(10, 1, 3, 0), claimed(30, 10), claimed(40)]
        state = read_state(5, words)
        assert state.committed == BEGINNING
        assert state.is_contested(10)
        assert judge(state, Claim(40, "c"), is_established=False) is NextStep.WITHDRAW
        own = read_state(5, words[:3], mine=30)
        assert own.committed.last == 3
        assert judge(own, Claim(30, "b", (10,)), is_established=False) is NextStep.ENTER
        assert find_voids(own, Claim(30, "b", (10,))) == ()

    def test_a_void_end_voids_nothing(self) -> None:
        """What a void end declares void holds."""
        words = [claimed(10), claimed(20, 10), claimed(30, 20)]
        ends = [ended(10, 1, 3, 0), ended(20, 5, 6, 0, 10), ended(30, 8, 9, 3, 20)]
        state = read_state(5, [*words, *ends])
        assert [end.rank for end in state.ends] == [10, 30]

    def test_positions(self) -> None:
        """Positions begin after the clock, what is committed, and all that a void claim may have
        used.
        """
        state = read_state(7 * US, [claimed(10), ended(10, 1, 3, 0)])
        assert first_position(state, ()) == 7
        assert first_position(state, (20 * US + 4,)) == 21
        assert first_position(read_state(0, [claimed(10), ended(10, 1, 30, 0)]), ()) == 31


class TestPoints:
    """Records as points and back."""

    @given(TASKS)
    def test_task(self, record: object) -> None:
        """A body gives back the whole record."""
        assert decode_body("task", encode_body(record, Encoder()).text) == record  # type: ignore[arg-type] # drawn

    @given(JOBS)
    def test_job(self, record: object) -> None:
        """A body gives back the whole record."""
        assert decode_body("job", encode_body(record, Encoder()).text) == record  # type: ignore[arg-type] # drawn

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_tags(self, value: str) -> None:
        """Whatever a tag holds comes back, and nothing in it means anything to the server."""
        written = tag_text(value)
        assert tag_value(written) == value
        assert written
        assert not set(written) & set(" ,=\\\n\"'")

    def test_long_bodies(self) -> None:
        """A body that is too long for one field is split and joined again."""
        long = "ä" * 100_000
        pieces = split(long)
        assert len(pieces) > 1
        assert all(len(piece.encode()) <= 60_000 for piece in pieces)
        fields = dict(bodies(long))
        assert joined({name: value[1:-1] for name, value in fields.items()}) == long

    @pytest.mark.parametrize("odd", [{"version": 2**63}, {"reason": "\ud800"}])
    def test_what_no_store_holds(self, odd: dict[str, Any]) -> None:
        """Numbers beyond 64 bits and halves of characters are refused."""
        with pytest.raises(StoreError, match="cannot hold a value"):
            encode_body(task(**odd), Encoder())


def test_flux_texts_mean_themselves() -> None:
    """Quotes, backslashes and interpolations in a name stay what they are."""
    assert flux.text('a"b\\c${d}\n') == '"a\\"b\\\\c\\x24{d}\\n"'
    assert flux.one_of("unit", ["fill:8.2", "a/b"]) == r"r.unit =~ /^(fill:8\.2|a\/b)$/"


def test_answers() -> None:
    """Tables with headers of their own are told apart, and times keep their ns."""
    text = ",result,table,_time,_value\r\n,a,0,1970-01-01T00:00:01.000000002Z,x\r\n\r\n"
    text += ',result,table,_time,_value,kind\r\n,b,0,1970-01-01T00:00:02Z,"y,""z",task\r\n\r\n'
    rows = list(parse_rows(text.splitlines(keepends=True)))
    assert [(row.result, row.time, row.value, row.extra) for row in rows] == [
        ("a", 1_000_000_002, "x", {}),
        ("b", 2_000_000_000, 'y,"z', {"kind": "task"}),
    ]
    assert parse_time("1970-01-01T00:00:00.5Z") == 500_000_000


class TestAddresses:
    """What a URL names."""

    def test_both_kinds(self) -> None:
        """An organization and a bucket, or a database and its retention policy."""
        new = parse_address("influxdbs://db.example.org/exp/prod?token_file=/run/token")
        assert new == ("https://db.example.org:8086", "exp", "prod", "/run/token", "store")
        old = parse_address("influxdb://127.0.0.1:8087/-/auto/autogen")
        assert (old.bucket, old.is_v1) == ("auto/autogen", True)

    @pytest.mark.parametrize(
        ("url", "text"),
        [
            ("influxdb://me:pass@host/o/b", "contains a user or a token"),
            ("influxdb://host/o", "does not name a server"),
            ("influxdb://host/-/database", "retention policy"),
            ("influxdb://host:x/o/b", "port that is not a number"),
            ("influxdb://host/o/b?tokenfile=x", "Did you mean 'token_file'"),
        ],
    )
    def test_refused(self, url: str, text: str) -> None:
        """Anything else is refused with what is wrong."""
        with pytest.raises(SettingsError, match=text):
            parse_address(url)


class TestRefusals:
    """What a server's answer means."""

    @pytest.mark.parametrize(
        ("status", "said", "text"),
        [
            (
                0,
                "[SSL: WRONG_VERSION_NUMBER] wrong version number",
                "does not speak TLS: .* Write influxdb:// instead",
            ),
            (
                0,
                "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed",
                "cannot be trusted: .*SSL_CERT_FILE",
            ),
            (
                400,
                "Client sent an HTTP request to an HTTPS server",
                "speaks TLS only: 400.* Write influxdbs://",
            ),
            (
                403,
                "Flux query service disabled. Verify flux-enabled=true",
                "switched off: 403.*flux-enabled = true",
            ),
            (403, "insufficient permissions for write", "may only be read with this token"),
            (500, 'user "a" requires READ for database "b"', "may only be written with this token"),
            (
                401,
                "unauthorized access",
                r"refuses the token: 401.*\[store\] token_file names.*AUTOCTRL_STORE_TOKEN",
            ),
            (
                404,
                'organization name "x" not found',
                "does not exist: 404.*Correct the organization",
            ),
            (404, 'bucket "x" not found', "does not exist: 404.*Make the bucket"),
            (500, "write failed: no space left on device", "has no space left"),
            (500, "panic", "refused: 500, panic. Look into the server's log"),
            (422, "partial write", "refused: 422, partial write. Nothing of the batch counts"),
            (503, "overloaded", "is busy: 503, overloaded"),
        ],
    )
    def test_meaning(self, status: int, said: str, text: str) -> None:
        """Each is told with its words, the place, and what to do."""
        error = refusal(parse_address("influxdb://host/o/b"), status, said)
        assert str(error).startswith("The store b at http://host:8086 ")
        assert re.search(text, str(error))
        assert isinstance(error, Unreachable) is (status == 503)

    def test_hints_have_settings_of_their_own(self) -> None:
        """The bucket of hints is named as that, with its setting, and no variable holds its
        token.
        """
        text = str(refusal(parse_address("influxdb://host/o/b", HINTS), 401, "no"))
        assert text.startswith(
            "The bucket of hints b at http://host:8086 refuses the token: 401, no."
        )
        assert text.endswith("in the file that [hints] token_file names.")


def test_a_job_of_before_its_beginning_was_known() -> None:
    """A body without it is read as one of which nobody knows."""
    whole = job(task())._replace(actor=ALICE, began=NOW)
    body = encode_body(whole, Encoder())
    assert decode_body("job", body.text) == whole
    older = json.dumps(json.loads(body.text)[:-1])
    assert decode_body("job", older) == whole._replace(began=None)
    oldest = json.dumps(json.loads(body.text)[:-2])
    assert decode_body("job", oldest) == whole._replace(began=None)


@pytest.mark.parametrize("record", [task(), run(7), mark("reco")])
def test_a_record_of_before_there_were_subjects(record: Any) -> None:
    """A body without an actor's subject, as older versions wrote it, is read as nobody's proof."""
    body = encode_body(record, Encoder())
    older = json.dumps(json.loads(body.text)[:-1])
    assert decode_body(body.kind, older) == record
