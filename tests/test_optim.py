"""Optimizers on flat buffers against the same rules written out parameter by parameter."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from plain_optimizers import RULES, plain

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.engine.tensor import overwrite

SHAPES = [(3, 4), (4,), (), (2, 1, 2)]


every_rule = pytest.mark.parametrize(("name", "options"), RULES)
every = pytest.mark.parametrize(
    "make",
    [getattr(tg.optim, name) for name in dict.fromkeys(name for name, _ in RULES)],
)


def parameters(shapes=SHAPES, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return [tg.tensor(rng.normal(size=s).astype(dtype), requires_grad=True) for s in shapes]


def loss_of(params, used=None):
    """Different gradients at every step and for every parameter."""
    chosen = params if used is None else [p for p, u in zip(params, used, strict=True) if u]
    return sum((tg.sin(p * (i + 1)) * p).sum() for i, p in enumerate(chosen))


def slope_of(value, i):
    return (i + 1) * np.cos(value * (i + 1)) * value + np.sin(value * (i + 1))


@every_rule
@pytest.mark.parametrize("dtypes", [["float64"] * 4, ["float32", "float64", "float32", "float64"]])
def test_twenty_steps_against_the_formula(name, options, dtypes):
    params = [parameters([s], d, i)[0] for i, (s, d) in
              enumerate(zip(SHAPES, dtypes, strict=True))]  # fmt: skip
    values = [p.data.astype(float) for p in params]
    optimizer = getattr(tg.optim, name)(params, **options)
    rules = [plain(name, optimizer) for _ in params]
    for _ in range(20):
        optimizer.zero_grad()
        loss_of(params).backward()
        optimizer.step()
        for i, rule in enumerate(rules):
            values[i] = rule.step(values[i], slope_of(values[i], i))
    for p, value, dtype in zip(params, values, dtypes, strict=True):
        assert p.dtype == p.grad.dtype == dtype
        tolerance = 1e-12 if dtype == "float64" else 1e-4
        assert_allclose(p.data, value, rtol=tolerance, atol=tolerance)


@every_rule
def test_parameters_without_gradient_are_skipped(name, options):
    """Value, state and step count stay, weight decay included; each counts its own steps."""
    params = parameters()
    values = [p.data.copy() for p in params]
    optimizer = getattr(tg.optim, name)(params, **options)
    rules = [plain(name, optimizer) for _ in params]
    rng = np.random.default_rng(1)
    for _ in range(20):
        used = rng.random(len(params)) > 0.4
        optimizer.zero_grad()
        if used.any():
            loss_of(params, used).backward()
        optimizer.step()
        place = 0
        for i, u in enumerate(used):
            if u:
                values[i] = rules[i].step(values[i], slope_of(values[i], place))
                place += 1
    for p, value in zip(params, values, strict=True):
        assert_allclose(p.data, value, rtol=1e-12, atol=1e-12)


def test_groups_have_their_own_options_read_at_every_step():
    a, b = parameters([(3,), (3,)])
    before = [a.data.copy(), b.data.copy()]
    optimizer = tg.optim.SGD([{"params": a, "lr": 1.0}, {"params": [b]}], lr=0.5)
    (a.sum() + b.sum()).backward()
    optimizer.step()
    assert_allclose(a.data, before[0] - 1.0)
    assert_allclose(b.data, before[1] - 0.5)
    optimizer.param_groups[1]["lr"] = 2.0
    optimizer.step()
    assert_allclose(b.data, before[1] - 2.5)


@every
def test_two_optimizers_over_the_same_parameters(make):
    shared, alone = parameters(), parameters()
    first, second = make(shared, lr=0.01), tg.optim.SGD(shared[:2], lr=0.1)
    other = make(alone, lr=0.01)
    for _ in range(5):
        for optimizer in (first, second, other):
            optimizer.zero_grad()
        loss_of(shared).backward()
        loss_of(alone).backward()
        first.step()
        second.step()
        other.step()
        for p in alone[:2]:
            overwrite(p, p.data - 0.1 * p.grad)
    for p, q in zip(shared, alone, strict=True):
        assert_allclose(p.data, q.data, rtol=1e-12)
        assert_allclose(p.grad, q.grad, rtol=1e-12)


@every
def test_large_buffers_go_in_pieces(make):
    """More than 32768 entries: the same bits as parameter by parameter."""
    shapes = [(70_000,), (3,), (200, 200), (32_768,)]
    together, apart = parameters(shapes, "float32"), parameters(shapes, "float32")
    one, many = make(together, lr=0.01), [make([p], lr=0.01) for p in apart]
    used = [True, False, True, True]  # the second step takes the path for missing gradients
    for step in range(3):
        for p, q, u in zip(together, apart, used, strict=True):
            g = p.data * 2
            p.grad = q.grad = g if u or step != 1 else None
        one.step()
        for optimizer in many:
            optimizer.step()
    for p, q in zip(together, apart, strict=True):
        assert_array_equal(p.data, q.data)


@every
def test_state_survives_a_round_trip(make):
    params, copies = parameters(), parameters()
    optimizer, other = make(params, lr=0.01), make(copies, lr=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        loss_of(params[:3]).backward()
        optimizer.step()
    saved = optimizer.state_dict()
    for p, q in zip(params, copies, strict=True):
        overwrite(q, p.data)
    other.load_state_dict(saved)
    assert other.param_groups[0]["lr"] == 0.01
    for given, used in ((optimizer, params), (other, copies)):
        given.zero_grad()
        loss_of(used).backward()
        given.step()
    for p, q in zip(params, copies, strict=True):
        assert_array_equal(p.data, q.data)
    strangers = make(parameters([(1,)]))
    with pytest.raises(errors.StateDictError, match="nothing was loaded"):
        strangers.load_state_dict(saved)
    assert issubclass(errors.StateDictError, KeyError)


def test_a_saved_state_is_a_copy():
    (p,) = parameters([(2,)])
    optimizer = tg.optim.SGD([p], momentum=0.9)
    saved = optimizer.state_dict()
    p.sum().backward()
    optimizer.step()
    assert not saved["state"][0][0]["velocity"].any()


@every
def test_zero_grad_makes_gradients_none(make):
    params = parameters()
    optimizer = make(params)
    loss_of(params).backward()
    kept = [p.grad for p in params]
    optimizer.zero_grad()
    assert all(p.grad is None for p in params)
    loss_of(params).backward()
    for p, g in zip(params, kept, strict=True):
        assert p.grad is not None and not np.shares_memory(p.grad, p.data)
        assert np.shares_memory(p.grad, g), "the slot in the gradient buffer"


@every_rule
def test_a_step_leaves_gradients_alone(name, options):
    """Gradients that go on accumulating after a step must not have been used as scratch."""
    params = parameters()
    optimizer = getattr(tg.optim, name)(params, **options)
    loss_of(params).backward()
    before = [p.grad.copy() for p in params]
    optimizer.step()
    for p, g in zip(params, before, strict=True):
        assert_array_equal(p.grad, g)


def test_gradients_never_share_memory():
    a, b = parameters([(2,), (2,)])
    tg.optim.SGD([a, b])
    seed = np.ones(2)
    (a + b).backward(seed)
    given = np.ones(2)
    arrays = [a.grad, b.grad, a.data, b.data, seed, given]
    for i, x in enumerate(arrays):
        for y in arrays[:i]:
            assert not np.shares_memory(x, y)
    a.grad = given
    assert not np.shares_memory(a.grad, given)


def test_a_gradient_from_before_the_optimizer_counts():
    (p,) = parameters([(2,)])
    before = p.data.copy()
    (3 * p).sum().backward()
    tg.optim.SGD([p], lr=1.0).step()
    assert_allclose(p.data, before - 3)


def test_parameters_become_views_of_one_array():
    params = parameters()
    values = [p.data.copy() for p in params]
    tg.optim.Adam(params)
    assert len({id(p.data.base) for p in params}) == 1
    for p, v in zip(params, values, strict=True):
        assert_array_equal(p.data, v)
    params[0].data = np.ones((3, 4))
    assert params[0].data.base is params[1].data.base


@every
def test_freezing_and_thawing(make):
    a, b = parameters([(2,), (2,)])
    optimizer = make([a, b], lr=0.1)
    before = a.data.copy()
    a.requires_grad = False
    for _ in range(2):
        optimizer.zero_grad()
        (a * b).sum().backward()
        optimizer.step()
    assert_array_equal(a.data, before)
    a.requires_grad = True
    (a * b).sum().backward()
    optimizer.zero_grad()
    assert a.grad is None and b.grad is None
    (a * b).sum().backward()
    optimizer.step()
    assert not np.array_equal(a.data, before)


def test_empty_parameters():
    (p,) = parameters([(0,)])
    optimizer = tg.optim.Adam([p])
    p.sum().backward()
    optimizer.step()
    assert p.data.shape == (0,)


@every
def test_parameter_lists_that_are_refused(make):
    p = tg.tensor([1.0], requires_grad=True)
    name = make.__name__
    for params, error, message in [
        ([], errors.ArgumentError, "empty; either the model has no parameters"),
        (iter([]), errors.ArgumentError, "empty"),
        (p, errors.ArgumentError, "must be a list of parameters, got a single tensor"),
        ([p, p], errors.ArgumentError, r"parameter 1 of shape \(1,\) is listed twice"),
        ([{"params": [p]}, {"params": [p]}], errors.ArgumentError, "listed twice"),
        ([{"params": []}], errors.ArgumentError, "a parameter group is empty"),
        ([p, np.ones(1)], errors.DTypeError, "parameter 1 is ndarray, not a tensor"),
        ([p * 2], errors.ArgumentError, "not a leaf that requires a gradient"),
        ([p.detach()], errors.ArgumentError, "not a leaf that requires a gradient"),
    ]:
        with pytest.raises(error, match=f"{name}: .*{message}"):
            make(params)
    assert p.data.base is None, "nothing was changed"


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (tg.optim.SGD, {"lr": -1.0}, "SGD: lr must be a number of 0 or more, got -1.0"),
        (tg.optim.SGD, {"lr": float("nan")}, "lr must be a number of 0 or more, got nan"),
        (tg.optim.SGD, {"momentum": -0.1}, "momentum"),
        (tg.optim.Adam, {"betas": (0.9, 1.0)}, r"Adam: betas must be two numbers"),
        (tg.optim.Adam, {"weight_decay": -1}, "weight_decay"),
        (tg.optim.Adam, {"eps": -1}, "eps"),
    ],
)
def test_options_that_are_refused(make, options, message):
    with pytest.raises(errors.ArgumentError, match=message):
        make(parameters(), **options)
    with pytest.raises(errors.ArgumentError, match=message):
        make([{"params": parameters(), **options}])
