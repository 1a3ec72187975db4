"""Turns what a friend module gives into columns, with one value per entry or cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import DataError, nearest
from autoctrl.science.friends.modules import COUNTER, is_calibrated, source_of
from autoctrl.science.rootio import KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.science.friends.calibration import ValidRange
    from autoctrl.science.friends.modules import FriendModule

FILLER = -999.0
PREFIX = "sc_"


class FailedEntries(NamedTuple):
    """The half-open range of entries on which a module failed, and what it raised."""

    first: int
    last: int
    problem: BaseException


def friend_columns(
    chunk: Any,  # noqa: ANN401 - awkward arrays
    modules: Sequence[FriendModule],
    valid: ValidRange | None = None,
    where: str = "the events",
) -> dict[str, Any]:
    """Return the friend tree's columns for some entries of one run.

    ``valid`` has the parameters of calibrated modules.  Raises DataError naming module, file and
    event when a module fails or gives what does not fit.
    """
    import numpy as np

    columns: dict[str, Any] = {branch: np.asarray(chunk[branch]) for branch in (*KEYS, COUNTER)}
    for module in modules:
        try:
            columns |= _compute(module, chunk, valid)
        except (Exception, SystemExit) as error:
            failure = _narrow(module, chunk, valid, FailedEntries(0, len(chunk), error))
            raise _describe(failure, module, chunk, valid, where) from error
    return columns


def _narrow(
    module: FriendModule,
    chunk: Any,  # noqa: ANN401 - awkward arrays
    valid: ValidRange | None,
    failure: FailedEntries,
) -> FailedEntries:
    """Find by halving the least range of entries on which a module still fails."""
    while failure.last - failure.first > 1:
        middle = (failure.first + failure.last) // 2
        for first, last in ((failure.first, middle), (middle, failure.last)):
            try:
                _compute(module, chunk[first:last], valid)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an author's code raises
                failure = FailedEntries(first, last, error)
                break
        else:
            break
    return failure


def _describe(
    failure: FailedEntries,
    module: FriendModule,
    chunk: Any,  # noqa: ANN401 - awkward arrays
    valid: ValidRange | None,
    where: str,
) -> DataError:
    """Return the error that names module, events and file."""
    begin, end = (
        f"run {chunk['run'][entry]} event {chunk['event'][entry]}"
        for entry in (failure.first, failure.last - 1)
    )
    is_single = failure.last - failure.first == 1
    entries = begin if is_single else f"{begin} to {end}, taken together"
    problem = failure.problem
    if isinstance(problem, DataError):
        what = problem.message.rstrip(".")
    else:
        what = f"failed with {type(problem).__name__}: {problem}"
    message = f"friend module {module.name} of {source_of(module)} {what}: {entries}, of {where}."
    if valid is not None and is_calibrated(module):
        message += f" It had the parameters of {valid.description}."
    return DataError(message, hint=getattr(problem, "hint", ""))


def _compute(module: FriendModule, chunk: Any, valid: ValidRange | None) -> dict[str, Any]:  # noqa: ANN401 - awkward arrays
    """Call a module and return its branches as flat arrays."""
    import numpy as np

    values = _call(module, chunk, valid)
    if not isinstance(values, Mapping):
        message = f"returned {type(values).__name__} instead of a dictionary of its branches"
        raise DataError(message)
    _refuse_other_branches(module, values)
    counts = np.asarray(chunk[COUNTER], dtype=np.int64)
    return {branch: as_column(branch, values[branch], counts) for branch in module.branches}


def _call(module: FriendModule, chunk: Any, valid: ValidRange | None) -> Any:  # noqa: ANN401 - whatever an author's code returns
    call: Any = module
    if not is_calibrated(module):
        return call(chunk)
    if valid is None:
        message = "needs a calibration, and none is given"
        raise DataError(message)
    wanted = getattr(module, "parameters", ())
    return call(chunk, valid.parameters_for(module.name, wanted))


def _refuse_other_branches(module: FriendModule, values: Mapping[str, Any]) -> None:
    declared = set(module.branches)
    missing, unknown = declared - values.keys(), values.keys() - declared
    if missing:
        message = f"declares {min(missing)} but did not return it"
        raise DataError(message, hint=nearest(min(missing), unknown) if unknown else "")
    if unknown:
        message = f"does not declare {min(unknown)}"
        raise DataError(message)


def as_column(branch: str, values: Any, counts: Any) -> Any:  # noqa: ANN401 - awkward and NumPy arrays
    """Return one branch as a flat array of float32.

    ``counts`` are the clusters of each entry.  What is None (a value, or an entry's whole list),
    NaN or infinite becomes the filler.  Raises DataError when there are not exactly as many values
    as entries or clusters, or when they are not numbers.
    """
    import awkward as ak
    import numpy as np

    array = _as_array(branch, values)
    if len(array) != len(counts):
        message = f"gave {len(array)} entries of {branch} for {len(counts)} entries"
        raise DataError(message)
    is_present = ~np.asarray(ak.is_none(array))
    present = array[is_present]
    if branch.startswith(PREFIX):
        present = _flatten(branch, present, counts[is_present])
        is_present = np.repeat(is_present, counts)
    else:
        _refuse_other_depth(branch, present, 1, "one value per entry")
    column = np.full(len(is_present), FILLER, np.float32)
    column[is_present] = _as_numbers(branch, present)
    return column


def _flatten(branch: str, lists: Any, counts: Any) -> Any:  # noqa: ANN401 - awkward and NumPy arrays
    """Return the values of all clusters; raises DataError for lists of other lengths."""
    import awkward as ak
    import numpy as np

    _refuse_other_depth(branch, lists, 2, "one value per cluster, so a list per entry")
    if not len(lists):
        return lists
    _refuse_other_counts(branch, np.asarray(ak.num(lists)), counts)
    return ak.flatten(lists)


def _refuse_other_depth(branch: str, present: Any, depth: int, wanted: str) -> None:  # noqa: ANN401 - awkward arrays
    import awkward as ak

    if len(present) and present.ndim != depth:
        message = f"gave {branch} as {ak.type(present)}, where it has {wanted}"
        raise DataError(message)


def _refuse_other_counts(branch: str, found: Any, wanted: Any) -> None:  # noqa: ANN401 - NumPy arrays
    import numpy as np

    differing = np.flatnonzero(found != wanted)
    if len(differing):
        entry = differing[0]
        message = f"gave {found[entry]} values of {branch} for {wanted[entry]} clusters"
        raise DataError(message)


def _as_array(branch: str, values: Any) -> Any:  # noqa: ANN401 - whatever an author's code gave
    import awkward as ak

    try:
        return ak.Array(values)
    except Exception as error:
        message = f"gave {branch} as {type(values).__name__}, which is not an array of values"
        raise DataError(message) from error


def _as_numbers(branch: str, flat: Any) -> Any:  # noqa: ANN401 - awkward and NumPy arrays
    """Return numbers as float32, with the filler where there is none."""
    import awkward as ak
    import numpy as np

    try:
        masked = ak.to_numpy(flat, allow_missing=True)
        numbers = np.ma.filled(masked.astype(np.float64, casting="same_kind"), np.nan)
    except Exception as error:
        message = f"gave {branch} as {ak.type(flat)}, which are not numbers"
        raise DataError(message) from error
    with np.errstate(over="ignore"):
        column = numbers.astype(np.float32)
    return np.where(np.isfinite(column), column, np.float32(FILLER))
