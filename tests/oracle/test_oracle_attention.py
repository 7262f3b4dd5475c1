"""Attention with every kind of mask, as PyTorch computes it."""

import numpy as np
import pytest
from agreement import agree, compare, torch

import tinygrad_cs as tg
from tinygrad_cs import nn

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape)


LATER = np.triu(np.ones((4, 4), bool), 1)
PADDING = np.array([[False] * 4, [False, False, True, True]])
PER_HEAD = RNG.random((4, 4, 4)) > 0.7
PER_HEAD[:, :, 0] = False  # no query without a key: PyTorch has NaN there


@pytest.fixture(autouse=True)
def float64():
    tg.set_default_dtype("float64")
    torch.set_default_dtype(torch.float64)
    yield
    tg.set_default_dtype("float32")
    torch.set_default_dtype(torch.float32)


def agree_on_attention(inputs, masks, arguments=None, **options):
    """The same call on both modules, with masks as arrays and as PyTorch's tensors."""
    make = lambda nn: nn.MultiheadAttention(6, 2, **(arguments or {}))  # noqa: E731
    mine, other = make(nn), make(torch.nn)
    mine.load_state_dict(other.state_dict())
    theirs = {name: torch.from_numpy(np.array(mask)) for name, mask in masks.items()}
    compare(
        lambda *x: mine(*x, **masks, **options),
        lambda *x: other(*x, **theirs, **options),
        inputs,
        list(mine.parameters()),
        list(other.parameters()),
    )


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize(
    "masks",
    [
        {},
        {"attn_mask": LATER},
        {"attn_mask": PER_HEAD},
        {"attn_mask": normal(4, 4)},
        {"attn_mask": normal(4, 4, 4)},
        {"key_padding_mask": PADDING},
        {"key_padding_mask": np.where(PADDING, -np.inf, 0.5)},
        {"key_padding_mask": PADDING, "attn_mask": LATER},
        {"key_padding_mask": np.where(PADDING, -np.inf, 0.0), "attn_mask": normal(4, 4)},
    ],
)
@pytest.mark.parametrize("batch_first", [True, False])
def test_masks_of_a_batch(masks, average, batch_first):
    shape = (2, 4, 6) if batch_first else (4, 2, 6)
    inputs = [normal(*shape) for _ in range(3)]
    agree_on_attention(inputs, masks, {"batch_first": batch_first}, average_attn_weights=average)


@pytest.mark.parametrize("masks", [{}, {"attn_mask": LATER}, {"key_padding_mask": PADDING[1]}])
def test_one_sample(masks):
    inputs = [normal(4, 6), normal(4, 6), normal(4, 6)]
    agree_on_attention(inputs, masks, average_attn_weights=False)
    agree_on_attention(inputs, masks, {"bias": False}, need_weights=False)


def test_self_attention_without_weights():
    mine, other = nn.MultiheadAttention(6, 3), torch.nn.MultiheadAttention(6, 3)
    mine.load_state_dict(other.state_dict())
    compare(
        lambda x: mine(x, x, x, attn_mask=LATER, is_causal=True, need_weights=False),
        lambda x: other(
            x, x, x, attn_mask=torch.from_numpy(LATER), is_causal=True, need_weights=False
        ),
        [normal(4, 2, 6)],
        list(mine.parameters()),
        list(other.parameters()),
    )


def test_the_stateless_form():
    q, k, v = normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 6)

    def call(F, *x, **arguments):
        return F.scaled_dot_product_attention(*x, **arguments)

    agree(call, q, k, v)
    agree(lambda F, *x: call(F, *x, scale=0.3), q, k, v)
    agree(lambda F, *x: call(F, *x, is_causal=True), q, k, v)
    agree(lambda F, *x: call(F, *x[:3], attn_mask=x[3]), q, k, v, normal(3, 5))
    agree(lambda F, *x: call(F, *x[:3], attn_mask=x[3]), q, k, v, normal(2, 1, 5))
    agree(lambda F, *x: call(F, *x[:3], attn_mask=x[3]), q, k, v, np.tri(3, 5, dtype=bool))


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_transformer_layers_with_masks(norm_first, training):
    make = lambda nn: nn.TransformerEncoderLayer(  # noqa: E731
        6, 2, 5, 0.0, norm_first=norm_first, batch_first=True
    )
    mine, other = make(nn).train(training), make(torch.nn).train(training)
    mine.load_state_dict(other.state_dict())
    compare(
        lambda x: mine(x, LATER, PADDING),
        lambda x: other(x, torch.from_numpy(LATER), torch.from_numpy(PADDING)),
        [normal(2, 4, 6)],
        list(mine.parameters()),
        list(other.parameters()),
    )
    compare(
        lambda x: mine(x, is_causal=True),
        lambda x: other(x, torch.from_numpy(LATER), is_causal=True),
        [normal(2, 4, 6)],
    )
