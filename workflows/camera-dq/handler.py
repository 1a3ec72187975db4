#!/usr/bin/env python3
"""Judge the quality of a run's data: histograms, numbers with limits, and pictures."""

import sys
from pathlib import Path

from autoctrl import After, BatchHandler, Files, Latest, Output, Where

PLOTS = (
    "pedestal",
    "noisy",
    "frames",
    "display",
    "occupancy",
    "clusters",
    "light",
    "energy",
    "depth",
)
LIMITS = Path(__file__).with_name("limits.toml")

handler = BatchHandler(
    "camera-dq",
    runs=Where(kind="physics"),
    locks=After("camera-friends") & Latest("camera-pedestal"),
    inputs={
        "reco": Output("camera-reco"),
        "friends": Output("camera-friends"),
        "pedestal": Output("camera-pedestal"),
        "raw": Files("run{run:05d}.mid.gz"),
        "limits": lambda _: [LIMITS],
    },
    run_line="autoctrl-camera dq {reco} --friends {friends} --pedestal {pedestal} --raw {raw} "
    "--limits {limits}"
    " --output {report}",
    outputs={"report": "dq_run{run:05d}.json", "histograms": "dq_run{run:05d}.root"}
    | {f"{name}_picture": f"dq_run{{run:05d}}_{name}.png" for name in PLOTS},
)

if __name__ == "__main__":
    sys.exit(handler())
