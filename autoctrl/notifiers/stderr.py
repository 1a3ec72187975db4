"""The last resort for what people should be told."""

from __future__ import annotations

import sys


def say(line: str) -> bool:
    """Write a line to stderr; return whether that worked: it may be closed or full."""
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        return False
    return True
