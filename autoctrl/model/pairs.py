"""Values by name, as people write them: ``fill=8222``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def parse_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Return ``("fill=8222",)`` as a dictionary. Raises ``UsageError`` for a text without ``=``."""
    for pair in pairs:
        if "=" not in pair:
            message = f"'{pair}' sets nothing."
            raise UsageError(message, hint="Write it as name=value, e.g. fill=8222.")
    return dict(pair.split("=", 1) for pair in pairs)


def type_values(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with texts that are whole numbers as such, so that ``{campaign.year:04d}``
    works.
    """
    return {key: _typed(value) for key, value in pairs.items()}


def _typed(value: Any) -> Any:  # noqa: ANN401 - a value of any type
    if not isinstance(value, str) or not value.removeprefix("-").isdecimal():
        return value
    return int(value) if str(int(value)) == value else value
