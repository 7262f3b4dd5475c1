"""The training steps that benchmarks compare do the same: by hand and with this library."""

import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cs as tg

sys.path.append(str(Path(__file__).parent / "benchmarks"))

import mlp_step
import network_steps
import scalar_step

CASES = [
    pytest.param(mlp_step, "small", "numpy-by-hand", 1e-4, id="small"),
    pytest.param(mlp_step, "large", "numpy-by-hand", 1e-4, id="large"),
    pytest.param(mlp_step, "wide", "numpy-by-hand", 1e-4, id="wide"),  # Adam on two threads
    pytest.param(network_steps, "digits", "numpy-by-hand", 1e-4, id="digits"),
    pytest.param(network_steps, "lenet", "numpy-by-hand", 1e-4, id="lenet"),
    pytest.param(scalar_step, "moons", "python-by-hand", 1e-9, id="scalar"),
]
BEFORE_A_NORMALISATION = {"digits": {1, 5}}
"""Biases whose gradient is zero but for rounding, of which Adam makes steps of ordinary size."""


@pytest.mark.parametrize("module, case, by_hand, tolerance", CASES)
def test_by_hand_and_ours_have_the_same_weights_after_three_steps(module, case, by_hand, tolerance):
    ours, hand = module.make(case, "ours"), module.make(case, by_hand)
    tg.manual_seed(0)  # the masks of dropout are then the same, too
    start = ours.weights()
    losses = np.array([(ours.run(), hand.run()) for _ in range(3)])
    np.testing.assert_allclose(losses[:, 0], losses[:, 1], rtol=1e-5)
    assert len(start) == len(ours.weights()) == len(hand.weights())
    for k, (w, ours_now, hand_now) in enumerate(
        zip(start, ours.weights(), hand.weights(), strict=True)
    ):
        if k in BEFORE_A_NORMALISATION.get(case, ()):
            continue
        moved = np.linalg.norm(ours_now - w)
        assert moved > 0 and np.linalg.norm(hand_now - ours_now) <= tolerance * moved


def test_a_fingerprint_tells_a_step_more_from_a_step_less():
    one, other = (mlp_step.make("small", "numpy-by-hand") for _ in range(2))
    one.run(), one.run(), other.run()
    assert np.abs(np.subtract(one.fingerprint(), other.fingerprint())).max() > 1e-4
    other.run()
    assert one.fingerprint() == other.fingerprint()
