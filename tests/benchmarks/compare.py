"""Compare the speed of this library with others: all workloads, all peers, one table.

Run it from the root of the repository, on an otherwise idle machine:

    pip install -e ".[bench]"
    python tests/benchmarks/compare.py                      # everything, half an hour
    python tests/benchmarks/compare.py --only step-small    # workloads whose name contains this
    python tests/benchmarks/compare.py --quick              # a rough impression
    python tests/benchmarks/compare.py --json numbers.json --rounds 9

A peer that is not installed is skipped and says so. All peers run on two threads and start from
the same numbers; what they return, and the weights after some steps, are compared, so that equal
work is timed. The table gives the median over all rounds, the fastest block, the range of the
rounds, how many times slower than ours a peer is, how many times faster than PyTorch, and the
ratio to reach. ``timing.py`` says how time is measured and ``mlp_step.py`` how each library
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
from functools import partial
from pathlib import Path
from typing import Any

import operation_table
import operations
import report
import timing
from workloads import WORKLOADS

OPERATIONS = "operations"
"""One more: a table of its own, made by ``operations.py``."""


def main() -> int:
    if sys.argv[1:2] == ["worker"]:
        name, peer = sys.argv[2:]
        workload = WORKLOADS[name]
        make = workload.module.make
        still = partial(make, workload.checked_as, peer) if workload.checked_as else None
        timing.serve(partial(make, workload.case, peer), workload.self_timed, still)
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
