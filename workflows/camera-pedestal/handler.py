#!/usr/bin/env python3
"""Compute mean and noise of every pixel, once per pedestal run."""

import sys

from autoctrl import BatchHandler, Files, Where

handler = BatchHandler(
    "camera-pedestal",
    runs=Where(kind="pedestal"),
    inputs={"raw": Files("run{run:05d}.mid.gz")},
    run_line="autoctrl-camera pedestal {raw} --output {output}",
    outputs={"output": "pedestal_run{run:05d}.root"},
)

if __name__ == "__main__":
    sys.exit(handler())
