"""What remembers used requests: once for all threads, processes and starts, and kill -9 forgets
nothing.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import StoreError
from autoctrl.hooks.ledger import REMEMBERED_FOR, Ledger
from tests.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)
# Uses the nonces 0, 1, 2, … and says of each, when it knows, whether it was the first.
USER = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from autoctrl.hooks.ledger import Ledger

now = datetime.fromisoformat(sys.argv[2])
ledger = Ledger(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    print(number, ledger.use(str(number), now + timedelta(minutes=5), now), flush=True)
"""


@contextmanager
def a_user(path: Path, most: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", USER, str(path), NOW.isoformat(), str(most)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield process
        process.kill()


def the_firsts(lines: str) -> list[str]:
    return [line.split()[0] for line in lines.splitlines() if line.endswith(" True")]


def test_a_nonce_is_new_once(tmp_path: Path) -> None:
    """A nonce is new once, also for who opens the file again; another one is new."""
    path = tmp_path / "state" / "hooks.sqlite"
    assert Ledger(path).use("a", SOON, NOW)
    assert not Ledger(path).use("a", SOON, NOW)
    assert Ledger(path).use("b", SOON, NOW)


def test_a_nonce_that_is_given_back_is_new_again(tmp_path: Path) -> None:
    """As nothing came of it; of one that was never used nothing is to be given back."""
    ledger = Ledger(tmp_path / "hooks.sqlite")
    ledger.give_back("a")
    assert ledger.use("a", SOON, NOW)
    ledger.give_back("a")
    assert [ledger.use("a", SOON, NOW) for _ in range(2)] == [True, False]


def test_an_expired_nonce_is_never_new(tmp_path: Path) -> None:
    """A nonce that has expired is not new, were it never used."""
    assert not Ledger(tmp_path / "hooks.sqlite").use("a", NOW, NOW)


def test_what_has_expired_is_forgotten(tmp_path: Path) -> None:
    """Nonces are kept a day longer than they hold, so a clock may be set back, and then forgotten:
    the file does not grow.
    """
    ledger = Ledger(tmp_path / "hooks.sqlite")
    assert ledger.use("a", SOON, NOW)
    ledger.use("b", SOON + REMEMBERED_FOR, SOON + REMEMBERED_FOR)
    assert not ledger.use("a", SOON, NOW)
    after = SOON + REMEMBERED_FOR + timedelta(seconds=1)
    assert ledger.use("c", after + timedelta(minutes=5), after)
    assert ledger.use("a", SOON, NOW)


def test_no_nonce_is_in_the_file(tmp_path: Path) -> None:
    """Whoever reads the file learns no nonce."""
    path = tmp_path / "hooks.sqlite"
    Ledger(path).use("a-telling-nonce", SOON, NOW)
    assert b"a-telling-nonce" not in path.read_bytes()


def test_one_of_many_threads_is_the_first(tmp_path: Path) -> None:
    """Of sixteen threads that use one nonce at once, one is the first."""
    ledger = Ledger(tmp_path / "hooks.sqlite")
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: ledger.use("a", SOON, NOW), range(16)))
    assert sum(answers) == 1


def test_one_of_two_processes_is_the_first(tmp_path: Path) -> None:
    """Of two processes that use the same nonces, one is the first for each."""
    path = tmp_path / "hooks.sqlite"
    with a_user(path, 40) as one, a_user(path, 40) as other:
        firsts = the_firsts(one.communicate()[0]) + the_firsts(other.communicate()[0])
    assert sorted(map(int, firsts)) == list(range(40))


def test_a_killed_process_forgets_nothing(tmp_path: Path) -> None:
    """What a process said was new before it was killed is not new for the next one."""
    path = tmp_path / "hooks.sqlite"
    with a_user(path, 10_000) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(20)]
        process.kill()
        said += process.stdout.readlines()
    firsts = the_firsts("".join(said))
    assert len(firsts) >= 20
    ledger = Ledger(path)
    assert not any(ledger.use(nonce, SOON, NOW) for nonce in firsts)
    assert ledger.use("another", SOON, NOW)


def test_a_file_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    """Where nothing can be remembered nothing is new: it is an error."""
    path = tmp_path / "hooks.sqlite"
    path.write_text("this is no database, but long enough to be taken for one" * 100)
    with pytest.raises(StoreError, match=r"cannot be kept in .*hooks\.sqlite"):
        Ledger(path).use("a", SOON, NOW)
