"""A file is replaced whole or not at all, whatever happens meanwhile, a power cut included."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

PREFIX, SUFFIX = ".tinygrad_cs-", ".tmp"
ABANDONED = 3600.0
"""Seconds after which a temporary file that nobody writes to is taken for a leftover."""


def replace_file(path: str | os.PathLike[str], parts: Iterable[Any]) -> None:
    """Write the bytes of `parts` to `path`, in place of what is there.

    They go to a new file beside it, are forced to the disk, and then take the name over. A link
    stays a link, its target is replaced. If anything fails, the new file is removed and the error
    raised; the earlier file is as it was. A process that is killed may leave the new file behind.
    """
    try:
        _replace(Path(os.path.realpath(path)), parts)
    except OSError as error:
        # A full disk names no file, everything else the new one, of which nobody has heard.
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def _replace(target: Path, parts: Iterable[Any]) -> None:
    fresh = target.with_name(f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}")
    # "x": a name that exists already, however unlikely, belongs to somebody else.
    file = open(fresh, "xb")  # noqa: SIM115 - closed before it gets its name
    try:
        with file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):
            # A file that was closed to others stays closed to them.
            fresh.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(fresh, target)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    # The name lives in the folder, which is written at some time of its own.
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems have no such thing.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left half written in `folder`."""
    for path in folder.glob(f"{PREFIX}*{SUFFIX}"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED:
                path.unlink()
