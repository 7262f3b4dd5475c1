"""Peak memory of a training step, beyond what importing takes.

As tracemalloc counts it, which NumPy tells of every array: the batch, parameters, gradients, the
state of Adam, what a graph or a program keeps and what comes and goes in a step. What tracing
needs in the first steps does not count. Libraries that allocate outside of Python and NumPy
cannot be measured so.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import mlp_step
import network_steps

CASES = {name: mlp_step for name in mlp_step.CASES} | {
    name: network_steps for name in network_steps.CASES
}
PEERS = ("ours", "ours-compiled", "numpy-by-hand")


def make(case: str, peer: str) -> Callable[[], float]:
    """A call that builds the network, makes a few steps and returns the peak of the last."""

    def call() -> float:
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            step = CASES[case].make(case, peer)
            for _ in range(3):
                step.run()
            tracemalloc.reset_peak()
            step.run()
            return float(tracemalloc.get_traced_memory()[1] - before)
        finally:
            tracemalloc.stop()

    return call
