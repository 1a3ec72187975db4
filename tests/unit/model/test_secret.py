"""What looks like a secret: one rule for settings, descriptions and jobs."""

from __future__ import annotations

import pytest

from autoctrl.config.layers import is_secret
from autoctrl.executors.environment import select_inherited
from autoctrl.machine.provenance import redact, select_allowed
from autoctrl.model.secret import REDACTED, has_password, is_secret_name, without_passwords

SECRETS = [
    "token",
    "store_token",
    "token_of_store",
    "STORE_TOKEN",
    "AccessToken",
    "GITHUBTOKEN",
    "password",
    "DB_PASSWORD",
    "PASSWD",
    "db_passwd",
    "MYSQL_PASSWORD_OLD",
    "PASSWORT",
    "secret",
    "CLIENT_SECRET",
    "secretkey",
    "credential",
    "credentials",
    "AWS_CREDENTIALS",
    "KRB5_CREDENTIAL_CACHE",
    "api_key",
    "API_KEY",
    "APIKEY",
    "my_apikey_2",
    "private_key",
    "PRIVATE",
    "ROOT_PRIVATE_KEY",
]
PLAIN = ["path", "PYTHONPATH", "url", "time_limit_s", "KRB5CCNAME", "run_column", "key", "passed"]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_known_by_its_name(name: str) -> None:
    """Settings refuse it, a description redacts it, no job sees it."""
    assert is_secret_name(name)
    assert is_secret(name)
    assert redact({name: "value"}) == {name: REDACTED}
    assert set(select_allowed({f"AUTOCTRL_{name}": "value"}).values()) == {REDACTED}
    assert f"ROOT_{name}" not in select_inherited({f"ROOT_{name}": "value"}, "/bin")


@pytest.mark.parametrize("name", PLAIN)
def test_other_names_are_not_secret(name: str) -> None:
    """They are settings, are described and may be passed on."""
    assert not is_secret_name(name)
    assert not is_secret(name)
    assert redact({name: "value"}) == {name: "value"}
    assert f"ROOT_{name}" in select_inherited({f"ROOT_{name}": "value"}, "/bin")


def test_the_name_of_a_file_is_a_setting() -> None:
    """A setting may name the file of a secret; a description does not show even that."""
    assert not is_secret("token_file")
    assert redact({"token_file": "/etc/token"}) == {"token_file": REDACTED}


def test_a_password_in_an_address_is_found() -> None:
    """Every address of a text loses its password and nothing else."""
    text = "see http://ada:s3cret@host/x and influxdb://:pw@db:8086/org, not http://ada@host:80/"
    assert has_password(text)
    assert without_passwords(text) == text.replace("s3cret", REDACTED).replace("pw", REDACTED)
    assert not has_password("http://host:8086/a@b")
