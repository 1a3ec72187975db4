#!/usr/bin/env python3
"""Draw how light yield, resolution, pedestal drift and rate went over the runs of a fill."""

import sys

from autoctrl import BatchHandler, Output, Where

handler = BatchHandler(
    "camera-trend",
    runs=Where(kind="physics"),
    group_by="fill",
    inputs={"reports": Output("camera-dq", "report")},
    run_line="autoctrl-camera dq-trend {reports} --picture {picture} --output {trends}",
    outputs={"trends": "trend_fill{group}.json", "picture": "trend_fill{group}.png"},
)

if __name__ == "__main__":
    sys.exit(handler())
