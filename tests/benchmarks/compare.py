"""Compare the speed of this library with others: all workloads, all peers, one table.

Run it from the root of the repository, on an otherwise idle machine:

    pip install -e ".[bench]"
    python tests/benchmarks/compare.py                      # everything, half an hour
    python tests/benchmarks/compare.py --only step-small    # workloads whose name contains this
    python tests/benchmarks/compare.py --quick              # a rough impression
    python tests/benchmarks/compare.py --json numbers.json --rounds 9

A peer that is not installed is skipped and says so. All peers run on two threads and start from
the same numbers; what they return is compared, so that equal work is timed. The table gives the
median over all rounds, the range of the rounds, how many times slower than ours a peer is, and
the ratio to reach. ``timing.py`` says how time is measured and ``mlp_step.py`` how each library
is used. The workload ``operations`` has a table of its own, see ``operations.py``. One peer of
another alone, timed for two seconds, as raw JSON:

    echo 2 | python tests/benchmarks/compare.py worker step-small ours
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import adam_step
import convolution
import gradient_check
import import_time
import memory
import mlp_step
import network_steps
import operation_table
import operations
import report
import scalar_dot
import timing


@dataclass(frozen=True)
class Workload:
    """One section of the table."""

    title: str
    module: Any  # brings make(case, peer) and PEERS
    case: str
    unit: str
    scale: float  # from seconds for a call to the unit
    targets: Mapping[str, float] = field(default_factory=dict)  # peer / ours, at least
    ceiling: float | None = None  # ours, at most
    check: str = ""  # what the calls return
    self_timed: bool = False

    @property
    def peers(self) -> list[str]:
        return list(self.module.PEERS)


STEP: dict[str, Any] = {
    "module": mlp_step,
    "unit": "µs",
    "scale": 1e6,
    "check": "loss after 20 steps",
}
NETWORK: dict[str, Any] = STEP | {"module": network_steps}
CHECK: dict[str, Any] = {
    "module": gradient_check,
    "unit": "ms",
    "scale": 1e3,
    "check": "check passed",
}
CONVOLUTION: dict[str, Any] = {
    "module": convolution,
    "unit": "ms",
    "scale": 1e3,
    "check": "size of the gradient of the first weight",
}
WORKLOADS = {
    "step-small": Workload(
        title="training step, MLP 2-16-16-2, batch 32",
        case="small",
        targets={"torch": 2.3, "mygrad": 2.3},
        **STEP,
    ),
    "step-large": Workload(
        title="training step, MLP 64-128-64-10, batch 64",
        case="large",
        targets={"torch": 1.4, "mygrad": 1.6},
        **STEP,
    ),
    "step-wide": Workload(
        title="training step, MLP 784-512-256-10, batch 128",
        case="wide",
        targets={"torch": 0.7},
        **STEP,
    ),
    "step-deep": Workload(
        title="training step, MLP of ten hidden layers of 256, batch 128",
        case="deep",
        targets={"torch": 0.65},
        **STEP,
    ),
    "step-digits": Workload(
        title="training step, MLP 64-128-64-10 with BatchNorm and Dropout, batch 64",
        case="digits",
        targets={"torch": 1.7},
        **(NETWORK | {"check": "a loss was read"}),
    ),
    "step-lenet": Workload(
        title="training step, LeNet on 28x28, batch 64",
        case="lenet",
        targets={"torch": 0.65},
        **NETWORK,
    ),
    "step-lstm": Workload(
        title="training step, LSTM of 64 units over 28 rows of 28, batch 32",
        case="lstm",
        targets={"torch": 0.8},
        **NETWORK,
    ),
    "adam": Workload(
        title="a step of Adam on a million parameters",
        case="million",
        module=adam_step,
        unit="µs",
        scale=1e6,
        targets={"torch": 1 / 3},
        check="first parameter after 20 steps",
    ),
    "scalar": Workload(
        title="dot product of 100 scalars forward and backward, per node",
        case="dot",
        module=scalar_dot,
        unit="ns",
        scale=1e9 / scalar_dot.NODES,
        targets={"micrograd": 2.5},
        check="value plus gradient",
    ),
    "gradcheck-mlp": Workload(
        title="gradient check in float64, tanh MLP 3-5-2, batch 4",
        case="mlp",
        targets={"torch": 1.0},
        **CHECK,
    ),
    "gradcheck-net": Workload(
        title="gradient check in float64, ReLU net 4-8-3 with cross-entropy, batch 5",
        case="net",
        targets={"torch": 1.0},
        **CHECK,
    ),
    "lenet-conv": Workload(
        title="the convolutions and poolings of LeNet forward and backward, batch 64",
        case="lenet-conv",
        targets={"torch": 0.7},
        **CONVOLUTION,
    ),
    "conv-32": Workload(
        title="convolution 32 to 32, 3x3 on 32x32, forward and backward, batch 16",
        case="conv-32",
        targets={"torch": 0.4},
        **CONVOLUTION,
    ),
    "conv-64": Workload(
        title="convolution 64 to 64, 3x3 on 16x16, forward and backward, batch 16",
        case="conv-64",
        targets={"torch": 0.4},
        **CONVOLUTION,
    ),
    "memory": Workload(
        title="peak memory of a training step of LeNet, batch 64",
        case="lenet",
        module=memory,
        unit="MB",
        scale=1e-6,
        ceiling=40.0,
        self_timed=True,
    ),
    "import": Workload(
        title="import time on top of NumPy's",
        case="import",
        module=import_time,
        unit="ms",
        scale=1e3,
        ceiling=60.0,
        self_timed=True,
    ),
}
OPERATIONS = "operations"
"""One more: a table of its own, made by ``operations.py``."""


def main() -> int:
    if sys.argv[1:2] == ["worker"]:
        name, peer = sys.argv[2:]
        workload = WORKLOADS[name]
        timing.serve(lambda: workload.module.make(workload.case, peer), workload.self_timed)
        return 0
    options = _options()
    timing.bind_to_cores()
    slices, seconds, rounds, wait = (2, 0.2, 1, 10.0) if options.quick else (4, 0.3, 5, 300.0)
    rounds = options.rounds or rounds
    patience = timing.Patience(wait)
    known = [*WORKLOADS, OPERATIONS]
    chosen = [n for n in known if any(part in n for part in options.only or [""])]
    if not chosen:
        sys.exit(f"no workload is called {options.only}; there are: {', '.join(known)}")
    names = [n for n in chosen if n in WORKLOADS]

    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names:
            print(f"round {turn + 1} of {rounds}: {name}", file=sys.stderr, flush=True)
            skipped = {p for r in measured[name] for p, result in r.items() if "skipped" in result}
            peers = [p for p in WORKLOADS[name].peers if p not in skipped]
            # Another peer begins each round, so that none is always timed after the same one.
            first = turn % max(1, len(peers))
            order = peers[first:] + peers[:first]
            command = [str(Path(__file__).resolve()), "worker", name]
            measured[name].append(timing.one_round(command, order, slices, seconds, patience))
    summaries = {name: report.summary(WORKLOADS[name], measured[name]) for name in names}
    print(report.table(summaries))
    singly: dict[str, Any] = {}
    if OPERATIONS in chosen:
        singly = operations.measure(
            list(operations.ROWS), operations.SIZES, 1 if options.quick else 3, patience
        )
        print("\n" + operation_table.table(singly))
    if options.json:
        document = {
            "machine": {
                "platform": platform.platform(),
                "processor": _processor(),
                "cores": os.cpu_count(),
                "python": platform.python_version(),
            },
            "versions": report.versions(),
            "threads": timing.THREADS,
            "rounds": rounds,
            "workloads": summaries,
            OPERATIONS: singly,
        }
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds with new processes (5)")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="workloads whose name contains this; may be repeated",
    )
    parser.add_argument("--quick", action="store_true", help="one short round")
    return parser.parse_args()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
