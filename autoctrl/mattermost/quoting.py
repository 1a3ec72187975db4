"""A text in Mattermost's Markdown: what jobs have printed calls nobody, breaks nothing. Pure."""

from __future__ import annotations

import re

LONGEST_POST = 16_383
LONGEST_LINE = 1000
LONGEST_RUN = 100
CUT = "…"

# What a database refuses or what turns the order of the characters around.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_RUN = re.compile("`+")
_TOO_LONG_RUN = re.compile(f"`{{{LONGEST_RUN},}}")
# ``<url|text>`` and ``<!channel>``, which webhooks translate from Slack's notation, also in code.
_SLACK = re.compile(r"<(?=[!@#]|\w+:|[^<|]*\|)")
_BRACKET = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
_MARKUP = re.compile(r"[\\`*_~\[\]#|]")
_REFERENCE = re.compile(r"&(?=#|\w+;)")
# An address stays as it is, so that people can follow it, if nothing in it means anything else.
_ADDRESS = re.compile(r"(https?://[\w./%?=#+,:-]+)", re.ASCII)
# A name after @ is a mention, behind a backslash or written as a reference, too; this splits it.
_SPLIT_AT = "@\N{ZERO WIDTH SPACE}"


def quote_title(text: str) -> str:
    """Return a text as one bold line that mentions nobody; an address at its end is not bold."""
    *before, last = _one_line(text).split(" ")
    is_address = bool(_ADDRESS.fullmatch(last))  # it would take the marks behind it for its own
    bold = " ".join(before if is_address else [*before, last])
    words = [f"**{_quote(bold)}**" if bold else "", last if is_address else ""]
    return " ".join(filter(None, words))


def quote_line(line: str) -> str:
    """Return a text as one line without markup that mentions nobody; its addresses stay."""
    return _quote(_one_line(line))


def _one_line(text: str) -> str:
    return _cut(" ".join(_clean(text).split()), LONGEST_LINE)


def _quote(line: str) -> str:
    parts = _ADDRESS.split(line)
    return "".join(part if index % 2 else _escape(part) for index, part in enumerate(parts))


def quote_block(text: str, longest: int) -> str:
    """Return a text as a block of code of at most so many characters, nothing for an empty one."""
    text = _TOO_LONG_RUN.sub("`" * (LONGEST_RUN - 1) + CUT, _clean(text)).rstrip()
    if not text.strip():
        return ""
    fence = "`" * max(3, _longest_run(text) + 1)
    inside = _cut(text, longest - 2 * len(f"{fence}\n"))
    return f"{fence}\n{inside}\n{fence}"


def quote_link(link: str) -> str:
    """Return an address as people can follow it, anything else as code."""
    line = " ".join(_clean(link).split())
    if not line or _ADDRESS.fullmatch(line):
        return _cut(line, LONGEST_LINE)
    line = _cut(_TOO_LONG_RUN.sub(CUT, line), LONGEST_LINE)
    mark = "`" * (_longest_run(line) + 1)
    gap = " " if len(mark) > 1 else ""
    return f"{mark}{gap}{line}{gap}{mark}"


def _clean(text: str) -> str:
    """Return a text that any server keeps, with line breaks of one kind."""
    text = text.encode("utf-8", "backslashreplace").decode()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SLACK.sub(_BRACKET, _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text))


def _escape(text: str) -> str:
    text = _REFERENCE.sub("&amp;", _MARKUP.sub(r"\\\g<0>", text))
    return text.replace("@", _SPLIT_AT)


def _longest_run(text: str) -> int:
    return max(map(len, _RUN.findall(text)), default=0)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + CUT
