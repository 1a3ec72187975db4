"""What a node is set up with, as a setting spells it and as words before a command."""

from __future__ import annotations

import pytest

from autoctrl.errors import SettingsError
from autoctrl.model.software import equip, read_setup

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SCRIPT, IMAGE = "/cvmfs/sft.example.org/view/setup.sh", "container:/cvmfs/images/reco:1.2"
CODE = f"git+https://git.example.org/reco.git@{COMMIT}"


def test_a_setting_names_steps_in_their_order() -> None:
    """None at all, one, or several with whatever room between them."""
    assert read_setup("", "here") == ()
    assert read_setup(f" {SCRIPT}\n  {CODE} {IMAGE}", "here") == (SCRIPT, CODE, IMAGE)
    assert read_setup(f"git+/srv/reco.git@{COMMIT}", "here")


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ("setup.sh", "nothing that a node can be set up with"),
        ("container:", "nothing that a node can be set up with"),
        ("git+https://git.example.org/reco.git", "names no commit"),
        ("git+https://git.example.org/reco.git@main", "names no commit"),
        (f"git+https://git.example.org/reco.git@{COMMIT[:12]}", "names no commit"),
        (f"git+reco.git@{COMMIT}", "names no commit"),
    ],
)
def test_what_may_move_or_means_nothing_is_refused(step: str, complaint: str) -> None:
    """A branch, a short commit, a relative path: the step is named, and what to write."""
    with pytest.raises(SettingsError, match=complaint) as refusal:
        read_setup(f"{SCRIPT} {step}", "[workflows.reco] setup")
    assert str(refusal.value).startswith(f"[workflows.reco] setup has '{step}'")
    assert "Write " in (refusal.value.hint or "")


def test_steps_stand_before_the_command_first_one_first() -> None:
    """Each is a shell that becomes what stands behind it; no step, no shell."""
    assert equip((), ("reco", "a b")) == ("reco", "a b")
    words = equip((SCRIPT, CODE, IMAGE), ("reco", "a b"))
    assert words[3] == SCRIPT
    assert words[7:9] == ("https://git.example.org/reco.git", COMMIT)
    assert words[12:] == ("/cvmfs/images/reco:1.2", "reco", "a b")
    assert {words[at] for at in (0, 4, 9)} == {"/bin/bash"}
