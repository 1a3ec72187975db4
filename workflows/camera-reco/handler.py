#!/usr/bin/env python3
"""Reconstruct camera frames into clusters, in parts of some hundred events."""

import sys

from autoctrl import BatchHandler, Files, Latest, Output, Where

handler = BatchHandler(
    "camera-reco",
    runs=Where(kind="physics"),
    locks=Latest("camera-pedestal"),
    inputs={"raw": Files("run{run:05d}.mid.gz"), "pedestal": Output("camera-pedestal")},
    run_line="autoctrl-camera reco {raw} --pedestal {pedestal} --events {first}:{last} --output {output}",
    split_events=200,
    outputs={"output": "reco_run{run:05d}.root"},
)

if __name__ == "__main__":
    sys.exit(handler())
