"""What a local job sees of the environment of the controller: a short list, never a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autoctrl.model.secret import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSED = re.compile(
    r"HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|PYTHONPATH|VIRTUAL_ENV|"
    r"ROOTSYS|ROOT_\w+|CLING_\w+|SSL_CERT_(FILE|DIR)|X509_\w+|KRB5\w+|OMP_\w+|MKL_\w+|OPENBLAS_\w+",
)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


def select_inherited(environment: Mapping[str, str], bin_folder: str) -> dict[str, str]:
    """Return what every job gets of ``environment``; our commands are found in ``bin_folder``."""
    kept = {
        name: value
        for name, value in environment.items()
        if PASSED.fullmatch(name) and not is_secret_name(name)
    }
    return {**kept, "PATH": f"{bin_folder}:{environment.get('PATH') or DEFAULT_PATH}"}


def hint_variables(hints: Mapping[str, str] | None, command: str) -> dict[str, str]:
    """Return what a job needs to leave hints by ``$AUTOCTRL_HINT``, if there is a bucket."""
    return {**(hints or {}), "AUTOCTRL_HINT": command}


def job_environment(passed: Mapping[str, str], own: Mapping[str, str], cpus: int) -> dict[str, str]:
    """Return the environment of one job: threads as it has cores, what is passed on, its own."""
    return {**dict.fromkeys(THREADS, str(max(1, cpus))), **passed, **own}
