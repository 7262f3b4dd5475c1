"""An example or two of every layer and loss, for `gradcheck`: how to make it, what to give it.

Small sizes, all different, so that a transposed or a summed axis shows; arguments that take other
paths (strides, weights, two directions). The tests prove that none is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import nn
from ..engine.types import Array, np

Inputs = Callable[[np.random.Generator], tuple[Any, ...]]


class Example(NamedTuple):
    """A module, what to call it with, and how, where that is not `module(*inputs)`."""

    make: Callable[[], nn.Module]
    inputs: Inputs
    call: Callable[..., Any] | None = None


def normal(*shapes: Sequence[int]) -> Inputs:
    """Normal numbers, one array for each shape."""
    return lambda rng: tuple(rng.normal(size=tuple(shape)) for shape in shapes)


def with_classes(*shape: int) -> Inputs:
    """Scores with the classes on axis 1, and an integer class for each."""
    labels = (shape[0], *shape[2:])
    return lambda rng: (rng.normal(size=shape), rng.integers(0, shape[1], labels))


def probabilities(*shapes: Sequence[int]) -> Inputs:
    """Numbers well inside (0, 1)."""
    return lambda rng: tuple(rng.uniform(0.1, 0.9, tuple(shape)) for shape in shapes)


def with_signs(count: int, *shapes: Sequence[int]) -> Inputs:
    """Normal numbers, and `count` targets of 1 and -1 in turn."""
    return lambda rng: (*normal(*shapes)(rng), np.resize([1, -1], count))


def with_variances(rng: np.random.Generator) -> tuple[Array, ...]:
    """Means, targets, and variances."""
    return (*normal((4, 3), (4, 3))(rng), rng.uniform(0.3, 2.0, (4, 3)))


def words(*shape: int) -> Inputs:
    """Whole numbers below 5."""
    return lambda rng: (rng.integers(0, 5, shape),)


def _alone(names: str, inputs: Inputs) -> dict[str, list[Example]]:
    """Modules that take no arguments."""
    return {name: [Example(getattr(nn, name), inputs)] for name in names.split()}


def _in_turn(layers: Any, x: Any) -> Any:
    for layer in layers:
        x = layer(x)
    return x


SEQUENCE = normal((3, 2, 4))

EXAMPLES: dict[str, list[Example]] = {
    **_alone("CELU ELU GELU Hardsigmoid Hardtanh Identity LeakyReLU LogSigmoid", normal((3, 4))),
    **_alone("PReLU ReLU ReLU6 SELU SiLU Sigmoid Softplus Tanh Flatten", normal((3, 4))),
    **_alone("Dropout AlphaDropout PlainDropout", normal((3, 4))),
    **_alone("HuberLoss L1Loss MSELoss SmoothL1Loss", normal((4, 3), (4, 3))),
    "Dropout2d": [Example(nn.Dropout2d, normal((2, 3, 2, 2)))],
    "Softmax": [Example(lambda: nn.Softmax(dim=1), normal((2, 3, 4)))],
    "Softmin": [Example(lambda: nn.Softmin(dim=1), normal((2, 3, 4)))],
    "LogSoftmax": [Example(lambda: nn.LogSoftmax(dim=1), normal((2, 3, 4)))],
    "Maxout": [Example(lambda: nn.Maxout(3, 2, pieces=3), normal((4, 3)))],
    "MaxoutConv2d": [Example(lambda: nn.MaxoutConv2d(2, 3, 2), normal((2, 2, 4, 3)))],
    # linear
    "Linear": [
        Example(lambda: nn.Linear(3, 2), normal((4, 3))),
        Example(lambda: nn.Linear(3, 2, bias=False), normal((2, 4, 3))),
    ],
    "Bilinear": [Example(lambda: nn.Bilinear(3, 2, 4), normal((5, 3), (5, 2)))],
    "DropConnect": [Example(lambda: nn.DropConnect(3, 4, p=0.3), normal((5, 3)))],
    "Embedding": [Example(lambda: nn.Embedding(6, 3), words(2, 4))],
    # convolution and pooling
    "Conv1d": [
        Example(lambda: nn.Conv1d(2, 3, 3), normal((2, 2, 5))),
        Example(lambda: nn.Conv1d(2, 4, 2, stride=2, padding=1, groups=2), normal((2, 2, 5))),
    ],
    "Conv2d": [
        Example(lambda: nn.Conv2d(2, 3, 2), normal((2, 2, 3, 4))),
        Example(lambda: nn.Conv2d(2, 2, (3, 2), (2, 1), (1, 0), (1, 2), 2), normal((1, 2, 4, 5))),
    ],
    "ConvTranspose1d": [
        Example(lambda: nn.ConvTranspose1d(2, 3, 3), normal((2, 2, 4))),
        Example(lambda: nn.ConvTranspose1d(2, 2, 3, 2, 1, 1, groups=2), normal((1, 2, 4))),
    ],
    "ConvTranspose2d": [
        Example(lambda: nn.ConvTranspose2d(2, 1, 2), normal((1, 2, 2, 3))),
        Example(lambda: nn.ConvTranspose2d(2, 2, (3, 2), (2, 3), (1, 0)), normal((1, 2, 2, 2))),
    ],
    "AvgPool1d": [Example(lambda: nn.AvgPool1d(3, 2, 1), normal((2, 2, 6)))],
    "AvgPool2d": [Example(lambda: nn.AvgPool2d((3, 2), 2, (1, 0)), normal((1, 2, 4, 5)))],
    "MaxPool1d": [Example(lambda: nn.MaxPool1d(3, 2, 1), normal((2, 2, 6)))],
    "MaxPool2d": [Example(lambda: nn.MaxPool2d((3, 2), (1, 2), (1, 0)), normal((1, 2, 4, 5)))],
    "AdaptiveAvgPool1d": [Example(lambda: nn.AdaptiveAvgPool1d(3), normal((2, 2, 5)))],
    "AdaptiveAvgPool2d": [Example(lambda: nn.AdaptiveAvgPool2d((2, 3)), normal((1, 2, 5, 4)))],
    "AdaptiveMaxPool1d": [Example(lambda: nn.AdaptiveMaxPool1d(3), normal((2, 2, 5)))],
    "AdaptiveMaxPool2d": [Example(lambda: nn.AdaptiveMaxPool2d((2, 3)), normal((1, 2, 5, 4)))],
    "FractionalMaxPool2d": [
        Example(lambda: nn.FractionalMaxPool2d(2, output_size=(3, 4)), normal((1, 2, 7, 8)))
    ],
    "Upsample": [
        Example(lambda: nn.Upsample(scale_factor=2), normal((1, 2, 3))),
        Example(lambda: nn.Upsample((3, 5), mode="bilinear"), normal((1, 2, 2, 3))),
    ],
    # normalisation
    "BatchNorm1d": [
        Example(lambda: nn.BatchNorm1d(3), normal((5, 3))),
        Example(lambda: nn.BatchNorm1d(3, affine=False), normal((4, 3, 2))),
    ],
    "BatchNorm2d": [Example(lambda: nn.BatchNorm2d(2), normal((3, 2, 2, 3)))],
    "LayerNorm": [Example(lambda: nn.LayerNorm([2, 3]), normal((4, 2, 3)))],
    "GroupNorm": [Example(lambda: nn.GroupNorm(2, 4), normal((2, 4, 3)))],
    "InstanceNorm1d": [Example(lambda: nn.InstanceNorm1d(2, affine=True), normal((3, 2, 4)))],
    "InstanceNorm2d": [
        Example(lambda: nn.InstanceNorm2d(2, track_running_stats=True), normal((2, 2, 3, 2)))
    ],
    "RMSNorm": [Example(lambda: nn.RMSNorm(4), normal((3, 4)))],
    # recurrence and attention
    "RNN": [Example(lambda: nn.RNN(4, 2, bidirectional=True), SEQUENCE)],
    "LSTM": [Example(lambda: nn.LSTM(4, 2, num_layers=2), SEQUENCE)],
    "GRU": [Example(lambda: nn.GRU(4, 2, batch_first=True), SEQUENCE)],
    "RNNCell": [Example(lambda: nn.RNNCell(3, 2), normal((4, 3), (4, 2)))],
    "LSTMCell": [Example(lambda: nn.LSTMCell(3, 2), normal((4, 3)))],
    "GRUCell": [Example(lambda: nn.GRUCell(3, 2), normal((4, 3), (4, 2)))],
    "MultiheadAttention": [
        Example(lambda: nn.MultiheadAttention(4, 2), normal((3, 2, 4), (5, 2, 4), (5, 2, 4)))
    ],
    "TransformerEncoderLayer": [
        Example(lambda: nn.TransformerEncoderLayer(4, 2, 5, activation="gelu"), SEQUENCE)
    ],
    "TransformerEncoder": [
        Example(
            lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 1, 3, 0.0), 2), SEQUENCE
        )
    ],
    # containers
    "Sequential": [
        Example(lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), normal((5, 3)))
    ],
    "ModuleList": [
        Example(lambda: nn.ModuleList([nn.Linear(3, 4), nn.Tanh()]), normal((5, 3)), _in_turn)
    ],
    "ModuleDict": [
        Example(
            lambda: nn.ModuleDict({"one": nn.Linear(3, 2), "other": nn.Linear(3, 1)}),
            normal((4, 3)),
            lambda heads, x: [head(x) for head in heads.values()],
        )
    ],
    "ParameterList": [
        Example(
            lambda: nn.ParameterList(nn.Linear(3, 2).parameters()),
            normal((4, 3)),
            lambda held, x: x @ held[0].T + held[1],
        )
    ],
    "Residual": [
        Example(lambda: nn.Residual(nn.Linear(3, 2), nn.Linear(3, 2, bias=False)), normal((4, 3)))
    ],
    "StochasticDepth": [
        Example(lambda: nn.StochasticDepth(nn.Linear(3, 3), 0.3, mode="row"), normal((6, 3)))
    ],
    "Unflatten": [Example(lambda: nn.Unflatten(1, (2, 3)), normal((2, 6, 2)))],
    # losses
    "CrossEntropyLoss": [
        Example(nn.CrossEntropyLoss, with_classes(4, 3)),
        Example(
            lambda: nn.CrossEntropyLoss(np.array([0.5, 2.0, 1.0]), label_smoothing=0.2),
            with_classes(2, 3, 4),
        ),
    ],
    "NLLLoss": [Example(nn.NLLLoss, with_classes(4, 3))],
    "MultiMarginLoss": [Example(lambda: nn.MultiMarginLoss(p=2, margin=0.7), with_classes(4, 3))],
    "MultiClassHingeLoss": [Example(nn.MultiClassHingeLoss, with_classes(4, 3))],
    "BCELoss": [Example(nn.BCELoss, probabilities((4, 3), (4, 3)))],
    "BCEWithLogitsLoss": [
        Example(
            lambda: nn.BCEWithLogitsLoss(pos_weight=np.array([3.0, 0.5, 1.0])),
            lambda rng: (rng.normal(size=(4, 3)), rng.uniform(0.1, 0.9, (4, 3))),
        )
    ],
    "KLDivLoss": [
        Example(lambda: nn.KLDivLoss(reduction="batchmean"), probabilities((4, 3), (4, 3)))
    ],
    "GaussianNLLLoss": [Example(nn.GaussianNLLLoss, with_variances)],
    "HingeEmbeddingLoss": [Example(nn.HingeEmbeddingLoss, with_signs(4, (4,)))],
    "CosineEmbeddingLoss": [Example(nn.CosineEmbeddingLoss, with_signs(4, (4, 3), (4, 3)))],
    "TripletMarginLoss": [Example(nn.TripletMarginLoss, normal((4, 3), (4, 3), (4, 3)))],
}
