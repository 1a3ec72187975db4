"""The order of the chain: each workflow after those that it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def chain_order(after: Mapping[str, Collection[str]]) -> list[str]:
    """Return the workflows by the length of the longest chain before each, then by name.

    ``after`` names for each workflow those that it waits for; others than these and itself do not
    count. What waits in a circle, or behind one, comes last, by name.
    """
    waits = {name: (set(named) & after.keys()) - {name} for name, named in after.items()}
    order: list[str] = []
    while waits:
        free = [name for name, named in waits.items() if not named & waits.keys()]
        chosen = sorted(free or waits)
        order += chosen
        for name in chosen:
            del waits[name]
    return order
