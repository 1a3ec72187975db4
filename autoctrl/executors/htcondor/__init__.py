"""Jobs of an HTCondor pool."""

from __future__ import annotations

from autoctrl.executors.htcondor.executor import HTCondorExecutor

__all__ = ["HTCondorExecutor"]
