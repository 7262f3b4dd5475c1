"""Two threads for large updates.

NumPy lets go of the interpreter's lock while it computes, so a second thread can update other
pieces of the same flat arrays meanwhile. Every entry is computed as it would be by one thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

WORTH_IT = 1 << 18
"""Entries, below which handing work over costs more than it saves."""

_helper: list[Any] = []


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def on_two_threads(work: Callable[[Any], None], parts: Sequence[Any]) -> None:
    """`work` on every second part by a helper thread, on the others by this one.

    An error of either is raised here, when both have ended.
    """
    if len(parts) < 2 or _cores() < 2:
        _each(work, parts)
        return
    from queue import SimpleQueue

    if not _helper:
        from threading import Thread

        _helper.append(SimpleQueue())
        Thread(target=_help, args=_helper, name="tinygrad_cs-helper", daemon=True).start()
    ended: Any = SimpleQueue()
    _helper[0].put((work, parts[1::2], ended))
    try:
        _each(work, parts[::2])
    finally:
        error = ended.get()
        if error is not None:
            raise error


def _help(tasks: Any) -> None:
    """What the helper does. (A pool of `concurrent.futures` is slower to hand over.)"""
    while True:
        work, parts, ended = tasks.get()
        try:
            _each(work, parts)
        except BaseException as error:
            ended.put(error)
        else:
            ended.put(None)
        del work, parts, ended  # while it waits, it keeps nothing alive


def _each(work: Callable[[Any], None], parts: Sequence[Any]) -> None:
    for part in parts:
        work(part)


if hasattr(os, "register_at_fork"):
    # threads do not survive a fork; the child makes its own
    os.register_at_fork(after_in_child=_helper.clear)
