"""The state of a run: its parts, what they depend on, and whether another state fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.errors import StateDictError
from ..engine.modes import generator
from .callbacks import Callback
from .history import History

OWN = ("epoch", "steps", "loss")
"""The numbers of a run that belong to its state."""


class Resumable:
    """What `Run` is saved and continued by: `state_dict` and `load_state_dict`.

    Subclasses say in `parts` what has a state of its own.
    """

    history: History
    callbacks: list[Callback]

    def parts(self) -> dict[str, Any]:
        """Everything with a state of its own, by name; None where a run does without."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Copies of everything that the training depends on, as nested dicts, lists and arrays.

        Model with buffers, optimizer, schedule, moving average, position in the data, random
        generator, history, best epoch, callbacks. Take it between batches: in `on_batch_end` or
        later events, or while nothing runs.
        """
        return self.core() | {
            "history": self.history.state_dict(),
            "callbacks": [callback.state_dict() for callback in self.callbacks],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to where `state_dict` of a run made alike was; `train()` continues from there.

        Raises `StateDictError` where something does not fit; then nothing was changed.
        """
        before = self.state_dict()
        refuse_other(state, before)
        try:
            self._load(state)
        except Exception:
            self._load(before)
            raise

    def _load(self, state: Mapping[str, Any]) -> None:
        self.load_core(state)
        self.history.load_state_dict(state["history"])
        for callback, saved in zip(self.callbacks, state["callbacks"], strict=True):
            callback.load_state_dict(saved)

    def core(self) -> dict[str, Any]:
        """What the next numbers depend on."""
        parts = self.parts().items()
        states = {name: part if part is None else part.state_dict() for name, part in parts}
        own = {name: getattr(self, name) for name in OWN}
        return states | {"run": own, "generator": generator().bit_generator.state}

    def load_core(self, state: Mapping[str, Any]) -> None:
        """Take over what `core` gave."""
        for name, part in self.parts().items():
            if part is not None:
                part.load_state_dict(state[name])
        vars(self).update(state["run"])
        # last: finding the place in the data may have drawn
        generator().bit_generator.state = state["generator"]


def refuse_other(state: Any, own: Mapping[str, Any]) -> None:
    """Raise `StateDictError` for a state with other parts than this run has."""
    where = "Run.load_state_dict: nothing was loaded:"
    if not isinstance(state, Mapping) or set(state) != set(own):
        got = sorted(state) if isinstance(state, Mapping) else type(state).__name__
        raise StateDictError(
            f"{where} expected what state_dict() of a run gives, with {sorted(own)}; got {got}"
        )
    for name in ("schedule", "average"):
        if (state[name] is None) != (own[name] is None):
            has, lacks = ("saved", "here") if own[name] is None else ("here", "saved")
            raise StateDictError(f"{where} {has} is the {name} of a training, {lacks} is none")
    for name in ("metrics", "callbacks", "run", "totals"):
        theirs, ours = state[name], own[name]
        if name == "metrics":
            theirs, ours = theirs.get("sums", {}), ours["sums"]
        if len(theirs) != len(ours) or (isinstance(ours, dict) and set(theirs) != set(ours)):
            raise StateDictError(
                f"{where} the saved training had {_listed(name, theirs)}, this one has "
                f"{_listed(name, ours)}; make the run with the same {name}"
            )


def _listed(name: str, values: Any) -> str:
    """How many there are, and which, where they have names."""
    named = (
        f" ({', '.join(sorted(map(str, values)))})" if values and isinstance(values, dict) else ""
    )
    return f"{len(values)} {name}{named}"
