"""How long the first call of a compiled training step takes, which traces it.

Each call builds a fresh network and times one step: tracing, simplifying, writing the program,
compiling it, and running it once. JAX's first call does the same with XLA.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import mlp_step
import scalar_step

CASES = {"deep": (mlp_step, "deep"), "scalar": (scalar_step, "moons")}
PEERS = {"ours": "ours-compiled", "jax": "jax"}


def make(case: str, peer: str) -> Callable[[], float]:
    """A call that returns the seconds of the first step."""
    module, network = CASES[case]
    if PEERS[peer] not in module.PEERS:
        raise NotImplementedError("not written")

    def call() -> float:
        step = module.make(network, PEERS[peer])
        start = time.perf_counter()
        step.run()
        return time.perf_counter() - start

    return call
