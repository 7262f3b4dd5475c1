"""L-BFGS and its line search: what holds without PyTorch."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.optim import LBFGS
from tinygrad_cs.optim.line_search import Point, lowest_of_cubic, strong_wolfe


def leaf(values, dtype="float64"):
    return tg.tensor(np.array(values, dtype), requires_grad=True)


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2).sum() + 10 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


def closure_of(f, x, optimizer, seen=None):
    def closure():
        optimizer.zero_grad()
        loss = f(x)
        loss.backward()
        if seen is not None:
            seen.append((float(loss.item()), x.data.copy()))
        return loss

    return closure


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_finds_the_minimum_of_a_curved_valley(dtype):
    x = leaf([-1.2, 1.0, 0.7], dtype)
    optimizer = LBFGS([x], line_search_fn="strong_wolfe", max_iter=100, tolerance_change=1e-15)
    first = optimizer.step(closure_of(rosenbrock, x, optimizer))
    assert_allclose(first.item(), rosenbrock(leaf([-1.2, 1.0, 0.7])).item(), rtol=1e-6)
    assert_allclose(x.data, 1, atol=1e-3 if dtype == "float32" else 1e-6)
    assert x.data.dtype == dtype


def test_a_quadratic_takes_few_evaluations():
    a = np.diag([1.0, 4.0, 9.0])
    x, seen = leaf([3.0, -2.0, 1.0]), []
    optimizer = LBFGS([x], line_search_fn="strong_wolfe", tolerance_change=1e-15)
    optimizer.step(closure_of(lambda x: 0.5 * (x * tg.matmul(a, x)).sum(), x, optimizer, seen))
    assert_allclose(x.data, 0, atol=1e-6)
    assert len(seen) < 20


def test_the_two_walks_are_the_product_with_the_bfgs_matrix():
    """H from its definition, H <- (1 - s y^T / sy) H (1 - y s^T / sy) + s s^T / sy."""
    x, seen = leaf([-1.2, 1.0, 0.7, 0.1]), []
    optimizer = LBFGS([x], lr=0.3, max_iter=6, line_search_fn="strong_wolfe", history_size=3)
    optimizer.step(closure_of(rosenbrock, x, optimizer, seen))
    memory = optimizer._memory
    assert len(memory.pairs) == 3
    h = np.eye(4) * memory.scale
    for s, y in memory.pairs:
        left = np.eye(4) - np.outer(s, y) / (s @ y)
        h = left @ h @ left.T + np.outer(s, s) / (s @ y)
    g = np.array([1.0, -2.0, 0.5, 3.0])
    assert_allclose(memory.newton_direction(g), -h @ g, rtol=1e-10)


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 30.0])
@pytest.mark.parametrize("f", [
    lambda t: (t - 1) ** 2,
    lambda t: (t - 1) ** 4 + 0.1 * t,
    lambda t: -t / (t * t + 2),
    lambda t: np.cosh(min(t, 50.0) - 2),
])  # fmt: skip
def test_the_line_search_meets_both_conditions(f, first):
    used = []

    def at(t):
        used.append(t)
        slope = (f(t + 1e-6) - f(t - 1e-6)) / 2e-6
        return Point(t, f(t), np.zeros(1), slope)

    start = at(0.0)
    used.clear()
    point, count = strong_wolfe(at, start, first, 1e-9, 25)
    assert count == len(used)
    assert point.loss <= start.loss + 1e-4 * point.t * start.slope
    assert abs(point.slope) <= 0.9 * abs(start.slope)


def test_the_line_search_comes_back_from_where_the_loss_is_nan():
    def at(t):
        if t >= 1:
            return Point(t, np.nan, np.zeros(1), np.nan)
        return Point(t, -t - 0.1 * np.log(1 - t), np.zeros(1), -1 + 0.1 / (1 - t))

    point, _ = strong_wolfe(at, at(0.0), 8.0, 1e-9, 25)
    assert 0 < point.t < 1 and point.loss < -0.4


def test_the_lowest_point_counts_when_evaluations_run_out():
    def at(t):
        return Point(t, -t, np.zeros(1), -1.0)  # falls for ever, never flattens

    point, count = strong_wolfe(at, at(0.0), 1.0, 1e-9, 3)
    assert count == 4 and point.t > 1


def test_the_cubic():
    """Through points and slopes of t^3 - 3 t its minimum is at 1; a line has none."""
    p, q = (Point(t, t**3 - 3 * t, np.zeros(1), 3 * t * t - 3) for t in (0.0, 3.0))
    assert_allclose(lowest_of_cubic(p, q, 0.0, 3.0), 1.0)
    assert_allclose(lowest_of_cubic(q, p, 0.0, 3.0), 1.0)
    assert lowest_of_cubic(p, q, 2.0, 3.0) == 2.0
    line = [Point(t, -t, np.zeros(1), -1.0) for t in (0.0, 1.0)]
    assert lowest_of_cubic(*line, 0.0, 1.0) == 0.5


def test_a_direction_that_curves_downwards_teaches_nothing():
    memory = LBFGS([leaf([1.0, 1.0])])._memory
    memory.direction, memory.length, memory.gradient = np.array([1.0, 0.0]), 1.0, np.zeros(2)
    memory.learn(np.array([-1.0, 1.0]), 10)
    assert memory.pairs == [] and memory.scale == 1.0
    memory.learn(np.array([2.0, 1.0]), 10)
    assert len(memory.pairs) == 1 and memory.scale == 2 / 5


def test_gradients_that_were_set_to_none_count_as_zero():
    x, idle = leaf([2.0]), leaf([3.0])
    optimizer = LBFGS([x, idle], lr=0.1)
    (x * idle).sum().backward()  # the buffer holds this gradient from now on
    optimizer.step(closure_of(lambda x: (x * x).sum(), x, optimizer))
    assert idle.data == 3.0 and x.data < 2.0


def test_limits():
    def evaluations(**options):
        x, seen = leaf([-1.2, 1.0]), []
        optimizer = LBFGS([x], line_search_fn="strong_wolfe", **options)
        optimizer.step(closure_of(rosenbrock, x, optimizer, seen))
        return len(seen), optimizer._memory.iterations

    assert evaluations(max_iter=3, max_eval=50)[1] == 3
    assert evaluations(max_iter=100, max_eval=7)[0] <= 8
    assert evaluations(tolerance_grad=1e9) == (1, 0)
    assert evaluations(tolerance_change=1e3)[1] <= 1


def test_training_goes_on_bit_by_bit_from_a_saved_state():
    x, y = leaf([-1.2, 1.0, 0.5]), leaf([0.0, 0.0, 0.0])
    one, other = (LBFGS([p], line_search_fn="strong_wolfe", max_iter=3) for p in (x, y))
    fresh = LBFGS([y])
    one.step(closure_of(rosenbrock, x, one))
    saved = one.state_dict()
    kept = copy.deepcopy(saved)
    y.data = x.data
    fresh.load_state_dict(saved)
    one.step(closure_of(rosenbrock, x, one))
    fresh.step(closure_of(rosenbrock, y, fresh))
    assert_array_equal(x.data, y.data)
    assert fresh.param_groups[0]["max_iter"] == 3
    assert len(saved["memory"]["pairs"]) == len(kept["memory"]["pairs"]), "a copy"
    z, twin = copy.deepcopy((x, one))
    one.step(closure_of(rosenbrock, x, one))
    twin.step(closure_of(rosenbrock, z, twin))
    assert_array_equal(x.data, z.data)
    with pytest.raises(errors.StateDictError, match="belongs to other parameters"):
        LBFGS([leaf([1.0])]).load_state_dict(saved)
    del saved["memory"]["scale"]
    with pytest.raises(errors.StateDictError, match="'memory': expected a dict of"):
        other.load_state_dict(saved)
    kept["memory"]["gradient"] = np.zeros(1)
    with pytest.raises(errors.StateDictError, match=r"arrays of shape \(1,\), expected \(3,\)"):
        other.load_state_dict(kept)


def test_a_graph_from_before_the_step_is_refused():
    x = leaf([2.0])
    optimizer = LBFGS([x])
    loss = (x * x).sum()
    optimizer.step(closure_of(lambda x: (x * x).sum(), x, optimizer))
    with pytest.raises(errors.StaleValueError):
        loss.backward()


def test_refusals():
    x, low = leaf([1.0]), leaf([1.0], "float32")
    with pytest.raises(errors.ArgumentError, match=r"pass it: optimizer.step\(closure\)"):
        LBFGS([x]).step()
    with pytest.raises(errors.ArgumentError, match="closure returned None"):
        LBFGS([x]).step(lambda: None)
    with pytest.raises(errors.ArgumentError, match="single group"):
        LBFGS([{"params": [x]}, {"params": [leaf([2.0])]}])
    with pytest.raises(errors.ArgumentError, match="single group"):
        LBFGS([x]).add_param_group({"params": [leaf([2.0])]})
    with pytest.raises(errors.DTypeError, match="one dtype, got float32, float64"):
        LBFGS([x, low])
    for options, message in [
        ({"lr": -1}, "lr"),
        ({"max_iter": 0}, "max_iter must be a whole number of 1 or more, got 0"),
        ({"max_iter": 2.5}, "max_iter"),
        ({"max_eval": 0}, "max_eval"),
        ({"history_size": 0}, "history_size"),
        ({"tolerance_grad": -1}, "tolerance_grad"),
        ({"tolerance_change": -1}, "tolerance_change"),
        ({"line_search_fn": "armijo"}, "None or 'strong_wolfe', got 'armijo'"),
    ]:
        with pytest.raises(errors.ArgumentError, match=message):
            LBFGS([x], **options)
