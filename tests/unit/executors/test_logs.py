"""How logs are shown, whatever a job prints."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from autoctrl.executors.logs import make_readable


def test_odd_bytes_are_shown() -> None:
    """Bytes that are no UTF-8 and control characters appear as escapes; line ends of any kind are
    line ends.
    """
    assert make_readable("é\t1\r\n2\r3\n".encode()) == "é\t1\n2\n3\n"
    assert make_readable(b"\xff\x00\x1b[0m\x7f\xc2\x9b") == "\\xff\\x00\\x1b[0m\\x7f\\x9b"


@given(some.binary())
def test_no_log_can_harm_a_terminal(raw: bytes) -> None:
    """Whatever a job prints, what is shown is printable text and line ends."""
    shown = make_readable(raw)
    assert all(character in "\n\t" or ord(character) >= 0x20 for character in shown)
    assert not any(0x7F <= ord(character) < 0xA0 for character in shown)
    assert shown.encode().decode() == shown
