"""The state of a run: which numbers belong to it, and whether another one fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.errors import StateDictError

OWN = (
    "epoch",
    "steps",
    "loss",
    "_loss_sum",
    "_samples",
    "_norm_sum",
    "_seconds",
    "_first_step",
    "_lr_used",
)
"""The numbers of a run that belong to its state."""


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
    for name in ("metrics", "callbacks", "run"):
        theirs, ours = state[name], own[name]
        if len(theirs) != len(ours) or (isinstance(ours, dict) and set(theirs) != set(ours)):
            raise StateDictError(
                f"{where} {len(theirs)} {name} were saved, {sorted(map(str, theirs))}; here are "
                f"{len(ours)}, {sorted(map(str, ours))}"
            )
