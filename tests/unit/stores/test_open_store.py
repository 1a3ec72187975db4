"""Which store a URL names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from autoctrl.errors import SettingsError
from autoctrl.stores import open_store
from autoctrl.stores.memory import MemoryStore


def test_memory() -> None:
    """``memory:`` is a new store each time, ``memory:NAME`` one for all that have it open."""
    assert isinstance(open_store("memory:"), MemoryStore)
    assert open_store("memory:").store_id != open_store("memory:").store_id
    first, second = open_store("memory:shared"), open_store("memory:shared")
    assert first.store_id == second.store_id


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("sqlit:a.db", "unknown scheme 'sqlit'. Did you mean 'sqlite'?"),
        ("store.db", "unknown scheme 'store.db'"),
        ("", "unknown scheme ''"),
        ("sqlite:", "names no file"),
        ("influx://host:8086/org/bucket", "unknown scheme 'influx'. Did you mean 'influxdb'?"),
        ("memory", "names no file"),
    ],
)
def test_refused(url: str, text: str) -> None:
    """Another URL is refused with what is wrong, the nearest scheme, and an example."""
    with pytest.raises(SettingsError) as caught:
        open_store(url)
    assert text in str(caught.value)
    assert "[store] url = 'sqlite:autoctrl.db'" in str(caught.value)


def test_sqlite_is_imported_only_when_used() -> None:
    """Opening a store in memory does not import SQLite."""
    code = (
        "import sys; from autoctrl.stores import open_store; open_store('memory:'); "
        "sys.exit('sqlite3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
