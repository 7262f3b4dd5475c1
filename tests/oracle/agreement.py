"""The same call on ours and on PyTorch's: values, gradients and buffers must agree in float64.

Test files in this folder import from here, so they are skipped where PyTorch is not installed.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tinygrad_cs as tg
from tinygrad_cs.autograd import trees

torch = pytest.importorskip("torch", reason="the oracle extra (PyTorch) is not installed")

CLOSE = {"rtol": 1e-9, "atol": 1e-12}


def ours(x):
    array = np.array(x)
    return tg.tensor(array, requires_grad=array.dtype.kind == "f")


def theirs(x):
    array = np.array(x)
    tensor = torch.from_numpy(array)
    return tensor.requires_grad_() if array.dtype.kind == "f" else tensor


def flat(outputs):
    """Outputs in order; PyTorch may return lists where we return tuples."""
    return [y for y in trees.leaves(outputs) if y is not None]


def compare(our_call, their_call, inputs, our_parameters=(), their_parameters=()):
    """Values, and the gradients of inputs and parameters for one random cotangent."""
    x, t = [ours(v) for v in inputs], [theirs(v) for v in inputs]
    y, s = flat(our_call(*x)), flat(their_call(*t))
    assert len(y) == len(s)
    rng = np.random.default_rng(0)
    total, goal = 0.0, 0.0
    for k, (mine, other) in enumerate(zip(y, s, strict=True)):
        assert_allclose(mine.data, other.detach().numpy(), err_msg=f"output {k}", **CLOSE)
        assert mine.shape == tuple(other.shape)
        cotangent = rng.normal(size=mine.shape)
        if mine.requires_grad or other.requires_grad:
            total = total + (mine * cotangent).sum()
            goal = goal + (other * torch.from_numpy(np.asarray(cotangent))).sum()
    if isinstance(total, float):
        return
    total.backward()
    goal.backward()
    pairs = [*zip(x, t, strict=True), *zip(our_parameters, their_parameters, strict=True)]
    for k, (mine, other) in enumerate(pairs):
        if other.grad is None:
            assert mine.grad is None or not mine.grad.any(), f"gradient {k}"
        else:
            grad = np.zeros(mine.shape) if mine.grad is None else mine.grad
            assert_allclose(grad, other.grad.numpy(), err_msg=f"gradient {k}", **CLOSE)


def agree(call, *inputs):
    """`call(F, *inputs)` with `F` our `nn.functional` and PyTorch's: values and gradients agree."""
    compare(
        lambda *x: call(tg.nn.functional, *x),
        lambda *x: call(torch.nn.functional, *x),
        inputs,
    )
