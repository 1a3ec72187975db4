r"""Texts from outside as they may be shown: what a terminal would obey is spelt ``\x1b``. Pure."""

from __future__ import annotations

LAYOUT = "\n\t"


def one_line(text: str) -> str:
    r"""Return a text in one line: white space as blanks, what cannot be shown as ``\x1b``."""
    return _spell(" ".join(_whole(text).split()), "")


def readable(text: str) -> str:
    r"""Return a text with its lines and tabs as they are, and what cannot be shown as ``\x1b``."""
    return text if text.isascii() and text.isprintable() else _spell(_whole(text), LAYOUT)


def _whole(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _spell(text: str, kept: str) -> str:
    return "".join(
        sign if sign.isprintable() or sign in kept else f"\\x{ord(sign):02x}" for sign in text
    )
