"""Where a job's software comes from: scripts, containers and commits, as words that prepare a node.

Each step is a small shell script that stands before the command and becomes it at its end, so that
the process stays the same. While a step is at work a sentence lies in a file beside the job's
bookkeeping; a job that ends while it lies there was not set up, which is no fault of its command.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

GIT, CONTAINER = "git+", "container:"
COMMIT = re.compile(r"git\+(?P<url>[a-z]+://\S+|/\S+)@(?P<commit>[0-9a-f]{40})")
KINDS = "/PATH/setup.sh, git+URL@COMMIT or container:IMAGE"

BEGIN = """
job=${AUTOCTRL_FIELDS%/*} unready=${AUTOCTRL_FIELDS%/*}/unready
printf 'its set-up %s failed' "$0" >"$unready"
"""
END = """
rm -f "$unready" && exec "$@"
"""
SCRIPT = f"""{BEGIN}
prepare() {{ . "$script"; }}
script=$0 here=$PWD
prepare >&2 || {{ printf ': its last command ended with %d' $? >>"$unready"; exit 1; }}
cd "$here" || exit 1
{END}"""
CHECKOUT = f"""{BEGIN}
commit=$1 && shift
software=$(mktemp -d "${{_CONDOR_SCRATCH_DIR:-$job}}/software.XXXXXX") || exit 1
export GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1
give_up() {{ rm -rf "$software"; exit 1; }}
git init -q "$software" && cd "$software" || give_up
git fetch -q --depth 1 "$0" "$commit" || git fetch -q "$0" || give_up
git -c advice.detachedHead=false checkout -q "$commit" || give_up
cd "$OLDPWD"
export AUTOCTRL_SOFTWARE=$software
export PATH=$software/bin:$software:$PATH PYTHONPATH=$software${{PYTHONPATH:+:$PYTHONPATH}}
{END}"""
IMAGE = f"""{BEGIN}
runtime=$(command -v apptainer || command -v singularity)
[ -n "$runtime" ] || {{ echo 'neither apptainer nor singularity is on this node' >&2; exit 1; }}
binds=(--bind "$job" --bind "$AUTOCTRL_OUTPUT_DIR")
for word; do
    folder=${{word%/*}}
    [[ $word == /* && -n $folder && -e $word ]] || continue
    [[ $folder != *[:,]* ]] || {{ echo "$folder has a : or , and cannot be bound" >&2; exit 1; }}
    binds+=(--bind "$folder")
done
ready='rm -f "$0" && exec "$@"'
exec "$runtime" exec --pwd "$PWD" "${{binds[@]}}" "$0" /bin/sh -c "$ready" "$unready" "$@"
"""


def read_setup(text: str, where: str) -> tuple[str, ...]:
    """Return the steps that a setting names, in their order. Raises ``SettingsError``."""
    steps = tuple(text.split())
    for step in steps:
        if step.startswith(GIT) and not COMMIT.fullmatch(step):
            message = f"{where} has '{step}', which names no commit."
            hint = "Write git+URL@COMMIT with the 40 digits of a commit: a branch or tag may move."
            raise SettingsError(message, hint=hint)
        if not step.startswith((GIT, CONTAINER, "/")) or step == CONTAINER:
            message = f"{where} has '{step}', which is nothing that a node can be set up with."
            raise SettingsError(message, hint=f"Write {KINDS}; several apply in their order.")
    return steps


def equip(setup: Sequence[str], argv: Sequence[str]) -> tuple[str, ...]:
    """Return the words that set a node up by these steps and then become the command ``argv``."""
    words = tuple(argv)
    for step in reversed(setup):
        words = (*_words(step), *words)
    return words


def _words(step: str) -> tuple[str, ...]:
    commit = COMMIT.fullmatch(step)
    if commit:
        return ("/bin/bash", "-c", CHECKOUT, commit["url"], commit["commit"])
    if step.startswith(CONTAINER):
        return ("/bin/bash", "-c", IMAGE, step.removeprefix(CONTAINER))
    return ("/bin/bash", "-c", SCRIPT, step)
