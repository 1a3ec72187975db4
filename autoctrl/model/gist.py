"""What a reason says apart from its figures, runs and paths: by that reasons are alike. Pure."""

from __future__ import annotations

import re

from autoctrl.model.text import one_line

LONGEST_GIST = 300
MANY_JOBS = re.compile(r"^\d+ jobs failed, the first: ")
FIGURES = re.compile(r"\d+")


def gist_of(reason: str) -> str:
    """Return the words of a reason but for figures, run numbers and paths; where nothing else is
    in it, the reason with its figures as ``#``.
    """
    text = MANY_JOBS.sub("", one_line(reason))
    words = [word for word in text.split() if "/" not in word and not _has_figure(word)]
    gist = " ".join(words) or FIGURES.sub("#", text)
    return gist[:LONGEST_GIST]


def _has_figure(word: str) -> bool:
    return any(map(str.isdigit, word))
