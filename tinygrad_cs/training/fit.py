"""`fit`: train a model on data, and say what happened."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from ..nn.module import Module
from ..optim import ExponentialMovingAverage, Optimizer
from ..optim.lr_scheduler import LRScheduler
from .checkpointing import resume as resume_run
from .history import History
from .run import Run

__all__ = ["fit"]


def fit(
    model: Module,
    train: Any,
    validation: Any = None,
    *,
    loss: Callable[..., Any],
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    shuffle: bool = True,
    metrics: Any = (),
    schedule: LRScheduler | None = None,
    schedule_every: str = "epoch",
    accumulate: int = 1,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    ema: float | ExponentialMovingAverage | None = None,
    ema_use: Sequence[str] = ("validation", "final"),
    compile: bool = False,
    monitor: str | None = None,
    patience: int | None = None,
    min_delta: float = 0.0,
    callbacks: Any = (),
    progress: bool = True,
    resume: str | os.PathLike[str] | None = None,
) -> History:
    """Train for some epochs, validate after each, and return the history.

    For each batch: forward, loss, backward, clipping, step. Validation is in evaluation mode and
    records nothing; afterwards each layer is in the mode it had. Ctrl-C ends after the present
    batch with everything kept (once more: at once). Whatever ends it, `history.stopped` says why.

    Args:
        model: called with all arrays of a batch but the last, which is the target. A model in
            training mode stays as it is, so a layer put in `eval()` by hand remains so.
        train: a `DataLoader`, or a data set or arrays `(x, y)` with `batch_size`.
        validation: likewise (default None: none).
        loss: called with prediction and target; its mean over the batch, or its sum where
            `loss.reduction` is "sum".
        optimizer: over the model's parameters.
        epochs: how many.
        batch_size: for data sets and arrays.
        shuffle: draw a new order for each epoch, for data sets and arrays (default True).
        metrics: metrics, their names ("accuracy", "f1", "r2", ...), functions of all predictions
            and targets, or a dict of these by column. In training they are taken as the batches
            pass, with the weights changing and dropout active: validation values may be better.
        schedule: of the learning rate, made over this optimizer. `ReduceLROnPlateau` gets the
            monitored value.
        schedule_every: step the schedule every "epoch" (default) or every "batch" (update).
        accumulate: learn from so many batches together, as if they were one (default 1). The last
            ones of an epoch may be fewer; each sample counts the same.
        clip_norm: longest norm of the gradient; the history then shows the mean norm before it.
        clip_value: largest entry of the gradient.
        ema: decay of an exponential moving average of the weights, such as 0.999 (default None).
        ema_use: what the average is for: "validation", "final" (the model holds it at the end), or
            both (default).
        compile: run the step as one program made by `tg.compile`, from gradients to update; the
            numbers are the same, to the last bit. Raises `CompileError` where the values of arrays
            decide what the model does, `ArgumentError` for LBFGS; where every batch has another
            shape it goes on plainly, with a warning. Tracing takes as long as some hundred steps
            (default False).
        monitor: the column that decides which epoch is best (default "validation_loss", without
            validation "loss").
        patience: stop when this has not improved for more than so many epochs, and put the weights
            of the best epoch back, however the training ends but by Ctrl-C (default None).
        min_delta: improvements smaller than this do not count (default 0).
        callbacks: `Callback`s, or functions of the run, called after each epoch.
        progress: a bar in terminals and notebooks (with tqdm), else a line per epoch; False: none.
        resume: a folder in which `Checkpointing` saved an earlier run of the same kind: training
            goes on from its newest state, and starts anew if there is none.

    Returns the history: losses, metrics, learning rate and time of each epoch.

    Raises `ArgumentError` for arguments that do not fit together, before any training, and
    `NonFiniteLossError` as soon as the loss is infinite or NaN: its message names the batch, the
    first layer concerned and the largest gradient; the model is back in its last good state, and
    `error.history` and `error.run` keep everything.

    A training loss that falls while the validation loss rises is overfitting: take `patience`,
    `nn.Dropout`, weight decay or more data. A loss that does not fall at all:
    `tg.inspect.sanity_check`.

    Example:
        >>> import tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> x, y = tg.data.two_spirals(200, noise=0.05)
        >>> net = tg.nn.Sequential(tg.nn.Linear(2, 32), tg.nn.Tanh(), tg.nn.Linear(32, 2))
        >>> history = tg.training.fit(
        ...     net, (x, y), batch_size=50, epochs=30, loss=tg.nn.CrossEntropyLoss(),
        ...     optimizer=tg.optim.Adam(net.parameters(), lr=0.03), metrics="accuracy",
        ...     progress=False,
        ... )
        >>> history.stopped, history["loss"][0] > history["loss"][-1]
        ('finished 30 epochs', True)
    """
    run = Run(
        model,
        train,
        validation,
        loss=loss,
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        shuffle=shuffle,
        metrics=metrics,
        schedule=schedule,
        schedule_every=schedule_every,
        accumulate=accumulate,
        clip_norm=clip_norm,
        clip_value=clip_value,
        ema=ema,
        ema_use=ema_use,
        compile=compile,
        monitor=monitor,
        patience=patience,
        min_delta=min_delta,
        callbacks=callbacks,
        progress=progress,
    )
    if resume is not None:
        resume_run(run, resume)
    return run.train()
