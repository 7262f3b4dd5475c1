"""The parameters of one group and dtype as an optimizer works on them: in pieces of flat arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ..engine.tensor import Tensor
from ..engine.threads import WORTH_IT
from ..engine.types import Array, np
from .buffer import PIECE, FlatBuffer

Rows = tuple[Array, Array, Array]


class Piece:
    """A stretch of the flat arrays that is updated at one time.

    Attributes:
        w, g: values and gradients.
        state: the optimizer's state arrays, by name.
        scratch: three rows of working memory; `gradient` may use the last.
    """

    __slots__ = ("g", "scratch", "state", "w")

    def __init__(self, block: Block, start: int, stop: int, scratch: Rows) -> None:
        self.w = block.buffer.values[start:stop]
        self.g = block.buffer.grads[start:stop]
        self.state = {name: array[start:stop] for name, array in block.state.items()}
        self.scratch = scratch

    def gradient(self, group: dict[str, Any], decay: float) -> Array:
        """What a rule calls g: -g to maximize, then decay * w added. `.grad` stays as it is."""
        if not group["maximize"]:
            if not decay:
                return self.g
            combine: Any = np.add
        elif not decay:
            negated: Array = np.negative(self.g, self.scratch[2])
            return negated
        else:
            combine = np.subtract
        total: Array = self.scratch[2]
        np.multiply(self.w, decay, total)
        combine(total, self.g, total)
        return total


class Block:
    """Parameters of one group and one dtype: their buffer, their state arrays, their step counts.

    `counts` counts per parameter; as long as all are equal, one does for the whole buffer.
    """

    def __init__(self, parameters: list[Tensor], state: Mapping[str, float], count: Any) -> None:
        self.buffer = FlatBuffer(parameters)
        values = self.buffer.values
        # zeros that no rule ever touches take no memory
        self.state: dict[str, Array] = {
            name: np.full_like(values, start) if start else np.zeros_like(values)
            for name, start in state.items()
        }
        self.counts = [count] * len(parameters)
        self._scratch: list[Rows] = []
        self._pieces: list[Piece] | None = None
        self._trace: Any = None  # while one runs: a compiled step has working memory of its own

    @property
    def pieces(self) -> list[Piece]:
        """The whole buffer in pieces that fit in the cache."""
        if self._pieces is None:
            self._pieces = list(self.pieces_of(slice(0, len(self.buffer.values))))
        return self._pieces

    def pieces_of(self, place: slice) -> Iterator[Piece]:
        """A stretch of the buffer in pieces that fit in the cache."""
        values = self.buffer.values
        several, length = _pieces(len(values))
        if self._trace is not None:
            yield Piece(self, place.start, place.stop, self._trace.working_memory(values[place]))
            return
        if not self._scratch:
            # two sets, for neighbours that are updated at the same time
            sets = np.empty((min(several, 2), 3, length), values.dtype)
            self._scratch = [(one, two, three) for one, two, three in sets]
        for i, start in enumerate(range(place.start, place.stop, length)):
            stop = min(start + length, place.stop)
            one, two, three = self._scratch[i % len(self._scratch)]
            n = stop - start
            yield Piece(self, start, stop, (one[:n], two[:n], three[:n]))

    def captured_by(self, trace: Any) -> None:
        """Tell a trace which arrays a step reads and changes."""
        buffer = self.buffer
        if not buffer.claimed():  # frozen, thawed, or another optimizer's since the last step
            trace.not_now()
        for parameter in buffer.parameters:
            trace.capture(parameter, "parameter")
        trace.attribute(buffer, "values", "parameters")
        trace.attribute(buffer, "grads", "gradients")
        state = {
            name: trace.array(array, name, self, f".state[{name!r}]")
            for name, array in self.state.items()
        }
        trace.replace(self, "state", state)
        trace.counts(self)
        trace.replace(self, "_trace", trace)
        trace.replace(self, "_pieces", None)

    def add_state(self, state: Mapping[str, float]) -> None:
        """Lay out those of these arrays that are not there yet."""
        if len(state) == len(self.state):
            return
        values = self.buffer.values
        for name, start in state.items():
            if name not in self.state:
                self.state[name] = np.full_like(values, start)
        self._pieces = None

    def saved(self) -> dict[str, Any]:
        """Copies of everything that the next steps depend on, beside values and gradients."""
        shapes = [parameter.shape for parameter in self.buffer.parameters]
        arrays = {name: array.copy() for name, array in self.state.items()}
        return {"shapes": shapes, "steps": list(self.counts), **arrays}

    def problems(self, saved: Mapping[str, Any]) -> list[str]:
        """What speaks against taking over what `saved` of another block gave."""
        if not isinstance(saved, Mapping):
            return [f"expected a dict, got {type(saved).__name__}"]
        own = self.saved_keys()
        found = [f"missing: {key!r}" for key in own if key not in saved]
        found += [f"unexpected: {key!r}" for key in saved if key not in own]
        shapes = [parameter.shape for parameter in self.buffer.parameters]
        theirs = [tuple(shape) for shape in saved.get("shapes", shapes)]
        if theirs != shapes:
            found.append(f"the saved state belongs to other parameters ({theirs}, here {shapes})")
        elif len(saved.get("steps", shapes)) != len(shapes):
            found.append(f"{len(saved['steps'])} step counts for {len(shapes)} parameters")
        return found + [
            f"{name!r} has {np.size(saved[name])} entries, expected {array.size}"
            for name, array in self.state.items()
            if theirs == shapes and name in saved and np.shape(saved[name]) != array.shape
        ]

    def saved_keys(self) -> list[str]:
        """The keys of `saved`."""
        return ["shapes", "steps", *self.state]

    def load(self, saved: Mapping[str, Any]) -> None:
        """Take over what `saved` gave and `problems` found nothing wrong with."""
        self.counts = list(saved["steps"])
        for name, array in self.state.items():
            array[...] = saved[name]


def _pieces(entries: int) -> tuple[int, int]:
    """Into how many pieces a buffer is cut, of what length: an even number where threads share."""
    several = 1 if entries < WORTH_IT else 2 * math.ceil(entries / (2 * PIECE))
    return several, max(1, math.ceil(entries / several))


def blend(mean: Array, new: Array, keep: float, scratch: Array) -> None:
    """A running mean in place: mean <- keep mean + (1 - keep) new; `scratch` may be `new`."""
    np.multiply(mean, keep, mean)
    np.multiply(new, 1 - keep, scratch)
    np.add(mean, scratch, mean)
