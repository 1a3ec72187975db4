"""Calls of Python functions as jobs: in a child process, one after the other, each with a limit."""

from autoctrl.executors.inline.executor import InlineExecutor

__all__ = ["InlineExecutor"]
