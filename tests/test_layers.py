"""Layers with weights, pooling, reshaping: formulas, initialisation, and what they refuse."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors

RNG = np.random.default_rng(0)


def normal(*shape, dtype="float32"):
    return RNG.normal(size=shape).astype(dtype)


def naive_conv2d(x, w, b, stride, padding):
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    n, _, height, width = x.shape
    o, _, kh, kw = w.shape
    rows, columns = (height - kh) // stride + 1, (width - kw) // stride + 1
    out = np.zeros((n, o, rows, columns))
    for i in range(rows):
        for j in range(columns):
            window = x[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            out[:, :, i, j] = np.einsum("nchw,ochw->no", window, w) + b
    return out


def test_conv2d_is_its_formula():
    layer = nn.Conv2d(3, 4, (2, 3), stride=2, padding=1)
    nn.init.normal_(layer.bias)
    x = normal(2, 3, 7, 8)
    expected = naive_conv2d(x, layer.weight.data, layer.bias.data, 2, 1)
    assert_allclose(layer(x).data, expected, rtol=1e-4, atol=1e-5)
    assert_allclose(layer(x[0]).data, expected[0], rtol=1e-4, atol=1e-5)


def test_a_convolution_is_a_linear_map_of_windows_and_of_points():
    conv, line = nn.Conv1d(3, 2, 1), nn.Linear(3, 2)
    line.load_state_dict({"weight": conv.weight.data[:, :, 0], "bias": conv.bias.data})
    x = normal(4, 3, 5)
    assert_allclose(conv(x).data, line(x.transpose(0, 2, 1)).data.transpose(0, 2, 1), atol=1e-6)


def test_shapes_and_parameter_counts_of_convolutions():
    layer = nn.Conv2d(3, 6, 5)
    assert sum(p.size for p in layer.parameters()) == 456
    assert layer(normal(2, 3, 32, 32)).shape == (2, 6, 28, 28)
    assert nn.Conv2d(4, 8, 3, groups=4).weight.shape == (8, 1, 3, 3)
    assert nn.Conv1d(2, 3, 4, padding="same")(normal(1, 2, 9)).shape == (1, 3, 9)
    assert nn.ConvTranspose2d(4, 6, 3, groups=2).weight.shape == (4, 3, 3, 3)
    assert nn.Conv2d(1, 2, 3)(np.zeros((0, 1, 5, 5), "float32")).shape == (0, 2, 3, 3)
    assert nn.Conv1d(1, 2, 1, bias=False).bias is None


@pytest.mark.parametrize(
    ("mode", "numpy_mode"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")]
)
@pytest.mark.parametrize("padding", [2, "same", "valid"])
def test_padding_modes_of_convolutions(mode, numpy_mode, padding):
    layer = nn.Conv1d(2, 3, 4, padding=padding, padding_mode=mode)
    widths = {2: (2, 2), "same": (1, 2), "valid": (0, 0)}[padding]
    x = normal(1, 2, 6)
    plain = nn.functional.conv1d(
        np.pad(x, [(0, 0), (0, 0), widths], numpy_mode), layer.weight, layer.bias
    )
    assert_allclose(layer(x).data, plain.data, atol=1e-6)


def test_transposed_convolution_undoes_the_shape_of_a_convolution():
    down, up = nn.Conv2d(3, 4, 3, 2, 1), nn.ConvTranspose2d(4, 3, 3, 2, 1, bias=False)
    up.weight.data = down.weight.data
    x, y = normal(1, 3, 8, 8), normal(1, 4, 4, 4)
    back = up(y, output_size=(8, 8))
    assert back.shape == x.shape and up(y).shape == (1, 3, 7, 7)
    # <conv(x), y> = <x, transposed(y)>
    assert_allclose((down(x).data * y).sum(), (x * back.data).sum(), rtol=1e-3)
    assert nn.ConvTranspose1d(1, 1, 3, stride=3)(normal(1, 1, 4), output_size=[13]).shape[-1] == 13


@pytest.mark.parametrize(
    ("make", "fan_in", "gain"),
    [
        (lambda: nn.Linear(300, 200), 300, 2),
        (lambda: nn.Bilinear(20, 30, 60), 600, 1),
        (lambda: nn.Conv1d(40, 100, 5), 200, 2),
        (lambda: nn.Conv2d(20, 100, (3, 5)), 300, 2),
        (lambda: nn.Conv2d(40, 100, 3, groups=2), 180, 2),
        (lambda: nn.ConvTranspose2d(40, 30, 4, stride=2), 160, 2),
        (lambda: nn.ConvTranspose1d(100, 60, 6, stride=3, groups=2), 100, 2),
    ],
)
def test_weights_have_variance_two_by_fan_in_and_biases_are_zero(make, fan_in, gain):
    tg.manual_seed(0)
    layer = make()
    w = layer.weight.data
    assert w.dtype == np.float32 and not layer.bias.data.any()
    assert abs(w.mean()) < 5 * np.sqrt(gain / fan_in / w.size)
    assert_allclose(w.var(), gain / fan_in, rtol=5 * np.sqrt(2 / w.size))


def test_outputs_keep_the_scale_of_the_input():
    """What the fan in is for: E[out^2] is the gain where each input has variance 1."""
    tg.manual_seed(0)
    x = normal(20, 40, 30, 30)
    out = nn.ConvTranspose2d(40, 30, 4, stride=2)(x).data[:, :, 4:-4, 4:-4]
    assert_allclose((out**2).mean(), 2, rtol=0.1)
    out = nn.Conv2d(40, 30, 3)(x).data
    assert_allclose((out**2).mean(), 2, rtol=0.1)
    a, b = normal(500, 30), normal(500, 40)
    assert_allclose((nn.Bilinear(30, 40, 50)(a, b).data ** 2).mean(), 1, rtol=0.1)


def test_pooling():
    x = normal(2, 3, 6, 8)
    blocks = x.reshape(2, 3, 3, 2, 4, 2)
    assert_array_equal(nn.MaxPool2d(2)(x), blocks.max((3, 5)))
    assert_allclose(nn.AvgPool2d(2)(x), blocks.mean((3, 5)), rtol=1e-5, atol=1e-6)
    assert_array_equal(nn.MaxPool1d(4)(x[0]), x[0].reshape(3, 6, 2, 4).max(-1))
    assert_allclose(nn.AdaptiveAvgPool2d(1)(x)[..., 0, 0], x.mean((2, 3)), atol=1e-6)
    assert_array_equal(nn.AdaptiveMaxPool2d((None, 1))(x)[..., 0], x.max(-1))
    assert nn.AdaptiveAvgPool2d(None)(x).shape == x.shape
    values, places = nn.MaxPool2d(2, return_indices=True)(x)
    flat = np.take_along_axis(x.reshape(2, 3, -1), places.reshape(2, 3, -1), -1)
    assert_array_equal(values.reshape(2, 3, -1), flat)


def test_fractional_pooling_draws_in_training_alone():
    layer, x = nn.FractionalMaxPool2d(2, output_ratio=0.75), normal(1, 1, 20, 20)
    assert len({layer(x).tobytes() for _ in range(5)}) > 1
    layer.eval()
    assert len({layer(x).tobytes() for _ in range(5)}) == 1
    assert layer(x).shape == (1, 1, 15, 15)


def test_flatten_is_row_by_row():
    x = np.arange(24.0).reshape(2, 3, 2, 2)
    assert_array_equal(nn.Flatten()(x), x.reshape(2, 12))
    assert_array_equal(nn.Flatten(0)(x), x.reshape(-1))
    assert_array_equal(nn.Flatten(1, 2)(x), x.reshape(2, 6, 2))
    assert nn.Flatten()(np.zeros((0, 3, 2))).shape == (0, 6)
    assert nn.Flatten()(np.zeros((4, 0, 2))).shape == (4, 0)
    assert_array_equal(nn.Unflatten(1, (3, -1))(x.reshape(2, 12)), x.reshape(2, 3, 4))
    assert_array_equal(nn.Unflatten(-1, (3, 2, 2))(nn.Flatten()(x)), x)


def test_upsample():
    x = np.array([[[[0.0, 2.0]]]])
    assert_array_equal(nn.Upsample(scale_factor=2)(x)[0, 0], [[0, 0, 2, 2]] * 2)
    layer = nn.Upsample(size=(1, 3), mode="bilinear", align_corners=True)
    assert_allclose(layer(x), [[[[0, 1, 2]]]])


def test_embedding():
    tg.manual_seed(0)
    layer = nn.Embedding(50, 40, padding_idx=-2)
    assert layer.padding_idx == 48 and not layer.weight.data[48].any()
    assert_allclose(layer.weight.data.var(), 0.98, rtol=0.1)
    words = np.array([[1, 48], [1, 3]])
    out = layer(words)
    assert_array_equal(out.data, layer.weight.data[words])
    out.sum().backward()
    assert_array_equal(layer.weight.grad[:, 0], np.bincount([1, 1, 3], minlength=50))
    assert layer([[2, 3]]).shape == (1, 2, 40) and layer(np.int64(3)).shape == (40,)
    one_hot = nn.functional.one_hot(words, 50)
    assert_allclose(out.data, one_hot.data @ layer.weight.data)


def test_embedding_from_a_table():
    table = normal(4, 3)
    frozen = nn.Embedding.from_pretrained(table)
    assert not frozen.weight.requires_grad and frozen([1]).dtype == np.float32
    table[1] = 0
    assert frozen.weight.data[1].any()
    free = nn.Embedding.from_pretrained(table, freeze=False, padding_idx=2)
    assert free.weight.requires_grad and free.weight.data[2].any()
    with pytest.raises(errors.ShapeError, match=r"got \(3,\)"):
        nn.Embedding.from_pretrained(table[0])
    with pytest.raises(errors.DTypeError, match="floating table, got int64"):
        nn.Embedding.from_pretrained(np.eye(3, dtype=np.int64))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: nn.Bilinear(2, 0, 3), "in2_features must be a whole number of 1 or more, got 0"),
        (lambda: nn.Conv2d(0, 3, 3), "Conv2d: in_channels must be a whole number of 1 or more"),
        (lambda: nn.Conv2d(3, 2.5, 3), "out_channels.*2.5"),
        (lambda: nn.Conv2d(3, 4, (3, 3, 3)), r"kernel_size.*sequence of 2.*got \(3, 3, 3\)"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups=2 must divide in_channels=3 and out_cha"),
        (lambda: nn.Conv1d(4, 3, 3, groups=2), "groups=2 must divide"),
        (lambda: nn.Conv1d(4, 4, 3, padding=-1), "padding must be a whole number of 0 or more"),
        (lambda: nn.Conv1d(4, 4, 3, padding="full"), "'same', 'valid' or whole numbers, got 'fu"),
        (lambda: nn.Conv1d(4, 4, 3, 2, "same"), "keeps the length.*stride"),
        (lambda: nn.Conv1d(4, 4, 3, padding_mode="mirror"), "'circular'; got 'mirror'"),
        (lambda: nn.ConvTranspose1d(2, 2, 3, padding_mode="reflect"), "can only be 'zeros'"),
        (lambda: nn.ConvTranspose2d(2, 2, 3, 2, output_padding=2), "smaller than the stride"),
        (lambda: nn.MaxPool2d(0), "MaxPool2d: kernel_size"),
        (lambda: nn.MaxPool2d(3, padding=2), "at most half of kernel_size"),
        (lambda: nn.AvgPool1d(2, stride=0), "stride must be"),
        (lambda: nn.AdaptiveAvgPool2d((0, 2)), "AdaptiveAvgPool2d: output_size"),
        (lambda: nn.AdaptiveAvgPool1d(None), "output_size"),
        (lambda: nn.FractionalMaxPool2d(2), "either output_size or output_ratio"),
        (lambda: nn.Embedding(0, 2), "num_embeddings"),
        (lambda: nn.Embedding(4, 2, padding_idx=4), "below num_embeddings=4, got 4"),
        (lambda: nn.Flatten("1"), "whole numbers, got '1'"),
        (lambda: nn.Unflatten(1, (-1, -1)), "one may be -1"),
        (lambda: nn.Unflatten(1, 6), "sequence of lengths"),
        (lambda: nn.Upsample(), "either size or scale_factor"),
        (lambda: nn.Upsample(2, mode="cubic"), "'bilinear', got 'cubic'"),
    ],
)  # fmt: skip
def test_arguments_are_checked_when_the_layer_is_made(make, text):
    with pytest.raises(errors.ArgumentError, match=text):
        make()


@pytest.mark.parametrize(
    ("layer", "x", "error", "text"),
    [
        (nn.Conv2d(3, 4, 3), np.zeros((2, 8, 8, 3)), errors.ShapeError, "3 channels, got 8"),
        (nn.Conv2d(3, 4, 3), np.zeros((8, 8)), errors.ShapeError, r"\(N, C, H, W\).*got \(8, 8\)"),
        (nn.Conv2d(3, 4, 5), np.zeros((1, 3, 4, 9)), errors.ShapeError, "window of 5.*length 4"),
        (nn.Conv1d(3, 4, 3, padding=1, padding_mode="reflect"), np.zeros(3), errors.ShapeError,
         r"\(N, C, L\)"),
        (nn.ConvTranspose1d(3, 4, 3), np.zeros((1, 2, 4)), errors.ShapeError, "3 channels, got 2"),
        (nn.MaxPool2d(3), np.zeros((1, 1, 2, 5)), errors.ShapeError, "window of 3.*length 2"),
        (nn.AvgPool1d(3), np.zeros(5), errors.ShapeError, r"\(N, C, L\).*got \(5,\)"),
        (nn.AdaptiveAvgPool2d(2), np.zeros((1, 0, 3)), errors.ShapeError, "nothing to pool"),
        (nn.Embedding(5, 2), [5, 1], errors.IndexOutOfRange, r"from 0 to 4, got \[5\]"),
        (nn.Embedding(5, 2), [0.5], errors.DTypeError, "integers"),
        (nn.Bilinear(2, 3, 1), None, errors.ShapeError, r"\(out, in1, in2\)"),
        (nn.Flatten(2), np.zeros((2, 3)), errors.ShapeError, r"start_dim=2.*got shape \(2, 3\)"),
        (nn.Flatten(-1, 0), np.zeros((2, 3)), errors.ShapeError, "in this order"),
        (nn.Unflatten(1, (2, 2)), np.zeros((2, 3)), errors.ShapeError, r"cannot become \(2, 2\)"),
        (nn.Unflatten(2, (2, -1)), np.zeros((2, 3)), errors.ShapeError, "axis 2"),
        (nn.Unflatten(1, (0, -1)), np.zeros((2, 3)), errors.ShapeError, "cannot become"),
    ],
)  # fmt: skip
def test_inputs_that_do_not_fit_are_explained_with_the_path_of_the_layer(layer, x, error, text):
    class Net(nn.Module):
        def __init__(self):
            self.stages = nn.ModuleList([nn.ReLU(), nn.ModuleDict({"last": layer})])

        def forward(self, x):
            inputs = (np.zeros((4, 3)), np.zeros((4, 3))) if x is None else (x,)
            return self.stages[1]["last"](*inputs)

    with pytest.raises(error, match=text) as caught:
        Net()(x)
    name = type(layer).__name__
    assert str(caught.value).startswith(f"in layer 'stages.1.last ({name})': ")


def test_output_size_of_a_transposed_convolution_is_checked():
    layer = nn.ConvTranspose1d(1, 1, 3, stride=2)
    with pytest.raises(errors.ShapeError, match=r"from \(9,\) to \(10,\); output_size=\(11,\)"):
        layer(np.zeros((1, 1, 4)), output_size=(11,))


def test_printing():
    assert repr(nn.Conv2d(3, 6, 5)) == "Conv2d(3, 6, kernel_size=(5, 5))\n456 parameters"
    lines = [
        (nn.Conv1d(2, 4, 3, 2, 1, 2, 2, False), "Conv1d(2, 4, kernel_size=(3,), stride=(2,), "
         "padding=(1,), dilation=(2,), groups=2, bias=False)"),
        (nn.Conv1d(2, 4, 3, padding="same", padding_mode="circular"),
         "Conv1d(2, 4, kernel_size=(3,), padding='same', padding_mode='circular')"),
        (nn.ConvTranspose1d(2, 4, 3, 2, output_padding=1),
         "ConvTranspose1d(2, 4, kernel_size=(3,), stride=(2,), output_padding=(1,))"),
        (nn.MaxPool2d(2, dilation=2), "MaxPool2d(kernel_size=(2, 2), stride=(2, 2), "
         "dilation=(2, 2))"),
        (nn.AvgPool1d(3, 1, 1, True), "AvgPool1d(kernel_size=(3,), stride=(1,), padding=(1,), "
         "ceil_mode=True)"),
        (nn.AdaptiveAvgPool2d(1), "AdaptiveAvgPool2d(output_size=1)"),
        (nn.FractionalMaxPool2d(2, 5), "FractionalMaxPool2d(kernel_size=(2, 2), "
         "output_size=(5, 5))"),
        (nn.Embedding(4, 2, 0), "Embedding(4, 2, padding_idx=0)"),
        (nn.Bilinear(1, 2, 3, False), "Bilinear(in1_features=1, in2_features=2, out_features=3, "
         "bias=False)"),
        (nn.Unflatten(1, (2, -1)), "Unflatten(dim=1, unflattened_size=(2, -1))"),
        (nn.Upsample(4), "Upsample(size=4, mode='nearest')"),
    ]  # fmt: skip
    for layer, text in lines:
        assert repr(layer).splitlines()[0] == text


def test_a_small_convolutional_net_learns():
    """The direction of a bar: shapes, gradients and updates together."""
    rng = tg.manual_seed(0)
    images = rng.normal(size=(64, 1, 8, 8)).astype("float32") * 0.3
    labels = rng.integers(0, 2, 64)
    images[labels == 0, :, 3] += 1
    images[labels == 1, :, :, 3] += 1
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 2)
    )
    parameters = list(net.parameters())
    for _ in range(30):
        loss = nn.functional.cross_entropy(net(images), labels)
        net.zero_grad()
        loss.backward()
        for p in parameters:
            p.data = p.data - 0.2 * p.grad
    assert loss.item() < 0.1 < math.log(2)
