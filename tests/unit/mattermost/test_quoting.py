"""One line in Mattermost's Markdown; whole messages are tried in ``test_mattermost.py``."""

from __future__ import annotations

from autoctrl.mattermost.quoting import LONGEST_LINE, quote_line


def test_a_line_is_plain() -> None:
    """Markup, names and breaks mean nothing in it; an address can be followed."""
    line = quote_line("*run* 7:\n@all see https://x/a_b |`")
    assert line == "\\*run\\* 7: @\u200ball see https://x/a_b \\|\\`"
    assert len(quote_line("x" * 2 * LONGEST_LINE)) == LONGEST_LINE
