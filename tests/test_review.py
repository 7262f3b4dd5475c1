"""Faults that a sceptical user found, each of which stays found."""

from __future__ import annotations

import copy
import gc
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn, optim
from tinygrad_cs.engine.define import undefine
from tinygrad_cs.engine.errors import (
    ArgumentError,
    DTypeError,
    GradientCheckError,
    GraphError,
    ShapeError,
    StaleValueError,
)


def leaf(values, dtype="float64"):
    return tg.tensor(np.array(values, dtype), requires_grad=True)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_a_copied_model_and_optimizer_train_on(twin, make):
    def step(model, optimizer):
        optimizer.zero_grad()
        # a gradient that changes from step to step, so that lost moments would show
        (model(np.ones((1, 2), "float32")) ** 2).sum().backward()
        optimizer.step()

    model = nn.Linear(2, 1)
    optimizer = make(model.parameters(), lr=0.1)
    step(model, optimizer)
    model2, optimizer2 = twin((model, optimizer))
    assert_array_equal(model.weight.data, model2.weight.data)
    before = model2.weight.data.copy()
    for _ in range(3):
        step(model, optimizer)
        step(model2, optimizer2)
    assert not np.array_equal(before, model2.weight.data)
    assert_array_equal(model.weight.data, model2.weight.data)
    assert not np.shares_memory(model.weight.data, model2.weight.data)


def test_a_discarded_model_with_its_optimizer_is_no_garbage():
    gc.collect()
    gc.disable()
    try:
        model = nn.Linear(2, 1)
        optimizer = optim.Adam(model.parameters())
        model(np.ones((1, 2), "float32")).sum().backward()
        optimizer.step()
        del model, optimizer
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_scalars_beside_integers_keep_value_and_gradient():
    s = tg.Scalar(1.5)
    joined = tg.stack([s, np.array(2)])
    assert_array_equal(joined.data, [1.5, 2.0])
    joined.sum().backward()
    assert s.grad == 1.0


def test_bounds_of_clip_get_gradients():
    x, low = leaf([0.0, 1.0]), leaf([0.5, 0.5])
    tg.clip(x, low, None).sum().backward()
    assert_array_equal(low.grad, [1.0, 0.0])
    assert_array_equal(x.grad, [0.0, 1.0])
    assert isinstance(np.clip(np.array([0.0, 1.0]), low, None), tg.Tensor)


def test_loading_weights_does_not_reach_a_detached_value():
    layer, x = nn.Linear(1, 1, bias=False), leaf([[3.0]], "float32")
    layer.weight.data = np.array([[2.0]])
    loss = (layer.weight.detach() * x).sum()
    layer.load_state_dict({"weight": np.array([[100.0]])})
    loss.backward()
    assert_array_equal(x.grad, [[2.0]])


def test_a_hand_written_step_between_forward_and_backward_is_found():
    w = leaf([1.0, 2.0])
    loss = (w * w).sum()
    w.data -= 0.5
    with pytest.raises(StaleValueError):
        loss.backward()


def test_initialising_leaves_the_callers_array_alone():
    mine = np.array([1.0, 2.0], "float32")
    w = nn.Parameter([0.0, 0.0])
    w.data = mine
    nn.init.zeros_(w)
    assert_array_equal(mine, [1.0, 2.0])
    assert_array_equal(w.data, [0.0, 0.0])


def test_freezing_for_a_moment_loses_nothing():
    w = leaf([1.0])
    loss = (w * 2).sum()
    w.requires_grad = False
    w.requires_grad = True
    loss.backward()
    assert_array_equal(w.grad, [2.0])
    w.requires_grad = False
    assert_array_equal(w.grad, [2.0])


def test_gradcheck_finds_a_wrong_kind():
    @tg.autograd.operation("linear in each operand", dx=lambda g: 2 * g)
    def affine(x):
        return 2 * x + 1

    @tg.autograd.operation("elementwise", dx=lambda g: np.cumsum(g[::-1])[::-1])
    def partial_sums(x):
        return np.cumsum(x)

    try:
        for wrong in (affine, partial_sums):
            with pytest.raises(GradientCheckError, match="a wrong kind"):
                tg.autograd.gradcheck(wrong, np.array([1.0, 2.0, 3.0]))
    finally:
        undefine("affine")
        undefine("partial_sums")


def test_gradcheck_of_a_small_function_is_as_strict():
    @tg.autograd.operation("elementwise", dx=lambda g, x: g * 3.0 * x)
    def slanted_square(x):
        return x * x

    try:
        with pytest.raises(GradientCheckError):
            tg.autograd.gradcheck(lambda x: slanted_square(x) * 1e-6, np.array([1.0, 2.0]))
    finally:
        undefine("slanted_square")


def test_hooks_of_leaves_run_in_autograd_grad_too():
    x = leaf([1.0])
    x.register_hook(lambda g: g * 10)
    (gradient,) = tg.autograd.grad((x * 2).sum(), x)
    assert_array_equal(gradient.data, [20.0])


def test_a_hook_cannot_change_a_gradient_behind_the_back():
    u = leaf([1.0]) * 1.0
    v = leaf([1.0]) * 1.0

    def careless(g):
        g *= 10

    u.register_hook(careless)
    with pytest.raises(ValueError, match="read-only"):
        (u + v).sum().backward()


def test_a_tensor_of_a_tracked_tensor_is_no_silent_cut():
    x = leaf([1.0])
    with pytest.raises(GraphError, match="detach"):
        tg.tensor(x * 2)
    tg.asarray(x, dtype="float32").sum().backward()
    assert_array_equal(x.grad, [1.0])


def test_forward_mode_of_general_operations_on_scalars():
    assert_array_equal(
        tg.func.jvp(lambda s: tg.einsum(",i->i", s, np.array([1.0, 2.0])), (2.0,), (1.0,))[1],
        [1.0, 2.0],
    )
    zeros = tg.tensor(np.zeros(2))
    assert_array_equal(tg.func.jvp(lambda s: zeros.at[0].set(s), (2.0,), (1.0,))[1], [1.0, 0.0])
    twice = tg.func.grad(tg.func.grad(lambda s: tg.sum(tg.max(s) * s)))
    assert_allclose(np.asarray(twice(2.0)), 2.0)


def test_einsum_over_an_empty_axis():
    x = leaf(np.zeros((2, 0)))
    tg.einsum("ij->i", x).sum().backward()
    assert x.grad.shape == (2, 0)


def test_an_elementwise_operation_that_keeps_something_takes_tensors_only():
    @tg.autograd.operation("elementwise", keep={"e": lambda x: tg.exp(x)}, dx=lambda g, e: g * e)
    def kept_exp(x):
        e = np.exp(x)
        return e * 1.0, e

    try:
        assert tg.autograd.gradcheck(kept_exp, np.array([0.5, 1.0]), order=2)
        s = tg.Scalar(0.5)
        kept_exp(s).sum().backward()
        assert_allclose(s.grad, np.exp(0.5), rtol=1e-6)
    finally:
        undefine("kept_exp")


def test_values_led_by_ones_can_be_set():
    x, values = leaf(np.zeros((2, 3))), leaf(np.ones((1, 3)))
    x.at[0].set(values).sum().backward()
    assert_array_equal(values.grad, np.ones((1, 3)))


def test_debug_thaws_views_without_complaint():
    a = np.arange(4.0)
    x = tg.asarray(a)
    x.requires_grad = True
    with tg.debug():
        v = x[:2]
        p, q = v * v, x * x
    del p, q, v
    assert a.flags.writeable


def test_layers_in_a_list_are_refused():
    class Net(nn.Module):
        def __init__(self):
            self.layers = [nn.Linear(2, 2), nn.Linear(2, 2)]

    with pytest.raises(ArgumentError, match="would not be found"):
        Net()


@pytest.mark.parametrize(
    ("mistake", "kind", "says"),
    [
        (lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU), ArgumentError, r"write nn.ReLU\(\)"),
        (lambda: nn.Linear(2.0, 3), ArgumentError, "whole number of 1 or more"),
        (lambda: optim.SGD([leaf([1.0])], lr="0.1"), ArgumentError, "lr must be a number"),
        (lambda: optim.Adam([leaf([1.0])], betas=(0.9,)), ArgumentError, "two numbers"),
        (
            lambda: optim.SGD([{"params": [leaf([1.0])], "learning_rate": 1}]),
            ArgumentError,
            "no option 'learning_rate'",
        ),
        (
            lambda: nn.functional.cross_entropy(leaf(np.zeros((2, 3))), np.eye(2, 3, dtype=int)),
            DTypeError,
            r"argmax\(1\)",
        ),
        (lambda: np.linalg.eigvals(leaf(np.eye(2))), TypeError, "eigvals has no derivative"),
    ],
)
def test_mistakes_are_explained(mistake, kind, says):
    with pytest.raises(kind, match=says):
        mistake()


def test_plain_lists_work_in_losses():
    assert_allclose(nn.functional.cross_entropy([[0.0, 0.0]], [1]).item(), np.log(2), rtol=1e-6)
    assert nn.functional.mse_loss(tg.tensor([1.0, 2.0]), [1.0, 4.0]).item() == 2.0


def test_a_graph_already_used_elsewhere_is_a_constant_for_inner_derivatives():
    w = leaf([2.0])
    used = (w * 2) ** 2
    used.sum().backward()
    slope = tg.func.grad(lambda x: (x * used.data).sum())(np.array([1.0]))
    assert_array_equal(slope, [16.0])
    x = leaf([1.0])
    (direct,) = tg.autograd.grad((x * used).sum(), x)
    assert_array_equal(direct.data, [16.0])


def test_a_generator_function_is_no_place_for_a_mode_decorator():
    with pytest.raises(ArgumentError, match="between two yields"):

        @tg.no_grad()
        def batches():
            yield 1


def test_a_notebook_cell_that_defines_an_operation_can_be_run_again():
    for factor in (2.0, 3.0):

        @tg.autograd.operation("elementwise", dx=lambda g, factor: g * factor)
        def scaled(x, factor=factor):
            return x * factor

        x = leaf([1.0])
        scaled(x).sum().backward()
        assert_array_equal(x.grad, [factor])
    undefine("scaled")
    with pytest.raises(ArgumentError, match="already defined"):

        @tg.autograd.operation("elementwise", dx=lambda g: g)
        def tanh(x):
            return x


def test_einsum_names_the_index_with_two_lengths():
    with pytest.raises(ShapeError, match="index 'j' has length 3 in operand 0 and 2 in operand 1"):
        tg.einsum("ij,jk->ik", leaf(np.ones((2, 3))), leaf(np.ones((2, 3))))
    assert tg.einsum("ij,j->i", leaf(np.ones((2, 3))), leaf(np.ones(1))).shape == (2,)


def test_advice_is_not_a_name_that_only_looks_alike():
    with pytest.raises(TypeError) as caught:
        np.partition(leaf([1.0]), 0)
    assert "tg.sort" in str(caught.value)


# What a second review of the whole table found


def test_lists_of_floats_take_the_dtype_of_what_stands_beside_them():
    x = leaf([0.4, 0.4])
    assert_array_equal(([0.1, 0.2] * x).data, np.array([0.1, 0.2]) * x.data)
    solved = tg.linalg.solve([[0.1, 0.2], [0.3, 0.5]], x)
    assert_allclose(solved.data, [-12, 8], rtol=1e-13)
    assert (tg.tensor([1.0], dtype="float32") * [0.1]).dtype == np.float32


def test_masks_and_matrices_of_numpy_are_refused_where_their_rules_would_be_lost():
    with pytest.raises(TypeError, match="MaskedArray"):
        tg.exp(np.ma.array([1.0, 2.0], mask=[0, 1]))


def test_trapezoidal_rule_with_places_of_more_axes_than_values():
    m = np.array([[0.3, -0.7, 0.1], [0.5, 0.2, -0.4], [0.9, -0.1, 0.6]])
    assert_allclose(np.trapezoid([2.0, 2.0], leaf(m)[:, :2]).data,
                    np.trapezoid([2.0, 2.0], m[:, :2]))  # fmt: skip
    assert_allclose(np.trapezoid([1.0, 2.0, 4.0], leaf(m)).data, np.trapezoid([1.0, 2.0, 4.0], m))


def test_float16_gradients_of_what_was_broadcast_count_beyond_2048():
    b = tg.tensor(np.zeros(2), dtype="float16", requires_grad=True)
    (np.zeros((4096, 2), "float16") + b).sum().backward()
    assert_array_equal(b.grad, [4096, 4096])


@pytest.mark.parametrize("scale", [1e-25, 1e20])
def test_angles_of_very_small_and_very_large_sides(scale):
    a, b = (tg.tensor(np.float32(k * scale), requires_grad=True) for k in (1, 2))
    tg.atan2(a, b).backward()
    assert_allclose([a.grad * scale, b.grad * scale], [0.4, -0.2], rtol=1e-5)


def test_repeating_a_number():
    x = leaf(0.4)
    np.repeat(x, 3, axis=0).sum().backward()
    assert x.grad == 3


def test_the_determinant_of_nan_has_gradient_nan_in_its_matrix_alone():
    x = leaf([[[np.nan, 1], [1, 2]], [[1, 0], [0, 2]]])
    with np.errstate(invalid="ignore"):
        tg.linalg.det(x).sum().backward()
    assert np.isnan(x.grad[0]).all()
    assert_allclose(x.grad[1], [[2, 0], [0, 1]], atol=1e-12)


def test_dropout_takes_no_probability_with_a_gradient():
    with pytest.raises(ValueError, match="probability"):
        tg.nn.functional.dropout(leaf([1.0]), p=leaf(0.5))


def test_second_names_of_numpy():
    x = leaf([[1.0, 2.5], [3.5, 4.0]])
    for f in (np.copy, np.real, np.conjugate, np.around):
        assert_array_equal(f(x).data, f(x.data))
    assert_array_equal(np.linalg.matmul(x, x).data, x.data @ x.data)
    for ours, theirs in zip(np.divmod(x, 2.0), np.divmod(x.data, 2.0), strict=True):
        assert_array_equal(ours.data, theirs)


@pytest.mark.parametrize("bounds", [(-1.0, 1.0), (None, 1.0), (-1.0, None), (-1.0, "array"),
                                    (None, None)])  # fmt: skip
def test_clipping_many_entries(bounds):
    """Large arrays are compared with the bounds themselves, small ones with what came out."""
    x = np.random.default_rng(0).normal(size=(2, 1500))
    x[0, :3] = np.nan, 1.0, -1.0
    low, high = (np.full((2, 1), 0.5) if b == "array" else b for b in bounds)
    t = leaf(x)
    tg.clip(t, low, high).sum().backward()
    outside = np.zeros(x.shape, bool)
    if low is not None:
        outside |= x < low
    if high is not None:
        outside |= x > high
    assert_array_equal(t.grad, ~outside)


def test_the_mean_of_more_float16_than_float16_can_count():
    x = tg.tensor(np.ones(70000), dtype="float16", requires_grad=True)
    tg.mean(x).backward()
    assert x.grad.dtype == np.float16
    assert_allclose(x.grad, 1 / 70000, rtol=0.01)


def test_to_the_power_of_zero_is_constant_everywhere():
    x = leaf([np.inf, -np.inf, np.nan, 0.0, 2.0])
    (x**0).sum().backward()
    assert_array_equal(x.grad, 0)
    assert tg.func.grad(tg.func.grad(lambda v: v**0))(np.inf) == 0


@pytest.mark.parametrize("x", [2.0, np.array([2.0])])
def test_the_mixed_derivative_of_a_power_at_exponent_zero(x):
    """d/dy d/dx x^y = x^(y-1) (1 + y log x), which is 1/x at y = 0."""
    mixed = tg.func.grad(lambda y: tg.func.grad(lambda v: tg.sum(v**y))(x).sum()
                         if np.ndim(x) else tg.func.grad(lambda v: v**y)(x))  # fmt: skip
    result = mixed(0.0)
    assert_allclose(getattr(result, "data", result), 0.5)
