"""What runs on the node: take a row's description from the job's ad, run it, tidy up.

One file, standard library only, Python 3.9 or later; it travels with the wrapper as one executable
(see ``executable``), which has made the folder ROW and writes its complaints to ``ROW/node.log``.
Each start keeps its records in a folder of its own, ``ROW/<number of the start's shadow>``: no
start ever touches what an earlier one wrote.
"""

from __future__ import annotations

import json
import os
import re
import sys
from importlib import import_module
from urllib.parse import unquote
from zipfile import ZipFile

TYPE_CHECKING = False  # typing takes as long to import as all else here
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

OUT, HINT = "out", "autoctrl_hint.py"
ATTRIBUTES = (
    "AutoctrlTag",
    "AutoctrlCommon",
    "AutoctrlSpec",
    "NumShadowStarts",
    "NumJobReconnects",
)
BEFORE, AFTER = r"(?<![^=:,;'\"])", r"(?![^:,;?#'\"])"


def read_ad(text: str) -> dict[str, str]:
    """Return the attributes of a job's ad that matter here, without their quotes."""
    wanted = {name.lower(): name for name in ATTRIBUTES}
    ad = {}
    for line in text.splitlines():
        name, _, value = line.partition(" = ")
        if name.strip().lower() in wanted:
            ad[wanted[name.strip().lower()]] = value.strip().strip('"')
    return ad


def number(text: str | None) -> int:
    """Return a whole number, 0 for what is undefined."""
    return int(text) if text and text.isdigit() else 0


def shadow_of(ad: Mapping[str, str]) -> int:
    """Return the number of this start's shadow: no two starts have the same one."""
    return number(ad.get("NumShadowStarts")) or 1


def locate(inputs: Mapping[str, str | None], base: str) -> tuple[dict[str, str], list[str]]:
    """Return where each input lies on this node, and those that do not; ``base`` has the files."""
    paths = {path: os.path.join(base, name) for path, name in inputs.items() if name is not None}
    here = {path: there for path, there in paths.items() if os.access(there, os.R_OK)}
    return here, [path for path in inputs if path not in here]


def rename_paths(word: str, moved: Mapping[str, str]) -> str:
    """Return a word with each input's path in it replaced by where that input lies here.

    A path counts where it stands alone or between ``= : , ;`` and quotes, so
    ``--in=/data/a.root:tree`` is found and ``/data/a.root.bak`` is not.
    """
    if not moved or "/" not in word:
        return word
    paths = "|".join(re.escape(path) for path in sorted(moved, key=len, reverse=True))
    return re.sub(f"{BEFORE}({paths}){AFTER}", lambda match: moved[match.group()], word)


def describe(ad: Mapping[str, str], base: str) -> tuple[dict[str, Any], list[str]]:
    """Return what the wrapper is told (``spec.json``), and the inputs that are missing."""
    given = {**json.loads(unquote(ad["AutoctrlCommon"])), **json.loads(unquote(ad["AutoctrlSpec"]))}
    here, missing = locate(given.pop("inputs"), base)
    moved = {path: there for path, there in here.items() if path != there}
    spec = {
        **given,
        "schema": 1,
        "tag": unquote(ad["AutoctrlTag"]),
        "argv": [rename_paths(word, moved) for word in given["argv"]],
        "environment": {
            name: rename_paths(value, moved) for name, value in given["environment"].items()
        },
        "workdir": OUT,
        "inherit": True,
        "start": shadow_of(ad) - number(ad.get("NumJobReconnects")),
    }
    return spec, missing


def refuse(folder: str, spec: Mapping[str, Any], reason: str) -> None:
    """Write the result of a job that cannot start here."""
    now = import_module("wrapper").timestamp()
    who = {"schema": 1, "tag": spec["tag"], "start": spec["start"], "host": os.uname().nodename}
    ended = {
        "exit_code": None,
        "signal": None,
        "failure": "node",
        "reason": reason,
        "started": now,
        "ended": now,
    }
    used = {"wall_s": 0.0, "cpu_s": 0.0, "peak_memory_mb": 0.0, "outputs": [], "fields": {}}
    write(os.path.join(folder, "result.json"), {**who, **ended, **used})


def write(path: str, content: Mapping[str, Any]) -> None:
    """Write JSON, whole or not at all."""
    with open(f"{path}.draft", "w") as file:
        json.dump(content, file)
    os.rename(f"{path}.draft", path)


def tidy(folder: str) -> None:
    """Keep of what the job left only what travels back: its accepted outputs, logs and result."""
    with open(os.path.join(folder, "result.json")) as file:
        kept = {os.path.realpath(output["path"]) for output in json.load(file)["outputs"]}
    for name in ("claim", "fields.json", HINT):
        if os.path.lexists(os.path.join(folder, name)):
            os.unlink(os.path.join(folder, name))
    for parent, folders, files in os.walk(os.path.join(folder, OUT), topdown=False):
        for name in (*files, *folders):
            drop(os.path.join(parent, name), kept)


def drop(path: str, kept: set[str]) -> None:
    """Remove an empty folder, a link, and a file that is not to be kept."""
    if os.path.isdir(path) and not os.path.islink(path):
        if not os.listdir(path):
            os.rmdir(path)
    elif os.path.islink(path) or os.path.realpath(path) not in kept:
        os.unlink(path)


def own_ad() -> dict[str, str]:
    """Return the attributes of this job's ad that matter here."""
    with open(os.environ["_CONDOR_JOB_AD"], encoding="utf-8", errors="surrogateescape") as file:
        return read_ad(file.read())


def unpack_hint(folder: str) -> str:
    """Write the program for hints into a folder; return its path."""
    path = os.path.join(folder, HINT)
    with ZipFile(sys.argv[0]) as program, open(path, "wb") as file:
        file.write(program.read("hint.py"))
    return path


def run(row: str, *, travels: bool) -> int:
    """Run the job of one row; return 0 once its result is written."""
    wrapper = import_module("wrapper")
    base, ad = os.getcwd(), own_ad()
    spec, missing = describe(ad, base)
    folder = os.path.join(base, row, str(shadow_of(ad)))
    os.makedirs(folder, exist_ok=True)
    if "AUTOCTRL_HINT" in spec["environment"]:
        spec["environment"]["AUTOCTRL_HINT"] = unpack_hint(folder)
    write(os.path.join(folder, wrapper.SPEC), spec)
    if missing:
        refuse(folder, spec, f"its input {missing[0]} is not on {os.uname().nodename}")
        return 0
    code = int(wrapper.run(folder))
    if code == 0 and travels:
        os.chdir(base)
        tidy(folder)
    return code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], travels=sys.argv[2] == "spool"))
