"""Who may do what."""

from __future__ import annotations

import pytest

from autoctrl.chat.roles import Person, read_roster
from autoctrl.config import ChatSettings
from autoctrl.errors import SettingsError
from autoctrl.model.role import Role

ADA, EVE = "a" * 26, "e" * 26


def person(user_id: str, team: str = "experiment", name: str = "ada") -> Person:
    return Person(user_id, name, team)


def test_the_highest_role_counts() -> None:
    """Of somebody who is in several lists; whoever is in none is nobody."""
    roster = read_roster(ChatSettings(viewers=ADA, operators=f"{ADA}, {EVE}"), "experiment")
    assert roster.role_of(person(ADA)) is Role.OPERATOR
    assert roster.role_of(person("x" * 26)) is Role.NOBODY
    assert read_roster(ChatSettings(admins=ADA), "x").role_of(person(ADA)) is Role.ADMIN
    assert read_roster(ChatSettings(shifters=ADA), "x").role_of(person(ADA)) is Role.SHIFTER


def test_everybody_of_the_team_may_read_if_that_is_set() -> None:
    """Not those of other teams, and not where nobody knows the team."""
    roster = read_roster(ChatSettings(viewers="*", shifters=EVE), "experiment")
    assert roster.role_of(person(ADA)) is Role.VIEWER
    assert roster.role_of(person(ADA, "other")) is Role.NOBODY
    assert roster.role_of(person(EVE, "other")) is Role.SHIFTER
    nameless = read_roster(ChatSettings(viewers="*"), "")
    assert nameless.role_of(person(ADA, "")) is Role.NOBODY


@pytest.mark.parametrize("word", ["ada", "@ada", ADA.upper(), ADA + "a", "*"])
def test_only_ids_have_roles(word: str) -> None:
    """A name can be changed by whoever has it."""
    with pytest.raises(SettingsError, match=r"\[chat\] shifters has"):
        read_roster(ChatSettings(shifters=word), "experiment")


def test_a_person_is_named_with_the_id() -> None:
    """A name that is none is left out."""
    assert person(ADA).signature == f"ada ({ADA})"
    assert person(ADA, name="ada\nroot (cli)").signature == ADA
    assert str(Role.SHIFTER) == "shifter"
