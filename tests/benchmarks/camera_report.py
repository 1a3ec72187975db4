"""The table of the camera: what was measured, beside its limit and beside the usual way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.benchmarks.production_report import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT, GOAL, PUBLISHED = 0.9, 0.5, 37
PEAK_MIB = 300
PAIR = "2 processes"
USUAL = {
    "unpacking": "gzip",
    "frame to coarse images": "NumPy and median_filter",
    "noise and seeds": "convolutions (another result)",
    "clustering by density": "DBSCAN of scikit-learn",
    "clustering along tracks": "our reference in NumPy",
    "variables with fits": "NumPy and least_squares",
    "the fits alone": "curve_fit",
    "writing the tree": "awkward from lists, uproot",
}


def as_camera_table(found: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the table, and whether no limit was missed."""
    rows = found["rows"]
    whole = rows["whole"]
    lines = [
        Line(
            "median filters of the same minute, processor time",
            "figure",
            ("autoctrl", "from", "to"),
        ),
        Line(
            f"the whole event on one core (goal {GOAL:g}; published {PUBLISHED})",
            f"<= {LIMIT:g}",
            tuple(f"{whole[name]:.2f}" for name in ("cpu_ratio", "least", "largest")),
            whole["cpu_ratio"] <= LIMIT,
        ),
        Line("the same by wall time", "", (f"{whole['ratio']:.2f}",)),
        Line(
            f"the unit: {rows['unit']['wall_s']:.3f} s; an event: {whole['wall_s']:.3f} s; "
            f"{found['rounds']} rounds"
        ),
        Line(""),
        Line("step", "", ("autoctrl", "usual way", "times")),
        *(step_line(name, title, rows) for name, title in USUAL.items()),
        Line("clusters by density are those of scikit-learn", "equal", (), found["same_clusters"]),
        Line(""),
        Line("event in memory, with", "", ("autoctrl", "seeds", "pixels")),
        *content_lines(found),
        Line(""),
        *command_lines(found),
    ]
    return "\n".join(map(str, lines)), all(line.verdict is not False for line in lines)


def step_line(name: str, title: str, rows: Mapping[str, Any]) -> Line:
    """Return the line of one step: ours, where it can be told apart, and the usual way's."""
    ours, usual = rows.get(name), rows[f"{name}, usual way"]["cpu_ratio"]
    cells = (
        (f"{ours['cpu_ratio']:.3f}", f"{usual:.3f}", f"{usual / ours['cpu_ratio']:.1f}")
        if ours
        else None
    )
    return Line(f"{name}: {title}", "", cells or ("-", f"{usual:.3f}", "-"))


def content_lines(found: Mapping[str, Any]) -> list[Line]:
    """Return a line for each content of an event, from few to many pixels in clusters."""
    contents = sorted(found["contents"].items(), key=lambda item: item[1]["pixels"])
    return [
        Line(
            name,
            "",
            (
                f"{found['rows'][name]['cpu_ratio']:.2f}",
                f"{size['seeds']:.0f}",
                f"{size['pixels']:.0f}",
            ),
        )
        for name, size in contents
    ]


def command_lines(found: Mapping[str, Any]) -> list[Line]:
    """Return the lines of the whole command: threads, what bounds them, memory."""
    rows, rates = found["rows"], found["events_per_s"]
    alone = sum(rows[name]["cpu_ratio"] for name in ("unpacking", "writing the tree"))
    peaks = {int(events): peak for events, peak in found["peak_mib"].items()}
    times = rows["whole"]["cpu_ratio"] / alone
    return [
        Line("threads", "", tuple(rates)),
        Line(
            "events per second, best of three", "", tuple(f"{rate:.1f}" for rate in rates.values())
        ),
        Line(
            f"one thread reads and writes: threads give at most {times:.1f} times the rate of one"
        ),
        *(
            Line(
                f"peak memory, {events} events",
                f"<= {PEAK_MIB} MiB",
                (f"{peak:.0f} MiB",),
                peak <= PEAK_MIB,
            )
            for events, peak in sorted(peaks.items())
        ),
        Line(
            f"peak memory, {min(peaks)} events in 2 threads",
            "",
            (f"{found['peak_mib_2_threads']:.0f} MiB",),
        ),
    ]
