"""Loss and metrics of a model on data, without learning from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..data import DataLoader, TensorDataset
from ..engine.errors import ArgumentError
from ..engine.modes import no_grad
from ..engine.types import Array, np
from ..nn.module import Module
from .batches import EVALUATION_BATCH, Batch, as_loader
from .metrics import Metric, chosen_metrics
from .step import number

__all__ = ["evaluate", "evaluation_mode", "predict"]


@contextmanager
def evaluation_mode(model: Module) -> Iterator[None]:
    """A block in which the model is in evaluation mode and nothing is recorded.

    Afterwards every layer is in the mode it was in, also one that differs from its neighbours, and
    after an exception too.

    Example:
        >>> import tinygrad_cs as tg
        >>> net = tg.nn.Sequential(tg.nn.Dropout(), tg.nn.BatchNorm1d(2).eval())
        >>> with tg.training.evaluation_mode(net):
        ...     print([layer.training for layer in net])
        [False, False]
        >>> [layer.training for layer in net]
        [True, False]
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def evaluate(
    model: Module,
    data: Any,
    *,
    loss: Callable[..., Any] | None = None,
    metrics: Any = (),
    batch_size: int | None = None,
) -> dict[str, Any]:
    """The loss and the metrics over all samples of some data, in evaluation mode.

    Args:
        model: called with all arrays of a batch but the last, which is the target.
        data: a `DataLoader`, a data set or arrays `(x, y)`.
        loss: called with prediction and target (default None: no loss).
        metrics: as in `fit`; they are reset first.
        batch_size: for data sets and arrays (default 256); the result does not depend on it.

    Returns `"loss"`, the mean over the samples, and the metrics by name. A loss that does not weigh
    every sample alike (class weights, ignored targets) is averaged over batches by their size.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> x, y = np.ones((3, 2), "float32"), np.array([0, 1, 1])
        >>> net = tg.nn.Linear(2, 2)
        >>> tg.nn.init.zeros_(net.weight), tg.nn.init.zeros_(net.bias)
        (...)
        >>> values = tg.training.evaluate(
        ...     net, (x, y), loss=tg.nn.CrossEntropyLoss(), metrics="accuracy", batch_size=2
        ... )
        >>> {name: round(value, 4) for name, value in values.items()}
        {'loss': 0.6931, 'accuracy': 0.3333}
    """
    loader = as_loader("evaluate", data, batch_size or EVALUATION_BATCH, shuffle=False)
    return evaluated(model, loader, loss, chosen_metrics("evaluate", metrics))


def predict(model: Module, *inputs: Any, batch_size: int = EVALUATION_BATCH) -> Array:
    """What a model says of new inputs, in evaluation mode: an array of one output per sample.

    Args:
        model: called with a part of each of the inputs at a time.
        inputs: arrays or tensors with the same number of samples along axis 0.
        batch_size: samples at a time (default 256), which bounds the memory; the result depends on
            it by rounding at most.

    Of a classifier these are scores: `.argmax(axis=1)` is the class, `nn.functional.softmax(scores,
    dim=1)` probabilities. Raises `ShapeError` for inputs of different lengths, `ArgumentError` for
    none, and for a model with another output than one array.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> net = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.Dropout())
        >>> tg.training.predict(net, np.ones((1000, 2), "float32")).shape
        (1000, 3)
    """
    samples = TensorDataset(*inputs)
    with evaluation_mode(model):
        outputs = [model(*batch) for batch in DataLoader(samples, batch_size)]
    parts = [getattr(output, "_data", output) for output in outputs]
    if not all(isinstance(part, np.ndarray) and part.ndim for part in parts):
        raise ArgumentError(
            f"predict: expected a model that returns one array with an entry per sample, got "
            f"{type(outputs[0]).__name__}; call it inside evaluation_mode(model) instead"
        )
    joined: Array = np.concatenate(parts)
    return joined


def evaluated(
    model: Module,
    batches: Iterable[Batch],
    loss: Callable[..., Any] | None,
    metrics: Mapping[str, Metric],
) -> dict[str, Any]:
    """See `evaluate`."""
    for metric in metrics.values():
        metric.reset()
    averages = getattr(loss, "reduction", "mean") != "sum"
    total, samples = 0.0, 0
    with evaluation_mode(model):
        for *inputs, target in batches:
            prediction = model(*inputs)
            count = len(target)
            if loss is not None:
                value = number(loss(prediction, target))
                total += value * count if averages else value
            samples += count
            for metric in metrics.values():
                metric.update(prediction, target)
    found: dict[str, Any] = {} if loss is None else {"loss": total / max(samples, 1)}
    return found | {name: metric.compute() for name, metric in metrics.items()}
