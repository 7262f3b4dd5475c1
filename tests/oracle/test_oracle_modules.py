"""Every module that PyTorch has too: outputs, gradients and buffers, in both modes."""

import numpy as np
import pytest
from agreement import CLOSE, compare, torch
from module_cases import CASES, ids
from numpy.testing import assert_allclose

import tinygrad_cs as tg
from tinygrad_cs import nn

SHARED = [case for case in CASES if case.oracle]


@pytest.fixture(autouse=True)
def float64():
    tg.set_default_dtype("float64")
    torch.set_default_dtype(torch.float64)
    yield
    tg.set_default_dtype("float32")
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("case", SHARED, ids=ids(SHARED))
def test_agrees_with_pytorch(case, training):
    """From PyTorch's own state, over three calls so that buffers move."""
    if training and case.random:
        pytest.skip("draws other numbers than PyTorch")
    tg.manual_seed(0)
    torch.manual_seed(0)
    mine, other = case.make(nn).train(training), case.make(torch.nn).train(training)
    mine.load_state_dict({name: t.numpy() for name, t in other.state_dict().items()})
    assert [n for n, _ in mine.named_parameters()] == [n for n, _ in other.named_parameters()]
    rng = np.random.default_rng(1)
    for _ in range(3):
        parameters = list(mine.parameters()), list(other.parameters())
        mine.zero_grad()
        other.zero_grad()
        compare(mine, other, case.inputs(rng), *parameters)
    ours, theirs = mine.state_dict(), other.state_dict()
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        assert_allclose(ours[name], value.numpy(), err_msg=name, **CLOSE)
