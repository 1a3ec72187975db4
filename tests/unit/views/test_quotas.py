"""How full the quotas are, as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import parse_settings
from autoctrl.model.quota import Bounds, QuotaState, Usage, mark_of, take_answer, take_silence
from autoctrl.stores.memory import MemoryStore
from autoctrl.views import Spelling
from autoctrl.views.quotas import list_quotas, tabulate_quotas
from tests.unit.given import NOW

if TYPE_CHECKING:
    from pathlib import Path

TABLES = """
[quotas.full]
type = "local"
path = "."
hold = 95
[quotas.silent]
type = "local"
path = "."
[quotas.new]
type = "local"
path = "."
[quotas.free]
type = "local"
path = "."
"""


def test_each_quota_is_a_line(tmp_path: Path) -> None:
    """What is known by the last answer, why the last question had none, or that nothing is."""
    settings, store = parse_settings(TABLES, tmp_path), MemoryStore()
    bounds = Bounds(85, 95, 2)
    states = {
        "full": take_answer(QuotaState(), Usage(96, 100), bounds, NOW),
        "silent": take_silence(QuotaState(), "nobody answers"),
        "free": take_answer(QuotaState(), Usage(5), bounds, NOW),
    }
    store.append([mark_of(None, "prompt", name, state, NOW) for name, state in states.items()])
    lines = list_quotas(store, "prompt", settings)
    assert [line.is_well for line in lines] == [False, False, False, True]
    table = tabulate_quotas(lines, Spelling("UTC"))
    time = Spelling("UTC").time(NOW)
    assert table.rows == [
        ("full", "hold", "96 %", "95 %", time, "96 B of 100 B"),
        ("silent", "unknown", "-", "-", "-", "nobody answers"),
        ("new", "unknown", "-", "-", "-", "it has not answered yet"),
        ("free", "free", "-", "-", time, "5 B no limit; no limit is set"),
    ]


def test_without_quotas_nobody_is_asked(tmp_path: Path) -> None:
    """A project without any costs nothing."""
    assert list_quotas(MemoryStore(), "prompt", parse_settings("", tmp_path)) == []
