"""What the programs of storage services print about quotas, read into numbers. Pure.

Each answer that makes no sense is a ``QuotaError`` with a sentence of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autoctrl.errors import QuotaError
from autoctrl.model.quota import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EOS, AFS, XROOTD = "EOS", "AFS", "XRootD"
KB = 1024
LONGEST_QUOTE = 120
# Who a quota of EOS is for: a project's stands on a line of its own, that of everybody on another.
PROJECT_ACCOUNTS = ("gid=project", "gid=ALL")
PAIR = re.compile(r"(\w+)=(\S*)")
AFS_LINE = re.compile(
    r"(?P<volume>\S+)\s+(?P<quota>no limit|-?\d+)\s+(?P<used>-?\d+)\s+(?P<percent>-?\d+)%(?:<<)?"
    r"\s+\d+%(?:<<)?(?:\s*<<WARNING)?"
)
XROOTD_LINE = re.compile(r"\s*(Total|Free|Used):\s*(\S+)\s*")


def read_eos(text: str, path: str, account: str = "") -> Usage:
    """Return what ``eos quota ls -m -p PATH`` says of an account, as ``gid=99``; by default of the
    project, else of the only account that there is.

    Bytes count as they are written, without their replicas.
    """
    lines = [dict(PAIR.findall(line)) for line in text.splitlines() if line.strip()]
    if not lines:
        message = f"EOS has no quota at or above {path}."
        raise QuotaError(message, hint="Ask for one, or name a path that has one.")
    accounts = {name: line for line in lines for name in _accounts_of(line)}
    if not accounts:
        raise _no_sense(EOS, text)
    line = _choose_account(accounts, account, path)
    return Usage(
        _number(EOS, line, "usedlogicalbytes"),
        _number(EOS, line, "maxlogicalbytes") or None,
        _number(EOS, line, "usedfiles"),
        _number(EOS, line, "maxfiles") or None,
    )


def _accounts_of(line: Mapping[str, str]) -> Iterable[str]:
    return (f"{key}={line[key]}" for key in ("uid", "gid") if key in line)


def _choose_account(
    accounts: Mapping[str, Mapping[str, str]], wanted: str, path: str
) -> Mapping[str, str]:
    sought = (wanted,) if wanted else PROJECT_ACCOUNTS
    found = next((accounts[name] for name in sought if name in accounts), None)
    if found is None and not wanted and len(accounts) == 1:
        found = next(iter(accounts.values()))
    if found is None:
        known = ", ".join(accounts)
        message = f"EOS names no quota of {wanted or 'a project'} at {path}, but of {known}."
        raise QuotaError(message, hint="Choose one: account = 'gid=NUMBER'.")
    return found


def read_afs(text: str, path: str) -> Usage:
    """Return what ``fs listquota -path PATH`` says of the volume."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        message = f"AFS said nothing of {path}."
        raise QuotaError(message, hint="See whether it lies in AFS: fs listquota")
    found = AFS_LINE.fullmatch(lines[-1])
    if found is None:
        raise _no_sense(AFS, lines[-1])
    values = {name: found[name] for name in ("quota", "used")}
    if values["quota"] == "no limit":
        return Usage(_number(AFS, values, "used") * KB)
    return Usage(_number(AFS, values, "used") * KB, _number(AFS, values, "quota") * KB or None)


def read_xrootd(text: str, path: str) -> Usage:
    """Return what ``xrdfs HOST spaceinfo PATH`` says.

    A server that holds back room says less free than is unused; what is not free counts as used.
    """
    found = (XROOTD_LINE.fullmatch(line) for line in text.splitlines())
    values = {line[1]: line[2] for line in found if line is not None}
    if not values:
        raise _no_sense(XROOTD, text)
    total, free = (_number(XROOTD, values, name) for name in ("Total", "Free"))
    used = _number(XROOTD, values, "Used")
    if not total:
        message = f"The XRootD server says that {path} has no space at all."
        raise QuotaError(
            message, hint="So it does of what may only be read there; name another path."
        )
    if free > total:
        message = (
            f"The XRootD server says that {free} of {total} bytes are free, which is too many."
        )
        raise QuotaError(message)
    return Usage(max(used, total - free), total)


def _number(service: str, values: Mapping[str, str], name: str) -> int:
    """Return a number that must be there and not be negative."""
    text = values.get(name)
    if text is None:
        message = f"The answer of {service} lacks {name}."
        raise QuotaError(message)
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        message = f"{service} says {name} = {text[:LONGEST_QUOTE]}, which is no number."
        raise QuotaError(message)
    if text.startswith("-"):
        message = f"{service} says {name} = {text[:LONGEST_QUOTE]}, which is negative."
        raise QuotaError(message)
    return int(text)


def _no_sense(service: str, text: str) -> QuotaError:
    said = " ".join(text.split())[:LONGEST_QUOTE] or "nothing"
    message = f"{service} answered what makes no sense: {said}"
    return QuotaError(message)
