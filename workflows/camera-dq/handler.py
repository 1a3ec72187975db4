#!/usr/bin/env python3
"""Judge the quality of a run's data: numbers with thresholds, and pictures."""

import sys

from autoctrl import After, BatchHandler, Files, Latest, Output, Where

PICTURES = ("occupancy", "pedestal", "noisy", "clusters", "light", "display")

handler = BatchHandler(
    "camera-dq",
    runs=Where(kind="physics"),
    locks=After("camera-friends") & Latest("camera-pedestal"),
    inputs={
        "reco": Output("camera-reco"),
        "friends": Output("camera-friends"),
        "pedestal": Output("camera-pedestal"),
        "raw": Files("run{run:05d}.mid.gz"),
    },
    run_line="autoctrl-camera dq {reco} --friends {friends} --pedestal {pedestal} --raw {raw} --output {report}",
    outputs={"report": "dq_run{run:05d}.json"}
    | {f"{name}_picture": f"dq_run{{run:05d}}_{name}.png" for name in PICTURES},
)

if __name__ == "__main__":
    sys.exit(handler())
