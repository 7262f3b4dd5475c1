"""Two threads for large updates.

NumPy lets go of the interpreter's lock while it computes, so a second thread can update other
pieces of the same flat arrays meanwhile. Every entry is computed as it would be by one thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

WORTH_IT = 1 << 18
"""Entries, below which handing work over costs more than it saves."""

_helper: list[tuple[Any, Any]] = []
"""Where its tasks go in, and which thread it is; empty until there is something to do."""

_starting = threading.Lock()


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
    tasks, helper = _helper[0] if _helper else _started()
    if helper is threading.current_thread():
        _each(work, parts)
        return
    ended: Any = SimpleQueue()
    tasks.put((work, parts[1::2], ended))
    try:
        _each(work, parts[::2])
    except BaseException:
        _error_of(ended)
        raise
    error = _error_of(ended)
    if error is not None:
        raise error


def _started() -> tuple[Any, Any]:
    with _starting:
        if not _helper:
            tasks: Any = SimpleQueue()
            helper = threading.Thread(
                target=_help, args=(tasks,), name="tinygrad_cs-helper", daemon=True
            )
            helper.start()
            _helper.append((tasks, helper))
        return _helper[0]


def _help(tasks: Any) -> None:
    """What the helper does. (A pool of `concurrent.futures` is slower to hand over.)"""
    while True:
        work, parts, ended = tasks.get()
        error: Any = None
        try:
            _each(work, parts)
        except BaseException as found:
            error = found
        ended.put(error)
        ended.put(error)  # for whoever was interrupted just when he had taken the first
        error = None
        del work, parts, ended  # while it waits, it keeps nothing alive


def _error_of(ended: Any) -> Any:
    """What the helper's part has come to; an interruption waits for it, too."""
    try:
        return ended.get()
    except KeyboardInterrupt:
        ended.get()
        raise


def _each(work: Callable[[Any], None], parts: Sequence[Any]) -> None:
    for part in parts:
        work(part)


def _forget() -> None:
    """Threads do not survive a fork; the child makes its own."""
    global _starting
    _helper.clear()
    _starting = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
