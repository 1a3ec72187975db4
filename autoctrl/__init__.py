"""autoctrl processes a physics experiment's data automatically and continuously.

A workflow's ``handler.py`` needs these names and no others, and an analyst ``open`` alone; each is
imported only when it is asked for, so that ``import autoctrl`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoctrl.client import open_client as open  # noqa: A004 - autoctrl.open, as one says it
    from autoctrl.handlers.batch import BatchHandler
    from autoctrl.handlers.inline import InlineHandler, inline
    from autoctrl.handlers.inputs import Beside, Files, Friend, Latest, Output
    from autoctrl.locks import After, FileExists, Has, Quiet, RunClosed, Wait, Window
    from autoctrl.model.run import Where

__version__ = "0.1.0"

_HOME = {
    "open": "autoctrl.client",
    "BatchHandler": "autoctrl.handlers.batch",
    "InlineHandler": "autoctrl.handlers.inline",
    "Beside": "autoctrl.handlers.inputs",
    "inline": "autoctrl.handlers.inline",
    "Files": "autoctrl.handlers.inputs",
    "Friend": "autoctrl.handlers.inputs",
    "Latest": "autoctrl.handlers.inputs",
    "Output": "autoctrl.handlers.inputs",
    "After": "autoctrl.locks",
    "FileExists": "autoctrl.locks",
    "Has": "autoctrl.locks",
    "Quiet": "autoctrl.locks",
    "RunClosed": "autoctrl.locks",
    "Wait": "autoctrl.locks",
    "Window": "autoctrl.locks",
    "Where": "autoctrl.model.run",
}

_NAMED = {"open": "open_client"}

__all__ = [
    "After",
    "BatchHandler",
    "Beside",
    "FileExists",
    "Files",
    "Friend",
    "Has",
    "InlineHandler",
    "Latest",
    "Output",
    "Quiet",
    "RunClosed",
    "Wait",
    "Where",
    "Window",
    "inline",
    "open",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the lazy names have every type
    """Import the module that holds ``name`` and keep the name here."""
    if name not in _HOME:
        message = f"module 'autoctrl' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(_HOME[name]), _NAMED.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the names that can be asked for, the lazy ones too, so that a shell completes them."""
    return [*globals(), *(name for name in _HOME if name not in globals())]
