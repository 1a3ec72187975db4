"""Data quality: plots that give histograms, figures and numbers, and thresholds that judge the
numbers.
"""

from __future__ import annotations

from autoctrl.science.quality.histograms import add_previous
from autoctrl.science.quality.limits import read_limits
from autoctrl.science.quality.plots import Plot, PlotResult, Tier, register, registered_plots
from autoctrl.science.quality.reports import read_reference, read_report, write_report
from autoctrl.science.quality.runner import Report, evaluate
from autoctrl.science.quality.thresholds import Level, Limits, Reference, Threshold, Verdict

__all__ = [
    "Level",
    "Limits",
    "Plot",
    "PlotResult",
    "Reference",
    "Report",
    "Threshold",
    "Tier",
    "Verdict",
    "add_previous",
    "evaluate",
    "read_limits",
    "read_reference",
    "read_report",
    "register",
    "registered_plots",
    "write_report",
]
