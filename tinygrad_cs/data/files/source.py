"""A file read with care: no more memory is asked for than the file can fill.

Whatever a header announces is compared with what the file can hold before anything is allocated:
its size, or for packed files the most that DEFLATE can make of it.
"""

from __future__ import annotations

import math
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...engine.types import Array
from ..checks import positive_integer
from .errors import DataFileError

PIECE = 1 << 20
"""Bytes read at once, so that unpacking needs no second copy of the whole."""

MOST_PER_BYTE = 1032
"""DEFLATE at its best: 258 bytes from two bits."""

AGAIN = "download or copy the file again"


def file_size(path: Any) -> int:
    """The size of a regular file; folders, pipes and devices are refused, as is what is missing."""
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise DataFileError(path, f"cannot be opened: {reason}") from error
    if not stat.S_ISREG(status.st_mode):
        raise DataFileError(path, "expected a file, got a folder or a device")
    return status.st_size


def unpacked_limit(path: Any, packed: int, max_bytes: int | None) -> int:
    """How many bytes a packed file of this size may unpack to."""
    if max_bytes is not None:
        positive_integer(os.fspath(path), "max_bytes", max_bytes)
    # Twenty times is beyond what data sets pack to; small files may be all zeros for all we care.
    allowed = max(1 << 28, 20 * packed) if max_bytes is None else max_bytes
    return min(allowed, MOST_PER_BYTE * packed)


class Source:
    """A stream of known greatest length, read from front to back."""

    def __init__(self, path: Any, stream: Any, most: int, exact: bool) -> None:
        self.path, self.stream = path, stream
        self.most, self.exact = most, exact
        """The bytes that the stream holds, or where that is not known the most it may hold."""
        self.offset = 0

    def fail(self, reason: str, offset: int | None = None) -> DataFileError:
        """The error to raise, at the current position unless told otherwise."""
        return DataFileError(self.path, reason, self.offset if offset is None else offset)

    def read(self, count: int, what: str) -> bytes:
        """Exactly `count` bytes, a small number that does not come from the file."""
        data = bytearray(count)
        self._fill(memoryview(data), what)
        return bytes(data)

    def array(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
        """The rest of the stream, as an array of exactly this type and shape, of native order."""
        announced = f"{dtype.name}{list(shape)}"
        size = byte_count(dtype, shape)
        if size is None:
            raise self.fail(f"the header announces {announced}, more than any array can hold")
        left = self.most - self.offset
        if size != left if self.exact else size > left:
            follow = f"{left} follow" if self.exact else f"at most {left} may be unpacked"
            advice = AGAIN if self.exact else f"{AGAIN}, or if it is right raise max_bytes"
            raise self.fail(
                f"the header announces {announced}, {size} bytes, but {follow}; {advice}"
            )
        data = np.empty(size, np.uint8)
        self._fill(data.data, announced)
        self.end()
        array: Array = data.view(dtype).reshape(shape)
        return array.astype(dtype.newbyteorder("="), copy=False)

    def end(self) -> None:
        """Check that nothing follows; for packed files this also checks their checksum."""
        if self._into(memoryview(bytearray(1))):
            raise self.fail(f"more bytes follow than the header announces; {AGAIN}")

    def _fill(self, view: memoryview, what: str) -> None:
        # Views keep the count right where a system call returns less than it was asked for.
        while len(view):
            count = self._into(view[:PIECE])
            if not count:
                raise self.fail(
                    f"ends here, {len(view)} bytes before the end of the {what}; {AGAIN}"
                )
            view = view[count:]
            self.offset += count

    def _into(self, view: memoryview) -> int:
        try:
            count: int = self.stream.readinto(view)
            return count
        except packed_errors() as error:
            raise self.fail(f"cannot be read: {error}; {AGAIN}") from error


@contextmanager
def opened(path: Any, max_bytes: int | None = None) -> Iterator[Source]:
    """The file as a source, unpacked where it begins like a gzip file, whatever its name says."""
    size = file_size(path)
    try:
        raw = open(path, "rb", buffering=0)  # noqa: SIM115 - closed below
    except OSError as error:
        raise DataFileError(path, f"cannot be opened: {error.strerror}") from error
    with raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            yield Source(path, raw, size, exact=True)
            return
        # Here, because most programs never need it.
        import gzip

        with gzip.GzipFile(fileobj=raw, mode="rb") as stream:
            yield Source(path, stream, unpacked_limit(path, size, max_bytes), exact=False)


def byte_count(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int | None:
    """Bytes of such an array; None where NumPy could not even describe it."""
    # NumPy multiplies the lengths that are not zero, also where there is a zero.
    if len(shape) > 32 or dtype.itemsize * math.prod(n for n in shape if n) > sys.maxsize:
        return None
    return dtype.itemsize * math.prod(shape)


def packed_errors() -> tuple[type[Exception], ...]:
    """What reading can raise, unpacking included."""
    import zlib

    return OSError, EOFError, zlib.error
