#!/usr/bin/env python3
"""Judge the quality of a run's data: histograms, numbers with limits, and pictures."""

import sys

from autoctrl import BatchHandler, Beside, Files, Latest, Output, Where

PICTURES = (
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

handler = BatchHandler(
    "camera-dq",
    runs=Where(kind="physics"),
    inputs={
        "reco": Output("camera-reco"),
        "friends": Output("camera-friends"),
        "pedestal": Latest("camera-pedestal"),
        "raw": Files("run{run:05d}.mid.gz"),
        "limits": Beside("limits.toml"),
    },
    run_line="autoctrl-camera dq {reco} --friends {friends} --pedestal {pedestal} --raw {raw}"
    " --limits {limits} --output {report}",
    outputs={"report": "dq_run{run:05d}.json", "histograms": "dq_run{run:05d}.root"}
    | {f"{name}_picture": f"dq_run{{run:05d}}_{name}.png" for name in PICTURES},
)

if __name__ == "__main__":
    sys.exit(handler())
