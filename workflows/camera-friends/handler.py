#!/usr/bin/env python3
"""Compute what depends on corrections, as a friend tree of the reconstruction."""

import sys
from pathlib import Path

from autoctrl import BatchHandler, Friend, Output, Where
from autoctrl.science.friends import Calibrations

handler = BatchHandler(
    "camera-friends",
    runs=Where(kind="physics"),
    inputs={
        "reco": Output("camera-reco"),
        "calibration": Calibrations(Path(__file__).parent / "calibrations"),
    },
    run_line="autoctrl-camera friends {reco} --calibration {calibration} --output {output}",
    outputs={"output": Friend("reco_run{run:05d}_Friend.root", of="reco")},
)

if __name__ == "__main__":
    sys.exit(handler())
