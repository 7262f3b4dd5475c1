"""Convolutions as copies of windows and one product of matrices each; maxima of windows.

The library convolves with one product per kernel row, because NumPy copies windows slowly. A loop
copies them as fast as memory takes them: `windows` is a matrix (channel and entry of the window,
image and position), the kernels are another one, and both cotangents are products, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...engine.types import np
from ...ops.sliding.windows import Windows
from ..program import Program, Statement, Var, leaves
from .cache import FLAT_COPY, Kernel
from .kernel import Lines
from .places import Place, places_of
from .window_text import fill_text, maxima_text, scatter_text


def written_out(program: Program) -> list[Kernel]:
    """Change the program where it convolves; returns the functions that it calls now."""
    names = {getattr(s.function, "__name__", "") for s in program.statements if s.kind == "helper"}
    return _Windows(program).run() if names & set(_RULES) else []


@dataclass(frozen=True)
class Sizes:
    """All lengths of a convolution, which are known when the text is written."""

    images: int
    channels: int
    rows: Windows
    cols: Windows

    @property
    def entries(self) -> int:
        """Of all windows of an image at one place."""
        return self.channels * self.rows.kernel * self.cols.kernel

    @property
    def positions(self) -> int:
        """Of the window, in all images."""
        return self.images * self.rows.count * self.cols.count


class _Windows:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.places = places_of(program)
        self.kernels: list[Kernel] = []
        self.done: list[Statement] = []
        self.leaving = {v.base for v in leaves((program.output, program.kept))}
        self.changed = {s.writes.base for s in program.statements if s.writes is not None}
        self.copies: dict[Any, Var] = {}
        self.turned: dict[Var, Var] = {}
        self.flats: dict[Var, Var] = {}
        self.count = 0

    def run(self) -> list[Kernel]:
        for s in self.program.statements:
            rule = _RULES.get(getattr(s.function, "__name__", "")) if s.kind == "helper" else None
            if rule is None or not s.function.__module__.startswith(_SLIDING) or not rule(self, s):
                self.done.append(s)
        self.program.statements = self.done
        return self.kernels

    # The rules: each says whether it took the statement over

    def convolve(self, s: Statement) -> bool:
        x, w, *bias, axes, groups = s.args
        sizes = self._sizes(x, axes, groups)
        arrays = [x, w, *bias]
        if sizes is None or not self._plain(s, arrays, [x]):
            return False
        o = w.shape[0]
        copy = self._copy(x, sizes, s)
        kernels = self._view(s, w, "reshape", (o, sizes.entries))
        total = self._new(s, "np_dot", np.dot, (kernels, copy), (o, sizes.positions))
        shape = (o, sizes.images, sizes.rows.count, sizes.cols.count)
        images = self._view(s, self._view(s, total, "reshape", shape), "transpose", (1, 0, 2, 3))
        if bias:
            column = self._view(s, bias[0], "reshape", (o, 1, 1))
            self._add(s, np.add, (images, column))
        else:
            self._add(s, np.positive, (images,))
        return True

    def weight(self, s: Statement) -> bool:
        x, y, axes, groups = s.args
        sizes = self._sizes(x, axes, groups)
        if sizes is None or not self._plain(s, [x, y], [x, y]):
            return False
        copy = self._copy(x, sizes, s)
        o = y.shape[1]
        turned = self._view(s, copy, "transpose", (1, 0))
        product = self._new(
            s, "product", np.dot, (self._by_channel(y, s), turned), (o, sizes.entries)
        )
        assert s.target is not None and s.target.shape is not None
        s.target.base, s.target.order = product, None
        self.done.append(self._like(s, s.target, "method", "reshape", (product, s.target.shape)))
        return True

    def input(self, s: Statement) -> bool:
        y, w, axes, groups = s.args
        target = s.target
        assert target is not None and target.shape is not None
        sizes = self._sizes(target, axes, groups)
        if sizes is None or target in self.leaving or not self._plain(s, [y, w], [y]):
            return False
        kernels = self._view(s, w, "reshape", (w.shape[0], sizes.entries))
        kernels = self._view(s, kernels, "transpose", (1, 0))
        shape = (sizes.entries, sizes.positions)
        product = self._new(s, "spread", np.dot, (kernels, self._by_channel(y, s)), shape)
        self.program.buffers.append(target)
        flats = (self._flat(product, s), self._flat(target, s))
        self._call(s, "add_windows", ("copy", "image"), flats, scatter_text(sizes))
        return True

    def maxima(self, s: Statement) -> bool:
        x, axes = s.args
        target = s.target
        assert target is not None
        sizes = self._sizes(x, axes, 1)
        if sizes is None or target.dtype != np.int64 or target in self.leaving:
            return False
        if not self._is_dense(x) or x.dtype.kind != "f" or x.dtype.itemsize < 4:
            return False
        self.program.buffers.append(target)
        flats = (self._flat(x, s), self._flat(target, s))
        self._call(s, "positions_of_max", ("image", "chosen"), flats, maxima_text(sizes))
        return True

    # What they are made of

    def _sizes(self, x: Any, axes: Any, groups: Any) -> Sizes | None:
        known = [self.program.constants.get(a) if isinstance(a, Var) else a for a in axes]
        if groups != 1 or len(known) != 2 or not all(isinstance(a, Windows) for a in known):
            return None
        if x.shape is None or len(x.shape) != 4 or not all(x.shape):
            return None
        rows, cols = (a for a in known if isinstance(a, Windows))
        if min(rows.count, cols.count) < 1:
            return None
        return Sizes(x.shape[0], x.shape[1], rows, cols)

    def _plain(self, s: Statement, arrays: list[Any], steady: list[Any]) -> bool:
        """Are these dense arrays of one float dtype, of which some stay as they are?"""
        assert s.target is not None
        dtypes = {a.dtype for a in arrays} | {s.target.dtype}
        alike = len(dtypes) == 1 and s.target.dtype in (np.dtype("f4"), np.dtype("f8"))
        same = not any(a.base in self.changed for a in steady)
        return alike and same and all(map(self._is_dense, arrays))

    def _is_dense(self, v: Any) -> bool:
        place: Place | None = self.places.get(v)
        if place is None:
            return False
        size, strides = 1, []
        for n in reversed(place.shape):
            strides.append(size)
            size *= n
        want = strides[::-1]
        return all(
            n == 1 or a == b for n, a, b in zip(place.shape, place.strides, want, strict=True)
        )

    def _copy(self, x: Var, sizes: Sizes, s: Statement) -> Var:
        """The windows of x, once for all that look at them."""
        key = (x, sizes)
        if key not in self.copies:
            shape = (sizes.entries, sizes.positions)
            copy = self.copies[key] = self._memory("windows", shape, x.dtype)
            flats = (self._flat(x, s), self._flat(copy, s))
            self._call(s, "copy_windows", ("image", "copy"), flats, fill_text(sizes))
        return self.copies[key]

    def _by_channel(self, y: Var, s: Statement) -> Var:
        """y (N, O, U, V) as a matrix (O, N * U * V)."""
        if y not in self.turned:
            assert y.shape is not None
            n, o, u, v = y.shape
            memory = self._memory("by_channel", (o, n, u, v), y.dtype)
            view = self._view(s, memory, "transpose", (1, 0, 2, 3))
            self.done.append(Statement(None, "store", "store", (view, ..., y), {}, view,
                                       False, s.part, s.note, s.site))  # fmt: skip
            self.turned[y] = self._view(s, memory, "reshape", (o, n * u * v))
        return self.turned[y]

    def _memory(self, name: str, shape: tuple[int, ...], dtype: Any) -> Var:
        self.count += 1
        made = Var(f"{name}_of_{self.count}", shape, dtype)
        self.program.buffers.append(made)
        return made

    def _like(self, s: Statement, target: Var, kind: str, function: Any, args: Any) -> Statement:
        return Statement(target, kind, function, args, {}, None, False, s.part, s.note, s.site)

    def _new(self, s: Statement, name: str, function: Any, args: Any, shape: Any) -> Var:
        assert s.target is not None
        self.count += 1
        made = Var(f"{name}_{self.count}_", shape, s.target.dtype)
        self.done.append(self._like(s, made, "call", function, args))
        return made

    def _add(self, s: Statement, function: Any, args: Any) -> None:
        assert s.target is not None
        s.target.order = None
        made = self._like(s, s.target, "call", function, args)
        made.kwargs = {"order": "C"}
        self.done.append(made)

    def _view(self, s: Statement, x: Var, function: str, shape: tuple[int, ...]) -> Var:
        """A reshaped or transposed one."""
        assert x.shape is not None
        shown = tuple(x.shape[i] for i in shape) if function == "transpose" else shape
        self.count += 1
        made = Var(f"{x.name}_{self.count}_", shown, x.dtype, x.base, x.base.span)
        self.done.append(self._like(s, made, "method", function, (x, shape)))
        return made

    def _flat(self, x: Var, s: Statement) -> Var:
        if x not in self.flats:
            given = x.base in self.program.inputs and x.base not in self.program.captured
            assert x.shape is not None
            size = int(np.prod(x.shape))
            if given:
                flat = Var(f"{x.name}_entries", (size,), x.dtype)
                self.done.append(Statement(flat, "kernel", FLAT_COPY, (x,), {}, part=s.part))
            else:
                flat = self._view(s, x, "reshape", (size,))
            self.flats[x] = flat
        return self.flats[x]

    def _call(
        self, s: Statement, name: str, names: Any, flats: Any, text: tuple[list[str], int]
    ) -> None:
        lines = Lines(set())
        lines.memory = dict(zip(flats, names, strict=True))
        lines.lines, lines.shared = text
        kernel = Kernel(f"{name}_{len(self.kernels) + 1}", lines)
        self.kernels.append(kernel)
        self.done.append(Statement(None, "kernel", kernel, flats, {}, part=s.part, note=s.note))


_SLIDING = "tinygrad_cs.ops.sliding."
_RULES = {
    "conv": _Windows.convolve,
    "biased_conv": _Windows.convolve,
    "conv_weight": _Windows.weight,
    "conv_input": _Windows.input,
    "positions_of_max": _Windows.maxima,
}
