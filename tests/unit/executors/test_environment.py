"""What a local job sees of its controller's environment."""

from __future__ import annotations

import pytest

from autoctrl.executors.environment import job_environment, select_inherited


def test_path_begins_with_our_commands() -> None:
    """PATH begins with the folder of our commands, and is a sensible one where the controller has
    none.
    """
    assert select_inherited({"PATH": "/a:/b"}, "/venv/bin")["PATH"] == "/venv/bin:/a:/b"
    assert select_inherited({}, "/venv/bin")["PATH"] == "/venv/bin:/usr/local/bin:/usr/bin:/bin"


@pytest.mark.parametrize(
    "name", ["HOME", "LANG", "LC_ALL", "TZ", "USER", "TMPDIR", "LD_LIBRARY_PATH", "X509_USER_PROXY"]
)
def test_what_programs_need_is_passed_on(name: str) -> None:
    """Home, language, time zone, libraries and the like are passed on."""
    assert select_inherited({name: "x"}, "")[name] == "x"


@pytest.mark.parametrize(
    "name",
    [
        "X509_TOKEN",
        "LC_PASSWORD",
        "ROOT_SECRET",
        "AUTOCTRL_STORE",
        "DISPLAY",
        "INFLUX_TOKEN",
        "KRB5_PRIVATE",
    ],
)
def test_secrets_and_the_unknown_stay_behind(name: str) -> None:
    """What is not on the list, or is named like a secret, is not passed on."""
    assert name not in select_inherited({name: "x"}, "")


def test_a_job_says_the_last_word() -> None:
    """What a job sets wins over what is passed on, which wins over one thread for each core asked
    for.
    """
    passed = {"PATH": "/bin", "MKL_NUM_THREADS": "7"}
    environment = job_environment(passed, {"PATH": "/mine", "MY_TOKEN": "t"}, 2)
    assert environment == {
        "PATH": "/mine",
        "MY_TOKEN": "t",
        "MKL_NUM_THREADS": "7",
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "2",
    }
