#!/usr/bin/env python3
"""Reconstruct camera frames into clusters, in parts of some hundred events.

A part fails if more than ``TOLERATED`` of its events are damaged: ``2`` events, or ``1%``.
"""

import sys

from autoctrl import BatchHandler, Files, Latest, Where

TOLERATED = "0"

handler = BatchHandler(
    "camera-reco",
    runs=Where(kind="physics"),
    inputs={"raw": Files("run{run:05d}.mid.gz"), "pedestal": Latest("camera-pedestal")},
    run_line="autoctrl-camera reco {raw} --pedestal {pedestal} --events {first}:{last}"
    f" --threads {{cpus}} --tolerate {TOLERATED} --output {{output}}",
    split_events=200,
    merge_line="autoctrl-camera merge {parts} --output {output}",
    outputs={"output": "reco_run{run:05d}.root"},
)

if __name__ == "__main__":
    sys.exit(handler())
