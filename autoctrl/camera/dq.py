"""Data quality of one run: numbers as JSON, pictures beside them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from autoctrl.camera import plots
from autoctrl.camera.frames import read_frames
from autoctrl.camera.pedestal import read_pedestal
from autoctrl.camera.pictures import draw_failure, save_picture, styled
from autoctrl.camera.rawfile import read_head
from autoctrl.errors import DataError
from autoctrl.quality import chosen_plots, evaluate
from autoctrl.rootio import STEP, check_alignment, get_tree, open_file, replacing

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.quality import Report

PIXELS = ("redpix_ix", "redpix_iy", "redpix_iz")


def load_run(reco: Path, pedestal: Path, friends: Path | None, raw: Path | None) -> plots.RunData:
    """Read what the plots need; the frame shown is that of the event with most clusters.

    Raises DataError when the friend file is not aligned or the raw file is of another run.
    """
    pedestal_maps = read_pedestal(pedestal)
    size = len(pedestal_maps.mean)
    with open_file(reco) as file:
        tree = get_tree(file, "Events")
        if not tree.num_entries:
            message = f"{reco} has no entries: there is nothing to judge."
            raise DataError(message)
        events = tree.arrays([name for name in tree.keys() if not name.startswith("redpix_")], library="ak")  # noqa: SIM118
        light_map = np.zeros((plots.MAP_BINS, plots.MAP_BINS))
        for chunk in tree.iterate(PIXELS, step_size=STEP, library="ak"):
            plots.add_light(light_map, chunk, size)
        fullest = int(np.argmax(events["nSc"]))
        shown = tree.arrays(entry_start=fullest, entry_stop=fullest + 1, library="ak")[0]
    data = plots.RunData(int(shown["run"]), events, None, pedestal_maps, light_map, shown)
    if friends is not None:
        check_alignment(reco, friends)
        with open_file(friends) as file:
            data.friends = get_tree(file, "Friends").arrays(library="ak")
    if raw is not None:
        if (run := read_head(raw).run) != data.run:
            message = f"{raw} is run {run}, {reco} is run {data.run}."
            raise DataError(message)
        event = int(shown["event"])
        ((_, data.frame),) = read_frames(raw, event, event + 1)
    return data


def read_previous(path: Path) -> dict[str, float]:
    """Return the numbers of an earlier run's report."""
    try:
        numbers: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))["numbers"]
    except (OSError, ValueError, KeyError) as error:
        message = f"{path} is not a data-quality report: {error}."
        raise DataError(message) from error
    return numbers


def write_quality(data: plots.RunData, output: Path, prefix: Path, previous: dict[str, float] | None = None) -> Report:
    """Draw and judge a run: pictures ``<prefix>_<plot>.png``, then the report ``output``.

    Every plot has its picture; the picture of one that failed says why.
    """
    chosen = chosen_plots()
    with styled():
        report = evaluate(chosen, data, plots.THRESHOLDS, previous)
        pictures = []
        for plot in chosen:
            picture = prefix.with_name(f"{prefix.name}_{plot.name}.png")
            figure = report.figures.get(plot.name)
            if figure is None:
                figure = draw_failure(plot.name, report.failed.get(plot.name, "nothing to draw"))
            save_picture(figure, picture)
            pictures.append(picture.name)
    content: dict[str, Any] = {"schema": 1, "run": data.run, "pictures": pictures} | report.as_json()
    with replacing(output) as temporary:
        temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return report
