"""Data quality: plots that give figures and numbers, and thresholds that judge the numbers."""

from __future__ import annotations

from autoctrl.quality.plots import Plot, PlotResult, chosen_plots, register
from autoctrl.quality.runner import Report, evaluate
from autoctrl.quality.thresholds import Level, Threshold, Verdict

__all__ = ["Level", "Plot", "PlotResult", "Report", "Threshold", "Verdict", "chosen_plots", "evaluate", "register"]
