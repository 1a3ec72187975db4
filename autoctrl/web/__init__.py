"""The built-in web page: overview, runs, tasks, the operator's verbs, JSON, health and metrics.

Needs the extra ``web``; importing this package without it raises ``ImportError``.
"""

from __future__ import annotations

from autoctrl.web.app import create_app
from autoctrl.web.server import serve

__all__ = ["create_app", "serve"]
