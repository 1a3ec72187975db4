"""Writes raw runs, in each of the containers that can be read."""

from __future__ import annotations

import gzip
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol

from autoctrl.science.camera.raw.midas import (
    BEGIN_OF_RUN,
    END_OF_RUN,
    pack_camera_header,
    pack_text_event,
    pad_size,
)
from autoctrl.science.camera.raw.orientation import to_working

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class Writer(Protocol):
    """A raw run that is being written."""

    def begin(self, time_s: int, settings: str) -> None:
        """Write the begin of the run."""

    def add(self, frame: NDArray[np.uint16], time_s: int) -> None:
        """Write the next event's working frame."""

    def flush(self) -> None:
        """Let others read what has been written."""

    def end(self, time_s: int, settings: str) -> None:
        """Write the end of the run."""

    def close(self) -> None:
        """Close the file."""


class MidasWriter:
    """Writes a MIDAS event file."""

    def __init__(self, path: Path, run: int) -> None:
        """Begin the file."""
        self._file, self._run, self._events = path.open("wb"), run, 0
        self._stream: IO[bytes] | gzip.GzipFile = self._file

    def begin(self, time_s: int, settings: str) -> None:
        """Write the begin-of-run event."""
        self._stream.write(pack_text_event(BEGIN_OF_RUN, self._run, time_s, settings))

    def add(self, frame: NDArray[np.uint16], time_s: int) -> None:
        """Write a camera event."""
        stored = to_working(frame).astype("<u2", copy=False).tobytes()
        self._stream.write(pack_camera_header(self._events, time_s, len(stored)))
        self._stream.write(stored + b"\0" * (pad_size(len(stored)) - len(stored)))
        self._events += 1

    def flush(self) -> None:
        """Write out all that was compressed."""
        self._stream.flush()
        self._file.flush()

    def end(self, time_s: int, settings: str) -> None:
        """Write the end-of-run event."""
        self._stream.write(pack_text_event(END_OF_RUN, self._run, time_s, settings))

    def close(self) -> None:
        """Close stream and file."""
        self._stream.close()
        self._file.close()


class GzipWriter(MidasWriter):
    """Writes a compressed MIDAS event file; without a name and a time in it, the same run gives the
    same bytes.
    """

    def __init__(self, path: Path, run: int) -> None:
        """Begin the file."""
        super().__init__(path, run)
        self._stream = gzip.GzipFile(
            filename="", mode="wb", compresslevel=1, fileobj=self._file, mtime=0
        )


class Form(NamedTuple):
    """A way to write raw runs: the files' names, the writer as ``module:class``, whether they can
    be read growing.
    """

    pattern: str
    writer: str
    grows: bool = False

    def open(self, path: Path, run: int) -> Writer:
        """Begin a run."""
        module, _, name = self.writer.partition(":")
        writer: Any = getattr(import_module(f"autoctrl.science.camera.raw.{module}"), name)(
            path, run
        )
        opened: Writer = writer
        return opened


DEFAULT_FORM = "mid.gz"
FORMS = {
    DEFAULT_FORM: Form("run{run:05d}.mid.gz", "writers:GzipWriter", grows=True),
    "mid": Form("run{run:05d}.mid", "writers:MidasWriter", grows=True),
    "h5": Form("histograms_Run{run:05d}.h5", "hdf5file:HDF5Writer"),
    "root": Form("histograms_Run{run:05d}.root", "rootfile:RootWriter"),
}
