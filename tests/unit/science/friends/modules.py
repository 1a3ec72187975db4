"""Friend modules, good and bad, for the tests; and a small tree of events for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
from hypothesis import strategies as st

from autoctrl.science.rootio import Layout, TreeWriter, new_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

LAYOUT = Layout(
    {"run": "int32", "event": "int32", "spark": "int32"},
    {"nSc": {"sc_integral": "float32", "sc_nhits": "float32"}},
)

# The light of the clusters of some events; an event without clusters may be empty or a discharge.
LIGHT = st.sampled_from([1.0, 2.5, -3.0, 40.0])
EVENTS = st.lists(st.lists(LIGHT, max_size=4), min_size=1, max_size=12)


class Giving:
    """A module that gives what a function of the events gives."""

    name = "giving"
    needs: tuple[str, ...] = ("sc_integral",)
    branches: tuple[str, ...] = ("sc_given",)

    def __init__(self, function: Callable[[Any], Any], branch: str = "sc_given") -> None:
        self.function, self.branches = function, (branch,)

    def __call__(self, events: Any) -> Mapping[str, Any]:
        return {self.branches[0]: self.function(events)}


class Inverse:
    """One value per cluster, none for a cluster without light; one value per entry."""

    name = "inverse"
    needs: tuple[str, ...] = ("sc_integral",)
    branches: tuple[str, ...] = ("sc_inverse", "brightest")

    def __call__(self, events: Any) -> Mapping[str, Any]:
        light = events["sc_integral"]
        return {"sc_inverse": 1 / ak.mask(light, light > 0), "brightest": ak.max(light, axis=1)}


class Scaled:
    """The light in units that depend on the run."""

    name = "scaled"
    needs: tuple[str, ...] = ("sc_integral",)
    branches: tuple[str, ...] = ("sc_scaled",)
    parameters: tuple[str, ...] = ("gain",)

    def __call__(self, events: Any, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"sc_scaled": events["sc_integral"] * parameters["gain"]}


def make_chunk(lights: Sequence[Sequence[float]], *, run: int = 7, first: int = 0) -> ak.Array:
    """Return entries of one run with the light of their clusters."""
    counts = np.array([len(light) for light in lights], np.uint32)
    flat = np.array([value for light in lights for value in light], np.float32)
    events = np.arange(first, first + len(lights), dtype=np.int32)
    light = ak.unflatten(flat, counts)
    runs = np.full(len(lights), run, np.int32)
    return ak.Array(
        {"run": runs, "event": events, "nSc": counts, "sc_integral": light, "sc_nhits": light}
    )


def write_events(
    path: Path, lights: Sequence[Sequence[float]], runs: Sequence[int] | None = None
) -> Path:
    """Write a tree of events with the light of their clusters; an event without any is a
    discharge.
    """
    flat = np.array([value for light in lights for value in light])
    columns = {
        "run": np.full(len(lights), 7) if runs is None else runs,
        "event": np.arange(len(lights)),
        "spark": [int(not light) for light in lights],
        "nSc": [len(light) for light in lights],
        "sc_integral": flat,
        "sc_nhits": flat,
    }
    with new_file(path) as file:
        TreeWriter(file, "Events", LAYOUT).append(columns)
    return path
