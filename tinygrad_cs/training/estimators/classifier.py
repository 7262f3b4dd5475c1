"""`TinyClassifier`: a perceptron that tells classes apart."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from ... import nn
from ...engine.errors import ArgumentError
from ...engine.types import Array
from .base import FLOATS, TinyEstimator

__all__ = ["TinyClassifier"]


class TinyClassifier(ClassifierMixin, TinyEstimator):  # type: ignore[misc]
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
        class_weight: what a sample of each class counts in the loss: a dict by label (classes that
            it lacks count 1), "balanced" for n / (classes * samples of the class), so that rare
            classes count as much as frequent ones, or None: every sample alike (default).
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
        class_weight: Any = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            hidden,
            activation,
            learning_rate,
            epochs,
            batch_size,
            weight_decay,
            dropout,
            optimizer,
            early_stopping,
            validation_fraction,
            patience,
            verbose,
            random_state,
        )
        self.class_weight = class_weight

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Train one epoch on these samples, from the weights there are.

        Means and deviations of the inputs are those of all samples so far: begin with a part large
        enough to know them roughly.

        Args:
            X, y: as for `fit`.
            classes: all labels there will ever be, needed in the first call unless y has them all.

        Raises `ArgumentError` for `class_weight="balanced"`, which asks for all samples at once.
        """
        if self.class_weight == "balanced":
            raise ArgumentError(
                "TinyClassifier.partial_fit: class_weight='balanced' counts the samples of each "
                "class, which a part does not know; write class_weight={label: weight, ...}"
            )
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
        x, y = validate_data(self, X, y, dtype=FLOATS, reset=reset)
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

    def _loss(self, y: Array) -> nn.Module:
        if self.class_weight is None:
            return nn.CrossEntropyLoss()
        known = y if self.class_weight == "balanced" else self.classes_
        present = np.unique(known)
        weights = np.ones(len(self.classes_))
        weights[np.searchsorted(self.classes_, present)] = compute_class_weight(
            self.class_weight, classes=present, y=known
        )
        return nn.CrossEntropyLoss(weight=weights.astype(self._dtype()))
