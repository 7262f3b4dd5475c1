"""What every preprocessing step does alike: learn from batches, check, be saved and be loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np

from ...engine.errors import ArgumentError, GraphError, ShapeError, StateDictError
from ...engine.modes import default_dtype
from ...engine.types import Array, Shape
from ..checks import as_array, same_length
from .parameters import Parameters

_BLOCK = 2**20
"""Values turned to float64 at a time: full data sets are read in blocks, never copied whole."""
_NAMED = 5


class NotFittedError(GraphError):
    """A preprocessing step that is to transform data before it has seen the training part."""


class Transformer(Parameters):
    """Base of the preprocessing steps, with scikit-learn's methods: they fit in its `Pipeline`.

    Statistics come from what `fit` (or several calls of `partial_fit`) sees, which has to be the
    training part alone: a mean that knows the test images makes the test result too good. Data
    is (n, ...), never changed; float32 stays float32, whole numbers become the default dtype,
    statistics are float64. NaN and infinity raise `ArgumentError`, naming the columns.

    A step of one's own says in `_measured` which statistics, that can be added, a block of
    samples has, and in `_forward` and `_backward` what is computed from them.
    """

    _statistics: Any = None

    def fit(self, x: Any, y: Any = None) -> Self:
        """Learn the statistics of `x` (n, ...), forgetting earlier ones; `y` is not looked at.

        Raises `ArgumentError` for no samples, NaN and infinity, `ShapeError` for shapes that this
        step does not take, `DTypeError` for data that is not numeric.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.data.Center().fit([[1.0, 5.0], [3.0, 5.0]]).mean
            array([[2., 5.]])
        """
        self._learn("fit", x, None)
        return self

    def partial_fit(self, x: Any, y: Any = None) -> Self:
        """Add a batch to the statistics: after all batches those of `fit` on all data, to rounding.

        Raises as `fit`, and `ShapeError` for features other than before.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.data.Center().partial_fit([[1.0], [2.0]]).partial_fit([[6.0]]).mean
            array([[3.]])
        """
        self._learn("partial_fit", x, self._statistics)
        return self

    def fit_transform(self, x: Any, y: Any = None) -> Array:
        """`fit(x).transform(x)`, for the training part alone.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.data.Center().fit_transform([1.0, 3.0])
            array([-1.,  1.], dtype=float32)
        """
        return self.fit(x).transform(x)

    def transform(self, x: Any) -> Array:
        """`x` of the fitted shape (any number of samples), transformed; `x` is not changed.

        Raises `NotFittedError` before `fit`, `ShapeError` for other features than fitted,
        `ArgumentError` for NaN and infinity.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.data.Center().fit([1.0, 3.0]).transform([5.0])
            array([3.], dtype=float32)
        """
        where = f"{type(self).__name__}.transform"
        array = self._like_fitted(where, x, self._input_shape())
        return self._forward(array, _dtype(array))

    def inverse_transform(self, z: Any) -> Array:
        """What `transform` made `z` of, as far as it can be known.

        Raises as `transform`.

        Example:
            >>> import tinygrad_cs as tg
            >>> scaler = tg.data.Center().fit([1.0, 3.0])
            >>> scaler.inverse_transform(scaler.transform([5.0]))
            array([5.], dtype=float32)
        """
        where = f"{type(self).__name__}.inverse_transform"
        array = self._like_fitted(where, z, self._output_shape())
        return self._backward(array, _dtype(array))

    def state_dict(self) -> dict[str, Array]:
        """What was fitted, as float64 and int64 arrays by name, copied, to be saved with the model.

        Raises `NotFittedError` before `fit`.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.data.MinMaxScaler().fit([1.0, 3.0]).state_dict()
            {'minimum': array([1.]), 'maximum': array([3.])}
        """
        self._require_fitted(f"{type(self).__name__}.state_dict")
        return {name: np.array(value) for name, value in self._state().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> Self:
        """Take what `state_dict` returned, in place of a fit; nothing is loaded if it does not fit.

        Raises `StateDictError` for missing and unexpected names, impossible shapes and values.

        Example:
            >>> import tinygrad_cs as tg
            >>> state = tg.data.MinMaxScaler().fit([1.0, 3.0]).state_dict()
            >>> tg.data.MinMaxScaler().load_state_dict(state).transform([2.0])
            array([0.5], dtype=float32)
        """
        where = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state, Mapping):
            raise ArgumentError(
                f"{where}: expected the dict that state_dict() returns, got {type(state).__name__}"
            )
        expected = self._state_names()
        if set(state) != set(expected):
            raise StateDictError(
                f"{where}: nothing was loaded: expected the names {', '.join(expected)}, got "
                f"{', '.join(map(str, state)) or 'none'}"
            )
        arrays = {}
        for name in expected:
            dtype = np.int64 if name == "count" else np.float64
            arrays[name] = as_array(f"{where}: {name}", state[name]).astype(dtype)
            if not np.isfinite(arrays[name]).all():
                raise StateDictError(f"{where}: nothing was loaded: {name} is not finite")
        problem = self._load(arrays)
        if problem:
            raise StateDictError(f"{where}: nothing was loaded: {problem}")
        return self

    # What a step says of itself

    def _forget(self) -> None:
        self._statistics = None

    def _measured(self, where: str, block: Array) -> Any:
        """Statistics of a block of samples, which `+` combines."""
        raise NotImplementedError

    def _forward(self, x: Array, dtype: np.dtype[Any]) -> Array:
        raise NotImplementedError

    def _backward(self, z: Array, dtype: np.dtype[Any]) -> Array:
        raise NotImplementedError

    def _input_shape(self) -> Shape | None:
        """Shape of a sample, 1 where any length will do; None before `fit`."""
        raise NotImplementedError

    def _output_shape(self) -> Shape | None:
        return self._input_shape()

    def _state_names(self) -> tuple[str, ...]:
        raise NotImplementedError

    def _state(self) -> dict[str, Array]:
        return {name: getattr(self._statistics, name) for name in self._state_names()}

    def _load(self, arrays: dict[str, Array]) -> str:
        """Take the arrays, or say what is wrong with them."""
        raise NotImplementedError

    def _block_length(self, sample: int) -> int:
        """How many samples of so many values are measured at a time."""
        return max(1, _BLOCK // max(1, sample))

    # What all share

    def _learn(self, method: str, x: Any, statistics: Any) -> None:
        where = f"{type(self).__name__}.{method}"
        array = as_array(where, x)
        same_length(where, [array])
        if statistics is not None:
            array = self._like_fitted(where, array, self._input_shape())
        for block in _blocks(array, self._block_length(array[0].size)):
            _check_finite(where, block, array)
            measured = self._measured(where, block)
            statistics = measured if statistics is None else statistics + measured
        self._statistics = statistics

    def _require_fitted(self, where: str) -> None:
        if self._input_shape() is None:
            raise NotFittedError(
                f"{where}: the statistics are not known yet; call fit(training_data) first, on the "
                f"training part alone, or load_state_dict(state)"
            )

    def _like_fitted(self, where: str, x: Any, expected: Shape | None) -> Array:
        """`x` as an array, of the fitted shape and finite."""
        self._require_fitted(where)
        assert expected is not None
        array = as_array(where, x)
        came = array.shape[1:]
        if array.ndim != 1 + len(expected) or any(
            e not in (1, c) for e, c in zip(expected, came, strict=True)
        ):
            shape = ", ".join(["n", *map(str, expected)])
            raise ShapeError(f"{where}: expected shape ({shape}) as fitted, got {array.shape}")
        _check_finite(where, array, array)
        return array

    def __sklearn_is_fitted__(self) -> bool:
        return self._input_shape() is not None

    def __sklearn_tags__(self) -> Any:
        # Only scikit-learn asks, so it is installed.
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type="transformer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(),
        )


def _dtype(array: Array) -> np.dtype[Any]:
    return array.dtype if array.dtype.kind == "f" else default_dtype()


def _blocks(array: Array, length: int) -> Iterator[Array]:
    for start in range(0, len(array), length):
        yield array[start : start + length]


def _check_finite(where: str, part: Array, whole: Array) -> None:
    if part.dtype.kind != "f" or np.isfinite(part).all():
        return
    bad = ~np.isfinite(whole)
    places: Array
    if whole.ndim == 1:
        places, what = np.flatnonzero(bad), "samples"
    elif whole.ndim == 2:
        places, what = np.flatnonzero(bad.any(axis=0)), "columns"
    else:
        places, what = np.argwhere(bad.any(axis=0)), f"positions of shape {whole.shape[1:]}"
    named = ", ".join(str(tuple(p) if isinstance(p, list) else p) for p in places[:_NAMED].tolist())
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    samples = int(bad.reshape(len(whole), -1).any(axis=1).sum())
    raise ArgumentError(
        f"{where}: expected finite data, got NaN or infinity in the {what} {named}{more}, in "
        f"{samples} of {len(whole)} samples; drop these samples, "
        f"x[np.isfinite(x.reshape(len(x), -1)).all(axis=1)], or fill them with np.nan_to_num(x)"
    )
