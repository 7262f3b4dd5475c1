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
    if not _helper:
        from concurrent.futures import ThreadPoolExecutor

        _helper.append(ThreadPoolExecutor(1, thread_name_prefix="tinygrad_cs-update"))
    others = _helper[0].submit(_each, work, parts[1::2])
    try:
        _each(work, parts[::2])
    finally:
        others.result()


def _each(work: Callable[[Any], None], parts: Sequence[Any]) -> None:
    for part in parts:
        work(part)


if hasattr(os, "register_at_fork"):
    # threads do not survive a fork; the child makes its own
    os.register_at_fork(after_in_child=_helper.clear)
