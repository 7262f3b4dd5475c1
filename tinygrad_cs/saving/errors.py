"""The one error of files that cannot be read as what they claim to be."""

from __future__ import annotations

import os

from ..engine.errors import TinygradError


class ModelFileError(TinygradError, ValueError):
    """A model file that is damaged, cut off, or none: nothing of it was loaded.

    Attributes:
        path: the file.
        offset: the byte, counted from the start of the file, at which it went wrong; the first
            byte of the part concerned where it is not known more exactly.
        reason: what is wrong.
    """

    def __init__(self, path: str | os.PathLike[str], offset: int, reason: str) -> None:
        self.path, self.offset, self.reason = os.fspath(path), offset, reason
        super().__init__(self.path, offset, reason)

    def __str__(self) -> str:
        return f"{self.path}: at byte {self.offset}: {self.reason}"
