"""Root deploys as the user whose environment it is, from the first file that is touched.

What is deployed runs as that user, who could put links where root would write or remove something.
"""

from __future__ import annotations

import getpass
import os
import pwd
import re
import signal
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

from autoctrl.errors import DeploymentError
from autoctrl.node.wrapper import PR_SET_PDEATHSIG, prctl
from autoctrl.operations.deployment.requests import BUILD_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KILLED = 2
PROGRAM = (sys.executable, "-P", "-m", "autoctrl.cli")
KEPT = re.compile(r"(PATH|LD_LIBRARY_PATH|PYTHONPATH|LANG|LC_.*|TZ|ROOTSYS|CMSSW_.*|SCRAM_ARCH)\Z")


def find_stand_in(user: str) -> pwd.struct_passwd | None:
    """Return as whom we must go on to deploy for a user, None if we may as who we are.

    Raises ``DeploymentError`` if there is no such user, or if we are neither that one nor root.
    """
    if not user:
        return None
    try:
        found = pwd.getpwnam(user)
    except KeyError as error:
        message = f"There is no user '{user}' on this machine, who is to run what is deployed."
        raise DeploymentError(
            message, hint="Make one, or correct user in deployment.toml."
        ) from error
    if found.pw_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        message = f"What is deployed here runs as {user}, and you are somebody else."
        raise DeploymentError(message, hint=f"Deploy as {user} or as root.")
    return found


def refuse_others(user: str) -> None:
    """Raise ``DeploymentError`` unless we are the user who runs what is deployed, if one is named.

    Not even root may go on: ``stand_in`` first.
    """
    if find_stand_in(user) is not None:
        message = f"What is deployed here runs as {user}, and you are root."
        raise DeploymentError(message, hint=f"Deploy as {user}.")


def stand_in(found: pwd.struct_passwd, words: Sequence[str]) -> int:
    """Call ``autoctrl`` with these words as another user; return its exit code, 2 if it was killed.

    It gets no variable of ours that may be secret, and no terminal into which it could type.
    """
    sys.stdout.flush()
    code = subprocess.run(
        [*PROGRAM, *words],
        env=variables_of(found),
        cwd="/",
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=found.pw_uid,
        group=found.pw_gid,
        extra_groups=os.getgrouplist(found.pw_name, found.pw_gid),
        preexec_fn=partial(prctl, PR_SET_PDEATHSIG, signal.SIGKILL),
        check=False,
    ).returncode
    return code if code >= 0 else KILLED


def variables_of(
    found: pwd.struct_passwd, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return what a user's programs see of our variables: where programs are, and whether a build
    of Jenkins calls. Who called stays known by LOGNAME.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if KEPT.match(name) or name in BUILD_VARIABLES
    }
    own = {"HOME": found.pw_dir, "USER": found.pw_name, "LOGNAME": getpass.getuser()}
    return {**kept, **own}
