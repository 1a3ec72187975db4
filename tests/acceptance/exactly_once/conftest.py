"""Lets the judge explain what it found."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.acceptance.exactly_once.judge")
