"""What importing a library adds to importing NumPy, in a fresh interpreter each time.

The call returns the seconds that the new interpreter measured, so its own start does not count.
The first call of a process is not counted: it compiles the bytecode and fills the file cache.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable

CASES = {
    "import": "import time, numpy; start = time.perf_counter(); import {}; "
    "print(time.perf_counter() - start)"
}
PEERS = {
    "ours": "tinygrad_cs",
    "micrograd": "micrograd.engine",
    "autograd": "autograd",
    "mygrad": "mygrad",
    "jax": "jax",
    "torch": "torch",
}


def make(case: str, peer: str) -> Callable[[], float]:
    """A call that imports the library once and returns the seconds it took."""
    module = PEERS[peer]
    package = module.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    command = [sys.executable, "-c", CASES[case].format(module)]

    def call() -> float:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise ImportError(answer.stderr.strip().rpartition("\n")[2])
        return float(answer.stdout)

    return call
