"""When a layer's attribute was set last.

A compiled program is true for layers as they were; asking each of them in every call takes as long
as a small product of matrices, asking whether any has changed at all takes nothing.
"""

from __future__ import annotations

from itertools import count

LAST = [0]
"""One entry: the number of the last change."""

_numbers = count(1)


def note_change() -> None:
    """An attribute of a layer has been set. (Each change has its own number, in any thread.)"""
    LAST[0] = next(_numbers)
