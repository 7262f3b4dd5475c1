"""What classifier and regressor have in common: scales, a perceptron, one run of training."""

from __future__ import annotations

from contextvars import copy_context
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ... import nn
from ...data import Standardizer
from ...engine.modes import generator, manual_seed, set_default_dtype
from ...engine.types import Array
from ..evaluation import predict
from ..perceptron import optimizer_for, perceptron, widths_of
from ..run import Run

FLOATS = (np.float64, np.float32)


class TinyEstimator(BaseEstimator):  # type: ignore[misc]
    """What both have in common: the inputs standardised, a perceptron, one run of training."""

    def __init__(
        self,
        hidden: Any = (64,),
        activation: str = "relu",
        learning_rate: float = 0.003,
        epochs: int = 100,
        batch_size: int = 32,
        weight_decay: float = 0.0,
        dropout: float = 0.0,
        optimizer: str = "adam",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.optimizer = optimizer
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Train a new net for `epochs` epochs; what was fitted before is forgotten.

        Args:
            X: numbers of shape (n, features). float32 is computed with as it is, all else in
                float64.
            y: targets of shape (n,).

        Raises `ValueError` for data that does not fit, `NonFiniteLossError` where training
        diverges, and `KeyboardInterrupt` after Ctrl-C.
        """
        x, target = self._checked(X, y, reset=True)
        self._learn_form(target, None, anew=True)
        # What is drawn, and the precision, are settings of this training alone.
        copy_context().run(self._fit, x, target)
        return self

    def _fit(self, x: Array, y: Array) -> None:
        seed = self._seed()
        manual_seed(seed)
        validation = None
        if self.early_stopping:
            x, held_out, y, answers = train_test_split(
                x,
                y,
                test_size=self.validation_fraction,
                random_state=seed,
                stratify=self._strata(y),
            )
        self._learn_scales(x, y, anew=True)
        if self.early_stopping:
            validation = self.scaler_.transform(held_out), self._encoded(answers)
        self._build(x, y)
        self._train(x, y, validation, epochs=whole_number(self.epochs))

    def _partial_fit(self, X: Any, y: Any, classes: Any) -> Self:
        anew = not self.__sklearn_is_fitted__()
        x, target = self._checked(X, y, reset=anew)
        self._learn_form(target, classes, anew)
        copy_context().run(self._continue, x, target, anew)
        return self

    def _continue(self, x: Array, y: Array, anew: bool) -> None:
        random = manual_seed(self._seed() if anew else 0)
        self._learn_scales(x, y, anew)
        if anew:
            self._build(x, y)
        else:
            random.bit_generator.state = self._random_state
        self._train(x, y, None, epochs=1)

    def _build(self, x: Array, y: Array) -> None:
        set_default_dtype(x.dtype)
        self.model_ = perceptron(
            x.shape[1], widths_of(self.hidden), self._outputs(y), self.activation, self.dropout
        )
        self._optimizer = optimizer_for(
            self.model_, self.optimizer, self.learning_rate, self.weight_decay
        )
        self.n_iter_ = 0

    def _train(self, x: Array, y: Array, validation: Any, epochs: int) -> None:
        dtype = self._dtype()
        set_default_dtype(dtype)
        z = self.scaler_.transform(x.astype(dtype, copy=False))
        run = Run(
            self.model_,
            (z, self._encoded(y)),
            validation,
            loss=self._loss(y),
            optimizer=self._optimizer,
            epochs=epochs,
            batch_size=whole_number(self.batch_size),
            patience=None if validation is None else whole_number(self.patience),
            progress=bool(self.verbose),
        )
        self.history_ = run.train()
        self.n_iter_ += len(self.history_)
        # for `partial_fit`, which goes on with other orders of the samples
        self._random_state = generator().bit_generator.state
        if run.interrupted:
            raise KeyboardInterrupt

    def _learn_scales(self, x: Array, y: Array, anew: bool) -> None:
        if anew:
            self.scaler_ = Standardizer()
        self.scaler_.partial_fit(x)

    def _seed(self) -> int:
        if self.random_state is None:
            return int(generator().integers(2**31 - 1))
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = next(iter(self.model_.parameters())).dtype
        return dtype

    def _raw(self, X: Any) -> Array:
        """What the net says, one row a sample."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=FLOATS, reset=False)
        return predict(self.model_, self.scaler_.transform(x).astype(self._dtype()))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    # What the two make differently.

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        raise NotImplementedError

    def _learn_form(self, y: Array, classes: Any, anew: bool) -> None:
        """Note what targets look like, or refuse others than those before."""
        raise NotImplementedError

    def _strata(self, y: Array) -> Any:
        return None

    def _outputs(self, y: Array) -> int:
        raise NotImplementedError

    def _encoded(self, y: Array) -> Array:
        raise NotImplementedError

    def _loss(self, y: Array) -> nn.Module:
        """The loss, for these targets."""
        raise NotImplementedError


def whole_number(value: Any) -> Any:
    """NumPy's whole numbers, which searches hand over, as Python's."""
    return int(value) if isinstance(value, np.integer) else value
