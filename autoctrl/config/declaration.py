"""How one setting is declared: its explanation, its bounds, and to whom it belongs."""

from __future__ import annotations

from dataclasses import field
from typing import Any

ADMINISTRATOR = "administrator"


def setting(
    explanation: str,
    default: object = None,
    *,
    least: float | None = None,
    choices: tuple[str, ...] = (),
    separate: str = "",
    owner: str = "",
    is_path: bool = False,
) -> Any:  # noqa: ANN401 - a field of every type
    """Declare one setting; without a ``default`` it must be given.

    ``least`` is the smallest permitted number. ``separate`` says that two environments must not
    share the value, and how it is compared: as ``text``, ``path`` or ``url``; settings of one table
    that are compared as ``place`` make one value together. ``owner`` is ``ADMINISTRATOR`` for what
    nobody else may say where code is deployed. ``is_path`` says that a relative value is a path,
    which a name in ``_file`` and ``separate`` say already.
    """
    facts = {
        "doc": explanation,
        "least": least,
        "choices": choices,
        "separate": separate,
        "owner": owner,
        "is_path": is_path or separate == "path",
    }
    return field(metadata=facts) if default is None else field(default=default, metadata=facts)
