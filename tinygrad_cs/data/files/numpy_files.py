"""NumPy's own files, .npy and .npz, with the checks that `np.load` leaves out.

`np.load` allocates what the header announces, and an .npz is a zip archive, which may unpack to a
thousand times its size. Here both are compared with what the file can hold, and pickled objects
are never opened. The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import ast
import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engine.types import Array
from .errors import DataFileError
from .source import AGAIN, MOST_PER_BYTE, Source, file_size, opened, packed_errors, unpacked_limit

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000
"""As in NumPy: the parser of Python literals is not made for long hostile ones."""

NUMBERS = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|c8|c16)")
TEXT = re.compile(r"([<>|=]?U|[<>|=]?S)[1-9]\d{0,8}")


def read_npy(path: Any, max_bytes: int | None = None) -> Array:
    """The array in an .npy file (`np.save`): numbers, booleans or text, never pickled objects.

    `max_bytes` bounds what a file packed with gzip may unpack to, as in `read_idx`. Raises
    `DataFileError` for a file that is missing, no .npy file, of another length than its header
    announces, or that holds objects, dates or records.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "x.npy")
        ...     np.save(path, np.array([[1.5, 2.5]]))
        ...     tg.data.read_npy(path)
        array([[1.5, 2.5]])
    """
    with opened(path, max_bytes) as source:
        return _array(source)


def read_npz(path: Any, max_bytes: int | None = None) -> dict[str, Array]:
    """The arrays in an .npz file (`np.savez`, `np.savez_compressed`) by name, all of them read.

    Args:
        path: the file.
        max_bytes: the most that all arrays together may unpack to. By default 256 MiB or twenty
            times the size of the file, whichever is more, so that a small file cannot fill the
            memory.

    Raises `DataFileError` for a file that is missing, no .npz file, damaged, encrypted or packed
    by another method than NumPy's, for arrays that unpack to more, and for what `read_npy` refuses.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "data.npz")
        ...     np.savez(path, x=np.eye(2), y=np.array([0, 1]))
        ...     arrays = tg.data.read_npz(path)
        >>> tg.data.Samples(arrays["x"], arrays["y"])
        Samples(x=float64[2, 2], y=int64[2])
    """
    import zipfile

    size = file_size(path)
    try:
        with open(path, "rb") as stream, zipfile.ZipFile(stream) as archive:
            stream.seek(0)
            # The archive would be found behind any other file as well.
            if stream.read(4) not in (b"PK\x03\x04", b"PK\x05\x06"):
                raise DataFileError(path, "is no .npz file, which begins with PK", 0)
            return _arrays(path, size, archive, max_bytes)
    except DataFileError:
        raise
    except _zip_errors() as error:
        raise DataFileError(
            path, f"is no .npz file, or damaged: {str(error)[:200]}; {AGAIN}"
        ) from error


def _zip_errors() -> tuple[type[Exception], ...]:
    """What zipfile raises for archives that are damaged, encrypted or of an unknown kind."""
    import zipfile

    zip_errors = (zipfile.BadZipFile, zipfile.LargeZipFile, struct.error)
    builtin = (RuntimeError, ValueError, KeyError, IndexError, OverflowError, AssertionError)
    return *packed_errors(), *zip_errors, *builtin


def _arrays(path: Any, size: int, archive: ZipFile, max_bytes: int | None) -> dict[str, Array]:
    members = archive.infolist()
    allowed = max(size, unpacked_limit(path, size, max_bytes))
    total = sum(member.file_size for member in members)
    if total > allowed:
        raise DataFileError(
            path,
            f"{len(members)} arrays announce {total} bytes, more than the {allowed} that a file of "
            f"{size} bytes may unpack to; raise max_bytes if the file is right",
        )
    arrays: dict[str, Array] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if name == member.filename or name in arrays:
            what = "is there twice" if name in arrays else "is no array (.npy)"
            raise DataFileError(
                path,
                f"{member.filename[:80]!r} {what}; write the file with np.savez",
                _start(member),
            )
        arrays[name] = _member(path, archive, member)
    return arrays


def _member(path: Any, archive: ZipFile, member: ZipInfo) -> Array:
    import zipfile

    stored = member.compress_type == zipfile.ZIP_STORED
    most = member.compress_size * (1 if stored else MOST_PER_BYTE)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataFileError(
            path,
            f"{member.filename[:80]!r} is packed by method {member.compress_type}, expected 0 or "
            f"8, those of np.savez and np.savez_compressed",
            _start(member),
        )
    if member.file_size > most:
        raise DataFileError(
            path,
            f"{member.filename[:80]!r} announces {member.file_size} bytes, which "
            f"{member.compress_size} cannot hold; {AGAIN}",
            _start(member),
        )
    with archive.open(member) as stream:
        # Named like a folder, so that errors say which of the arrays is wrong.
        return _array(
            Source(f"{path}/{member.filename[:80]}", stream, member.file_size, exact=True)
        )


def _start(member: ZipInfo) -> int | None:
    # zipfile counts back from the directory at the end, in damaged files to before the beginning.
    return member.header_offset if member.header_offset >= 0 else None


def _array(source: Source) -> Array:
    dtype, shape, columns_first = _header(source)
    array = source.array(dtype, shape[::-1] if columns_first else shape)
    array = array.T if columns_first else array
    _check_entries(source, array)
    return array


def _header(source: Source) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    magic = source.read(8, "header")
    version, minor = magic[6:]
    if magic[:6] != MAGIC or version not in (1, 2, 3) or minor:
        raise source.fail(
            f"expected an .npy file of version 1, 2 or 3, which begins with {MAGIC!r}, "
            f"got {magic!r}",
            offset=0,
        )
    size = struct.unpack("<H", source.read(2, "header"))[0] if version == 1 else None
    if size is None:
        (size,) = struct.unpack("<I", source.read(4, "header"))
    if size > LONGEST_HEADER:
        raise source.fail(f"expected a header of at most {LONGEST_HEADER} bytes, got {size}")
    start = source.offset
    text = source.read(size, "header")
    try:
        header = ast.literal_eval(text.decode("latin1" if version < 3 else "utf-8"))
        # A dictionary of other keys or a shape of other things ends here as well.
        descr, order, shape = header["descr"], header["fortran_order"], header["shape"]
        known = len(header) == 3 and isinstance(descr, str) and isinstance(order, bool)
        known &= isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        known = False
    if not known:
        raise source.fail(
            f"expected a header of descr, fortran_order and a shape of whole numbers >= 0, got "
            f"{text[:80]!r}",
            offset=start,
        )
    if not NUMBERS.fullmatch(descr) and not TEXT.fullmatch(descr):
        raise source.fail(
            f"expected numbers, booleans or text, got dtype {descr[:40]!r}; objects (pickled), "
            f"dates and records are not read: save plain arrays with np.save",
            offset=start,
        )
    return np.dtype(descr), shape, order


def _check_entries(source: Source, array: Array) -> None:
    """Bytes that are no booleans or characters would come out as something else each time."""
    flat = array.ravel(order="K")  # as in memory: no copy
    if array.dtype.kind == "b" and flat.size and flat.view(np.uint8).max() > 1:
        raise source.fail("expected booleans, bytes 0 and 1, got others; " + AGAIN)
    if array.dtype.kind == "U" and flat.size and flat.view(np.uint32).max() > 0x10FFFF:
        raise source.fail("expected characters of Unicode, got numbers beyond; " + AGAIN)
