"""Normalisation without PyTorch: formulas, running statistics, both modes, refusals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import functional as F

EXACT = {"rtol": 1e-12, "atol": 1e-13}


def normal(*shape, seed=0, dtype="float64"):
    return np.random.default_rng(seed).normal(2.0, 3.0, size=shape).astype(dtype)


def leaf(array):
    return tg.tensor(array, requires_grad=True)


def composed(x, axes, eps, centred=True):
    """The formula in the library's own single operations."""
    if centred:
        x = x - x.mean(axis=axes, keepdims=True)
    return x / tg.sqrt((x * x).mean(axis=axes, keepdims=True) + eps)


def column(w, x):
    """One number for each channel, beside (N, C, ...)."""
    return w.reshape(-1, *[1] * (x.ndim - 2))


def parted(x, w, b):
    parts = composed(x.reshape(len(x.data), 2, -1), 2, 1e-5).reshape(*x.shape)
    return parts * column(w, x) + column(b, x)


FORMS = {
    "batch": (
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
        lambda x, w, b: composed(x, (0, *range(2, x.ndim)), 1e-5) * column(w, x) + column(b, x),
        4,
    ),
    "group": (lambda x, w, b: F.group_norm(x, 2, w, b), parted, 4),
    "instance": (
        lambda x, w, b: F.instance_norm(x, weight=w, bias=b),
        lambda x, w, b: composed(x, (2, 3), 1e-5) * column(w, x) + column(b, x),
        4,
    ),
    "layer": (
        lambda x, w, b: F.layer_norm(x, 6, w, b),
        lambda x, w, b: composed(x, -1, 1e-5) * w + b,
        6,
    ),
    "root mean square": (
        lambda x, w, b: F.rms_norm(x, 6, w, eps=1e-5) + b,
        lambda x, w, b: composed(x, -1, 1e-5, centred=False) * w + b,
        6,
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_fused_operation_is_the_composed_formula(form):
    """Values, first derivatives, and a product with second derivatives."""
    fused, formula, length = FORMS[form]
    x, w, b = normal(5, 4, 3, 6), normal(length, seed=1), normal(length, seed=2)
    g, v = normal(*x.shape, seed=3), normal(*x.shape, seed=4)
    results = []
    for call in (fused, formula):
        leaves = leaf(x), leaf(w), leaf(b)
        out = call(*leaves)
        first = tg.autograd.grad((out * g).sum(), leaves, create_graph=True)
        slope = (first[0] * v).sum() + (first[1] * first[1]).sum()
        second = tg.autograd.grad(slope, leaves[:2])
        results.append([out, *first, *second])
    for ours, expected in zip(*results, strict=True):
        assert_allclose(ours.data, expected.data, rtol=1e-9, atol=1e-10)


def test_one_operation_in_training():
    """A batch normalisation is one node, however it is called."""
    layer, x = nn.BatchNorm1d(3), leaf(normal(4, 3, dtype="float32"))
    node = layer(x)._node
    assert node.plan.op.name == "standardize"
    assert {p for p in node.inputs} == {x._node, layer.weight._node, layer.bias._node}


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (2, 3, 4, 2)])
def test_batch_norm_normalises_and_tracks(shape):
    """By the biased variance; the running one is unbiased; from zeros and ones by momentum."""
    x = normal(*shape)
    axes = tuple(a for a in range(x.ndim) if a != 1)
    mean, var = tg.tensor(np.zeros(3)), tg.tensor(np.ones(3))
    y = F.batch_norm(x, mean, var, training=True, momentum=0.25, eps=0.0)
    assert_allclose(y.mean(axes), 0, atol=1e-12)
    assert_allclose(y.var(axes), 1, **EXACT)
    assert_allclose(mean.data, 0.25 * x.mean(axes), **EXACT)
    assert_allclose(var.data, 0.75 + 0.25 * x.var(axes, ddof=1), **EXACT)
    z = F.batch_norm(x, mean, var, eps=0.5)
    across = (1, 3, *[1] * (x.ndim - 2))
    m, v = mean.data.reshape(across), var.data.reshape(across)
    assert_allclose(z, (x - m) / np.sqrt(v + 0.5), **EXACT)


def test_momentum_none_is_the_average_of_all_batches():
    layer = nn.BatchNorm1d(2, momentum=None)
    batches = [normal(5, 2, seed=k, dtype="float32") for k in range(4)]
    for batch in batches:
        layer(batch)
    assert_allclose(layer.running_mean.data, np.mean([b.mean(0) for b in batches], 0), rtol=1e-5)
    variances = [b.var(0, ddof=1) for b in batches]
    assert_allclose(layer.running_var.data, np.mean(variances, 0), rtol=1e-5)
    assert layer.num_batches_tracked.item() == 4
    assert layer.state_dict()["num_batches_tracked"].dtype == np.int64


def test_training_and_evaluation_differ_until_statistics_agree():
    layer, x = nn.BatchNorm2d(2, momentum=1.0), normal(4, 2, 3, 3, dtype="float32")
    training = layer(x).data
    n = 4 * 9
    assert_allclose(layer.running_mean.data, x.mean((0, 2, 3)), rtol=1e-5)
    layer.running_var.data = layer.running_var.data * ((n - 1) / n)  # biased, as in training
    assert_allclose(layer.eval()(x).data, training, rtol=1e-4, atol=1e-5)
    before = layer.state_dict()
    layer(x + 5)
    for name, value in layer.state_dict().items():
        assert_array_equal(value, before[name])


def test_a_sample_alone_and_in_a_batch():
    """In evaluation batch normalisation does not depend on the batch, in training it does."""
    layer, x = nn.BatchNorm1d(3), normal(6, 3, dtype="float32")
    assert not np.allclose(layer(x).data[:2], layer(x[:2]).data)
    layer.eval()
    assert_array_equal(layer(x).data[:1], layer(x[:1]).data)
    assert layer(x[:0]).shape == (0, 3)
    for other in (nn.LayerNorm(3), nn.RMSNorm(3), nn.GroupNorm(1, 3)):
        assert_allclose(other(x).data[:1], other(x[:1]).data, rtol=1e-6)
        assert other(x[:0]).shape == (0, 3)


def test_running_statistics_move_without_gradients_and_without_stale_graphs():
    layer, x = nn.BatchNorm1d(3), leaf(normal(4, 3, dtype="float32"))
    with tg.no_grad():
        layer(x)
    moved = layer.running_mean.data.copy()
    assert moved.any()
    first = layer(x).sum()
    held = layer.running_mean.data
    before = held.copy()
    evaluated = layer.eval()(x).sum()
    layer.train()
    (first + layer(x).sum() + evaluated).backward()
    assert x.grad is not None and layer.weight.grad is not None
    assert_array_equal(held, before)  # an array that somebody took out does not move
    assert not layer.running_mean.requires_grad


def test_without_running_statistics_both_modes_use_the_batch():
    layer, x = nn.BatchNorm1d(3, track_running_stats=False), normal(4, 3, dtype="float32")
    assert_array_equal(layer(x).data, layer.eval()(x).data)
    assert set(layer.state_dict()) == {"weight", "bias"}
    with pytest.raises(errors.ShapeError, match="more than one value per channel"):
        layer(x[:1])


def test_a_shift_of_the_input_changes_nothing():
    """A bias before it is superfluous, and its gradient is zero."""
    x, b = normal(8, 3), leaf(np.ones(3))
    out = F.batch_norm(tg.tensor(x) + b, None, None, training=True)
    (out * normal(8, 3, seed=1)).sum().backward()
    assert_allclose(out.data, F.batch_norm(x, None, None, training=True), rtol=1e-10, atol=1e-12)
    assert_allclose(b.grad, 0, atol=1e-13)


def test_large_means_cost_no_digits():
    """Two passes: E[x^2] - E[x]^2 would have none left here."""
    x = 1e4 + np.random.default_rng(0).normal(size=(256, 2)).astype("float32")
    out = F.batch_norm(x.astype("float32"), None, None, training=True)
    assert_allclose(out.std(0), 1, atol=1e-3)


@pytest.mark.parametrize("form", ["batch", "layer", "rms", "group"])
def test_float16_is_summed_in_float32(form):
    """Sums of 4096 entries near 100 are beyond float16; results keep its dtype."""
    x = (100 + np.random.default_rng(0).normal(size=(4096, 2))).astype("float16")
    x = x if form == "batch" else x.T.copy()
    calls = {
        "batch": lambda x: F.batch_norm(x, None, None, training=True),
        "layer": lambda x: F.layer_norm(x, x.shape[1]),
        "rms": lambda x: F.rms_norm(x, x.shape[1]),
        "group": lambda x: F.group_norm(x, 1),
    }
    t = leaf(x)
    out = calls[form](t)
    assert out.dtype == np.float16
    assert_allclose(out.data, calls[form](x.astype("float64")), rtol=2e-3, atol=2e-3)
    (out * out * out).sum().backward()
    assert t.grad.dtype == np.float16 and np.isfinite(t.grad).all()


def test_float16_parameters():
    tg.set_default_dtype("float16")
    try:
        layer = nn.BatchNorm1d(2)
    finally:
        tg.set_default_dtype("float32")
    x = leaf(np.ones((4096, 2), "float16"))
    x.data[::2] = 3
    for mode in (True, False):
        out = layer.train(mode)(x)
        assert out.dtype == np.float16
        layer.zero_grad()
        out.backward(np.ones(out.shape, "float16"))
        assert_array_equal(layer.bias.grad, np.float16([4096, 4096]))
        assert layer.weight.grad.dtype == np.float16


@pytest.mark.parametrize("make", [lambda: nn.LayerNorm(4), lambda: nn.BatchNorm1d(4)])
def test_constants_give_zeros(make):
    out = make()(leaf(np.full((3, 4), 7.0, "float32")))
    assert_array_equal(out.data, 0)


def test_group_norm_lies_between_layer_and_instance_norm():
    x = normal(2, 4, 3)
    assert_allclose(F.group_norm(x, 1), F.layer_norm(x, (4, 3)), **EXACT)
    assert_allclose(F.group_norm(x, 4), F.instance_norm(x), **EXACT)


def test_layouts_in_memory_make_no_difference():
    x = normal(4, 3, 2, 5)
    for view in (np.asfortranarray(x), x[::-1].copy()[::-1], np.repeat(x, 2, axis=3)[..., ::2]):
        assert_allclose(nn.BatchNorm2d(3)(view).data, nn.BatchNorm2d(3)(x).data, rtol=1e-10)
        assert_allclose(F.group_norm(view, 3), F.group_norm(x, 3), **EXACT)


def test_lists_and_integers_are_data_too():
    assert_allclose(F.layer_norm([[1.0, 3.0]], 2, eps=0.0).data, [[-1, 1]])
    assert_allclose(F.layer_norm(np.array([[1, 3]]), 2, eps=0.0), [[-1, 1]])
    assert_allclose(F.rms_norm(np.array([[1, -1]]), 2), [[1, -1]])
    for x in (np.full((2, 300), 100, "int8"), np.arange(600).reshape(2, 300) % 3 == 0):
        x[:, 0] = 0
        expected = F.layer_norm(x.astype("float64"), 300)
        assert_allclose(F.layer_norm(x, 300), expected, **EXACT)


def test_debug_watches_it_and_changes_nothing():
    def trained(layer):
        """Batches in training and evaluation in turn: gradients, and the statistics that move."""
        slopes = []
        for seed in range(2):
            for mode in (True, False):
                x = leaf(normal(4, 3, seed=seed, dtype="float32"))
                (layer.train(mode)(x) ** 2).sum().backward()
                slopes.append(x.grad)
        return [*slopes, layer.weight.grad, layer.bias.grad, *layer.state_dict().values()]

    layer = nn.BatchNorm1d(3)
    with tg.debug():
        found = trained(layer)
    for ours, expected in zip(found, trained(nn.BatchNorm1d(3)), strict=True):
        assert_array_equal(ours, expected)
    for mode in (True, False):
        with tg.debug(), pytest.raises(errors.NonFiniteError, match=r"BatchNorm1d.*1 not finite"):
            layer.train(mode)(leaf([[1.0, np.inf, 2], [3, 4, 5]]))


SHORT, WRONG = np.ones((1, 3)), np.ones(4)
STATS = tg.tensor(np.zeros(3)), tg.tensor(np.ones(3))
A, S, D = errors.ArgumentError, errors.ShapeError, errors.DTypeError

REFUSALS = [
    (lambda: nn.BatchNorm1d(3)(SHORT), S, r"BatchNorm1d.*\(1, 3\).*drop_last=True.*eval\(\)"),
    (lambda: F.batch_norm(np.ones((0, 3)), *STATS, training=True), S, "more than one value"),
    (lambda: F.batch_norm(np.ones(3), *STATS), S, r"\(N, C\).*got \(3,\).*x\[None\]"),
    (lambda: F.batch_norm(np.ones((2, 3)), *STATS, WRONG), S, r"weight of shape \(3,\).*\(4,\)"),
    (lambda: F.batch_norm(np.ones((2, 3)), *STATS, bias=WRONG), S, r"bias of shape \(3,\)"),
    (lambda: F.batch_norm(np.ones((2, 4)), *STATS), S, r"statistics of shape \(4,\).*\(3,\)"),
    (lambda: F.batch_norm(np.ones((2, 4)), *STATS, training=True), S, r"statistics.*\(4,\)"),
    (lambda: F.batch_norm(np.ones((2, 3)), None, None), A, "without running statistics"),
    (lambda: F.batch_norm(np.ones((2, 3)), WRONG, WRONG, training=True), D, "tensors.*ndarray"),
    (lambda: nn.BatchNorm1d(3)(np.ones((2, 4))), S, r"num_features=3 channels, got 4"),
    (lambda: nn.BatchNorm1d(3)(np.ones((2, 3, 2, 2))), S, r"\(N, C\) or \(N, C, L\)"),
    (lambda: nn.BatchNorm2d(3)(np.ones((2, 3))), S, r"\(N, C, H, W\), got \(2, 3\)"),
    (lambda: nn.BatchNorm1d(0), A, "num_features.*got 0"),
    (lambda: nn.BatchNorm1d(2.5), A, "num_features.*got 2.5"),
    (lambda: nn.BatchNorm1d(3, momentum=2), A, "momentum.*from 0 to 1, got 2"),
    (lambda: nn.BatchNorm1d(3, eps=-1), A, "eps.*got -1"),
    (lambda: nn.InstanceNorm1d(3, momentum=None), A, "momentum"),
    (lambda: nn.InstanceNorm1d(3)(np.ones((2, 3, 1))), S, "more than one position"),
    (lambda: nn.InstanceNorm2d(3)(np.ones((2, 3, 4))), S, "num_features=3 channels, got 2"),
    (lambda: F.instance_norm(np.ones((2, 3))), S, r"\(N, C, ...\), got \(2, 3\)"),
    (lambda: F.instance_norm(np.ones((2, 3, 4)), use_input_stats=False), A, "without running"),
    (lambda: nn.LayerNorm(4)(np.ones((2, 3))), S, r"\(..., 4\).*got \(2, 3\)"),
    (lambda: nn.LayerNorm((2, 3))(np.ones(3)), S, r"\(..., 2, 3\).*got \(3,\)"),
    (lambda: F.layer_norm(np.ones((2, 3)), 3, WRONG), S, r"weight of shape \(3,\)"),
    (lambda: F.layer_norm(np.ones((2, 3)), ()), S, "normalized_shape=()"),
    (lambda: nn.LayerNorm(()), A, "an axis at least"),
    (lambda: nn.LayerNorm((2, 0)), A, "normalized_shape.*got 0"),
    (lambda: nn.RMSNorm(4, eps=-1.0), A, "RMSNorm: eps"),
    (lambda: nn.RMSNorm(4)(np.ones(3)), S, r"rms_norm.*\(..., 4\)"),
    (lambda: nn.GroupNorm(3, 4), A, "num_groups=3, num_channels=4"),
    (lambda: F.group_norm(np.ones((2, 4)), 3), A, "divides the 4 channels.*got 3"),
    (lambda: F.group_norm(np.ones((2, 4)), 4), S, "a group of one value"),
    (lambda: F.group_norm(np.ones(4), 2), S, r"got \(4,\)"),
    (lambda: nn.GroupNorm(2, 4)(np.ones((2, 6))), S, r"weight of shape \(6,\).*\(4,\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), REFUSALS)
def test_refusals(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_a_refused_batch_moves_nothing():
    layer = nn.BatchNorm1d(3)
    before = layer.state_dict()
    with pytest.raises(errors.ShapeError):
        layer(SHORT)
    for name, value in layer.state_dict().items():
        assert_array_equal(value, before[name])
