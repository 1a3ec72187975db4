"""What every kind of store says of a URL that cannot be one of its own."""

from __future__ import annotations

from autoctrl.errors import SettingsError


def refused_url(url: str, why: str, hint: str = "") -> SettingsError:
    """Return the error for the URL of a store, shown without its options, and an example."""
    message = f"The store '{url.partition('?')[0]}' {why}."
    example = "Write it as in: [store] url = 'sqlite:autoctrl.db'."
    return SettingsError(message, hint=f"{hint} {example}")
