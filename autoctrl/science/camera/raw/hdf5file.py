"""Raw runs in HDF5: datasets D of columns x rows, W = D.T, and the settings as an attribute of the
file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py

from autoctrl.science.camera.raw.namedframes import SETTINGS, NamedFrames, NamedWriter, as_counts
from autoctrl.science.camera.raw.orientation import transpose
from autoctrl.science.camera.raw.rawfile import Truncated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

CHUNK_COLUMNS = 256


class HDF5Container:
    """An open HDF5 file."""

    def __init__(self, path: Path) -> None:
        """Open it; raises Truncated for one that is cut off or still being written."""
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            message = f"{path} is not a readable HDF5 file: {error}."
            raise Truncated(
                message, hint="It is still being written, or was cut off: fetch it again."
            ) from error

    def names(self) -> Iterable[str]:
        """Return the names of all objects at the top."""
        return list(self._file)

    def settings(self) -> str:
        """Return the settings, empty without."""
        return str(self._file.attrs.get(SETTINGS, ""))

    def read(self, name: str) -> NDArray[np.uint16]:
        """Return a frame."""
        return transpose(as_counts(self._file[name][()]))

    def offset(self, name: str) -> int | None:
        """Return where a dataset's data, or the first piece of them, begin."""
        data = self._file[name].id
        if data.get_create_plist().get_layout() != h5py.h5d.CHUNKED:
            return int(data.get_offset() or 0)
        return int(data.get_chunk_info(0).byte_offset) if data.get_num_chunks() else None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class HDF5Run(NamedFrames):
    """A raw run in HDF5."""

    def __init__(self, path: Path) -> None:
        """Open ``path``."""
        super().__init__(path, HDF5Container(path))


class HDF5Writer(NamedWriter):
    """Writes a run into an HDF5 file; the compression that is used has a checksum."""

    def __init__(self, path: Path, run: int) -> None:
        """Begin the file."""
        super().__init__(h5py.File(path, "w"), run)

    def keep(self, name: str, frame: NDArray[np.uint16]) -> None:
        """Write a frame as a dataset."""
        chunks = min(CHUNK_COLUMNS, frame.shape[1]), frame.shape[0]
        options = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
        self._file.create_dataset(name, data=transpose(frame), chunks=chunks, **options)

    def end(self, time_s: int, settings: str) -> None:  # noqa: ARG002 - the settings have the time
        """Write the settings."""
        self._file.attrs[SETTINGS] = settings
