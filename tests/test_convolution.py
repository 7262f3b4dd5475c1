"""Convolution against SciPy and against sums written out; its errors; its memory."""

import itertools
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import signal

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.nn import functional as F
from tinygrad_cs.ops.sliding.convolution import conv, conv_input, conv_weight
from tinygrad_cs.ops.sliding.convolution_cases import conv_reference
from tinygrad_cs.ops.sliding.windows import Windows, windows

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape)


def written_out(x, w, stride=1, padding=0, dilation=1, groups=1):
    """conv2d by its definition, on a padded copy, one output after the other."""
    padded = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    n, c, h, width = padded.shape
    o, _, kh, kw = w.shape
    rows = (h - dilation * (kh - 1) - 1) // stride + 1
    cols = (width - dilation * (kw - 1) - 1) // stride + 1
    out = np.zeros((n, o, rows, cols))
    for u, v, channel in itertools.product(range(rows), range(cols), range(o)):
        group = channel // (o // groups)
        seen = padded[
            :,
            group * (c // groups) : (group + 1) * (c // groups),
            u * stride : u * stride + dilation * kh : dilation,
            v * stride : v * stride + dilation * kw : dilation,
        ]
        out[:, channel, u, v] = (seen * w[channel]).sum(axis=(1, 2, 3))
    return out


@pytest.mark.parametrize("padding", [0, 2])
def test_one_channel_is_scipys_correlation(padding):
    image, kernel = normal(9, 7), normal(3, 2)
    expected = signal.correlate2d(np.pad(image, padding), kernel, mode="valid")
    ours = F.conv2d(image[None, None], kernel[None, None], padding=padding)
    assert_allclose(ours[0, 0], expected, rtol=1e-12)


def test_transposed_convolution_is_scipys_full_convolution():
    image, kernel = normal(5, 4), normal(3, 2)
    ours = F.conv_transpose2d(image[None, None], kernel[None, None])
    assert_allclose(ours[0, 0], signal.convolve2d(image, kernel, mode="full"), rtol=1e-12)


def test_one_axis_is_numpys_correlation():
    line, kernel = normal(20), normal(4)
    ours = F.conv1d(line[None, None], kernel[None, None])
    assert_allclose(ours[0, 0], np.correlate(line, kernel, mode="valid"), rtol=1e-12)


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"),
    [(1, 0, 1, 1), (2, 1, 1, 1), (3, 2, 2, 1), (1, 1, 3, 2), (2, 3, 2, 4), (5, 0, 1, 1)],
)
def test_convolution_is_its_definition(stride, padding, dilation, groups):
    x, w = normal(3, 4, 11, 10), normal(8, 4 // groups, 3, 2)
    bias = normal(8)
    expected = written_out(x, w, stride, padding, dilation, groups)
    options = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
    assert_allclose(F.conv2d(x, w, **options), expected, rtol=1e-11, atol=1e-12)
    biased = F.conv2d(x, w, bias, **options)
    assert_allclose(biased, expected + bias[:, None, None], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("shape", [(70, 1, 28, 28), (3, 40, 33, 31), (1, 1, 300, 300)])
def test_batches_worked_on_in_parts_are_whole(shape):
    """Large inputs are copied part by part; the last part is smaller than the others."""
    n, c, h, w = shape
    axes = (windows(h, 5, 2, 2, 2), windows(w, 5, 1, 2, 2))
    x, weight = normal(*shape), normal(4, c, 5, 5)
    out = conv(x, weight, axes)
    some = [0, n // 2, n - 1]
    expected = np.stack([conv(x[k : k + 1], weight, axes)[0] for k in some])
    assert_allclose(out[some], expected, rtol=1e-12)
    y = normal(*out.shape)
    back = conv_input(y, weight, axes)
    assert_allclose((back * x).sum(), (out * y).sum(), rtol=1e-10)
    assert_allclose((conv_weight(x, y, axes) * weight).sum(), (out * y).sum(), rtol=1e-10)


def test_each_of_the_three_products_is_the_transpose_of_the_others():
    axes = (Windows(9, 3, 2, 0, 3, 2), Windows(6, 2, 1, 2, 0, 1))
    x, w = normal(2, 4, 9, 6), normal(6, 2, 3, 2)
    y = normal(*conv(x, w, axes, 2).shape)
    value = (conv(x, w, axes, 2) * y).sum()
    assert_allclose((conv_input(y, w, axes, 2) * x).sum(), value, rtol=1e-12)
    assert_allclose((conv_weight(x, y, axes, 2) * w).sum(), value, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2])
def test_a_kernel_of_one_is_a_matrix_product(n):
    x, w = normal(4, 3, *[5] * n), normal(2, 3, *[1] * n)
    ours = [F.conv1d, F.conv2d][n - 1](x, w)
    assert_allclose(ours, np.einsum("nc...,oc->no...", x, w.reshape(2, 3)), rtol=1e-12)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding_keeps_the_length_and_puts_the_odd_zero_last(kernel, dilation):
    x, w = normal(1, 1, 8), normal(1, 1, kernel)
    missing = dilation * (kernel - 1)
    padded = np.pad(x, [(0, 0), (0, 0), (missing // 2, missing - missing // 2)])
    same = F.conv1d(x, w, padding="same", dilation=dilation)
    assert same.shape == x.shape
    assert_allclose(same, F.conv1d(padded, w, padding="valid", dilation=dilation), rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2])
def test_one_sample_is_a_batch_of_one(n):
    convolve, transposed = [(F.conv1d, F.conv_transpose1d), (F.conv2d, F.conv_transpose2d)][n - 1]
    x, w, bias = normal(3, *[6] * n), normal(3, 3, *[2] * n), normal(3)
    for function in (convolve, transposed):
        single = tg.tensor(x, requires_grad=True)
        out = function(single, w, bias)
        assert_allclose(out.data, function(x[None], w, bias)[0], rtol=1e-12)
        out.sum().backward()
        assert single.grad.shape == x.shape


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_transposed_convolution_undoes_the_lengths_of_convolution(stride):
    for size in range(4, 9):
        w = normal(2, 1, 3)
        short = F.conv1d(normal(1, 1, size), w, stride=stride, padding=1)
        lost = (size + 2 - 3) % stride
        options = dict(stride=stride, padding=1, output_padding=lost)
        back = F.conv_transpose1d(short, w, **options)
        assert back.shape == (1, 1, size)


def test_gradients_of_transposed_convolution():
    x, w, bias = normal(2, 4, 3, 4), normal(4, 1, 3, 2), normal(2)
    options = dict(stride=(2, 3), padding=1, output_padding=(1, 2), groups=2, dilation=(1, 2))

    def f(x, w, bias):
        return F.conv_transpose2d(x, w, bias, **options)

    leaves = [tg.tensor(a, requires_grad=True) for a in (x, w, bias)]
    assert tg.autograd.gradcheck(f, leaves)
    assert tg.autograd.gradgradcheck(f, leaves)


def test_an_empty_batch():
    x = tg.tensor(np.zeros((0, 3, 5, 5)), requires_grad=True)
    w = tg.tensor(normal(2, 3, 3, 3), requires_grad=True)
    out = F.conv2d(x, w, normal(2))
    assert out.shape == (0, 2, 3, 3)
    out.sum().backward()
    assert x.grad.shape == (0, 3, 5, 5)
    assert_array_equal(w.grad, np.zeros((2, 3, 3, 3)))


def test_dtypes_stay():
    x, w, bias = normal(1, 1, 5), normal(1, 1, 2), normal(1)
    for dtype in ("float32", "float64"):
        out = F.conv1d(x.astype(dtype), w.astype(dtype), bias.astype(dtype))
        assert out.dtype == dtype
    assert F.conv1d(x.astype("float32"), w, bias).dtype == "float64"


def test_one_infinite_input_reaches_only_the_windows_that_see_it():
    x = np.zeros((1, 1, 9))
    x[..., 4] = np.inf
    assert_array_equal(np.isfinite(F.conv1d(x, np.ones((1, 1, 3)))[0, 0]), [1, 1, 0, 0, 0, 1, 1])


def test_the_copy_is_never_larger_than_needed():
    """The input is copied once for each kernel column, and only a part of the batch at a time."""
    x, w = np.ones((64, 8, 32, 32), "float32"), np.ones((8, 8, 3, 3), "float32")
    tracemalloc.start()
    try:
        out = F.conv2d(x, w, padding=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - out.nbytes < 3 << 20


def test_reference_agrees_with_the_definition():
    x, w = normal(2, 4, 6, 7), normal(4, 2, 3, 2)
    axes = (Windows(6, 3, 2, 1, 1), Windows(7, 2, 2, 1, 1))
    assert_allclose(conv_reference(x, w, axes, 2), written_out(x, w, 2, 1, 1, 2), rtol=1e-12)


X, W = np.zeros((2, 4, 8, 8)), np.zeros((6, 4, 3, 3))


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: F.conv2d(X[0, 0], W), "ShapeError", r"\(N, C, H, W\), or \(C, H, W\).*\(8, 8\)"),
        (lambda: F.conv1d(X, W), "ShapeError", r"conv1d.*\(N, C, L\)"),
        (lambda: F.conv2d(X, W[0]), "ShapeError", r"\(O, C / groups, KH, KW\), got \(4, 3, 3\)"),
        (lambda: F.conv2d(X[:, :3], W), "ShapeError", "4 channels, got 3"),
        (lambda: F.conv2d(X, W, groups=2), "ShapeError", "8 channels, got 4"),
        (lambda: F.conv2d(X, W[:, :1], groups=4), "ShapeError", "groups=4 does not divide.*6"),
        (lambda: F.conv2d(X, W, groups=0), "ArgumentError", "groups must be.*1 or more.*got 0"),
        (lambda: F.conv2d(X, W, np.zeros(4)), "ShapeError", r"bias of shape \(6,\).*got \(4,\)"),
        (lambda: F.conv2d(X, W, stride=0), "ArgumentError", "stride must be.*got 0"),
        (lambda: F.conv2d(X, W, stride=(1, 2, 3)), "ArgumentError", "sequence of 2"),
        (lambda: F.conv2d(X, W, stride=1.5), "ArgumentError", "whole number.*1.5"),
        (lambda: F.conv2d(X, W, stride=True), "ArgumentError", "whole number.*True"),
        (lambda: F.conv2d(X, W, padding=-1), "ArgumentError", "padding must be.*0 or more.*-1"),
        (lambda: F.conv2d(X, W, padding="full"), "ArgumentError", "'same', 'valid'.*'full'"),
        (lambda: F.conv2d(X, W, padding="same", stride=2), "ArgumentError", "stride of"),
        (lambda: F.conv2d(X, W, dilation=0), "ArgumentError", "dilation"),
        (lambda: F.conv2d(X, W, dilation=4), "ShapeError",
         "window of 3 with dilation 4 reaches over 9.*axis -2.*length 8, padded 8"),
        (lambda: F.conv2d(X[..., :2], W), "ShapeError", "axis -1 the input has length 2"),
        (lambda: F.conv_transpose2d(X, W), "ShapeError", "input of 6 channels, got 4.*first"),
        (lambda: F.conv_transpose2d(X, W[:4], output_padding=1), "ArgumentError",
         "output_padding must be smaller.*1 with stride=1"),
        (lambda: F.conv_transpose2d(X, W[:4], padding=9), "ShapeError", "output of length -8"),
        (lambda: F.conv_transpose2d(X, W[:4], np.zeros(6)), "ShapeError", r"\(4,\)"),
        (lambda: F.conv_transpose2d(X, W[:4], groups=3), "ShapeError", "groups=3 does not divide"),
        (lambda: F.unfold(X, 9), "ShapeError", "unfold: a window of 9"),
        (lambda: F.fold(np.zeros((1, 8, 3)), (4, 4), 2), "ShapeError",
         r"9 windows of 4 entries.*got \(1, 8, 3\)"),
        (lambda: F.fold(np.zeros((1, 7, 9)), (4, 4), 2), "ShapeError", r"C \* 4"),
    ],
)  # fmt: skip
def test_errors_say_what_to_write(call, kind, words):
    with pytest.raises(getattr(errors, kind), match=words):
        call()


def test_unfold_and_fold():
    image = normal(2, 3, 5, 6)
    options = dict(kernel_size=(2, 3), dilation=(2, 1), padding=1, stride=(1, 2))
    columns = F.unfold(image, **options)
    w = normal(4, 3, 2, 3)
    product = w.reshape(4, -1) @ columns
    expected = F.conv2d(image, w, stride=(1, 2), padding=1, dilation=(2, 1))
    assert_allclose(product.reshape(expected.shape), expected, rtol=1e-12)
    other = normal(*columns.shape)
    folded = F.fold(other, (5, 6), **options)
    assert_allclose((folded * image).sum(), (columns * other).sum(), rtol=1e-12)
    assert_allclose(F.fold(other[0], (5, 6), **options), folded[0], rtol=1e-14)
    assert_allclose(F.unfold(image[0], **options), columns[0], rtol=1e-14)
