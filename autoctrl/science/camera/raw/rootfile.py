"""Raw runs in ROOT: TH2 histograms H[x, y], x the column and y the row, and the settings as a
string.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np

from autoctrl.science.camera.histograms import make_histogram, read_image
from autoctrl.science.camera.raw.namedframes import SETTINGS, NamedFrames, NamedWriter, as_counts
from autoctrl.science.camera.raw.rawfile import Truncated
from autoctrl.science.rootio import load_uproot, open_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray


class RootContainer:
    """An open ROOT file."""

    def __init__(self, path: Path) -> None:
        """Open it; raises Truncated for one that is cut off, DataError for one that is not a ROOT
        file.
        """
        self._open = ExitStack()
        # nothing that was read is kept: the frames of a run are many times what the memory may be
        self._file = self._open.enter_context(open_file(path, object_cache=None, array_cache=None))
        if self._file.file.fEND > path.stat().st_size:
            self._open.close()
            message = f"{path} is not a readable ROOT file: it is cut off."
            raise Truncated(
                message, hint="It is still being written, or was cut off: fetch it again."
            )

    def names(self) -> Iterable[str]:
        """Return the names of all pictures."""
        names: list[str] = self._file.keys(cycle=False, filter_classname="TH2*")
        return names

    def settings(self) -> str:
        """Return the settings, empty without."""
        return str(self._file[SETTINGS]) if SETTINGS in self._file else ""

    def read(self, name: str) -> NDArray[np.uint16]:
        """Return a frame."""
        return as_counts(read_image(self._file, name))

    def offset(self, name: str) -> int | None:
        """Return where a picture's bytes begin."""
        return int(self._file.key(name).fSeekKey)

    def close(self) -> None:
        """Close the file."""
        self._open.close()


class RootRun(NamedFrames):
    """A raw run in ROOT."""

    def __init__(self, path: Path) -> None:
        """Open ``path``."""
        super().__init__(path, RootContainer(path))


class RootWriter(NamedWriter):
    """Writes a run into a ROOT file."""

    def __init__(self, path: Path, run: int) -> None:
        """Begin the file."""
        uproot = load_uproot()
        super().__init__(uproot.recreate(path, compression=uproot.ZSTD(1)), run)

    def keep(self, name: str, frame: NDArray[np.uint16]) -> None:
        """Write a frame, with 32 bits per pixel: 16 in a TH2 have a sign."""
        self._file[name] = make_histogram(frame.astype(np.int32), f"{name};column;row")

    def end(self, time_s: int, settings: str) -> None:  # noqa: ARG002 - the settings have the time
        """Write the settings."""
        self._file[SETTINGS] = settings
