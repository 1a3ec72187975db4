"""Which role the groups of a person give."""

from __future__ import annotations

from typing import Any

import pytest

from autoctrl.config import WebSettings
from autoctrl.login.roles import groups_in, read_groups
from autoctrl.model.role import Role

SECTION = WebSettings(
    viewers="analysts, guests", shifters="/cygno/shifters", operators="cygno/experts", admins="ops"
)


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ([], Role.NOBODY),
        (["others"], Role.NOBODY),
        (["guests"], Role.VIEWER),
        (["cygno/shifters"], Role.SHIFTER),
        (["/cygno/shifters"], Role.SHIFTER),
        (["shifters"], Role.NOBODY),
        (["CYGNO/shifters"], Role.NOBODY),
        (["cygno/shifters/late"], Role.NOBODY),
        (["ops", "guests", "cygno/experts"], Role.ADMIN),
    ],
)
def test_the_best_group_counts(groups: list[str], role: Role) -> None:
    """Names are compared exactly but for a slash at their beginning; a star means nobody unless it
    is given.
    """
    assert read_groups(SECTION).role_with_login(groups) is role


def test_whoever_can_log_in_may_read() -> None:
    """A star gives the least role to everybody who is logged in, and no more."""
    groups = read_groups(WebSettings(viewers="*", shifters="on-shift"))
    assert groups.role_with_login([]) is Role.VIEWER
    assert groups.role_with_login(["on-shift"]) is Role.SHIFTER
    assert groups.role_of(["*"]) is Role.NOBODY


@pytest.mark.parametrize(
    ("claims", "path", "found"),
    [
        ({"groups": ["a", "b"]}, "groups", ("a", "b")),
        ({"groups": []}, "groups", ()),
        ({"groups": "a"}, "groups", ("a",)),
        ({"groups": ["a", 7, None]}, "groups", ("a",)),
        ({"wlcg.groups": ["/a"]}, "wlcg.groups", ("/a",)),
        ({"resource_access": {"page": {"roles": ["a"]}}}, "resource_access.page.roles", ("a",)),
        ({"resource_access": []}, "resource_access.page.roles", None),
        ({}, "groups", None),
        ({"groups": {"a": 1}}, "groups", None),
    ],
)
def test_groups_stand_in_a_claim(
    claims: dict[str, Any], path: str, found: tuple[str, ...] | None
) -> None:
    """A claim that is missing differs from one that names no group."""
    assert groups_in(claims, path) == found


def test_everybody_may_but_read() -> None:
    """A star among others than viewers gives nothing."""
    groups = read_groups(WebSettings(viewers="a", shifters="*, b"))
    assert groups.role_with_login(["x"]) is Role.NOBODY
    assert groups.role_with_login(["b"]) is Role.SHIFTER
