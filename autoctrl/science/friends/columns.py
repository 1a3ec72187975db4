"""Turns what a friend module gives into columns, one value per entry or cluster, or says what is
wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autoctrl.errors import DataError, nearest
from autoctrl.science.friends.modules import COUNTER, is_calibrated, source_of
from autoctrl.science.rootio import KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.science.friends.calibration import ValidRange
    from autoctrl.science.friends.modules import FriendModule

FILLER = -999.0
PREFIX = "sc_"


def friend_columns(
    chunk: Any,  # noqa: ANN401 - awkward arrays
    modules: Sequence[FriendModule],
    valid: ValidRange | None = None,
    where: str = "the events",
) -> dict[str, Any]:
    """Return the friend tree's columns for some entries of one run, with the parameters of a
    calibration's range.

    Raises DataError naming module, file and event when a module fails or gives what does not fit.
    """
    import numpy as np

    columns: dict[str, Any] = {branch: np.asarray(chunk[branch]) for branch in (*KEYS, COUNTER)}
    for module in modules:
        try:
            columns |= _compute(module, chunk, valid)
        except (Exception, SystemExit) as error:
            first, last, problem = _narrow(module, chunk, valid, error)
            begin, end = (
                f"run {chunk['run'][i]} event {chunk['event'][i]}" for i in (first, last - 1)
            )
            entries = begin if last - first == 1 else f"{begin} to {end}, taken together"
            used = (
                f" It had the parameters of {valid.place}."
                if valid is not None and is_calibrated(module)
                else ""
            )
            named = f"friend module {module.name} of {source_of(module)}"
            message = f"{named} {_say(problem)}: {entries}, of {where}.{used}"
            raise DataError(message, hint=getattr(problem, "hint", "")) from error
    return columns


def _say(problem: BaseException) -> str:
    if isinstance(problem, DataError):
        return problem.message.rstrip(".")
    return f"failed with {type(problem).__name__}: {problem}"


def _narrow(
    module: FriendModule,
    chunk: Any,  # noqa: ANN401
    valid: ValidRange | None,
    problem: BaseException,
) -> tuple[int, int, BaseException]:
    """Return the least range of entries, found by halving, on which a module still fails, and
    how.
    """
    first, last = 0, len(chunk)
    while last - first > 1:
        middle = (first + last) // 2
        for begin, end in ((first, middle), (middle, last)):
            try:
                _compute(module, chunk[begin:end], valid)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an author's code raises
                first, last, problem = begin, end, error
                break
        else:
            break
    return first, last, problem


def _compute(module: FriendModule, chunk: Any, valid: ValidRange | None) -> dict[str, Any]:  # noqa: ANN401
    """Call a module and return its branches as flat arrays."""
    import numpy as np

    call: Any = module
    if is_calibrated(module):
        if valid is None:
            message = "needs a calibration, and none is given"
            raise DataError(message)
        values = call(chunk, valid.parameters_for(module.name, getattr(module, "parameters", ())))
    else:
        values = call(chunk)
    if not isinstance(values, Mapping):
        message = f"returned {type(values).__name__} instead of a dictionary of its branches"
        raise DataError(message)
    missing, unknown = set(module.branches) - values.keys(), values.keys() - set(module.branches)
    if missing or unknown:
        message = (
            f"declares {min(missing)} but did not return it"
            if missing
            else f"does not declare {min(unknown)}"
        )
        raise DataError(message, hint=nearest(min(missing), unknown) if missing and unknown else "")
    counts = np.asarray(chunk[COUNTER], dtype=np.int64)
    return {branch: as_column(branch, values[branch], counts) for branch in module.branches}


def as_column(branch: str, values: Any, counts: Any) -> Any:  # noqa: ANN401
    """Return one branch as a flat array of float32.

    ``counts`` are the clusters of each entry.  What is None (a value, or an entry's whole list),
    NaN or infinite
    becomes the filler.  Raises DataError when there are not exactly as many values as entries or
                         clusters, or when they
    are no numbers.
    """
    import awkward as ak
    import numpy as np

    per_cluster = branch.startswith(PREFIX)
    array = _as_array(branch, values)
    if len(array) != len(counts):
        message = f"gave {len(array)} entries of {branch} for {len(counts)} entries"
        raise DataError(message)
    is_said = ~np.asarray(ak.is_none(array))
    given = array[is_said]
    if len(given) and given.ndim != 1 + per_cluster:
        wanted = (
            "one value per cluster, so a list per entry" if per_cluster else "one value per entry"
        )
        message = f"gave {branch} as {ak.type(given)}, where it has {wanted}"
        raise DataError(message)
    if per_cluster and len(given):
        numbers, wanted_numbers = np.asarray(ak.num(given)), counts[is_said]
        for entry in np.flatnonzero(numbers != wanted_numbers)[:1]:
            message = (
                f"gave {numbers[entry]} values of {branch} for {wanted_numbers[entry]} clusters"
            )
            raise DataError(message)
        given = ak.flatten(given)
    column = np.full(counts.sum() if per_cluster else len(counts), FILLER, np.float32)
    column[np.repeat(is_said, counts) if per_cluster else is_said] = _as_numbers(branch, given)
    return column


def _as_array(branch: str, values: Any) -> Any:  # noqa: ANN401
    import awkward as ak

    try:
        return ak.Array(values)
    except Exception as error:
        message = f"gave {branch} as {type(values).__name__}, which is no array of values"
        raise DataError(message) from error


def _as_numbers(branch: str, flat: Any) -> Any:  # noqa: ANN401
    """Return numbers as float32, with the filler where there is none."""
    import awkward as ak
    import numpy as np

    try:
        numbers = np.ma.filled(
            ak.to_numpy(flat, allow_missing=True).astype(np.float64, casting="same_kind"), np.nan
        )
    except Exception as error:
        message = f"gave {branch} as {ak.type(flat)}, which are no numbers"
        raise DataError(message) from error
    with np.errstate(over="ignore"):
        column = numbers.astype(np.float32)
    return np.where(np.isfinite(column), column, np.float32(FILLER))
