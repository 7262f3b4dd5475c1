"""The safetensors layout: the length of a header, the header in JSON, then nothing but data.

    8 bytes     length n of the header, little-endian
    n bytes     {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...,
                 "__metadata__": {"key": "text", ...}}, padded with spaces
    the rest    the arrays, little-endian, row by row, without gaps

Documented at https://huggingface.co/docs/safetensors. Nothing in it can run, so a file of a
stranger is no danger; here what the header says is believed only as far as the file bears it out.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.errors import ArgumentError
from ..engine.types import Array
from .errors import ModelFileError
from .tree import unique

METADATA = "__metadata__"
PREFIX = 8
LONGEST_HEADER = 100_000_000
"""Bytes; the limit that other readers set too."""

NAMES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "F16": "<f2",
    "U32": "<u4",
    "I32": "<i4",
    "F32": "<f4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
    "C64": "<c8",
    "BF16": "<u2",  # the upper half of a float32, which NumPy does not know
}
_CODES = {np.dtype(dtype): name for name, dtype in NAMES.items() if name not in ("BF16", "C64")}


@dataclass(frozen=True)
class Entry:
    """What the header says of one tensor; `start` and `end` count from the start of the data."""

    code: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the bytes in the file."""
        return np.dtype(NAMES[self.code])


@dataclass(frozen=True)
class Header:
    """Tensors in the order of their data, and the metadata."""

    entries: Mapping[str, Entry]
    metadata: Mapping[str, str]
    size: int
    """Bytes before the data."""


def encode_header(
    arrays: Mapping[str, Array], metadata: Mapping[str, str]
) -> tuple[bytes, list[Array]]:
    """The bytes before the data, and the arrays in the order and layout in which they follow."""
    # The widest first: every array then starts at a multiple of the size of its numbers.
    order = sorted(arrays, key=lambda name: -arrays[name].dtype.itemsize)
    described: dict[str, Any] = {METADATA: dict(metadata)}
    written, end = [], 0
    for name in order:
        array = arrays[name]
        little = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
        start, end = end, end + little.nbytes
        described[name] = {
            "dtype": _CODES[little.dtype],
            "shape": list(little.shape),
            "data_offsets": [start, end],
        }
        written.append(little)
    text = json.dumps(described, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > LONGEST_HEADER:
        raise ArgumentError(
            f"save: the names, shapes and plain values take {len(text)} bytes, more than the "
            f"{LONGEST_HEADER} that readers accept; write long lists of numbers as arrays"
        )
    return struct.pack("<Q", len(text)) + text, written


def header_length(path: str, prefix: bytes, file_size: int) -> int:
    """The length of the header by the first 8 bytes, if the file can hold it."""
    if len(prefix) < PREFIX:
        raise ModelFileError(
            path,
            len(prefix),
            f"the file ends after {len(prefix)} bytes; expected the 8 bytes of "
            f"a header's length: an interrupted copy?",
        )
    (length,) = struct.unpack("<Q", prefix)
    if length > min(LONGEST_HEADER, file_size - PREFIX):
        raise ModelFileError(
            path,
            0,
            f"the header should take {length} bytes, but the file has "
            f"{file_size - PREFIX} more and a header at most {LONGEST_HEADER}: no model file, or "
            f"cut off",
        )
    return int(length)


def decode_header(path: str, text: bytes, file_size: int) -> Header:
    """What the header says, checked against itself and against the size of the file."""
    size = PREFIX + len(text)
    try:
        described = json.loads(text.decode(), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(path, PREFIX, f"the header is no JSON text: {error}") from error
    if not isinstance(described, dict):
        raise ModelFileError(path, PREFIX, "the header is no JSON object")
    metadata = described.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(type(v) is str for v in metadata.values()):
        raise ModelFileError(path, PREFIX, f"{METADATA} does not map names to texts")
    entries = {name: _entry(path, name, said) for name, said in described.items()}
    ordered = sorted(entries.items(), key=lambda item: (item[1].start, item[1].end))
    end = 0
    for name, entry in ordered:
        if entry.start != end:
            fault = "overlaps the one before it" if entry.start < end else "leaves a gap before it"
            raise ModelFileError(
                path,
                size + entry.start,
                f"tensor {name!r} {fault}: it starts at byte "
                f"{entry.start} of the data, expected {end}",
            )
        end = entry.end
    if end != file_size - size:
        raise ModelFileError(
            path,
            min(file_size, size + end),
            f"the tensors take {end} bytes, but "
            f"{file_size - size} bytes of data are there: cut off, or not written by one writer",
        )
    return Header(dict(ordered), metadata, size)


def _entry(path: str, name: str, said: Any) -> Entry:
    def refuse(reason: str) -> ModelFileError:
        return ModelFileError(path, PREFIX, f"tensor {name!r} {reason}")

    if not isinstance(said, dict) or set(said) != {"dtype", "shape", "data_offsets"}:
        raise refuse("is not described by dtype, shape and data_offsets")
    code, shape, offsets = said["dtype"], said["shape"], said["data_offsets"]
    if not isinstance(code, str) or code not in NAMES:
        raise refuse(f"has dtype {code!r}; known are {', '.join(NAMES)}")
    for values, what in ((shape, "shape"), (offsets, "data_offsets")):
        if not isinstance(values, list) or not all(type(v) is int and v >= 0 for v in values):
            raise refuse(f"has {what} {values!r}, expected a list of whole numbers >= 0")
    if len(offsets) != 2 or len(shape) > 64 or max(shape, default=0) >= 2**63:
        raise refuse("has an impossible shape or more than two offsets")
    expected = math.prod(shape) * np.dtype(NAMES[code]).itemsize
    if offsets[1] - offsets[0] != expected:
        raise refuse(
            f"of dtype {code} and shape {shape} takes {expected} bytes, but data_offsets "
            f"{offsets} say {offsets[1] - offsets[0]}"
        )
    return Entry(code, tuple(shape), *offsets)
