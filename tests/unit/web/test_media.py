"""How files are handed to a browser."""

from __future__ import annotations

import pytest

from autoctrl.web.files.media import (
    HEAD,
    JSON,
    MOST_SHOWN,
    PNG,
    PNG_BEGIN,
    TEXT,
    UNKNOWN,
    disposition,
    media_of,
    read_range,
)


@pytest.mark.parametrize(
    ("name", "head", "kind", "is_shown"),
    [
        ("a.png", PNG_BEGIN + b"IHDR", PNG, True),
        ("a.PNG", PNG_BEGIN, PNG, True),
        ("a.png", b"<svg onload=alert(1)>", UNKNOWN, False),
        ("a.json", b'{"a": 1}', JSON, True),
        ("a.json", b"\xff\xfe", UNKNOWN, False),
        ("a.log", "é\n".encode(), TEXT, True),
        ("a.txt", b"a\0b", UNKNOWN, False),
        ("a.csv", b"a,b\n", TEXT, True),
        ("a.svg", b"<svg/>", UNKNOWN, False),
        ("a.html", b"<p>", UNKNOWN, False),
        ("a.root", b"root", UNKNOWN, False),
        ("a.pdf", b"%PDF", UNKNOWN, False),
        ("png", PNG_BEGIN, UNKNOWN, False),
    ],
)
def test_only_pictures_json_and_text_are_shown(
    name: str, head: bytes, kind: str, *, is_shown: bool
) -> None:
    """By name and content alike: a page that calls itself a picture is handed over as a file."""
    assert media_of(name, head, len(head)) == (kind, is_shown)


def test_a_text_may_be_cut_within_a_character() -> None:
    """The first bytes of a long text may end in the middle of one; a short text must not."""
    text = "x" * (HEAD - 1) + "é"
    assert media_of("a.txt", text.encode()[:HEAD], len(text)).is_shown
    assert not media_of("a.txt", "é".encode()[:1], 1).is_shown
    assert not media_of("a.txt", b"x", MOST_SHOWN + 1).is_shown


def test_a_file_keeps_its_name() -> None:
    """In plain letters for old browsers and in full for others; nothing in it ends the header."""
    assert disposition('a b"\r\n;é.png', is_shown=True) == (
        "inline; filename=\"a_b_____.png\"; filename*=UTF-8''a%20b%22%0D%0A%3B%C3%A9.png"
    )
    assert disposition("x.root", is_shown=False).startswith('attachment; filename="x.root"')


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", None),
        ("bytes=0-3", (0, 4)),
        ("bytes=4-", (4, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=8-99", (8, 10)),
        ("bytes = 0 - 0", (0, 1)),
        ("bytes=10-", (10, 10)),
        ("bytes=-0", (10, 10)),
        ("bytes=99-100", (10, 10)),
        ("bytes=-", None),
        ("bytes=3-2", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=²-3", None),
    ],
)
def test_ranges(header: str, part: tuple[int, int] | None) -> None:
    """One part is understood, behind the end is empty, and anything else means the whole."""
    assert read_range(header, 10) == part
