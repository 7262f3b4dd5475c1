"""States to files and back: `tg.save` and `tg.load`."""

from __future__ import annotations

import os
import re
import stat
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata as packages
from typing import Any, BinaryIO

import numpy as np

from ..engine.errors import ArgumentError
from ..engine.types import Array
from .atomic import replace_file
from .errors import ModelFileError
from .layout import PREFIX, Entry, Header, decode_header, encode_header, header_length
from .tree import StructureError, flatten, unflatten

OWN = "tinygrad_cs."
VERSION, STRUCTURE, CHECKSUM = OWN + "version", OWN + "structure", OWN + "crc32"
NO_SUM = "00000000"


def save(
    path: str | os.PathLike[str], state: Any, metadata: Mapping[str, str] | str | None = None
) -> None:
    """Write a state to a file, whole or not at all.

    The file is a safetensors file: other libraries read the arrays, by the names they have in a
    flat `state_dict`, by dotted paths where dicts are nested. It appears under its name only when
    all of it is on the disk; if writing fails, an earlier file of this name is as it was.

    Args:
        path: the file, by custom with the suffix `.safetensors`; its folder exists.
        state: arrays and NumPy scalars of any numeric dtype, tensors (their data), numbers, strings
            and None, in dicts, lists and tuples: what `state_dict()` of modules, optimizers,
            schedules and loaders gives, `generator.bit_generator.state`, a dict of all of these.
        metadata: a description, or several as a dict of strings, for `saving.inspect`.

    Raises `ArgumentError` for values of other types and a path that is none, `DTypeError` for
    arrays of objects, text and extended precision; both say where they are. `OSError` where the
    system refuses.

    Example:
        >>> import os, tempfile, numpy as np, tinygrad_cs as tg
        >>> model = tg.nn.Linear(3, 2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.safetensors")
        ...     tg.save(path, {"model": model.state_dict(), "epoch": 7}, "three inputs")
        ...     state = tg.load(path)
        >>> state["epoch"], list(state["model"])
        (7, ['weight', 'bias'])
    """
    name = _path("save", path, "tg.save(path, state): the file comes first, as in np.save")
    structure, arrays = flatten(state)
    described = _described(metadata)
    described |= {VERSION: _version(), STRUCTURE: structure, CHECKSUM: NO_SUM}
    header, written = encode_header(arrays, described)
    # Arrays without entries have no bytes to view.
    views = [array.reshape(-1).view(np.uint8).data for array in written if array.size]
    total = zlib.crc32(header)
    for view in views:
        total = zlib.crc32(view, total)
    replace_file(name, [_signed(header, f"{total:08x}"), *views])


def load(path: str | os.PathLike[str]) -> Any:
    """Read what `save` wrote, equal in values, types, dtypes and shapes.

    Tensors come back as arrays, scalars as NumPy's scalars, other mappings as dicts, all numbers
    in the byte order of the machine. Of a safetensors file by another library it is a dict of
    arrays by name; bfloat16 becomes float32.

    Nothing in a file is run, no memory is taken on the word of its header, and files by `save`
    carry a checksum over everything. That finds damage, not forgery. Raises `ModelFileError` for
    a file that is damaged, cut off or no model file, `OSError` where it cannot be opened.

    Example:
        >>> import os, tempfile, tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "notes.safetensors")
        ...     tg.save(path, {"best": (0.25, 3), "seed": 2**100})
        ...     tg.load(path)
        {'best': (0.25, 3), 'seed': 1267650600228229401496703205376}
    """
    name = _path("load", path, "tg.load(path)")
    with _opened(name) as file:
        header, text = _read_header(name, file)
        total = zlib.crc32(text)
        arrays = {}
        for key, entry in header.entries.items():
            raw = np.empty(entry.end - entry.start, np.uint8)
            _fill(name, file, raw, header.size + entry.start)
            if raw.size:
                total = zlib.crc32(raw.data, total)
            arrays[key] = raw, entry
    own = [key for key in header.metadata if key.startswith(OWN)]
    if own and header.metadata.get(CHECKSUM) != f"{total:08x}":
        raise ModelFileError(
            name,
            0,
            f"the checksum does not fit: expected {header.metadata.get(CHECKSUM)}, got "
            f"{total:08x}; the file was damaged after it was written",
        )
    values = {key: _as_array(name, key, *arrays.pop(key), header) for key in list(arrays)}
    if not own:
        return values
    try:
        return unflatten(header.metadata.get(STRUCTURE, ""), values)
    except StructureError as error:
        raise ModelFileError(name, PREFIX, f"the description of the structure: {error}") from error


@dataclass(frozen=True)
class FileInfo:
    """What a model file says of itself, without its data; see `inspect`."""

    tensors: Mapping[str, tuple[str, tuple[int, ...]]]
    """Dtype and shape of every array by name."""
    metadata: Mapping[str, str]
    """What was given to `save`; a single description has the name "description"."""
    version: str | None
    """The version of tinygrad_cs that wrote it; None for files by other libraries."""


def inspect(path: str | os.PathLike[str]) -> FileInfo:
    """Read the header of a model file: names, dtypes, shapes and metadata; quick for any size.

    The data is not read, so its checksum is not checked. Raises as `load` does.

    Example:
        >>> import os, tempfile, numpy as np, tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "w.safetensors")
        ...     tg.save(path, {"w": np.zeros((2, 3))}, metadata="zeros")
        ...     info = tg.saving.inspect(path)
        >>> info.tensors, info.metadata
        ({'w': ('F64', (2, 3))}, {'description': 'zeros'})
    """
    name = _path("saving.inspect", path, "tg.saving.inspect(path)")
    with _opened(name) as file:
        header, _ = _read_header(name, file)
    return FileInfo(
        {key: (entry.code, entry.shape) for key, entry in header.entries.items()},
        {key: value for key, value in header.metadata.items() if not key.startswith(OWN)},
        header.metadata.get(VERSION),
    )


def _path(where: str, path: Any, write: str) -> str:
    if not isinstance(path, (str, os.PathLike)):
        raise ArgumentError(
            f"{where}: expected the path of a file, got {type(path).__name__}; write {write}"
        )
    return os.fspath(path)


def _opened(name: str) -> BinaryIO:
    # Asked before: opening a pipe would wait for somebody to write.
    mode = os.stat(name).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ModelFileError(name, 0, "not an ordinary file, but a device, pipe or socket")
    return open(name, "rb")


def _read_header(name: str, file: BinaryIO) -> tuple[Header, bytes]:
    """The header, and its bytes with zeros for the checksum."""
    file_size = os.fstat(file.fileno()).st_size
    prefix = file.read(PREFIX)
    length = header_length(name, prefix, file_size)
    text = file.read(length)
    if len(text) < length:
        raise ModelFileError(name, PREFIX + len(text), "the file ends within the header")
    header = decode_header(name, text, file_size)
    return header, _signed(prefix + text, NO_SUM)


def _signed(header: bytes, checksum: str) -> bytes:
    """The header with this checksum in the place of the one it has."""
    pattern = rb'("%s":")[^"]*(")' % re.escape(CHECKSUM.encode())
    return re.sub(pattern, rb"\g<1>%s\g<2>" % checksum.encode(), header, count=1)


def _fill(name: str, file: BinaryIO, raw: Array, offset: int) -> None:
    view, done = memoryview(raw), 0  # type: ignore[arg-type]
    while done < len(view):
        count = file.readinto(view[done:])  # type: ignore[attr-defined]
        if not count:
            raise ModelFileError(name, offset + done, "the file ends within the data")
        done += count


def _as_array(name: str, key: str, raw: Array, entry: Entry, header: Header) -> Array:
    if entry.code == "BOOL" and raw.size and raw.max() > 1:
        place = header.size + entry.start + int(np.argmax(raw > 1))
        raise ModelFileError(name, place, f"tensor {key!r} of BOOL has a byte above 1")
    values = raw.view(entry.dtype)
    if entry.code == "BF16":
        values = (values.astype(np.uint32) << 16).view(np.float32)
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    try:
        return native.reshape(entry.shape)
    except ValueError as error:
        raise ModelFileError(
            name, PREFIX, f"tensor {key!r}: shape {entry.shape}: {error}"
        ) from error


def _described(metadata: Mapping[str, str] | str | None) -> dict[str, str]:
    described = {"description": metadata} if isinstance(metadata, str) else dict(metadata or {})
    for key, value in described.items():
        if type(key) is not str or type(value) is not str:
            raise ArgumentError(
                f"save: expected metadata to be a text, or texts by name, got {key!r}: {value!r}; "
                f"other values belong in the state"
            )
        if key.startswith(OWN):
            raise ArgumentError(f"save: names of metadata with {OWN!r} are taken, got {key!r}")
        try:
            (key + value).encode()
        except UnicodeEncodeError as error:
            raise ArgumentError(f"save: metadata {key!r} is no valid Unicode: {error}") from error
    return described


def _version() -> str:
    try:
        return packages.version("tinygrad_cs")
    except packages.PackageNotFoundError:
        return "unknown"
