"""Building and differentiating a dot product of scalars, term by term.

The leaves are made once; a call builds the 199 nodes of 100 products and 99 sums and runs
backward. Both engines add to the gradients of the leaves, so neither has to clear them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

CASES = {"dot": 100}
NODES = 2 * CASES["dot"] - 1


def make(case: str, peer: str) -> Callable[[], float]:
    """The call for one engine; it returns the value plus a gradient, to be compared."""
    value = PEERS[peer]()
    rng = random.Random(0)
    x = [value(rng.uniform(-1, 1)) for _ in range(CASES[case])]
    w = [value(rng.uniform(-1, 1)) for _ in range(CASES[case])]

    def call() -> float:
        s = x[0] * w[0]
        for a, b in zip(x[1:], w[1:]):  # noqa: B905 - `strict` would be timed as well
            s = s + a * b
        s.backward()
        return s.data + x[-1].grad

    return call


def ours() -> Any:
    import tinygrad_cs as tg

    return tg.Scalar


def micrograd() -> Any:
    from micrograd.engine import Value

    return Value


PEERS: dict[str, Callable[[], Any]] = {"ours": ours, "micrograd": micrograd}
