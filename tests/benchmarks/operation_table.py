"""The times of operations as a table, and what they come to."""

from __future__ import annotations

from statistics import median
from typing import Any

TARGETS = {10: 3.0, 1_000: 2.5}
"""PyTorch's time over ours, at least, in the median over operations."""

CEILING = 1.15
"""Our time over NumPy's by hand, at most, for every operation."""


def table(result: dict[str, Any]) -> str:
    """A line for each operation, a block of columns for each size, the summary below."""
    entries = {(entry["row"], entry["size"]): entry for entry in result["rows"]}
    names = dict.fromkeys(entry["row"] for entry in result["rows"])
    blocks = {size: _columns(result, size) for size in result["sizes"]}
    lines = [
        "µs forward and backward".ljust(20)
        + "".join(f"{f'{size:,} entries':>{9 * len(blocks[size])}}" for size in blocks),
        "operation".ljust(20) + "".join(f"{c:>9}" for block in blocks.values() for c in block),
    ]
    for name in names:
        mine = [entries[name, size] for size in blocks]
        reason = next((entry["skipped"] for entry in mine if "skipped" in entry), None)
        if reason is not None:
            lines.append(f"{name:<20}  skipped: {reason}")
            continue
        cells = [
            f"{_cell(entry, column):>9}"
            for entry, block in zip(mine, blocks.values(), strict=True)
            for column in block
        ]
        lines.append(f"{name:<20}" + "".join(cells))
    return "\n".join([*lines, "", *_summary(result)])


def _columns(result: dict[str, Any], size: int) -> list[str]:
    timed = [e["seconds"] for e in result["rows"] if e["size"] == size and "seconds" in e]
    by_hand = ["numpy", "o/numpy"] if any("numpy" in seconds for seconds in timed) else []
    return ["ours", "torch", "t/ours", *by_hand]


def _cell(entry: dict[str, Any], column: str) -> str:
    seconds = entry["seconds"]
    if column == "t/ours":
        return f"{seconds['torch'] / seconds['ours']:.2f} "
    if column == "o/numpy":
        ratio = seconds["ours"] / seconds["numpy"]
        return f"{ratio:.2f}{'>' if ratio > CEILING else ' '}"
    value = seconds[column] * 1e6
    mark = "!" if column in entry["disturbed"] else " "
    return (f"{value:.0f}" if value >= 100 else f"{value:#.3g}") + mark


def _summary(result: dict[str, Any]) -> list[str]:
    lines = []
    for size in result["sizes"]:
        timed = {e["row"]: e for e in result["rows"] if e["size"] == size and "seconds" in e}
        sure = {n: e["seconds"] for n, e in timed.items() if not e["disturbed"]}
        if not sure:
            lines.append(f"{size:,} entries: undecided")
            continue
        ratio = median(s["torch"] / s["ours"] for s in sure.values())
        line = f"{size:,} entries: torch / ours {ratio:.2f}, median of {len(sure)} operations"
        if size in TARGETS:
            verdict = "ok" if ratio >= TARGETS[size] else "SHORT"
            line += f"  at least {TARGETS[size]:g}  {verdict}"
        lines.append(line)
        over = {n: s["ours"] / s["numpy"] for n, s in sure.items() if "numpy" in s}
        slow = sorted((n for n in over if over[n] > CEILING), key=over.__getitem__, reverse=True)
        if over:
            listed = ", ".join(f"{name} {over[name]:.2f}" for name in slow)
            lines.append(f"  ours / NumPy above {CEILING:g}: {listed or 'none  ok'}")
    if any(entry.get("disturbed") for entry in result["rows"]):
        lines.append("! Other processes were busy all the time: repeat on an idle machine.")
    return lines
