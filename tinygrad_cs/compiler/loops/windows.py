"""Calls of the library's functions on windows that have become loops: maxima and convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...engine.types import np
from ...ops.sliding.windows import Windows
from ..program import Program, Statement, Var, leaves
from .cache import FLAT_COPY, Kernel
from .convolutions import loops_of
from .kernel import Lines
from .nests import ROUNDS
from .places import Place, places_of
from .products import cut_up
from .window_text import maxima_text


def written_out(program: Program) -> list[Kernel]:
    """Change the program where it looks at windows; returns the functions that it calls now."""
    names = {getattr(s.function, "__name__", "") for s in program.statements if s.kind == "helper"}
    if not names & set(_RULES):
        return []
    windows = _Windows(program)
    kernels = windows.run()
    cut_up(program, windows.convolved)
    return kernels


@dataclass(frozen=True)
class Sizes:
    """All lengths, which are known when the text is written."""

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
        self.flats: dict[Var, Var] = {}
        self.count = 0
        self.convolved = 0  # multiplications that two threads share

    def run(self) -> list[Kernel]:
        for s in self.program.statements:
            rule = _RULES.get(getattr(s.function, "__name__", "")) if s.kind == "helper" else None
            if rule is None or not s.function.__module__.startswith(_SLIDING) or not rule(self, s):
                self.done.append(s)
        self.program.statements = self.done
        return self.kernels

    # The rules: each says whether it took the statement over

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
        self._call(s, ("image", "chosen"), flats, *maxima_text(sizes))
        return True

    def convolution(self, s: Statement) -> bool:
        loops = loops_of(s, self.program)
        if loops is None:
            return False
        target: Any = s.target
        target.order = None
        if target in self.leaving:
            made = (target.shape, target.dtype)
            self.done.append(self._like(s, target, "call", np.empty, made))
        else:
            self.program.buffers.append(target)
        flats = (*(self._flat_or_copy(x, s) for x in loops.given), self._flat(target, s))
        start, stop = ROUNDS.split(", ") if loops.shared else ("0", str(loops.rounds))
        lines = ["    " + x.replace("STOP", stop).replace("START", start) for x in loops.lines]
        shared = loops.rounds if loops.shared else 0
        self.convolved += loops.products if shared else 0
        self._call(s, loops.names, flats, lines, shared, reorders=True)
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

    def _like(self, s: Statement, target: Var, kind: str, function: Any, args: Any) -> Statement:
        return Statement(target, kind, function, args, {}, None, False, s.part, s.note, s.site)

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

    def _flat_or_copy(self, x: Var, s: Statement) -> Var:
        """The entries of an array of any layout."""
        if self._is_dense(x):
            return self._flat(x, s)
        assert x.shape is not None
        flat = Var(f"{x.name}_entries", (int(np.prod(x.shape)),), x.dtype)
        self.done.append(Statement(flat, "kernel", FLAT_COPY, (x,), {}, part=s.part))
        return flat

    def _call(
        self, s: Statement, names: Any, flats: Any, text: list[str], shared: int, **options: Any
    ) -> None:
        lines = Lines(set())
        lines.memory = dict(zip(flats, names, strict=True))
        lines.lines, lines.shared = text, shared
        name = f"{s.function.__name__}_{len(self.kernels) + 1}"
        kernel = Kernel(name, lines, **options)
        self.kernels.append(kernel)
        self.done.append(Statement(None, "kernel", kernel, flats, {}, part=s.part, note=s.note))


_SLIDING = "tinygrad_cs.ops.sliding."
_RULES = {
    "positions_of_max": _Windows.maxima,
    **dict.fromkeys(("conv", "biased_conv", "conv_input", "conv_weight"), _Windows.convolution),
}
