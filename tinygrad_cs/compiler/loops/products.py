"""Products of matrices in programs whose time goes into convolutions.

OpenBLAS shares a product of more than a million multiplications with threads of its own, and those
keep looking for the next one long after it is over. Convolutions that two threads share then share
one of the cores with them as well: LeNet's step took 4.0 ms, and takes 3.0 with its three products
of 3 million cut in pieces that OpenBLAS keeps on one thread.
"""

from __future__ import annotations

from typing import Any

from ...engine.types import np
from ...ops.sliding.small_products import product
from ..program import Program, Statement, leaves
from .cache import Kernel


def cut_up(program: Program, convolved: int) -> None:
    """Change the program if it multiplies more in shared convolutions than in products."""
    large = [s for s in program.statements if _products(s) > _SHARED_BY_BLAS]
    leaving = {v.base for v in leaves((program.output, program.kept))}
    if not large or sum(map(_products, large)) > convolved:
        return
    kernel, chosen, done = Kernel.of(product), set(map(id, large)), []
    for s in program.statements:
        if id(s) in chosen:
            out: Any = s.kwargs.get("out", s.target)
            if out in leaving and s.writes is None:
                made = (out.shape, out.dtype)
                done.append(Statement(out, "call", np.empty, made, {}, part=s.part))
            elif s.writes is None:
                program.buffers.append(out)
            s.target, s.kind, s.function = None, "kernel", kernel
            s.args, s.kwargs = (*s.args, out), {}
        done.append(s)
    program.statements = done


_SHARED_BY_BLAS = 1 << 19


def _products(s: Statement) -> int:
    """Multiplications of a product of two matrices."""
    shapes: Any = [getattr(x, "shape", None) for x in s.args]
    if s.kind != "call" or s.function is not np.dot or any(len(n or ()) != 2 for n in shapes):
        return 0
    (m, k), (_, n) = shapes
    return int(m * k * n)
