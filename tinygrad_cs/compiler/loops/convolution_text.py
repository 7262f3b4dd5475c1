"""Convolution and its two transposes as loops: no copies of windows, no products of matrices.

An image lies in one row after the other, `pitch` entries apart, with zeros between where there is
padding. Then what a window sees through its entry (i, j) lies at a fixed distance behind its own
place, for all windows at once: with p = pitch * u + v for the window at (u, v)

    out[o, p] += w[o, c, i, j] * x[c, p + shift(i, j)],  shift(i, j) = pitch * dilation * i + ...

is one loop over p, which a processor computes eight or sixteen entries at a time. Some p stand for
no window, at the end of each row; they are computed and left out. Four channels share what is read.
The zeros are factors: an infinite kernel makes NaN of them, where NumPy's way has nothing there.
"""

from __future__ import annotations

import math

from .convolution_sizes import Convolution

_TOGETHER = 4
"""Channels in one loop; with more, processors run out of registers."""


def output_text(s: Convolution, bias: bool) -> list[str]:
    """`out[n, o] = bias[o] + sum over c, i, j of w[o, c, i, j] * x[n, c]`, moved."""
    image, at = ("padded", f"{s.places + s.reach} * c") if s.is_padded else ("x", _source(s))
    m, k = _together(s.results), range(s.cols.kernel)
    lines = [
        *_padded_memory(s),
        f"total = np.empty({m * s.places}, x.dtype)",
        "for n in range(START, STOP):",
        *_indented(1, _padded(s)),
        f"    for group in range({s.groups}):",
        f"        for block in range({math.ceil(s.results / m)}):",
        f"            o = {_first_of_block(s.results, m)} + {s.results} * group",
    ]
    for q in range(m):
        start = f"bias[o + {q}]" if bias else f"np.{s.dtype}(0)"
        lines += [
            f"            start_{q} = {start}",
            f"            for p in range({s.places}):",
            f"                total[p + {q * s.places}] = start_{q}",
        ]
    lines += [
        f"            for c in range({s.sources} * group, {s.sources} * group + {s.sources}):",
        f"                for i in range({s.rows.kernel}):",
        f"                    at = {at} + {s.row_shift} * i",
        *_indented(5, [f"w_{q}_{j} = w[{_weight(s, q)} + {j}]" for q in range(m) for j in k]),
        f"                    for p in range({s.places}):",
        *_indented(6, [f"x_{j} = {image}[at + p + {s.shift(j)}]" for j in k]),
    ]
    for q in range(m):
        terms = " + ".join(f"w_{q}_{j} * x_{j}" for j in k)
        lines.append(f"                        total[p + {q * s.places}] += {terms}")
    for q in range(m):
        lines += [
            f"            for u in range({s.rows.count}):",
            f"                for v in range({s.cols.count}):",
            f"                    out[{_result(s, f'(o + {q})')}]"
            f" = total[{s.pitch} * u + v + {q * s.places}]",
        ]
    return lines


def input_text(s: Convolution) -> list[str]:
    """`out[n, c] = sum over o, i, j of w[o, c, i, j] * g[n, o]`, moved the other way."""
    m, k = _together(s.sources), range(s.cols.kernel)
    count = (s.rows.size - 1) * s.pitch + s.cols.size
    length = s.reach + max(s.start + count, s.rows.count * s.pitch)
    last = s.rows.kernel - 1
    lines = [
        f"spread = np.zeros({length * s.results}, g.dtype)",
        f"total = np.empty({m * count}, g.dtype)",
        "for n in range(START, STOP):",
        f"    for group in range({s.groups}):",
        f"        for o in range({s.results}):",
        f"            for u in range({s.rows.count}):",
        f"                for v in range({s.cols.count}):",
        f"                    spread[{length} * o + {s.pitch} * u + v + {s.reach}]"
        f" = g[{_result(s, f'(o + {s.results} * group)')}]",
        f"        for block in range({math.ceil(s.sources / m)}):",
        f"            c = {_first_of_block(s.sources, m)}",
        f"            for p in range({m * count}):",
        f"                total[p] = np.{s.dtype}(0)",
        f"            for o in range({s.results}):",
        f"                for i in range({s.rows.kernel}):  # the last kernel row first",
        f"                    at = {length} * o + {s.start} + {s.row_shift} * i",
    ]
    at = f"{s.sources * s.kernel} * (o + {s.results} * group) + {s.cols.kernel} * ({last} - i)"
    lines += [
        *_indented(
            5, [f"w_{q}_{j} = w[{at} + {s.kernel} * (c + {q}) + {j}]" for q in range(m) for j in k]
        ),
        f"                    for p in range({count}):",
        *_indented(6, [f"g_{j} = spread[at + p + {s.shift(s.cols.kernel - 1 - j)}]" for j in k]),
    ]
    for q in range(m):
        terms = " + ".join(f"w_{q}_{j} * g_{j}" for j in k)
        lines.append(f"                        total[p + {q * count}] += {terms}")
    channels = s.groups * s.sources
    for q in range(m):
        there = f"{channels * s.image} * n + {s.image} * (c + {q} + {s.sources} * group)"
        lines += [
            f"            for y in range({s.rows.size}):",
            f"                for z in range({s.cols.size}):",
            f"                    out[{there} + {s.cols.size} * y + z]"
            f" = total[{s.pitch} * y + z + {q * count}]",
        ]
    return lines


def weight_text(s: Convolution) -> tuple[list[str], int]:
    """`out[o, c, i, j] = sum over n, u, v of g[n, o, u, v] * x[n, c]`, moved; and its rounds.

    Threads share the channels of the output, so that no sum is in two hands.
    """
    image, at = ("padded", f"{s.places + s.reach} * c") if s.is_padded else ("x", _source(s))
    m, k = _halves(s.results), range(s.cols.kernel)
    blocks = math.ceil(s.results / m)
    size = s.sources * s.kernel
    first = f"{_first_of_block(s.results, m, f'(block % {blocks})')}"
    lines = [
        *_padded_memory(s),
        f"spread = np.zeros({m * s.places}, g.dtype)",
        f"total = np.zeros((STOP - START) * {m * size}, g.dtype)",
        f"for n in range({s.images}):",
        *_indented(1, _padded(s)),
        "    for block in range(START, STOP):",
        f"        group = block // {blocks}",
        f"        o = {first} + {s.results} * group",
        f"        for q in range({m}):",
        f"            for u in range({s.rows.count}):",
        f"                for v in range({s.cols.count}):",
        f"                    spread[{s.places} * q + {s.pitch} * u + v]"
        f" = g[{_result(s, '(o + q)')}]",
        f"        for c in range({s.sources} * group, {s.sources} * group + {s.sources}):",
        f"            for i in range({s.rows.kernel}):",
        f"                at = {at} + {s.row_shift} * i",
        *_indented(4, [f"sum_{q}_{j} = np.{s.dtype}(0)" for q in range(m) for j in k]),
        f"                for p in range({s.places}):",
        *_indented(5, [f"x_{j} = {image}[at + p + {s.shift(j)}]" for j in k]),
    ]
    for q in range(m):
        lines.append(f"                    g_{q} = spread[p + {q * s.places}]")
        lines += [f"                    sum_{q}_{j} += g_{q} * x_{j}" for j in k]
    there = f"{s.kernel} * (c - {s.sources} * group) + {s.cols.kernel} * i"
    lines.append(f"                there = {m * size} * (block - START) + {there}")
    for q in range(m):
        lines += [f"                total[there + {q * size + j}] += sum_{q}_{j}" for j in k]
    lines += [
        "for block in range(START, STOP):",
        f"    o = {first} + {s.results} * (block // {blocks})",
        f"    for k in range({m * size}):",
        f"        out[{size} * o + k] = total[{m * size} * (block - START) + k]",
    ]
    return lines, blocks * s.groups


def _together(channels: int) -> int:
    """How many channels a loop computes: as few loops as possible, of equal lengths."""
    return math.ceil(channels / math.ceil(channels / _TOGETHER))


def _halves(channels: int) -> int:
    """The same, where two threads should have equally many loops."""
    sizes = range(min(_TOGETHER, channels), 0, -1)
    return min(sizes, key=lambda m: math.ceil(math.ceil(channels / m) / 2) * m)


def _first_of_block(channels: int, m: int, block: str = "block") -> str:
    """The last block begins early enough to be as long as the others."""
    return f"min({m} * {block}, {channels - m})" if channels % m else f"{m} * {block}"


def _padded_memory(s: Convolution) -> list[str]:
    channels = s.groups * s.sources
    return [f"padded = np.zeros({channels * (s.places + s.reach)}, x.dtype)"] if s.is_padded else []


def _padded(s: Convolution) -> list[str]:
    """The image n among its zeros."""
    if not s.is_padded:
        return []
    return [
        f"for c in range({s.groups * s.sources}):",
        f"    for y in range({s.rows.size}):",
        f"        for z in range({s.cols.size}):",
        f"            padded[{s.places + s.reach} * c + {s.pitch} * y + z + {s.start}]"
        f" = x[{_source(s)} + {s.cols.size} * y + z]",
    ]


def _source(s: Convolution) -> str:
    return f"{s.groups * s.sources * s.image} * n + {s.image} * c"


def _result(s: Convolution, o: str) -> str:
    channels = s.groups * s.results
    return f"{channels * s.windows} * n + {s.windows} * {o} + {s.cols.count} * u + v"


def _weight(s: Convolution, q: int) -> str:
    source = f"c - {s.sources} * group" if s.groups > 1 else "c"
    size = s.sources * s.kernel
    return f"{size} * (o + {q}) + {s.kernel} * ({source}) + {s.cols.kernel} * i"


def _indented(level: int, lines: list[str]) -> list[str]:
    return ["    " * level + line for line in lines]
