"""What holds for every exported module: a new one without a case fails the suite."""

import copy

import numpy as np
import pytest
from module_cases import CASES, ids, names
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.autograd import gradcheck, trees

every_case = pytest.mark.parametrize("case", CASES, ids=ids(CASES))
both_modes = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])


def made(case, training=True, dtype="float64"):
    """The module of a case with float64 parameters, and its inputs."""
    tg.manual_seed(0)
    tg.set_default_dtype(dtype)
    try:
        module = case.make(nn).train(training)
    finally:
        tg.set_default_dtype("float32")
    return module, case.inputs(np.random.default_rng(1))


def repeatable(module):
    """The module as a function of its inputs: same draws, same buffers in every call."""
    before = {name: np.array(buffer.data) for name, buffer in module.named_buffers()}

    def call(*inputs):
        tg.manual_seed(2)
        for name, buffer in module.named_buffers():
            tg.engine.tensor.overwrite(buffer, before[name])
        return module(*inputs)

    return call


def arrays(outputs):
    return [np.array(y.data) for y in trees.leaves(outputs)]


def test_every_exported_module_has_a_case():
    exported = {
        name
        for name in nn.__all__
        if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Module)
    }
    assert exported - {"Module"} == set(names(CASES)) & exported


@both_modes
@every_case
def test_gradients_by_inputs_and_parameters(case, training):
    module, inputs = made(case, training)
    assert gradcheck(repeatable(module), inputs, module=module, order=2 if case.smooth else 1)


@every_case
def test_float32_stays_float32(case):
    module, inputs = made(case, dtype="float32")
    inputs = [x.astype("float32") if np.asarray(x).dtype.kind == "f" else x for x in inputs]
    leaves = [tg.tensor(x, requires_grad=np.asarray(x).dtype.kind == "f") for x in inputs]
    outputs = list(trees.leaves(module(*leaves)))
    floating = [y for y in outputs if y.dtype.kind == "f"]
    assert floating and all(y.dtype == np.float32 for y in floating)
    sum(y.sum() for y in floating if y.requires_grad).backward()
    for x in [*leaves, *module.parameters()]:
        assert x.grad is None or (x.grad.dtype == np.float32 and x.grad.shape == x.shape)


@every_case
def test_inputs_are_not_changed(case):
    module, inputs = made(case)
    before = copy.deepcopy(inputs)
    module(*inputs)
    for x, y in zip(inputs, before, strict=True):
        assert_array_equal(x, y)


@both_modes
@every_case
def test_state_and_copies_give_the_same_results(case, training):
    """Loaded into a module that was made anew, deep-copied and pickled."""
    module, inputs = made(case, training)
    module(*inputs)  # so that buffers have moved
    other = made(case, training)[0]
    other.load_state_dict(module.state_dict())
    expected = arrays(repeatable(module)(*inputs))
    for twin in (other, copy.deepcopy(module)):
        for y, e in zip(arrays(repeatable(twin)(*inputs)), expected, strict=True):
            assert_array_equal(y, e)


@every_case
def test_evaluation_is_deterministic_and_changes_nothing(case):
    module, inputs = made(case, training=False)
    before = module.state_dict()
    tg.manual_seed(1)
    first = arrays(module(*inputs))
    tg.manual_seed(2)
    for y, e in zip(arrays(module(*inputs)), first, strict=True):
        assert_array_equal(y, e)
    for name, value in module.state_dict().items():
        assert_array_equal(value, before[name])


@every_case
def test_random_exactly_where_the_case_says(case):
    module, inputs = made(case)
    call = repeatable(module)
    results = []
    for seed in (2, 3):
        call(*inputs)
        tg.manual_seed(seed)
        results.append(arrays(module(*inputs)))
    same = all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
    assert same != case.random


@every_case
def test_prints(case):
    text = repr(case.make(nn))
    assert text.startswith(type(case.make(nn)).__name__ + "(")
    assert text.endswith(" parameters")
