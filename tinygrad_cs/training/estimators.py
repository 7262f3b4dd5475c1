"""A net as a scikit-learn estimator, for `GridSearchCV`, `Pipeline` and everything built on them.

Needs scikit-learn (extra `sklearn`).
"""

from __future__ import annotations

from contextvars import copy_context
from typing import Any, Self

import numpy as np

from .. import nn
from ..data import Standardizer
from ..engine.errors import ArgumentError, MissingDependency, ShapeError
from ..engine.modes import generator, manual_seed, set_default_dtype
from ..engine.types import Array
from .evaluation import evaluation_mode
from .perceptron import optimizer_for, perceptron, widths_of
from .run import Run

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
except ImportError as error:
    raise MissingDependency(
        "training: TinyClassifier and TinyRegressor are estimators of scikit-learn 1.6 or later, "
        'which is not installed; run pip install "tinygrad_cs[sklearn]"'
    ) from error

__all__ = ["TinyClassifier", "TinyRegressor"]

_FLOATS = (np.float64, np.float32)


class _TinyEstimator(BaseEstimator):  # type: ignore[misc]
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
        self._train(x, y, validation, epochs=_whole(self.epochs))

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
            loss=self._loss(),
            optimizer=self._optimizer,
            epochs=epochs,
            batch_size=_whole(self.batch_size),
            patience=None if validation is None else _whole(self.patience),
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
        x = validate_data(self, X, dtype=_FLOATS, reset=False)
        with evaluation_mode(self.model_):
            raw: Array = self.model_(self.scaler_.transform(x).astype(self._dtype())).numpy()
        return raw

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

    def _loss(self) -> nn.Module:
        raise NotImplementedError


class TinyClassifier(ClassifierMixin, _TinyEstimator):  # type: ignore[misc]
    """A multilayer perceptron that tells classes apart, as a scikit-learn classifier.

    Inputs are standardised inside, with the statistics of the training data; the loss is the
    cross-entropy. Labels may be of any type that scikit-learn takes. Equal `random_state`s give
    equal nets, and nothing outside is seeded.

    Args:
        hidden: widths of the hidden layers; () is a linear model.
        activation: "relu", "leaky_relu", "elu", "gelu", "silu", "tanh" or "sigmoid".
        learning_rate: of the optimizer (0.003).
        epochs: passes over the data (100); `partial_fit` makes one.
        batch_size: samples an update (32).
        weight_decay: of the optimizer (0).
        dropout: probability to drop a hidden value in training (0).
        optimizer: "adam", "adamw", "nadam", "rmsprop", "lion", or "sgd" with Nesterov's momentum.
        early_stopping: hold out `validation_fraction` of the data (0.1), stop when its loss has not
            improved for more than `patience` epochs (10), and keep the best weights.
        verbose: show the progress (False).
        random_state: a seed, a `numpy.random.RandomState`, or None for what `tg.manual_seed` seeds.

    Attributes:
        classes_: the labels, sorted; the columns of `predict_proba`.
        model_: the net, of standardised inputs.
        scaler_: what standardises them.
        history_: the `History` of the last training.
        n_iter_: epochs since `fit`.

    A score on the training data that is far above that of a cross-validation is overfitting: take
    `early_stopping`, `weight_decay`, `dropout` or fewer hidden units.

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.training import TinyClassifier
        >>> x, y = tg.data.two_moons(200)
        >>> net = TinyClassifier(hidden=(16,), learning_rate=0.02, epochs=30, random_state=0)
        >>> bool(net.fit(x, y).score(x, y) > 0.95)
        True
    """

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Train one epoch on these samples, from the weights there are.

        Means and deviations of the inputs are those of all samples so far: begin with a part large
        enough to know them roughly.

        Args:
            X, y: as for `fit`.
            classes: all labels there will ever be, needed in the first call unless y has them all.
        """
        return self._partial_fit(X, y, classes)

    def predict(self, X: Any) -> Array:
        """The most probable class of each sample."""
        raw = self._raw(X)
        labels: Array = self.classes_[raw.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> Array:
        """Probabilities (n, classes), in the order of `classes_`.

        They add up to 1, which does not make them right: trained nets tend to be too sure.
        """
        probabilities: Array = nn.functional.softmax(self._raw(X), dim=1)
        return probabilities

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        x, y = validate_data(self, X, y, dtype=_FLOATS, reset=reset)
        check_classification_targets(y)
        return x, column_or_1d(y, warn=True)

    def _learn_form(self, y: Array, classes: Any, anew: bool) -> None:
        if anew:
            self.classes_ = np.unique(y if classes is None else classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ArgumentError(
                f"TinyClassifier.partial_fit: expected the classes of the first call, "
                f"{self.classes_.tolist()}, got {np.unique(classes).tolist()}"
            )
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise ArgumentError(
                f"TinyClassifier.partial_fit: y has the labels {unknown.tolist()}, which are not "
                f"among the classes {self.classes_.tolist()}; name all of them in the first call: "
                f"partial_fit(X, y, classes=...)"
            )

    def _strata(self, y: Array) -> Any:
        return y

    def _outputs(self, y: Array) -> int:
        return len(self.classes_)

    def _encoded(self, y: Array) -> Array:
        return np.searchsorted(self.classes_, y)

    def _loss(self) -> nn.Module:
        return nn.CrossEntropyLoss()


class TinyRegressor(RegressorMixin, _TinyEstimator):  # type: ignore[misc]
    """A multilayer perceptron that predicts numbers, as a scikit-learn regressor.

    Inputs and targets are standardised inside, with the statistics of the training data; the loss
    is the mean squared error. Targets may have several columns. Equal `random_state`s give equal
    nets, and nothing outside is seeded.

    Args:
        hidden, ..., random_state: as of `TinyClassifier`.

    Attributes:
        model_: the net, from standardised inputs to standardised targets.
        scaler_: what standardises the inputs.
        target_scaler_: what standardises the targets.
        history_: the `History` of the last training.
        n_iter_: epochs since `fit`.

    What goes wrong: squares make single outliers among the targets count more than all the rest;
    targets over several orders of magnitude are better predicted by their logarithm
    (`sklearn.compose.TransformedTargetRegressor`).

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs.training import TinyRegressor
        >>> x = np.linspace(-3, 3, 200)[:, None]
        >>> net = TinyRegressor(activation="tanh", learning_rate=0.02, random_state=0)
        >>> bool(net.fit(x, np.sin(x[:, 0])).score(x, np.sin(x[:, 0])) > 0.95)
        True
    """

    def partial_fit(self, X: Any, y: Any) -> Self:
        """Train one epoch on these samples, from the weights there are.

        Means and deviations of inputs and targets are those of all samples so far: begin with a
        part large enough to know them roughly.
        """
        return self._partial_fit(X, y, None)

    def predict(self, X: Any) -> Array:
        """A number for each sample, or a row of them where y had several columns."""
        raw = self._raw(X)
        predicted: Array = self.target_scaler_.inverse_transform(raw)
        return predicted.reshape(len(raw), *self._shape)

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        x, y = validate_data(
            self, X, y, dtype=_FLOATS, multi_output=True, y_numeric=True, reset=reset
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        # a mean far from 0 is subtracted before digits are given up
        return x, y.astype(np.float64, copy=False)

    def _learn_form(self, y: Array, classes: Any, anew: bool) -> None:
        if anew:
            self._shape = y.shape[1:]
        elif y.shape[1:] != self._shape:
            raise ShapeError(
                f"TinyRegressor.partial_fit: expected y of shape {('n', *self._shape)} as in the "
                f"first call, got {y.shape}"
            )

    def _learn_scales(self, x: Array, y: Array, anew: bool) -> None:
        super()._learn_scales(x, y, anew)
        if anew:
            self.target_scaler_ = Standardizer()
        self.target_scaler_.partial_fit(y.reshape(len(y), -1))

    def _outputs(self, y: Array) -> int:
        return y.shape[1] if y.ndim == 2 else 1

    def _encoded(self, y: Array) -> Array:
        scaled: Array = self.target_scaler_.transform(y.reshape(len(y), -1))
        return scaled.astype(self._dtype(), copy=False)

    def _loss(self) -> nn.Module:
        return nn.MSELoss()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _whole(value: Any) -> Any:
    """NumPy's whole numbers, which searches hand over, as Python's."""
    return int(value) if isinstance(value, np.integer) else value
