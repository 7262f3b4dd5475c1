"""The loops over windows, as text: all lengths are written in, so that inner loops are short."""

from __future__ import annotations

from typing import Any

from .nests import PARALLEL, ROUNDS


def _shared(lines: list[str], images: int, rounds: int) -> tuple[list[str], int]:
    """Two threads share the images if there is enough to do: the lines, and how many images."""
    if rounds < PARALLEL or images < 2:
        return lines, 0
    return [lines[0].replace(f"range({images})", f"range({ROUNDS})"), *lines[1:]], images


def _input(axis: Any, position: str, entry: str) -> str:
    """Which input a position sees through an entry of its window."""
    return f"{axis.stride} * {position} + {axis.dilation} * {entry} - {axis.low}"


def maxima_text(s: Any) -> tuple[list[str], int]:
    """Where the largest entry of each window is: of equal ones the first, and NaN before all."""
    rows, cols = s.rows, s.cols
    whole = rows.low == rows.high == cols.low == cols.high == 0
    search = _all_entries if whole and s.entries // s.channels <= _UNROLLED else _entries_inside
    lines = [
        f"    for n in range({s.images * s.channels}):",
        f"        for u in range({rows.count}):",
        f"            for v in range({cols.count}):",
        *(f"                {line}" for line in search(rows, cols)),
        f"                chosen[{rows.count * cols.count} * n + {cols.count} * u + v] = best",
    ]
    return _shared(lines, s.images * s.channels, s.entries * s.positions)


_UNROLLED = 16
"""Entries of a window that are written out one by one."""


def _all_entries(rows: Any, cols: Any) -> list[str]:
    """Without branches, so that several windows are searched at a time."""
    lines = [
        f"first = {rows.size * cols.size} * n + {rows.stride * cols.size} * u + {cols.stride} * v",
        "best, largest = first, image[first]",
    ]
    for i in range(rows.kernel):
        for j in range(cols.kernel)[i == 0 :]:
            place = f"first + {rows.dilation * cols.size * i + cols.dilation * j}"
            lines += [
                f"x = image[{place}]",
                "better = (not (x <= largest)) & (largest == largest)",
                f"best, largest = ({place}, x) if better else (best, largest)",
            ]
    return lines


def _entries_inside(rows: Any, cols: Any) -> list[str]:
    (a, b), (c, d) = _range_of_entries(rows, "u"), _range_of_entries(cols, "v")
    return [
        "best, largest = -1, image[0]",
        f"for i in range({a}, {b}):",
        f"    for j in range({c}, {d}):",
        f"        place = ({_input(rows, 'u', 'i')}) * {cols.size}",
        f"        place += {_input(cols, 'v', 'j')} + {rows.size * cols.size} * n",
        "        x = image[place]",
        "        better = (x > largest) | ((x != x) & (largest == largest))",
        "        if (best < 0) | better:",
        "            best, largest = place, x",
    ]


def _range_of_entries(axis: Any, position: str) -> tuple[str, str]:
    """The entries of a window that see inputs and no padding."""
    if axis.low == axis.high == 0:
        return "0", str(axis.kernel)
    start = f"{axis.low} - {axis.stride} * {position}"
    first = f"max(0, ({start} + {axis.dilation - 1}) // {axis.dilation})"
    last = f"min({axis.kernel}, ({start} + {axis.size - 1}) // {axis.dilation} + 1)"
    return first, last
