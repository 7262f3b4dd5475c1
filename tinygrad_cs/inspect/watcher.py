"""`Watch`: statistics of layers and parameters, noted at some steps of a training."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..engine.errors import ArgumentError
from ..engine.modes import current_mode
from ..engine.types import np
from ..nn import Conv1d, ConvTranspose1d, Module
from ..optim import Optimizer
from ..training.callbacks import Callback
from ..training.history_files import write_csv
from .ears import Ear
from .statistics import Activity, Weights, share_without
from .watch_tables import as_table
from .watched import MODEL, check_arguments, chosen_layers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INPUT = "(input)"


class Watch(Callback):
    """What `watch` returns: use it in a `with` block, or `close()` it; the records stay.

    In a loop of one's own `watch.step()` stands behind `optimizer.step()`. In `fit` it is one of
    the `callbacks`, and closes itself at the end.

    Attributes:
        records: a dict per measurement and layer ("step", "layer", "kind", "calls", "mean",
            "deviation", "saturated", "dead") or parameter ("step", "parameter", "gradient",
            "quiet", "weight", "ratio", and "singular_values" where asked for). "(input)", at the
            first step only, is what the model was given; the model itself is called "(model)".
            None stands for what there is not: no call, no gradient, no such thing in this layer;
            norm and ratio are those of matrices and kernels, where there are any.
        steps: how many steps were counted.
        every: steps between measurements.

    "calls" is how often the layer was called for the step; the numbers are over all these calls.
    Gradients are as the optimizer saw them, so after clipping.
    """

    def __init__(
        self,
        model: Module,
        every: int = 10,
        layers: Iterable[str] | None = None,
        optimizer: Optimizer | None = None,
        singular_values: bool = False,
    ) -> None:
        check_arguments(model, every, optimizer)
        self.model = model
        self.every = every
        self.steps = 0
        self._noted: list[tuple[int, list[Any], list[Any]]] = []
        self._records: list[dict[str, Any]] = []
        self._told = 0
        watched = chosen_layers(model, layers)
        channels_first = any(isinstance(m, (Conv1d, ConvTranspose1d)) for m in model.modules())
        self._activities = [
            (name or MODEL, type(layer).__name__, Activity(layer, channels_first))
            for name, layer in watched
        ]
        self._ears = [
            Ear(layer, self._hearing(activity))
            for (_, layer), (_, _, activity) in zip(watched, self._activities, strict=True)
        ]
        self._input = Activity(None)
        self._ear_for_input = Ear(model, self._hear_input)
        named = list(model.named_parameters())
        only_matrices = any(parameter.ndim > 1 for _, parameter in named)
        self._weights = [
            (name, Weights(parameter, parameter.ndim > 1 or not only_matrices, singular_values))
            for name, parameter in named
        ]
        self._closed = self._armed = False
        self._foot = None
        if optimizer is not None:
            self._foot = Ear(optimizer, lambda given, out: self.step(), "step")
            self._foot.open()
        self._arm()

    def _hears(self) -> bool:
        """Is this a pass of the training?"""
        mode = current_mode()
        return mode.recording and mode.trace is None and self.model.training

    def _hear_input(self, given: tuple[Any, ...], out: Any) -> None:
        if self._hears():
            self._input.take(given)

    def _hearing(self, activity: Activity) -> Any:
        take, hears = activity.take, self._hears

        def heard(given: tuple[Any, ...], out: Any) -> None:
            if hears():
                take(out)

        return heard

    def _arm(self) -> None:
        """From here to the end of the next step everything is noted."""
        self._armed = True
        if not self._noted:
            self._input.clear()
            self._ear_for_input.open()
        for _, _, activity in self._activities:
            activity.clear()
        for ear in self._ears:
            ear.open()
        for _, weights in self._weights:
            if weights.updates:
                weights.begin()

    def _disarm(self) -> None:
        self._armed = False
        self._ear_for_input.close()
        for ear in self._ears:
            ear.close()

    def step(self) -> None:
        """Count a step of the optimizer; write down what was measured, if it was its turn."""
        if self._closed:
            return
        self.steps += 1
        if self._armed:
            self._disarm()
            # sums only: they become numbers when somebody looks
            layers = [activity.read() for _, _, activity in self._activities]
            with np.errstate(over="ignore", invalid="ignore"):
                norms = [weights.read() for _, weights in self._weights]
            self._noted.append((self.steps, layers, norms))
        if self.steps % self.every == 0:
            self._arm()

    @property
    def records(self) -> list[dict[str, Any]]:
        """A dict per measurement and layer or parameter; see the class."""
        for step, layers, norms in self._noted[self._told :]:
            if not self._records:
                row = {"step": step, "layer": INPUT, "kind": "input"}
                self._records.append(row | self._input.described(self._input.read()))
            for (name, kind, activity), sums in zip(self._activities, layers, strict=True):
                row = {"step": step, "layer": name, "kind": kind} | activity.described(sums)
                self._records.append(row)
            for (name, weights), values in zip(self._weights, norms, strict=True):
                row = {"step": step, "parameter": name} | weights.described(values)
                self._records.append(row)
        self._told = len(self._noted)
        return self._records

    def close(self) -> None:
        """Watch no more; the records stay."""
        self._disarm()
        if self._foot is not None:
            self._foot.close()
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def on_train_begin(self, run: Any) -> None:
        """Watch from the first batch on: what the model was called for before does not count."""
        if run.model is not self.model:
            raise ArgumentError("watch: this watch is over another model than the one that trains")
        self._closed = False
        if self._foot is not None:
            self._foot.open()
        if self.steps % self.every == 0:
            self._arm()

    def on_batch_end(self, run: Any) -> None:
        """A step."""
        if self._foot is None:
            self.step()

    def on_train_end(self, run: Any) -> None:
        """Close."""
        self.close()

    @property
    def layers(self) -> list[str]:
        """The names of the watched layers, "(input)" first."""
        return [INPUT, *(name for name, _, _ in self._activities)]

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters."""
        return [name for name, _ in self._weights]

    @property
    def matrices(self) -> list[str]:
        """The names of the parameters with more than one axis."""
        return [name for name, weights in self._weights if weights.parameter.ndim > 1]

    def series(self, name: str, column: str) -> tuple[list[int], list[Any]]:
        """The steps, and one column of a layer or parameter at these steps.

        Raises `ArgumentError` for a name or a column that does not exist.
        """
        self._check_name(name)
        rows = [r for r in self.records if name in (r.get("layer"), r.get("parameter"))]
        if rows and column not in rows[0]:
            raise ArgumentError(
                f"Watch: {name} has no column {column!r}; it has {', '.join(rows[0])}"
            )
        return [row["step"] for row in rows], [row[column] for row in rows]

    def _check_name(self, name: str) -> None:
        known = [*self.layers, *self.parameters]
        if name not in known:
            raise ArgumentError(f"Watch: nothing is called {name!r}; there are {', '.join(known)}")

    def never_active(self, name: str, last: int = 5) -> float | None:
        """The share of a layer's units that were dead in each of the last measurements.

        Few samples may leave a healthy unit at zero once; one that stays there is dead. Of a
        parameter: the share of its rows that never got a gradient. None for layers whose units
        cannot die, and before the first measurement. Raises `ArgumentError` for an unknown name.
        """
        self._check_name(name)
        if name == INPUT:
            return None
        if name in self.parameters:
            place = self.parameters.index(name)
            masks = [norms[place][1] for _, _, norms in self._noted[-last:]]
        else:
            place = self.layers.index(name) - 1
            masks = [layers[place][-1] for _, layers, _ in self._noted[-last:]]
        return share_without(masks)

    def table(self, step: int | None = None) -> str:
        """The last measurement as text, or that of another measured step."""
        return as_table(self.records, self.steps, step)

    def __str__(self) -> str:
        return self.table()

    __repr__ = __str__

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw all statistics over the steps; see `History.plot` for arguments and errors.

        Raises `ArgumentError` as long as nothing was measured.
        """
        from .watch_plots import draw

        picture = draw(self)
        if path is not None:
            picture.savefig(path)
        return picture

    def to_csv(self, path: str | Path) -> None:
        """Write the records as a table, with empty cells for what a record lacks."""
        write_csv(path, self.records)
