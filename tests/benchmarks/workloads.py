"""What is timed: every section of the table of ``compare.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import adam_step
import augmentation
import convolution
import fitting
import gradient_check
import import_time
import loading
import memory
import mlp_step
import network_steps
import reading
import saving
import scalar_dot
import scalar_step
import trace_time


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
    checked_as: str | None = None  # the case that is compared, where the timed one is random
    self_timed: bool = False
    base: str = "torch"  # the peer whose time over a peer's is shown, too

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
TRACE: dict[str, Any] = {"module": trace_time, "unit": "ms", "scale": 1e3, "self_timed": True}
MEMORY: dict[str, Any] = {"module": memory, "unit": "MB", "scale": 1e-6, "self_timed": True}
FILES: dict[str, Any] = {"unit": "ms", "scale": 1e3, "self_timed": True, "base": "plain"}
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
        checked_as="digits-still",
        **(NETWORK | {"check": "loss after 20 steps without dropout"}),
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
    "step-scalar": Workload(
        title="training step in single numbers, MLP 2-16-16-1, 32 points, SGD",
        case="moons",
        base="micrograd",
        **(STEP | {"module": scalar_step}),
    ),
    "trace-deep": Workload(
        title="first call of a compiled step, MLP of ten hidden layers of 256",
        case="deep",
        ceiling=100.0,
        **TRACE,
    ),
    "trace-scalar": Workload(
        title="first call of a compiled step in single numbers, MLP 2-16-16-1, 32 points",
        case="scalar",
        ceiling=5000.0,
        **TRACE,
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
    "memory-lenet": Workload(
        title="peak memory of a training step of LeNet, batch 64",
        case="lenet",
        ceiling=40.0,
        **MEMORY,
    ),
    **{
        f"memory-{case}": Workload(
            title=f"peak memory of the training step of step-{case}", case=case, **MEMORY
        )
        for case in ("large", "digits", "wide", "deep")
    },
    "fit": Workload(
        title="training.fit against the loop by hand, digits net, a batch of 64",
        case="digits",
        module=fitting,
        unit="µs",
        scale=1e6 / (fitting.EPOCHS * -(-fitting.SAMPLES // fitting.BATCH)),
        targets={"by-hand": 1 / 1.03},
        base="by-hand",
        check="mean loss of epoch 105",
    ),
    "loader": Workload(
        title="a shuffled batch of 32 out of arrays in memory",
        case="digits",
        module=loading,
        unit="µs",
        scale=1e6,
        ceiling=30.0,
        self_timed=True,
    ),
    "augmentation": Workload(
        title="crop, flip and colour jitter of 32x32x3, an image",
        case="standard-float32",
        module=augmentation,
        unit="µs",
        scale=1e6 / augmentation.BATCH,
        ceiling=50.0,
        base="ours",
    ),
    "read-idx": Workload(
        title="images of the size of MNIST: read_idx and np.fromfile",
        case="idx",
        module=reading,
        targets={"plain": 1 / 1.5},
        **FILES,
    ),
    "save": Workload(
        title="a million parameters with the state of Adam to the disk",
        case="save",
        module=saving,
        targets={"plain": 1 / 2},
        **FILES,
    ),
    "load": Workload(
        title="a million parameters with the state of Adam from the disk",
        case="load",
        module=saving,
        **FILES,
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
