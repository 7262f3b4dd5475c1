"""`nn.utils`: clipping gradients, and parameters as one vector."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn, optim
from tinygrad_cs.engine import errors
from tinygrad_cs.nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    parameters_to_vector,
    vector_to_parameters,
)
from tinygrad_cs.optim.buffer import gradients

SHAPES = [(3, 4), (4,), (), (0,), (2, 1, 2)]
LAYOUTS = ["alone", "buffer", "part of a buffer", "two buffers"]


def parameters(layout="alone", dtype="float64", missing=()):
    rng = np.random.default_rng(0)
    params = [tg.tensor(rng.normal(size=s).astype(dtype), requires_grad=True) for s in SHAPES]
    if layout == "buffer":
        optim.SGD(params)
    elif layout == "part of a buffer":
        optim.SGD([*params, tg.tensor(np.ones(3, dtype), requires_grad=True)])
    elif layout == "two buffers":
        optim.SGD(params[:2])
        optim.SGD(params[2:])
    for i, p in enumerate(params):
        p.grad = None if i in missing else rng.normal(size=p.shape)
    return params


every_layout = pytest.mark.parametrize("layout", LAYOUTS)


@every_layout
@pytest.mark.parametrize("p", [2.0, 1.0, 3.0, math.inf])
@pytest.mark.parametrize("missing", [(), (1,), range(5)])
def test_one_factor_for_all(layout, p, missing):
    params = parameters(layout, missing=missing)
    before = [None if t.grad is None else t.grad.copy() for t in params]
    there = [g.ravel() for g in before if g is not None]
    expected = np.linalg.norm(np.concatenate(there), p) if there else 0.0
    norm = clip_grad_norm_(params, 0.5, p)
    assert isinstance(norm, float)
    assert_allclose(norm, expected, rtol=1e-13)
    for t, g in zip(params, before, strict=True):
        if g is None:
            assert t.grad is None
        else:
            assert_allclose(t.grad, g * 0.5 / (norm + 1e-6), rtol=1e-13)
    kept = [None if t.grad is None else t.grad.copy() for t in params]
    assert_allclose(clip_grad_norm_(params, 0.5, p), min(expected, 0.5), rtol=1e-5)
    for t, g in zip(params, kept, strict=True):
        assert g is None or (t.grad == g).all() or there, "not longer than allowed: unchanged"


@every_layout
def test_short_gradients_are_left_alone(layout):
    params = parameters(layout)
    before = [t.grad.copy() for t in params]
    for max_norm in (100.0, math.inf):
        clip_grad_norm_(params, max_norm)
        clip_grad_value_(params, max_norm)
    for t, g in zip(params, before, strict=True):
        assert_array_equal(t.grad, g)


def test_a_whole_buffer_is_one_array():
    assert len(gradients(parameters("buffer"))) == 1
    assert len(gradients(parameters("two buffers"))) == 2
    assert len(gradients(parameters("buffer", missing=[0]))) == 4
    assert len(gradients(parameters("part of a buffer"))) == 5
    assert len(gradients(parameters("alone"))) == 5
    assert gradients(parameters("buffer", missing=range(5))) == []


def test_old_gradients_of_others_do_not_count():
    """The buffer still holds what a parameter had before `zero_grad`."""
    params = parameters("buffer")
    for p in params:
        p.grad = None
    params[2].grad = 3.0
    assert clip_grad_norm_(params, 1.0) == 3.0


@pytest.mark.parametrize("p", [2.0, 1.0, 3.0])
@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_squares_that_float32_cannot_hold(p, size):
    w = tg.tensor(np.zeros(4, "float32"), requires_grad=True)
    w.grad = np.array([3.0, 0, 4.0, 0], "float32") * np.float32(size)
    expected = float(np.linalg.norm([3.0, 4.0], p)) * size
    assert_allclose(clip_grad_norm_([w], 1.0, p), expected, rtol=1e-5)
    assert w.grad.dtype == "float32"
    assert_allclose(w.grad, np.array([3, 0, 4, 0]) * min(size, size / expected), rtol=1e-5)


@every_layout
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("p", [2.0, 1.0, math.inf])
def test_a_norm_that_is_not_finite_changes_nothing(layout, bad, p):
    params = parameters(layout)
    params[1].grad[2] = bad
    params[4].grad[0, 0, 1] = bad
    before = [t.grad.copy() for t in params]
    with pytest.raises(errors.NonFiniteError) as caught:
        clip_grad_norm_(params, 0.1, p)
    assert "parameter 1 of shape (4,), 4 of shape (2, 1, 2). No gradient was" in str(caught.value)
    for t, g in zip(params, before, strict=True):
        assert_array_equal(t.grad, g)


def test_parameters_of_a_module_have_names():
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    model(np.ones((3, 2), "float32")).sum().backward()
    list(model.parameters())[2].grad[...] = np.nan
    for given in (model, model.named_parameters()):
        with pytest.raises(
            errors.NonFiniteError, match=r"in parameter 2\.weight of shape \(1, 2\)\."
        ):
            clip_grad_norm_(given, 1.0)


def test_what_may_be_handed_over():
    model = nn.Linear(2, 2)
    model(np.ones((3, 2), "float32")).sum().backward()
    whole = clip_grad_norm_(model, math.inf)
    assert whole == clip_grad_norm_(model.parameters(), math.inf)
    assert whole == clip_grad_norm_(dict(model.named_parameters()).values(), math.inf)
    weight = clip_grad_norm_(model.weight, math.inf)
    assert weight == clip_grad_norm_([model.weight, model.weight], math.inf) < whole
    clip_grad_value_(model.weight, 0.5)
    assert (abs(model.weight.grad) <= 0.5).all() and (model.bias.grad == 3).all()


@every_layout
def test_values(layout):
    params = parameters(layout, missing=[1])
    before = [None if t.grad is None else t.grad.copy() for t in params]
    clip_grad_value_(params, 0.3)
    for t, g in zip(params, before, strict=True):
        assert t.grad is None if g is None else (t.grad == np.clip(g, -0.3, 0.3)).all()


def test_refusals():
    p = parameters()
    for call, kind, message in [
        (lambda: clip_grad_norm_(p, -1), errors.ArgumentError, "max_norm must be a number of 0"),
        (lambda: clip_grad_norm_(p, math.nan), errors.ArgumentError, "max_norm"),
        (lambda: clip_grad_norm_(p, "1"), errors.ArgumentError, "max_norm"),
        (lambda: clip_grad_norm_(p, 1, 0), errors.ArgumentError, "norm_type must be above 0"),
        (lambda: clip_grad_norm_(p, 1, -2), errors.ArgumentError, "norm_type"),
        (lambda: clip_grad_value_(p, -1), errors.ArgumentError, "clip_value"),
        (lambda: clip_grad_norm_([], 1), errors.ArgumentError, "the parameter list is empty"),
        (lambda: clip_grad_norm_(3, 1), errors.DTypeError, "expected a module, .* got int"),
        (lambda: clip_grad_norm_([p[0].data], 1), errors.DTypeError, "parameter 0 is ndarray"),
        (lambda: vector_to_parameters(np.zeros(3), p), errors.ShapeError, r"\(21,\), got \(3,\)"),
        (lambda: vector_to_parameters(np.zeros((3, 7)), p), errors.ShapeError, r"\(3, 7\)"),
    ]:
        with pytest.raises(kind, match=message):
            call()


@every_layout
def test_a_vector_and_back(layout):
    params = parameters(layout)
    values = [p.data.copy() for p in params]
    vector = parameters_to_vector(params)
    assert_array_equal(vector.data, np.concatenate([v.ravel() for v in values]))
    for p in params:
        p.grad = None
    (vector * np.arange(21.0)).sum().backward()
    assert_array_equal(np.concatenate([p.grad.ravel() for p in params]), np.arange(21.0))
    loss = (params[0] * params[0]).sum()
    vector_to_parameters(2 * vector.detach(), params)
    for p, v in zip(params, values, strict=True):
        assert_array_equal(p.data, 2 * v)
    if layout != "alone":
        assert np.shares_memory(params[0].data, params[0]._node.home.values)
        with pytest.raises(errors.StaleValueError):
            loss.backward()


@pytest.mark.parametrize("limit", [0.05, 0.2, 1e6])
@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
@pytest.mark.parametrize("part", [False, True], ids=["all", "part"])
def test_clipping_is_a_part_of_compiled_steps(clip, limit, part):
    """To the last bit; whether it cuts may differ from step to step of the same program."""

    def losses(wrap):
        tg.manual_seed(0)
        model = tg.nn.Sequential(tg.nn.Linear(4, 8), tg.nn.ReLU(), tg.nn.Linear(8, 3))
        optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
        layers = model[2] if part else model
        norms = []

        def step(x, y):
            optimizer.zero_grad()
            loss = tg.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            norm = clip(layers.parameters(), limit)
            optimizer.step()
            return loss, norm

        step = wrap(step)
        for k in range(12):
            x = np.random.default_rng(k).normal(size=(6, 4)).astype("f4")
            loss, norm = step(x, np.arange(6) % 3)
            norms.append((loss.item(), norm))
        return norms, [p.data.tolist() for p in model.parameters()]

    assert losses(tg.compile) == losses(lambda step: step)


def test_a_compiled_step_says_which_gradient_is_not_finite():
    w = tg.tensor([1.0, 2.0], requires_grad=True)

    @tg.compile
    def step(x):
        w.grad = None
        (w * x).sum().backward()
        return clip_grad_norm_([w], 1.0)

    assert step(np.array([3.0, 4.0], "f4")) == 5.0
    with pytest.raises(errors.NonFiniteError, match="not finite in parameter"):
        step(np.array([np.inf, 4.0], "f4"))
