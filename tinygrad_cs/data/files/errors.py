"""The one error of the readers: a file that is not what it should be."""

from __future__ import annotations

import os
from typing import Any

from ...engine.errors import TinygradError


class DataFileError(TinygradError, ValueError):
    """A file that cannot be opened or is not what its name or header says; nothing was read.

    `path` is the file as a string, `reason` says what was expected and what came, and `offset` is
    the byte of the (unpacked) file where it was noticed, or None where there is no such place.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "labels-idx1-ubyte")
        ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 9, 1, 2, 3]))
        ...     try:
        ...         tg.data.read_idx(path)
        ...     except tg.data.DataFileError as error:
        ...         print(error.offset, error.reason)
        8 the header announces uint8[9], 9 bytes, but 3 follow; download or copy the file again
    """

    path: str
    reason: str
    offset: int | None

    def __init__(self, path: Any, reason: str, offset: int | None = None) -> None:
        self.path, self.reason, self.offset = os.fspath(path), reason, offset
        place = "" if offset is None else f", byte {offset}"
        super().__init__(f"{self.path}{place}: {reason}")

    def __reduce__(self) -> Any:
        return type(self), (self.path, self.reason, self.offset)
