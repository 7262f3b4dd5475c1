"""Where the field disagrees, this is what happens here; and dead positions stay dead.

The table under "Conventions" in CONTRIBUTING.md says it in words; every row of it has a test here.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.engine.modes import generator
from tinygrad_cs.nn import functional

INF, NAN = np.inf, np.nan


def gradient(f, *arrays, dtype="float64"):
    """The gradients of the sum of f, twice: plain, and by a recorded pass."""
    leaves = [tg.tensor(np.array(a, dtype=dtype), requires_grad=True) for a in arrays]
    with np.errstate(all="ignore"):
        out = f(*leaves)
        total = out.sum() if out.ndim else out
        total.backward(retain_graph=True)
        again = tg.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
    for leaf, g in zip(leaves, again, strict=True):
        assert_array_equal(leaf.grad, g.data)
    results = [leaf.grad for leaf in leaves]
    return results[0] if len(results) == 1 else results


STEPS = "relu′(0), abs′(0); sign′, floor′, ceil′, trunc′, round′ anywhere"
CLIP = "clip at a bound"
FLAT = "relu6′(0), relu6′(6); hardtanh′, hardsigmoid′ at their bounds"
LEAK = "leaky relu′(0), prelu′(0)"
LEFT = "elu′(0), selu′(0), celu′(0)"
EQUAL = "`maximum`, `minimum` of equal values"
TIES = "`max`, `min` over an axis with ties"
MEDIAN = "`median` of an even count"
SORT = "`sort`, `argsort`"
X_TO_0 = "`x**0`"
ZERO_TO_Y = "`0**y` for y ≥ 0; a negative base"
ROOT_LOG = "sqrt′(0), log′(0)"
NORM = "a norm of zeros, `hypot(0, 0)`, `std` of a constant"
HIDDEN = "NaN in `relu` and its relatives, `clip`, `maximum`, `minimum`, `max`, `min`"
XLOGY = "`xlogy(0, y)`"
PROD = "`prod`, `cumulative_prod` with zeros"
SOFTMAX = "`logsumexp`, `softmax`, `log_softmax` with −∞"

GRADIENTS = [
    (STEPS, tg.relu, [-1.0, 0.0, 1.0], [0, 0, 1]),
    (STEPS, tg.abs, [-1.0, 0.0, 1.0], [-1, 0, 1]),
    (STEPS, tg.sign, [-1.0, 0.0, 1.5], [0, 0, 0]),
    (STEPS, tg.floor, [-1.0, 0.0, 1.5], [0, 0, 0]),
    (STEPS, tg.ceil, [-1.0, 0.0, 1.5], [0, 0, 0]),
    (STEPS, tg.trunc, [-1.0, 0.0, 1.5], [0, 0, 0]),
    (STEPS, tg.round, [-1.0, 0.0, 1.5], [0, 0, 0]),
    (CLIP, lambda x: x.clip(-1, 1), [-2.0, -1.0, 0.0, 1.0, 2.0], [0, 1, 1, 1, 0]),
    (CLIP, lambda x: x.clip(None, 1), [1.0, 2.0], [1, 0]),
    (FLAT, functional.relu6, [-1.0, 0.0, 1.0, 6.0, 7.0], [0, 0, 1, 0, 0]),
    (FLAT, functional.hardtanh, [-1.0, 0.0, 1.0], [0, 1, 0]),
    (FLAT, functional.hardsigmoid, [-3.0, 0.0, 3.0], [0, 1 / 6, 0]),
    (LEAK, lambda x: functional.leaky_relu(x, 0.2), [-1.0, 0.0, 1.0], [0.2, 0.2, 1]),
    (LEAK, lambda x: functional.prelu(x, np.full(1, -0.3)), [0.0, 1.0], [-0.3, 1]),
    (LEAK, lambda w: functional.prelu(np.array([-2.0, 0.0, 5.0]), w), [0.3], [-2]),
    (LEFT, lambda x: functional.elu(x, 0.3), [0.0, 1.0], [0.3, 1]),
    (LEFT, functional.selu, [0.0], [1.6732632423543772 * 1.0507009873554805]),
    (LEFT, lambda x: functional.celu(x, 0.3), [0.0, 1.0], [1, 1]),
    (EQUAL, lambda x: tg.maximum(x, x), [1.0, -2.0], [1, 1]),
    (EQUAL, lambda x: tg.minimum(x, x), [1.0, -2.0], [1, 1]),
    (EQUAL, lambda x: tg.maximum(x, np.zeros(3)), [-1.0, 0.0, 1.0], [0, 0.5, 1]),
    (EQUAL, lambda x: tg.minimum(x, np.zeros(3)), [-1.0, 0.0, 1.0], [1, 0.5, 0]),
    (TIES, tg.max, [3.0, 1.0, 3.0, 3.0], [1 / 3, 0, 1 / 3, 1 / 3]),
    (TIES, tg.min, [3.0, 1.0, 1.0], [0, 0.5, 0.5]),
    (TIES, lambda x: tg.max(x, axis=1), [[1.0, 1.0], [2.0, 1.0]], [[0.5, 0.5], [1, 0]]),
    (SORT, lambda x: tg.sort(x)[1], [2.0, 1.0, 2.0, 2.0], [1, 0, 0, 0]),
    (MEDIAN, tg.median, [4.0, 1.0, 3.0, 2.0], [0, 0, 0.5, 0.5]),
    (MEDIAN, tg.median, [4.0, 1.0, 3.0], [0, 0, 1]),
    (X_TO_0, lambda x: x**0, [0.0, 1.0, -2.0], [0, 0, 0]),
    (X_TO_0, lambda x: x**0.0, [0.0, 1.0, -2.0], [0, 0, 0]),
    (X_TO_0, lambda x: x**1, [0.0, -1.0], [1, 1]),
    (X_TO_0, lambda x: x**2, [0.0, -1.0], [0, -2]),
    (ZERO_TO_Y, lambda y: np.zeros(3) ** y, [0.0, 0.5, 2.0], [0, 0, 0]),
    (ZERO_TO_Y, lambda y: np.full(1, -2.0) ** y, [2.0], [NAN]),
    (ROOT_LOG, tg.sqrt, [0.0, 4.0], [INF, 0.25]),
    (ROOT_LOG, tg.log, [0.0, 4.0], [INF, 0.25]),
    (NORM, tg.std, [2.0, 2.0], [0, 0]),
    (NORM, lambda x: tg.std(x, axis=0), [[2.0, 1.0], [2.0, 3.0]], [[0, -0.5], [0, 0.5]]),
    (NORM, tg.linalg.norm, [0.0, 0.0], [0, 0]),
    (NORM, lambda x: tg.linalg.vector_norm(x, ord=3), [0.0, 0.0], [0, 0]),
    (NORM, lambda x: tg.linalg.norm(x, axis=1), [[0.0, 0.0], [3.0, 4.0]], [[0, 0], [0.6, 0.8]]),
    (NORM, lambda x: tg.hypot(x, 0 * x), [0.0, 2.0], [0, 1]),
    (HIDDEN, tg.relu, [NAN, -1.0], [1, 0]),
    (HIDDEN, functional.relu6, [NAN, -1.0], [1, 0]),
    (HIDDEN, functional.leaky_relu, [NAN, -1.0], [1, 0.01]),
    (HIDDEN, lambda x: functional.prelu(x, np.full(1, 0.2)), [NAN, -1.0], [1, 0.2]),
    (HIDDEN, lambda w: functional.prelu(np.array([NAN, 1.0]), w), [0.2], [NAN]),
    (HIDDEN, functional.hardtanh, [NAN, -2.0], [1, 0]),
    (HIDDEN, functional.hardsigmoid, [NAN, -4.0], [1 / 6, 0]),
    (HIDDEN, lambda x: tg.clip(x, -1, 1), [NAN, -2.0], [1, 0]),
    (HIDDEN, lambda x: tg.maximum(x, np.zeros(2)), [NAN, -1.0], [1, 0]),
    (HIDDEN, lambda x: tg.minimum(x, np.zeros(2)), [NAN, 1.0], [1, 0]),
    (HIDDEN, tg.max, [NAN, 1.0], [1, 0]),
    (HIDDEN, tg.min, [NAN, 1.0], [1, 0]),
    (HIDDEN, lambda x: np.fmax(x, np.zeros(2)), [NAN, 1.0], [0, 1]),
    (HIDDEN, tg.nan_to_num, [NAN, 1.0], [0, 1]),
    (HIDDEN, np.nansum, [NAN, 1.0], [0, 1]),
    (XLOGY, lambda x: tg.xlogy(x, np.zeros(1)), [0.0], [0]),
    (XLOGY, lambda y: tg.xlogy(np.zeros(2), y), [0.0, 2.0], [0, 0]),
    (XLOGY, lambda p: -tg.xlogy(p, p), [1.0, 0.0], [-1, 0]),
    (PROD, tg.prod, [2.0, 0.0, 3.0], [0, 6, 0]),
    (PROD, tg.prod, [2.0, 0.0, 0.0], [0, 0, 0]),
    (PROD, lambda x: tg.cumulative_prod(x), [2.0, 0.0, 3.0], [1, 8, 0]),
    (SOFTMAX, lambda x: tg.softmax(x)[1], [1.0, -INF], [0, 0]),
    (SOFTMAX, tg.logsumexp, [1.0, -INF, 1.0], [0.5, 0, 0.5]),
    (SOFTMAX, tg.logsumexp, [-INF, -INF], [0, 0]),
    (SOFTMAX, lambda x: tg.softmax(x), [-INF, -INF], [0, 0]),
    (SOFTMAX, lambda x: tg.log_softmax(x), [-INF, -INF], [0, 0]),
    (SOFTMAX, lambda x: tg.log_softmax(x)[0], [1.0, -INF], [0, 0]),
]  # fmt: skip
TESTED = {row for row, *_ in GRADIENTS}


def convention(row):
    """Says that a test holds a row of the table."""
    TESTED.add(row)
    return lambda test: test


@pytest.mark.parametrize(("row", "f", "at", "expected"), GRADIENTS)
def test_gradients_at_special_points(row, f, at, expected):
    assert_allclose(gradient(f, at), expected, rtol=1e-14, atol=1e-15)


def test_every_row_of_the_table_has_a_test():
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
    section = text.split("## Conventions")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \|", section, flags=re.MULTILINE)[1:]
    assert len(rows) > 20
    assert set(rows) == TESTED


def test_values_at_special_points():
    with np.errstate(all="ignore"):
        assert_array_equal(tg.tensor([0.0, 2.0]).data ** 0, [1, 1])
        assert tg.power(0.0, 0.0) == 1.0
        assert tg.logsumexp(tg.tensor([-INF, -INF])).item() == -INF
        assert_array_equal(tg.softmax(tg.tensor([-INF, -INF])).data, [0, 0])
        assert_array_equal(tg.log_softmax(tg.tensor([-INF, -INF])).data, [-INF, -INF])
        assert_allclose(tg.softmax(tg.tensor([0.0, -INF, 0.0])).data, [0.5, 0, 0.5])
        assert_allclose(tg.logsumexp(tg.tensor([INF, 1.0])).item(), INF)
    assert_allclose(tg.logsumexp(tg.tensor([1e4, 1e4])).item(), 1e4 + np.log(2))
    assert tg.sigmoid(tg.tensor([-1e4, 1e4])).data.tolist() == [0, 1]
    x = np.array([1.0, 3.0])
    assert tg.var(tg.tensor(x)).item() == 1.0 and tg.std(tg.tensor(x)).item() == 1.0


def test_power_of_two_tensors_at_zero_base():
    dx, dy = gradient(lambda x, y: x**y, [0.0, 0.0, 0.0], [2.0, 1.0, 0.0])
    assert_array_equal(dx, [0, 1, 0])
    assert_array_equal(dy, [0, 0, 0])


@convention("`x**x` at 0")
def test_x_to_the_x_at_zero_has_no_finite_gradient():
    slope = gradient(lambda x: x**x, [0.0])
    assert np.isnan(slope[0]) or slope[0] == -INF


def test_many_ties_are_counted_beyond_float16():
    """Adding one by one, as down a column, float16 stops at 2048."""
    slope = gradient(lambda x: tg.max(x, axis=0), np.ones((4096, 2)), dtype="float16")
    assert_array_equal(slope, np.full((4096, 2), 1 / 4096, "float16"))


def test_second_order_at_special_points():
    for f, at in ((tg.relu, 0.0), (tg.abs, 0.0), (lambda x: x**1, 0.0), (lambda x: x**0, 0.0)):
        assert tg.func.grad(tg.func.grad(f))(at) == 0.0
    assert tg.func.grad(tg.func.grad(lambda x: x**2))(0.0) == 2.0


@convention("several schedules on one optimizer")
def test_schedules_on_one_optimizer_multiply_unless_they_set_the_rate():
    s = tg.optim.lr_scheduler
    optimizer = tg.optim.SGD([tg.nn.Parameter(np.ones(1))], lr=1.0, momentum=0.9)
    for schedule in (s.ExponentialLR(optimizer, 0.5), s.StepLR(optimizer, 1, gamma=0.5)):
        schedule.step()
    assert optimizer.param_groups[0]["lr"] == 0.25
    s.LambdaLR(optimizer, lambda t: 0.5).step()
    assert optimizer.param_groups[0]["lr"] == 0.5
    s.CosineAnnealingWarmRestarts(optimizer, 1).step()
    assert optimizer.param_groups[0]["lr"] == 1.0
    s.OneCycleLR(optimizer, 5.0, total_steps=10, pct_start=0.2).step()
    assert optimizer.param_groups[0]["lr"] == 5.0


@convention("`OneCycleLR` after its last step")
def test_one_cycle_stays_at_its_end():
    optimizer = tg.optim.SGD([tg.nn.Parameter(np.ones(1))], lr=1.0)
    schedule = tg.optim.lr_scheduler.OneCycleLR(
        optimizer, 1.0, total_steps=3, anneal_strategy="linear"
    )
    for _ in range(3):
        schedule.step()
    assert_allclose(schedule.get_last_lr(), 1 / 25 / 1e4)
    with pytest.raises(errors.ArgumentError, match="the cycle is over"):
        schedule.step()


@convention("`kaiming_normal_(w, a)`, `kaiming_uniform_(w, a)`")
def test_the_slope_of_kaiming():
    def bound(*arguments, **options):
        w = tg.nn.Parameter(np.zeros((300, 100)))
        return abs(tg.nn.init.kaiming_uniform_(w, *arguments, **options).data).max()

    assert_allclose(bound(), np.sqrt(3 * 2 / 100), rtol=1e-3)
    assert_allclose(bound(5**0.5), 1 / np.sqrt(100), rtol=1e-3)
    assert_allclose(bound(1.0, nonlinearity="leaky_relu"), np.sqrt(3 / 100), rtol=1e-3)


@convention("weights before training")
def test_default_weights():
    tg.manual_seed(0)
    for layer, fan in ((tg.nn.Linear(400, 100), 400), (tg.nn.Conv2d(16, 100, 5), 400)):
        assert_allclose(layer.weight.data.var(), 2 / fan, rtol=0.05)
        assert not layer.bias.data.any()
        tg.nn.init.kaiming_uniform_(layer.weight, a=5**0.5)
        assert_allclose(abs(layer.weight.data).max(), 1 / np.sqrt(fan), rtol=1e-3)


@convention("a parameter that stands under several names")
def test_names_of_a_shared_parameter():
    net = tg.nn.Sequential(tg.nn.Linear(2, 2), tg.nn.Linear(2, 2))
    net[1].weight = net[0].weight
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    state = net.state_dict()
    assert list(state) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    del state["0.weight"]
    net.load_state_dict(state)


@convention("`zero_grad()`, `p.grad = None` of a frozen parameter")
def test_gradients_of_frozen_parameters():
    w = tg.nn.Parameter([1.0])
    optimizer = tg.optim.SGD([w], lr=1.0)

    def cleared_by_hand():
        w.grad = None

    for clear in (optimizer.zero_grad, cleared_by_hand):
        (w * w).backward()
        w.requires_grad = False
        optimizer.step()
        assert w.data[0] == 1
        clear()
        w.requires_grad = True
        assert w.grad is None


@convention("predictions and parameters that are integers")
def test_losses_of_integers():
    x = np.array([1, 255], "uint8")
    with pytest.raises(errors.DTypeError, match="floating, got uint8"):
        functional.mse_loss(x, x[::-1])
    with pytest.raises(errors.DTypeError, match="floating, got uint8"):
        tg.nn.l2_penalty(tg.tensor(x), 1.0)


@convention("Python floats outside the domain (`log(0)`, `1/0`, `exp(1000)`)")
def test_python_floats_outside_the_domain_follow_ieee():
    s = tg.Scalar
    assert tg.log(s(0.0)).data == -INF
    assert (s(1.0) / s(0.0)).data == INF and (1 / s(-0.0)).data == -INF
    assert tg.exp(s(1000.0)).data == INF and (s(10.0) ** 400).data == INF
    assert np.isnan(tg.sqrt(s(-1.0)).data) and np.isnan((s(0.0) / s(0.0)).data)
    x = s(0.0)
    (tg.sqrt(x) * 2).backward()
    assert x.grad == INF
    x = s(0.0)
    (1 / x).backward()
    assert x.grad == -INF


@convention("the reset gate of a `GRU`")
def test_the_reset_gate_multiplies_the_product():
    """With r = 0 not even the bias of the product passes."""
    w_ih, w_hh, b_ih, b_hh = np.zeros((3, 1)), np.zeros((3, 1)), np.zeros(3), np.array([0, 0, 5.0])
    params = [w_ih, w_hh, np.array([-1e3, -1e3, 0]), b_hh]  # r = 0 and z = 0
    output, _ = functional.gru(np.ones((1, 1)), None, params)
    assert_array_equal(output, [[0]])
    output, _ = functional.gru(np.ones((1, 1)), None, [w_ih, w_hh, b_ih, b_hh])  # r = z = 1/2
    assert_allclose(output, [[np.tanh(2.5) / 2]])


@convention("sequences without steps; dropout in a recurrent layer of one layer")
@pytest.mark.parametrize("layer", [tg.nn.RNN, tg.nn.LSTM, tg.nn.GRU])
def test_recurrent_layers_with_nothing_to_do(layer):
    with pytest.raises(errors.ShapeError, match="the sequence is empty"):
        layer(2, 3)(np.zeros((0, 1, 2), "float32"))
    with pytest.warns(UserWarning, match="does nothing with num_layers=1"):
        idle = layer(2, 3, dropout=0.5)
    x = np.ones((4, 1, 2), "float32")
    assert_array_equal(idle(x)[0].data, idle(x)[0].data)


@convention("Python floats in a batch of a `DataLoader`")
def test_python_floats_in_a_batch_take_the_default_dtype():
    batch = tg.data.default_collate([{"x": 0.5}, {"x": 1}])
    assert batch["x"].dtype == np.float32
    assert tg.data.default_collate([np.float64(0.5)]).dtype == np.float64


@convention("what is drawn at random while a `DataLoader` makes a batch")
def test_workers_do_not_change_what_is_drawn_for_a_batch():
    def noisy(batch):
        return batch[0] + generator().normal(size=len(batch[0]))

    def epoch(workers):
        loader = tg.data.DataLoader(
            tg.data.TensorDataset(np.arange(20.0)),
            batch_size=3,
            shuffle=True,
            transform=noisy,
            num_workers=workers,
            generator=0,
        )
        return np.concatenate(list(loader))

    assert_array_equal(epoch(3), epoch(0))
    assert_array_equal(epoch(1), epoch(0))


@convention("empty arrays")
def test_empty_arrays():
    x = tg.tensor(np.zeros((0, 3)), requires_grad=True)
    assert x.sum().item() == 0.0
    (x @ np.ones((3, 2))).sum().backward()
    assert x.grad.shape == (0, 3)
    with pytest.raises(ValueError, match="zero-size"):
        tg.max(x)
    assert tg.concat([x, np.ones((1, 3))]).shape == (1, 3)


def test_python_numbers_are_weak_and_gradients_keep_dtype():
    for dtype in ("float16", "float32", "float64"):
        x = tg.tensor(np.ones(2, dtype), requires_grad=True)
        y = ((2 * x + 1) ** 2 / 3 - 1.5).mean()
        y.backward()
        assert y.dtype == x.grad.dtype == dtype


@convention("losses of different shapes")
def test_losses_want_equal_shapes():
    with pytest.raises(errors.ShapeError, match=r"\(4, 1\) and \(4,\)"):
        functional.mse_loss(tg.tensor(np.ones((4, 1))), np.ones(4))
    a = np.ones((4, 3))
    assert functional.binary_cross_entropy(a, a, weight=np.ones(3)) == 0
    assert functional.gaussian_nll_loss(a, a, np.ones((4, 1))) == 0


@convention("the classes of `cross_entropy`, `nll_loss`")
def test_classes_lie_along_axis_1():
    log_p = np.log([[[0.5, 0.2], [0.5, 0.8]]])  # one sample, two classes, two places
    for loss in (functional.cross_entropy, functional.nll_loss):
        assert_allclose(loss(log_p, [[0, 1]], reduction="none"), -np.log([[0.5, 0.8]]))
        assert_allclose(loss(log_p[0, :, 1], 0), -np.log(0.2))


@convention("`ignore_index`")
def test_ignored_targets_count_nothing():
    z, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, -100])
    assert_allclose(functional.cross_entropy(z, y), functional.cross_entropy(z[:1], y[:1]))
    with pytest.warns(UserWarning, match="every target is ignored"):
        slope = gradient(lambda z: functional.cross_entropy(z, [-100, -100]), z)
    assert_array_equal(slope, 0)


@convention("the mean of a loss over an empty batch; targets with NaN")
def test_losses_of_nothing_and_of_nan():
    none = np.zeros((0, 2))
    for loss in (functional.mse_loss, functional.huber_loss, functional.kl_div):
        assert loss(none, none, reduction="sum") == 0
        with pytest.raises(errors.ShapeError, match="empty batch"):
            loss(none, none)
        with pytest.raises(errors.ArgumentError, match="NaN in 1 of 2"):
            loss(np.ones(2), np.array([1.0, NAN]))


@convention("BCE of probabilities 0 and 1")
def test_cross_entropy_of_sure_probabilities():
    p, y = [0.0, 0.0, 1.0, 1.0], np.array([0.0, 1.0, 0.0, 1.0])
    each = functional.binary_cross_entropy(np.array(p), y, reduction="none")
    assert_array_equal(each, [0, 100, 100, 0])
    slope = gradient(lambda p: functional.binary_cross_entropy(p, y, reduction="sum"), p)
    assert_allclose(slope, [1, -1e12, 1e12, -1])


@convention("Kullback-Leibler terms with probability 0")
def test_probability_zero_adds_nothing_to_a_divergence():
    log_q, p = [-INF, -1.0], [0.0, 0.0]
    assert functional.kl_div(np.array(log_q), np.array(p), "sum") == 0
    assert_array_equal(gradient(lambda q, p: functional.kl_div(q, p, "sum"), log_q, p), 0)


@convention("the hinge over classes")
def test_hinges_over_classes():
    scores = [[1.0, 0.0, 3.0], [1.0, 1.0, 0.0]]
    hinge, margin = functional.multi_class_hinge_loss, functional.multi_margin_loss
    assert_allclose(hinge(np.array(scores), [0, 1]), 2.0)  # (3 + 1) / 2
    assert_allclose(margin(np.array(scores), [0, 1]), 2.0 / 3)
    slope = gradient(lambda s: hinge(s, [0, 1], reduction="sum"), scores)
    assert_array_equal(slope, [[-1, 0, 1], [1, -1, 0]])  # 0 - 1 + 1 is the corner


@convention("a variance below `eps` in `gaussian_nll_loss`")
def test_small_variances_count_as_eps():
    def loss(v):
        return functional.gaussian_nll_loss(np.zeros(2), np.ones(2), v, eps=0.5)

    assert_allclose(loss(np.array([0.0, 0.5])), loss(np.array([0.5, 0.5])))
    assert_array_equal(gradient(loss, [0.0, 0.1]), gradient(loss, [0.5, 0.5]))


@convention("max pooling with ties")
def test_max_pooling_takes_the_first_of_equal_entries():
    x = np.array([[[1.0, 3.0, 3.0, 0.0], [3.0, 2.0, 3.0, 3.0]]])
    slope = gradient(lambda x: functional.max_pool2d(x, 2), x)
    assert_array_equal(slope, [[[0, 1, 1, 0], [0, 0, 0, 0]]])
    below = gradient(lambda x: functional.max_pool2d(x, 2, padding=1), -np.ones((1, 2, 2)))
    assert_array_equal(below, np.ones((1, 2, 2)))  # padding counts as -inf, not as 0


@convention(SORT)
def test_sorting_is_stable():
    x = np.array([2.0, 1.0, 2.0, 1.0])
    assert_array_equal(tg.argsort(x), [1, 3, 0, 2])
    assert_array_equal(tg.argsort(x, descending=True), [0, 2, 1, 3])


@convention("NaN or +∞ in `softmax`, `log_softmax`")
@pytest.mark.parametrize("f", [tg.softmax, tg.log_softmax])
@pytest.mark.parametrize("found", [NAN, INF])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_softmax_hides_no_nan(f, found):
    x = tg.tensor([[found, 1.0], [-INF, 0.0]], requires_grad=True)
    out = f(x)
    assert np.isnan(out.data[0]).all() and not np.isnan(out.data[1]).any()
    (out * np.array([1.0, 2.0])).sum().backward()
    assert np.isnan(x.grad[0]).all() and not np.isnan(x.grad[1]).any()
    assert_array_equal(tg.logsumexp(x, axis=1).data, [found, 0])


@convention("integers and booleans in functions of floats")
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64", "bool"])
def test_integers_count_as_floats(dtype):
    x = np.array([-128 if dtype == "int8" else 0, 1, 0, 100]).astype(dtype)
    for f in (tg.sigmoid, tg.logsigmoid, tg.softplus, tg.softmax, tg.log_softmax, tg.logsumexp):
        for out in (np.asarray(f(x)), f(tg.tensor(x)).data):
            assert out.dtype == np.tanh(x).dtype
            assert_allclose(out, f(x.astype(float)), rtol=2e-3, atol=1e-3)
    for ord in (1, 2, 3, INF):
        norm = tg.linalg.vector_norm(tg.tensor(x), ord=ord)
        assert norm.dtype == np.float64
        assert_allclose(norm.data, np.linalg.norm(x, ord))
    rows = tg.linalg.matrix_norm(tg.tensor(x[None]), ord=INF)
    assert_allclose(rows.data, np.linalg.norm(x[None], INF))


@convention("`reciprocal` of integers")
def test_the_reciprocal_of_integers():
    assert_array_equal(tg.reciprocal(np.array([2, 4])), [0.5, 0.25])
    assert_array_equal(np.reciprocal(tg.tensor([2, 4])).data, [0.5, 0.25])


@convention("`atan2(0, 0)`")
def test_the_angle_of_the_origin():
    assert tg.atan2(0.0, 0.0) == 0
    a, b = (tg.tensor([0.0, 1.0], requires_grad=True) for _ in range(2))
    with np.errstate(all="ignore"):
        tg.atan2(a, b).sum().backward()
    assert_array_equal(a.grad, [NAN, 0.5])
    assert_array_equal(b.grad, [NAN, -0.5])


@convention("`softplus`")
def test_softplus_is_linear_above_its_threshold():
    x = np.array([19.0, 21.0, 1000.0, -1000.0])
    assert_allclose(tg.softplus(x), [np.log1p(np.exp(19.0)), 21, 1000, 0], rtol=1e-14)
    assert_array_equal(gradient(tg.softplus, x)[1:], [1, 1, 0])


@convention("`var`, `std`")
def test_variance_divides_by_n():
    x = np.array([1.0, 3.0])
    assert tg.var(x) == tg.std(x) == 1.0
    assert tg.var(x, correction=1) == 2.0


@convention("boolean masks of attention")
def test_masks_of_attention_mean_what_they_mean_in_pytorch():
    x = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    first_only = np.array([[True, False]] * 2)
    seen = functional.scaled_dot_product_attention(x, x, x, first_only)
    assert_array_equal(seen, [[1, 0], [1, 0]])
    weights = tg.nn.MultiheadAttention(2, 1)(x, x, x, attn_mask=~first_only)[1]
    assert_array_equal(weights.data, [[1, 0], [1, 0]])
    with pytest.raises(errors.DTypeError, match="could mean either"):
        functional.scaled_dot_product_attention(x, x, x, first_only.astype(int))


@convention("attention that may see nothing")
def test_attention_to_nothing_is_zero():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    nothing = np.array([[True, True], [False, False]])
    attend = functional.scaled_dot_product_attention
    assert_array_equal(attend(x, x, x, nothing)[1], 0)
    slopes = gradient(lambda q, k, v: attend(q, k, v, nothing)[1], x, x, x)
    assert all(not slope.any() for slope in slopes)


@convention("`FractionalMaxPool2d` in evaluation")
def test_fractional_pooling_repeats_in_evaluation():
    layer, x = tg.nn.FractionalMaxPool2d(2, output_size=5), np.arange(144.0).reshape(1, 12, 12)
    assert len({layer(x).tobytes() for _ in range(9)}) > 1
    layer.eval()
    assert len({layer(x).tobytes() for _ in range(9)}) == 1


@convention("index −1 of an embedding")
def test_an_embedding_has_no_row_before_the_first():
    with pytest.raises(errors.IndexOutOfRange, match=r"from 0 to 2, got \[-1\]"):
        functional.embedding([-1], np.zeros((3, 2)))


@convention("variance in batch normalisation")
def test_variances_of_batch_normalisation():
    x, layer = np.array([[0.0], [2.0], [4.0]]), tg.nn.BatchNorm1d(1, eps=0.0)
    with tg.no_grad():
        out = layer(tg.tensor(x))
    assert_allclose(out.data.std(), 1)
    assert_allclose(layer.running_mean.data, 0.1 * 2, rtol=1e-6)
    assert_allclose(layer.running_var.data, 0.9 + 0.1 * np.var(x, ddof=1), rtol=1e-6)
    before = layer.state_dict()
    layer.eval()(tg.tensor(x))
    assert_array_equal(layer.running_mean.data, before["running_mean"])


@convention("batch normalisation in training with one value per channel")
def test_batch_normalisation_of_one_sample():
    layer, x = tg.nn.BatchNorm1d(2), np.ones((1, 2), "float32")
    with pytest.raises(errors.ShapeError, match=r"eval\(\)"):
        layer(x)
    assert layer.eval()(x).shape == (1, 2)


@convention("scale of dropout, DropConnect, stochastic depth")
def test_random_layers_scale_in_training():
    tg.manual_seed(0)
    x, block = np.ones((200, 1)), lambda x: x
    connect = tg.nn.DropConnect(1, 1, bias=False, p=0.75)
    connect.weight.data = np.ones((1, 1), "float32")
    for layer, off, on, evaluated in (
        (tg.nn.Dropout(0.75), 0, 4, 1),
        (connect, 0, 4, 1),
        (tg.nn.StochasticDepth(block, 0.75), 1, 5, 2),
        (tg.nn.PlainDropout(0.75), 0, 1, 0.25),
    ):
        drawn = [layer(tg.tensor(x)).data.ravel() for _ in range(50)]
        assert_array_equal(np.unique(drawn), [off, on])
        assert_array_equal(layer.eval()(tg.tensor(x)).data, evaluated)


@convention("dropout with p = 0, p = 1")
def test_dropout_of_nothing_and_of_everything():
    x = np.array([1.0, INF, NAN])
    assert_array_equal(functional.dropout(x, 0.0), x)
    assert_array_equal(functional.dropout(x, 1.0), 0)
    assert_array_equal(gradient(lambda x: functional.dropout(x, 1.0), x), 0)
    assert_array_equal(gradient(lambda x: functional.dropout(tg.sqrt(x), 1.0), [0.0]), 0)


@convention("input that does not influence the output")
def test_input_without_influence():
    x, y = (tg.tensor([1.0], requires_grad=True) for _ in range(2))
    (2 * x).sum().backward()
    assert y.grad is None
    assert tg.func.grad(lambda y: tg.sum(x.data))(np.ones(1)) == 0
    with pytest.raises(tg.TinygradError, match="allow_unused"):
        tg.autograd.grad((2 * x).sum(), [y])
    assert tg.autograd.grad((2 * x).sum(), [y], allow_unused=True) == (None,)


@convention("parameter without gradient")
def test_the_optimizer_skips_parameters_without_gradient():
    used, idle = (tg.nn.Parameter(np.ones(1, np.float32)) for _ in range(2))
    optimizer = tg.optim.SGD([used, idle], lr=0.1, weight_decay=0.5)
    used.sum().backward()
    optimizer.step()
    assert used.data < 1 and idle.data == 1


@convention("`clip_grad_norm_`")
def test_clipping_the_norm():
    a, b = (tg.tensor(np.zeros(2), requires_grad=True) for _ in range(2))
    a.grad, b.grad = np.array([3.0, 0.0]), np.array([0.0, 4.0])
    assert tg.nn.utils.clip_grad_norm_([a, b], 1.0) == 5.0
    assert a.grad[0] == 3.0 * (1 / (5.0 + 1e-6))
    b.grad = before = np.array([NAN, 1e3])
    with pytest.raises(errors.NonFiniteError, match=r"not finite in parameter 1 of shape \(2,\)\."):
        tg.nn.utils.clip_grad_norm_([a, b], 1.0)
    assert_array_equal(b.grad, before)
    with pytest.raises(errors.NonFiniteError, match="not finite in parameter head of shape"):
        tg.nn.utils.clip_grad_norm_([("trunk", a), ("head", b)], 1.0)


@convention("unsymmetric input of `eigh`, `cholesky`")
def test_symmetric_operations_read_the_symmetric_part():
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    for f in (tg.linalg.cholesky, lambda a: tg.linalg.eigh(a)[0]):
        slope = gradient(lambda a, f=f: f(a)[..., 0], a)
        assert_allclose(slope, slope.T)
    with pytest.raises(np.linalg.LinAlgError):
        tg.linalg.cholesky(np.array([[2.0, 1.0], [0.0, 3.0]]))


@convention('what `full_matrices=True` or `mode="complete"` adds to `svd` or `qr`')
def test_vectors_that_complete_a_basis():
    def summed(part):
        def f(x):
            return part(tg.linalg.svd(x)).sum()

        return tg.func.grad(f)

    tall = np.array([[1.0, 0.5], [0.0, 2.0], [3.0, 1.0], [0.5, 0.25]])
    for part in (lambda usv: usv.U[:, 2:], lambda usv: usv.U):
        with pytest.raises(errors.NoDerivativeError, match=r"svd\(x, full_matrices=False\)"):
            summed(part)(tall)
        with pytest.raises(errors.NoDerivativeError, match="rows of Vh"):
            summed(lambda usv: usv.Vh)(tall.T)
    assert np.isfinite(summed(lambda usv: usv.U[:, :2])(tall)).all()
    assert np.isfinite(summed(lambda usv: usv.S)(tall)).all()
    assert np.isfinite(summed(lambda usv: usv.Vh)(tall)).all()
    assert np.isfinite(summed(lambda usv: usv.U)(tall[:3])).all()
    with pytest.raises(errors.NoDerivativeError, match="mode='reduced'"):
        tg.linalg.qr(tg.tensor(tall, requires_grad=True), "complete")


@convention("eigenvectors and singular vectors of equal values")
def test_vectors_of_equal_eigenvalues_have_no_gradient_but_the_values_have():
    assert_allclose(gradient(lambda a: tg.linalg.eigvalsh(a).sum(), np.eye(3)), np.eye(3))
    assert_allclose(gradient(lambda a: tg.linalg.eigh(a)[0].sum(), np.eye(3)), np.eye(3))
    assert np.isnan(gradient(lambda a: tg.linalg.eigh(a)[1], np.eye(3))).any()


# Dead positions: cut off, so that no derivative there counts, however large.


@convention("variances in `tg.data`")
def test_variances_of_data():
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert_allclose(tg.data.Standardizer().fit(x).deviation[0], x.std(0))
    variances = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    assert_allclose(tg.data.PCA().fit(x).explained_variance, variances)


@convention("constant features in `tg.data`")
def test_constant_features():
    x = np.array([[1.0, 0.1], [2.0, 0.1], [4.0, 0.1]])
    steps = [
        (tg.data.Standardizer(), 0),
        (tg.data.MinMaxScaler((-1, 1)), -1),
        (tg.data.PCA(whiten=True, eps=0), 0),
        (tg.data.ZCA(eps=0), 0),
    ]
    for step, expected in steps:
        assert_allclose(step.fit_transform(x)[:, 1], expected, atol=1e-12)


@convention("hue of `ColorJitter`")
def test_hue_keeps_luma():
    x = np.array([0.6, 0.4, 0.5]).reshape(1, 3, 1, 1)
    y = tg.data.ColorJitter(hue=(0.3, 0.3))(x)
    luma = np.array([0.299, 0.587, 0.114])
    assert_allclose(luma @ y.ravel(), luma @ x.ravel())
    assert abs(y - x).max() > 0.1


@convention("λ of `Mixup` and `CutMix`")
def test_shares_of_mixing():
    x, y = np.zeros((8, 1, 9, 9)), np.eye(8)
    for mix in (tg.data.Mixup(), tg.data.CutMix()):
        _, targets = mix(x, y, generator=0)
        assert len(set(targets.max(axis=1).tolist())) > 4


@convention("positions that `where`, indexing or a mask cut off")
@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (lambda x: tg.where(x > 0, tg.sqrt(x), 0), [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.where(x > 0, tg.log(x), x), [0.0, 4.0], [1, 0.25]),
        (lambda x: tg.where(x > 0, 1 / x, 0), [0.0, 2.0], [0, -0.25]),
        (lambda x: tg.where(x <= 0, 0, tg.sqrt(x)), [0.0, 4.0], [0, 0.25]),
        # marks pass through elementwise operations, of one operand or several
        (lambda x: tg.where(x > 0, 3 * tg.sqrt(x) + x, 0), [0.0, 4.0], [0, 1.75]),
        (lambda x: tg.where(x > 0, tg.sqrt(x) * tg.sqrt(x), 0), [0.0, 4.0], [0, 1]),
        (lambda x: tg.where(x > 0, tg.exp(tg.log(x)), 0), [0.0, 4.0], [0, 1]),
        # and through what moves data
        (lambda x: tg.where(x.T > 0, tg.sqrt(x).T, 0), [[0.0, 4.0]], [[0, 0.25]]),
        (lambda x: tg.where(x > 0, tg.sqrt(x.reshape(-1)).reshape(1, 2), 0), [[0.0, 4.0]],
         [[0, 0.25]]),
        (lambda x: tg.where(np.array([False, True]), tg.sqrt(x[::-1]), 0), [4.0, 0.0], [0.25, 0]),
        (lambda x: tg.where([True, False, True],
                            tg.concat([tg.sqrt(x[1:]), tg.sqrt(x)]), 0), [0.0, 4.0], [0, 0.5]),
        (lambda x: tg.stack([tg.sqrt(x), x])[1], [0.0, 4.0], [1, 1]),
        (lambda x: tg.broadcast_to(tg.sqrt(x), (3, 2))[:, 1], [0.0, 4.0], [0, 0.75]),
        # indexing and masks cut
        (lambda x: tg.sqrt(x)[1:], [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.sqrt(x)[x > 0], [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.sqrt(x)[[1, 1]], [0.0, 4.0], [0, 0.5]),
        # so do clip, relu, maximum, minimum, max, min
        (lambda x: tg.log(x).clip(-10, 10), [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.relu(tg.log(x)), [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.maximum(tg.log(x), 0), [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.minimum(-tg.log(x), 0), [0.0, 4.0], [0, -0.25]),
        (lambda x: tg.max(tg.sqrt(x)), [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.min(-tg.sqrt(x)), [0.0, 4.0], [0, -0.25]),
        (lambda x: tg.max(tg.sqrt(x), axis=0), [[0.0, 4.0], [4.0, 0.0]], [[0, 0.25], [0.25, 0]]),
        # cut twice
        (lambda x: tg.where(x > 0, tg.sqrt(x), 0)[1:], [0.0, 4.0], [0, 0.25]),
        (lambda x: tg.where(x < 5, tg.where(x > 0, tg.sqrt(x), 0), x), [0.0, 4.0, 9.0],
         [0, 0.25, 1]),
        # dead only if all consumers agree
        (lambda x: (lambda r: tg.where(x > 0, r, 0) + tg.where(x > 5, r, 0))(tg.sqrt(x)),
         [0.0, 4.0, 9.0], [0, 0.25, 1 / 3]),
        (lambda x: (lambda r: tg.where(x > 0, r, r))(tg.sqrt(x)), [0.0, 4.0], [INF, 0.25]),
        (lambda x: (lambda r: tg.where(x > 0, r, 0) + r[::-1])(tg.sqrt(x)), [0.0, 4.0],
         [INF, 0.5]),
    ],
)  # fmt: skip
def test_dead_positions(f, at, expected):
    assert_allclose(gradient(f, at), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (lambda x: tg.sqrt(x) ** 2, [0.0], [NAN]),
        (lambda x: tg.sqrt(x) * 0, [0.0], [NAN]),
        (lambda x: tg.sqrt(x) * (x > 0), [0.0, 4.0], [NAN, 0.25]),
        (lambda x: tg.where(x >= 0, tg.sqrt(x), 0), [0.0, 4.0], [INF, 0.25]),
        # a sum mixes positions: the mark before it says nothing of those after
        (lambda x: tg.where(np.array(True), tg.sqrt(x).sum(), 0), [0.0, 4.0], [INF, 0.25]),
        (lambda x: tg.log(tg.where(x > 0, x, 0)), [0.0, 4.0], [0, 0.25]),
    ],
)
def test_zero_by_value_is_not_dead(f, at, expected):
    """A cotangent that happens to be zero, times an infinite derivative, is not known to be 0."""
    assert_allclose(gradient(f, at), expected, rtol=1e-14)


def test_dead_scalars():
    x = tg.Scalar(0.0)
    tg.where(x > 0, tg.sqrt(x), 0.0).backward()
    assert x.grad == 0.0
    x = tg.Scalar(0.0)
    (tg.relu(tg.log(x)) + x).backward()
    assert x.grad == 1.0


def test_broadcast_operands_of_dead_positions():
    """A scalar spread over dead and living positions gets what the living ones send."""
    s = tg.Scalar(4.0)
    x = tg.tensor([0.0, 1.0], requires_grad=True)
    tg.where(x > 0, tg.sqrt(s * x), 0).sum().backward()
    assert_allclose(s.grad, 0.25)
    assert_allclose(x.grad, [0, 1])
    w = tg.tensor([[0.0, 4.0]], requires_grad=True)
    tg.where(np.array([[False, True], [False, False]]), tg.sqrt(w), 0).sum().backward()
    assert_allclose(w.grad, [[0, 0.25]])


def test_dead_positions_in_higher_order_and_forward_mode():
    def f(x):
        return tg.where(x > 0, tg.sqrt(x), 0).sum()

    x = np.array([0.0, 4.0])
    with np.errstate(all="ignore"):
        assert_allclose(tg.func.hessian(f)(x), [[0, 0], [0, -1 / 32]])
        assert_allclose(tg.func.jvp(f, (x,), (np.ones(2),))[1], 0.25)
        assert_allclose(tg.func.hvp(f, x, np.ones(2)), [0, -1 / 32])


def test_dead_positions_do_not_trip_debug():
    x = tg.tensor([0.0, 4.0], requires_grad=True)
    with tg.debug():
        tg.where(x > 0, tg.sqrt(x), 0).sum().backward()
    assert_allclose(x.grad, [0, 0.25])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", ["C", "F", "reversed"])
def test_masking_many_entries_is_where(dtype, order):
    """Large arrays are masked by bits: the same values, NaN and infinity cut off alike."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(64, 33)).astype(dtype)
    values[::7] = np.nan
    values[::5] = np.inf
    condition = rng.random(values.shape) > 0.5
    if order == "F":
        values = np.asfortranarray(values)
    elif order == "reversed":
        values, condition = values[::-1, ::2], condition[::-1, ::2]
    result = tg.where(condition, values, 0)
    assert result.dtype == values.dtype
    assert_array_equal(result, np.where(condition, values, np.zeros((), dtype)))


@convention("missing values in a CSV file")
def test_what_a_csv_file_lacks_is_nan_in_the_inputs_and_raises_in_the_target(tmp_path):
    (tmp_path / "x.csv").write_text("a,b,y\n1,yes,1\n,,2\n3,no,\n")
    table = tg.data.read_csv(tmp_path / "x.csv")
    assert_array_equal(table.samples("y", incomplete="drop").x, [[1, 0, 1]])
    with pytest.raises(errors.ArgumentError, match="'y' is missing in 1 rows, first in row 3"):
        table.samples("y")
    (tmp_path / "x.csv").write_text("a,b,y\n1,yes,1\n,,2\n")
    x, _ = tg.data.read_csv(tmp_path / "x.csv").samples("y")
    assert_array_equal(x, [[1, 1], [NAN, NAN]])
    (tmp_path / "x.csv").write_text("y\ninf\n")
    with pytest.raises(tg.data.DataFileError, match="finite"):
        tg.data.read_csv(tmp_path / "x.csv")


@convention("precision, recall and F1 of 0 / 0")
def test_a_score_of_nothing_is_0_and_of_a_class_that_does_not_occur_nan():
    predicted, true = np.array([0, 0]), np.array([0, 1])
    for kind in (tg.training.Precision, tg.training.Recall, tg.training.F1Score):
        each = kind(None, num_classes=3).update(predicted, true).compute()
        assert each[1] == 0 and np.isnan(each[2])
        macro = kind("macro", num_classes=3).update(predicted, true).compute()
        assert macro == each[:2].mean()


@convention("R² of targets that are all equal")
def test_r2_without_variance_is_nan():
    assert np.isnan(tg.training.R2Score().update(np.ones(2), np.ones(2)).compute())


@convention("equal scores in `TopKAccuracy`")
def test_equal_scores_are_ahead_by_number():
    metric = tg.training.TopKAccuracy(2)
    assert metric.update(np.zeros((3, 3)), np.arange(3)).compute() == 2 / 3
