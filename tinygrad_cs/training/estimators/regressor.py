"""`TinyRegressor`: a perceptron that predicts numbers."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import column_or_1d, validate_data

from ... import nn
from ...data import Standardizer
from ...engine.errors import ShapeError
from ...engine.types import Array
from .base import FLOATS, TinyEstimator

__all__ = ["TinyRegressor"]


class TinyRegressor(RegressorMixin, TinyEstimator):  # type: ignore[misc]
    """A multilayer perceptron that predicts numbers, as a scikit-learn regressor.

    Inputs and targets are standardised inside, with the statistics of the training data; the loss
    is the mean squared error. Targets may have several columns. Equal `random_state`s give equal
    nets, and nothing outside is seeded.

    Args:
        hidden, ..., random_state: as of `TinyClassifier`, without `class_weight`.

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
            self, X, y, dtype=FLOATS, multi_output=True, y_numeric=True, reset=reset
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

    def _loss(self, y: Array) -> nn.Module:
        return nn.MSELoss()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
