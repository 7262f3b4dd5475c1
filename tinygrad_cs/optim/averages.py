"""Averages of weights over the training: smoother than any of the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..engine.errors import ArgumentError, GraphError, StateDictError
from ..engine.tensor import Tensor, overwrite
from ..engine.types import Array, np
from .buffer import PIECE, Home, lie_in_order
from .groups import by_dtype, check_fraction
from .named import named_parameters

__all__ = ["ExponentialMovingAverage"]


class ExponentialMovingAverage:
    """The exponential moving average of a model's weights, for evaluation.

        a <- w                              at the first update
        a <- decay a + (1 - decay) w        at every later one

    Polyak and Juditsky 1992 average all weights; an exponential average (Tarvainen and Valpola
    2017) forgets the early ones and remembers about 1 / (1 - decay) updates. With decay 0.999 the
    first weights still outweigh the others after a few hundred updates: take less for a short
    training.

    Buffers (running statistics) are not averaged but copied at each update.

    Args:
        parameters: a module, an iterable of parameters, or one.
        decay: how much of the average is kept at each update, in [0, 1] (default 0.999).

    Attributes:
        decay: as above; it may be changed between updates.
        updates: how many updates there were.

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([0.0], requires_grad=True)
        >>> average = tg.optim.ExponentialMovingAverage([w], decay=0.5)
        >>> for value in (1.0, 2.0, 4.0):
        ...     w.data = [value]
        ...     average.update()
        >>> with average.applied():
        ...     w.data
        array([2.75], dtype=float32)
        >>> w.data
        array([4.], dtype=float32)
    """

    def __init__(self, parameters: Any, decay: float = 0.999) -> None:
        check_fraction("ExponentialMovingAverage", {"decay": decay}, "decay")
        self.decay = decay
        self.updates = 0
        self._named = named_parameters(parameters, "ExponentialMovingAverage")
        self._flat = [_FlatAverage(same) for same in by_dtype([t for _, t in self._named])]
        self._model = parameters if hasattr(type(parameters), "named_buffers") else None
        self._buffers = [tensor._data.copy() for _, tensor in self._live_buffers()]
        self._away = False

    def _live_buffers(self) -> list[tuple[str, Tensor]]:
        # asked anew each time: a layer may have put another tensor in a buffer's place
        return [] if self._model is None else list(self._model.named_buffers())

    def update(self) -> None:
        """Take in the present weights; call it after every step of the optimizer."""
        if self._away:
            raise GraphError(
                "ExponentialMovingAverage.update: inside applied() the parameters hold the average "
                "itself; update after the block"
            )
        for flat in self._flat:
            flat.move(self.decay if self.updates else 0.0)
        self._buffers = [tensor._data.copy() for _, tensor in self._live_buffers()]
        self.updates += 1

    def _averages(self) -> dict[str, Array]:
        """Views of the averages, and the buffers, by name."""
        views = {id(p): view for flat in self._flat for p, view in flat.views()}
        named = {name: views[id(tensor)] for name, tensor in self._named}
        names = (name for name, _ in self._live_buffers())
        return named | dict(zip(names, self._buffers, strict=True))

    def copy_to(self, parameters: Any = None) -> None:
        """Put the averages into other parameters of the same shapes, or into those averaged here.

        Args:
            parameters: a module, an iterable of parameters, or one (default: those averaged).

        Raises `ArgumentError` where number or shapes differ; then nothing was changed.
        """
        values = list(self._averages().values())
        if parameters is None:
            targets = self._named + self._live_buffers()
        else:
            targets = named_parameters(parameters, "ExponentialMovingAverage.copy_to")
            if self._model is not None and hasattr(type(parameters), "named_buffers"):
                targets += parameters.named_buffers()
            else:
                values = values[: len(self._named)]
        ours, theirs = [v.shape for v in values], [target.shape for _, target in targets]
        if ours != theirs:
            raise ArgumentError(
                f"ExponentialMovingAverage.copy_to: nothing was changed: expected parameters of "
                f"the shapes {ours}, got {theirs}"
            )
        for (_, target), value in zip(targets, values, strict=True):
            overwrite(target, value)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """A block in which the parameters and buffers hold their averages; then all is put back.

        Training inside the block is lost with it. Raises `GraphError` when entered twice.
        """
        if self._away:
            raise GraphError("ExponentialMovingAverage.applied: the averages are applied already")
        live = self._named + self._live_buffers()
        kept = [tensor._data.copy() for _, tensor in live]
        self._away = True
        try:
            self.copy_to()
            yield
        finally:
            for (_, tensor), value in zip(live, kept, strict=True):
                overwrite(tensor, value)
            self._away = False

    def state_dict(self) -> dict[str, Any]:
        """Copies: `"average"` by name, as the model's own `load_state_dict` takes it; the rest."""
        average = {name: value.copy() for name, value in self._averages().items()}
        return {"decay": self.decay, "updates": self.updates, "average": average}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` of an average of the same parameters gave.

        Raises `StateDictError` that lists everything missing, unexpected or misshaped; then nothing
        was loaded.
        """
        own = self._averages()
        saved = state_dict.get("average", {})
        problems = [
            f"missing: {k!r}" for k in ("decay", "updates", "average") if k not in state_dict
        ]
        if "average" in state_dict:
            problems += [f"missing: {name} {own[name].shape}" for name in own if name not in saved]
            problems += [f"unexpected: {name}" for name in saved if name not in own]
            problems += [
                f"shape of {name}: expected {own[name].shape}, got {np.shape(saved[name])}"
                for name in own
                if name in saved and np.shape(saved[name]) != own[name].shape
            ]
        if problems:
            raise StateDictError(
                "ExponentialMovingAverage.load_state_dict: nothing was loaded:\n  "
                + "\n  ".join(problems)
            )
        for name, target in own.items():
            target[...] = saved[name]
        self.decay, self.updates = state_dict["decay"], state_dict["updates"]


class _FlatAverage:
    """The averages of the parameters of one dtype, end to end."""

    def __init__(self, parameters: list[Tensor]) -> None:
        self.parameters = parameters
        self.values: Array = np.concatenate([p._data.reshape(-1) for p in parameters])
        self.scratch: Array = np.empty(min(PIECE, self.values.size), self.values.dtype)
        self.home: Home | None = None

    def views(self) -> Iterator[tuple[Tensor, Array]]:
        """Each parameter with its average."""
        start = 0
        for parameter in self.parameters:
            end = start + parameter.size
            yield parameter, self.values[start:end].reshape(parameter.shape)
            start = end

    def move(self, keep: float) -> None:
        """The averages become keep * average + (1 - keep) * weight."""
        source = self.source()
        if source is None or not keep:
            for parameter, mean in self.views():
                # a + (w - a) is w only up to rounding
                mean[...] = (
                    mean + (1 - keep) * (parameter._data - mean) if keep else parameter._data
                )
            return
        for start in range(0, source.size, PIECE):
            mean, new = self.values[start : start + PIECE], source[start : start + PIECE]
            difference = self.scratch[: mean.size]
            np.subtract(new, mean, difference)
            np.multiply(difference, 1 - keep, difference)
            np.add(mean, difference, mean)

    def source(self) -> Array | None:
        """All weights as one array, where an optimizer holds them in this order."""
        home: Home | None = getattr(self.parameters[0]._node, "home", None)
        if home is None:
            return None
        if home is not self.home:
            if not lie_in_order(self.parameters, home):
                return None
            self.home = home
        for parameter in self.parameters:
            if parameter._node is None or parameter._node.home is not home:
                return None
        return home.values
