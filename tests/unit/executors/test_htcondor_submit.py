"""Orders become rows of a submission, and come out on the node as they went in."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from autoctrl.executors.htcondor import node
from autoctrl.executors.htcondor.submit import (
    COLUMNS,
    SEPARATOR,
    Manner,
    build_rows,
    encode,
    escape,
    parse_row,
    write_prologue,
)
from autoctrl.model.job import JobSpec
from autoctrl.ports import JobOrder

SPOOL = Manner(
    travels=True, python="python3", interpreter="/venv/python", grace_s=5.0, common={}, hints={}
)
SHARED = SPOOL._replace(travels=False, python="")
WORDS = st.text(st.characters(exclude_characters="\x00"), max_size=20)


def order(
    number: int = 0, argv: tuple[str, ...] = ("true",), inputs: tuple[str, ...] = (), **changes: Any
) -> JobOrder:
    spec = JobSpec(argv, {"out": "x.root"}, {"raw": inputs}, {}, 1000, 3600, 1, "cern")
    return JobOrder(f"s/prompt/reco/{number}/v1/0.1", spec._replace(**changes), f"/out/{number}")


def items(line: str) -> dict[str, str]:
    return dict(zip(COLUMNS, line.rstrip("\n").split(SEPARATOR), strict=True))


def on_node(common: str, line: str, base: str = "/scratch") -> dict[str, Any]:
    ad = {
        "AutoctrlCommon": common,
        "AutoctrlSpec": items(line)["spec"],
        "AutoctrlTag": items(line)["tag"],
    }
    return node.describe({**ad, "NumShadowStarts": "3", "NumJobReconnects": "1"}, base)[0]


@given(
    st.lists(WORDS, min_size=1, max_size=4),
    st.dictionaries(st.text("AB_", min_size=1), WORDS, max_size=2),
)
def test_whatever_is_given_arrives(argv: list[str], environment: dict[str, str]) -> None:
    """Any words and any environment arrive as they were, and no row holds a character that could
    end it.
    """
    made = build_rows([order(argv=tuple(argv), environment=environment)], SHARED, lambda _: True)
    (line,) = made.lines
    assert re.fullmatch(r"[ -~]*", made.common + line.rstrip("\n").replace(SEPARATOR, ""))
    assert not set("\"'$\\") & set(made.common + line)
    spec = on_node(made.common, line)
    assert spec["argv"] == argv
    assert environment.items() <= spec["environment"].items()
    assert (spec["tag"], spec["start"]) == ("s/prompt/reco/0/v1/0.1", 2)


def test_bytes_that_are_no_text_arrive() -> None:
    """A word with bytes that are no UTF-8, as file names may have them, arrives as it was."""
    made = build_rows(
        [order(argv=(b"\xff\xfe".decode(errors="surrogateescape"),))], SHARED, lambda _: True
    )
    (word,) = on_node(made.common, made.lines[0])["argv"]
    assert word.encode(errors="surrogateescape") == b"\xff\xfe"


def test_a_row_begins_with_its_number_and_has_no_empty_item() -> None:
    """Rows are numbered like HTCondor's jobs, and an item is never empty where a row before it has
    one.
    """
    orders = [order(0, inputs=("/data/a",)), order(1), order(2, avoid=("n1", "n2"))]
    found = [items(line) for line in build_rows(orders, SPOOL, lambda _: True).lines]
    assert [each["row"] for each in found] == ["0", "1", "2"]
    assert [each["inputs"] for each in found] == ["/data/a", "nothing", "nothing"]
    assert [each["avoid"] for each in found] == ["-", "-", "n1,n2"]
    assert all(all(each.values()) for each in found)


def test_what_was_written_can_be_read() -> None:
    """A row gives back tag, folder and outputs."""
    (line,) = build_rows([order(7)._replace(folder="/out put/é%")], SPOOL, lambda _: True).lines
    assert parse_row(line) == ("s/prompt/reco/7/v1/0.1", "/out put/é%", {"out": "x.root"})


def test_inputs_keep_their_names_or_get_better_ones() -> None:
    """A second input of one name and an odd path are linked under names of their own; a missing one
    has none.
    """
    paths = (
        "/a/raw.dat",
        "/b/raw.dat",
        "/c/odd, é.dat",
        "/d/missing",
        "root://far/raw.dat",
        "/a/raw.dat",
    )
    made = build_rows([order(4, inputs=paths)], SPOOL, lambda path: path != "/d/missing")
    spec = json.loads(unquote(items(made.lines[0])["spec"]))
    assert made.aliases == {"0-1-raw.dat": "/b/raw.dat", "0-2-odd___.dat": "/c/odd, é.dat"}
    assert items(made.lines[0])["inputs"] == "/a/raw.dat,inputs/0-1-raw.dat,inputs/0-2-odd___.dat"
    assert spec["inputs"] == {
        "/a/raw.dat": "raw.dat",
        "/b/raw.dat": "0-1-raw.dat",
        "/c/odd, é.dat": "0-2-odd___.dat",
        "/d/missing": None,
    }


def test_what_all_rows_share_is_said_once() -> None:
    """An environment that all rows share stands in the common part; rows that differ have their
    own.
    """
    alike = build_rows([order(0), order(1)], SPOOL, lambda _: True)
    assert all(
        "environment" not in json.loads(unquote(items(line)["spec"])) for line in alike.lines
    )
    mixed = build_rows(
        [order(0), order(1, environment={"A": "1"}), order(2, cpus=4)], SPOOL, lambda _: True
    )
    seen = [on_node(mixed.common, line)["environment"] for line in mixed.lines]
    assert [each.get("A") for each in seen] == [None, "1", None]
    assert [each["OMP_NUM_THREADS"] for each in seen] == ["1", "1", "4"]


def test_the_controllers_interpreter_is_the_nodes_there() -> None:
    """A command that begins with the controller's own interpreter runs with the node's, where that
    is another one.
    """
    command = ("/venv/python", "-m", "tool", "/venv/python")
    for manner, first in ((SPOOL, "python3"), (SHARED, "/venv/python")):
        made = build_rows([order(argv=command)], manner, lambda _: True)
        assert on_node(made.common, made.lines[0])["argv"] == [first, *command[1:]]


def test_the_wrappers_limits_lie_above_htcondors() -> None:
    """The wrapper stops a job only somewhat beyond what HTCondor is asked for."""
    made = build_rows([order(memory_mb=1000, time_limit_s=100)], SPOOL, lambda _: True)
    spec = on_node(made.common, made.lines[0])
    assert (spec["memory_mb"], spec["time_limit_s"]) == (1164, 165)
    assert (items(made.lines[0])["memory_mb"], items(made.lines[0])["time_limit_s"]) == (
        "1000",
        "100",
    )


def test_words_that_name_inputs_are_mapped() -> None:
    """A path counts alone, after a sign and before one; not as the beginning of another path."""
    places = {"/d/a": "/s/a", "/d/a.root": "/s/x.root"}
    words = [
        "/d/a",
        "--in=/d/a.root:tree",
        "/d/a,/d/a.root",
        "/d/a.rootx",
        "/x/d/a",
        "s/d/a/",
        "'/d/a'",
    ]
    found = [node.rename_paths(word, places) for word in words]
    assert found == [
        "/s/a",
        "--in=/s/x.root:tree",
        "/s/a,/s/x.root",
        "/d/a.rootx",
        "/x/d/a",
        "s/d/a/",
        "'/s/a'",
    ]
    assert node.rename_paths("/d/a", {}) == "/d/a"


def test_a_jobs_ad_is_read_by_name() -> None:
    """Attributes are found whatever their case, numbers as text; others are left out."""
    text = 'Other = 3\nAUTOCTRLSPEC = "%7B%7D"\nNumShadowStarts = 2\nAutoctrlTag = "a/b"\n'
    assert node.read_ad(text) == {
        "AutoctrlSpec": "%7B%7D",
        "NumShadowStarts": "2",
        "AutoctrlTag": "a/b",
    }


def test_descriptions_are_safe_from_their_values() -> None:
    """A dollar stands for itself, and the macros of a batch come before everything else."""
    assert escape("/a$(b)") == "/a$(DOLLAR)(b)"
    assert encode('a"b$') == "a%22b%24"
    assert write_prologue({"batch": "x"}, 0) == "autoctrl_batch = x\n"
    assert write_prologue({"batch": "x"}, 7) == "autoctrl_batch = x\nmax_idle = 7\n"
