"""Attention with several heads: its formula, masks, and what it refuses."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import functional as F

RNG = np.random.default_rng(0)


def normal(*shape, dtype="float32"):
    return RNG.normal(size=shape).astype(dtype)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def naive(layer, query, key, value, seen=None, added=0.0):
    """One sample, head by head: query (L, E), key (S, E), value (S, E)."""
    e, h = layer.embed_dim, layer.num_heads
    d = e // h
    w = np.split(layer.in_proj_weight.data, 3)
    b = np.split(np.zeros(3 * e) if layer.in_proj_bias is None else layer.in_proj_bias.data, 3)
    q, k, v = (x @ m.T + c for x, m, c in zip((query, key, value), w, b, strict=True))
    heads, weights = [], []
    for i in range(h):
        part = slice(i * d, (i + 1) * d)
        scores = q[:, part] @ k[:, part].T / np.sqrt(d) + added
        if seen is not None:
            scores = np.where(seen, scores, -1e30)
        weights.append(softmax(scores))
        heads.append(weights[-1] @ v[:, part])
    out = np.concatenate(heads, axis=-1) @ layer.out_proj.weight.data.T
    return out + (0 if b is None else layer.out_proj.bias.data), np.stack(weights)


@pytest.fixture
def layer():
    tg.manual_seed(0)
    layer = nn.MultiheadAttention(6, 3).double()
    for p in (layer.in_proj_bias, layer.out_proj.bias):
        nn.init.normal_(p)
    return layer


def test_it_is_its_formula_with_every_layout(layer):
    q, k, v = (normal(n, 6, dtype="float64") for n in (4, 5, 5))
    expected, weights = naive(layer, q, k, v)
    out, mean = layer(q, k, v)
    assert_allclose(out.data, expected)
    assert_allclose(mean.data, weights.mean(0))
    assert_allclose(layer(q, k, v, average_attn_weights=False)[1].data, weights)
    assert layer(q, k, v, need_weights=False)[1] is None
    batch = [np.stack([x, 2 * x], axis=1) for x in (q, k, v)]
    out, mean = layer(*batch)
    assert out.shape == (4, 2, 6) and mean.shape == (2, 4, 5)
    assert_allclose(out.data[:, 0], expected)
    assert_allclose(out.data[:, 1], naive(layer, 2 * q, 2 * k, 2 * v)[0])
    layer.batch_first = True
    again, same = layer(*(x.swapaxes(0, 1) for x in batch))
    assert_allclose(again.data, out.data.swapaxes(0, 1))
    assert_allclose(same.data, mean.data)


def test_the_shortcut_of_self_attention_is_the_same(layer):
    x = tg.tensor(normal(4, 2, 6, dtype="float64"), requires_grad=True)
    for mask in (None, np.triu(np.ones((4, 4), bool), 1)):
        results = []
        for q, k, v in ((x, x, x), (x, x + 0, x)):
            layer.zero_grad()
            x.grad = None
            out, weights = layer(q, k, v, attn_mask=mask)
            ((out**2).sum() + (weights**2).sum()).backward()
            results.append([out.data, x.grad, *(p.grad for p in layer.parameters())])
        for a, b in zip(*results, strict=True):
            assert_allclose(a, b, atol=1e-12)


def test_masks(layer):
    x = normal(4, 6, dtype="float64")
    later = np.triu(np.ones((4, 4), bool), 1)
    expected, weights = naive(layer, x, x, x, ~later)
    for masks in (
        {"attn_mask": later},
        {"is_causal": True},
        {"attn_mask": later, "is_causal": True},
        {"attn_mask": np.where(later, -np.inf, 0)},
        {"attn_mask": np.broadcast_to(later, (3, 4, 4))},
        {"attn_mask": tg.tensor(later)},
    ):
        out, mean = layer(x, x, x, **masks)
        assert_allclose(out.data, expected)
        assert_allclose(mean.data, weights.mean(0))
    padding = np.array([False, False, True, False])
    expected = naive(layer, x, x, x, ~later & ~padding)[0]
    assert_allclose(layer(x, x, x, padding, attn_mask=later)[0].data, expected)
    number = np.where(padding, -np.inf, 0)
    assert_allclose(layer(x, x, x, number, is_causal=True)[0].data, expected)
    added = normal(4, 4, dtype="float64")
    expected = naive(layer, x, x, x, added=added + np.where(padding, 0.5, 0))[0]
    assert_allclose(layer(x, x, x, np.where(padding, 0.5, 0), attn_mask=added)[0].data, expected)


def test_a_mask_for_each_sample_and_head(layer):
    x = normal(2, 2, 6, dtype="float64")  # (L, N, E)
    mask = np.zeros((2 * 3, 2, 2), bool)
    mask[4, 0, 1] = True  # sample 1, head 1
    weights = layer(x, x, x, attn_mask=mask, average_attn_weights=False)[1].data
    blocked = np.argwhere(weights == 0)
    assert_array_equal(blocked, [[1, 1, 0, 1]])


def test_masked_keys_get_no_gradient_and_queries_that_see_none_get_the_bias(layer):
    x = normal(3, 6, dtype="float64")
    key = tg.tensor(normal(3, 6, dtype="float64"), requires_grad=True)
    out, _ = layer(x, key, key, key_padding_mask=np.array([False, False, True]))
    (out**2).sum().backward()
    assert not key.grad[2].any() and key.grad[:2].all()
    key.grad = None
    out, weights = layer(x, key, key, key_padding_mask=np.ones(3, bool))
    assert_array_equal(weights.data, 0)
    assert_allclose(out.data, np.broadcast_to(layer.out_proj.bias.data, (3, 6)))
    (out**2).sum().backward()
    assert not key.grad.any()


def test_a_learned_position_bias_gets_its_gradient(layer):
    bias = nn.Parameter(normal(4, 4, dtype="float64"))
    x = normal(4, 6, dtype="float64")
    assert tg.autograd.gradcheck(lambda b: layer(x, x, x, attn_mask=b), bias.data)


def test_dropout_of_weights_in_training_alone():
    tg.manual_seed(0)
    layer = nn.MultiheadAttention(4, 2, dropout=0.5)
    x = normal(30, 4)
    weights = layer(x, x, x, average_attn_weights=False)[1].data
    assert 0.4 < (weights == 0).mean() < 0.6
    layer.eval()
    weights = layer(x, x, x)[1].data
    assert weights.all()
    assert_allclose(weights.sum(-1), 1, rtol=1e-5)


def test_float_masks_do_not_change_the_dtype():
    layer, x = nn.MultiheadAttention(4, 2), normal(3, 4)
    for masks in ({"attn_mask": np.zeros((3, 3))}, {"key_padding_mask": np.zeros(3)}):
        assert layer(x, x, x, **masks)[0].dtype == np.float32
    assert F.scaled_dot_product_attention(x, x, x, np.zeros((3, 3))).dtype == np.float32


def test_parameters_and_their_variance():
    tg.manual_seed(0)
    layer = nn.MultiheadAttention(200, 4)
    shapes = {name: p.shape for name, p in layer.named_parameters()}
    assert shapes == {
        "in_proj_weight": (600, 200),
        "in_proj_bias": (600,),
        "out_proj.weight": (200, 200),
        "out_proj.bias": (200,),
    }
    for w in (layer.in_proj_weight, layer.out_proj.weight):
        assert_allclose(w.data.var(), 2 / 400, rtol=0.03)  # Xavier, each of the three by itself
    other = nn.MultiheadAttention(4, 2, kdim=3, vdim=5, bias=False)
    shapes = {name: p.shape for name, p in other.named_parameters()}
    assert next(iter(shapes)) == "q_proj_weight" and shapes["k_proj_weight"] == (4, 3)
    assert shapes["v_proj_weight"] == (4, 5) and "in_proj_bias" not in shapes
    text = "MultiheadAttention(embed_dim=4, num_heads=2, kdim=3, vdim=5, bias=False"
    assert repr(other).startswith(text)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: nn.MultiheadAttention(6, 4), "num_heads=4 must divide embed_dim=6"),
        (lambda: nn.MultiheadAttention(0, 1), "embed_dim must be a whole number"),
        (lambda: nn.MultiheadAttention(4, 2.0), "num_heads"),
        (lambda: nn.MultiheadAttention(4, 2, dropout=1.5), "probability.*1.5"),
        (lambda: nn.MultiheadAttention(4, 2, kdim=0), "kdim"),
    ],
)
def test_arguments_are_checked(make, text):
    with pytest.raises(errors.ArgumentError, match=text):
        make()


@pytest.mark.parametrize(
    ("shapes", "masks", "error", "text"),
    [
        (((3, 5), (3, 6), (3, 6)), {}, errors.ShapeError, r"query \(L, N, 6\).*got \(3, 5\)"),
        (((3, 6), (4, 6), (3, 6)), {}, errors.ShapeError, r"value \(S, N, 6\)"),
        (((3, 2, 6), (3, 1, 6), (3, 1, 6)), {}, errors.ShapeError, "batch_first is False"),
        (((3, 2, 6), (3, 6), (3, 6)), {}, errors.ShapeError, "or all without N"),
        (((6,), (6,), (6,)), {}, errors.ShapeError, r"got \(6,\)"),
        (((3, 6),) * 3, {"attn_mask": np.zeros((3, 4), bool)}, errors.ShapeError,
         r"attn_mask of shape \(3, 3\) or \(3, 3, 3\).*got \(3, 4\)"),
        (((4, 2, 6),) * 3, {"key_padding_mask": np.zeros((4, 2), bool)}, errors.ShapeError,
         r"key_padding_mask of shape \(2, 4\).*got \(4, 2\)"),
        (((3, 6),) * 3, {"attn_mask": np.tri(3, dtype=int)}, errors.DTypeError,
         r"int64, which could mean either: write attn_mask.astype\(bool\)"),
    ],
)  # fmt: skip
def test_mistakes_are_explained(layer, shapes, masks, error, text):
    with pytest.raises(error, match=text) as caught:
        nn.Sequential(lambda x: layer(*x, **masks))([normal(*shape) for shape in shapes])
    assert str(caught.value).startswith("in layer")


@pytest.mark.parametrize(
    ("mask", "error", "text"),
    [
        (np.tri(3, dtype=int), errors.DTypeError, "boolean, or floating"),
        (np.ones((3, 2), bool), errors.ShapeError, r"\(3, 3\), to which.*\(3, 2\)"),
        (np.ones((2, 3, 3), bool), errors.ShapeError, "does not broadcast"),
    ],
)
def test_masks_of_the_stateless_form(mask, error, text):
    x = normal(3, 4)
    with pytest.raises(error, match=text):
        F.scaled_dot_product_attention(x, x, x, mask)


def test_empty_batches():
    layer = nn.MultiheadAttention(4, 2, batch_first=True)
    x = np.zeros((0, 3, 4), "float32")
    out, weights = layer(x, x, x)
    assert out.shape == (0, 3, 4) and weights.shape == (0, 3, 3)


def test_a_transformer_layer_is_its_two_formulas():
    tg.manual_seed(0)
    x = normal(5, 2, 6)
    for norm_first in (False, True):
        block = nn.TransformerEncoderLayer(6, 2, 7, 0.0, "gelu", norm_first=norm_first)
        attention = lambda x, block=block: block.self_attn(x, x, x)[0]  # noqa: E731
        forward = lambda x, b=block: b.linear2(F.gelu(b.linear1(x)))  # noqa: E731
        if norm_first:
            middle = x + attention(block.norm1(x))
            expected = middle + forward(block.norm2(middle))
        else:
            middle = block.norm1(x + attention(x))
            expected = block.norm2(middle + forward(middle))
        assert_allclose(block(x).data, expected.data, rtol=1e-5, atol=1e-6)


def test_a_causal_transformer_layer_does_not_see_the_future():
    tg.manual_seed(0)
    block = nn.TransformerEncoderLayer(6, 2, 7, batch_first=True).eval()
    x = normal(2, 5, 6)
    changed = x.copy()
    changed[:, 3:] += 1
    for masks in ({"is_causal": True}, {"src_mask": np.triu(np.ones((5, 5), bool), 1)}):
        before, after = block(x, **masks).data, block(changed, **masks).data
        assert_array_equal(before[:, :3], after[:, :3])
        assert not np.isclose(before[:, 3:], after[:, 3:]).all(-1).any()
    padding = np.array([[False] * 5, [False] * 3 + [True] * 2])
    before, after = (block(y, src_key_padding_mask=padding).data for y in (x, changed))
    assert_array_equal(before[1, :3], after[1, :3])
    assert not np.isclose(before[0, :3], after[0, :3]).all()


@pytest.mark.parametrize("name", ["self_attn", "dropout", "dropout1", "dropout2"])
def test_dropout_in_every_branch_of_a_transformer_layer(name):
    """Everything left out at one place: what came before it no longer matters."""
    tg.manual_seed(0)
    x = normal(3, 4)
    made = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.25)
    assert made.self_attn.dropout == made.dropout.p == made.dropout1.p == made.dropout2.p == 0.25
    block = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0)
    nn.init.normal_(block.linear1.bias)
    nn.init.normal_(block.linear2.bias)
    before = {
        "self_attn": "self_attn.in_proj_weight",
        "dropout": "linear1.weight",
        "dropout1": "self_attn.in_proj_weight",
        "dropout2": "linear2.weight",
    }[name]
    if name == "self_attn":
        block.self_attn.dropout = 1.0
    else:
        getattr(block, name).p = 1.0
    block(x).sum().backward()
    assert not np.any(dict(block.named_parameters())[before].grad)
    block.eval()
    block.zero_grad()
    (block(x) * normal(3, 4)).sum().backward()
    assert np.any(dict(block.named_parameters())[before].grad)


@pytest.mark.parametrize("activation", ["tanh", nn.ReLU, None])
def test_activations_of_a_transformer_layer(activation):
    with pytest.raises(errors.ArgumentError, match="'relu', 'gelu' or a function"):
        nn.TransformerEncoderLayer(4, 2, activation=activation)
    with pytest.raises(errors.ArgumentError, match="num_heads=3 must divide embed_dim=4"):
        nn.TransformerEncoderLayer(4, 3)
    with pytest.raises(errors.ShapeError, match=r"in layer 'self_attn \(MultiheadAttention\)'"):
        nn.TransformerEncoderLayer(4, 2, 3)(normal(3, 5))
