"""Parameter groups: what may be handed to an optimizer, and what is wrong with the rest."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from ..engine.errors import ArgumentError, DTypeError, UnknownNameError
from ..engine.tensor import Tensor
from ..engine.types import np

SCHEDULED = ("initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum")
"""What schedules of the learning rate write into a group beside the optimizer's own options."""


class Params(tuple[Any, ...]):
    """The parameters of a group, which lie in one array: fixed when the group is made."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        raise UnknownNameError(
            f"param_groups[i]['params'] has no {name!r}: the parameters of a group lie in one "
            f"array and cannot change; write optimizer.add_param_group({{'params': [...]}}) to "
            f"train more, p.requires_grad = False to train fewer"
        )


def read_groups(params: Any, name: str) -> list[dict[str, Any]]:
    """The parameter groups that a user's `params` stands for; raises for anything else."""
    if isinstance(params, Tensor):
        raise ArgumentError(
            f"{name}: params must be a list of parameters, got a single tensor; write [w]"
        )
    if hasattr(type(params), "named_parameters"):
        raise ArgumentError(
            f"{name}: params must be a list of parameters, got the module "
            f"{type(params).__name__}; write model.parameters()"
        )
    listed = _listed(params, name)
    if not listed:
        raise ArgumentError(
            f"{name}: the parameter list is empty; either the model has no parameters (nn.ReLU() "
            f"has none), or the generator was used up: model.parameters() can be walked once"
        )
    if not any(isinstance(entry, dict) for entry in listed):
        return [_checked({"params": listed}, name)]
    for i, group in enumerate(listed):
        if not isinstance(group, dict) or "params" not in group:
            raise ArgumentError(
                f"{name}: entry {i} is not a parameter group; either all entries are "
                f'parameters, or all are groups such as {{"params": [...], "lr": 0.1}}'
            )
    return [_checked({**g, "params": _listed(g["params"], name)}, name) for g in listed]


def _listed(params: Any, name: str) -> list[Any]:
    if isinstance(params, Tensor):
        return [params]
    if isinstance(params, dict):
        raise ArgumentError(
            f"{name}: params must be a list, got a dict; write model.parameters() for all "
            f'parameters, [{{"params": [...], "lr": 0.1}}] for a group'
        )
    if not isinstance(params, Iterable):
        raise ArgumentError(
            f"{name}: params must be a list of parameters, got {type(params).__name__}"
        )
    listed = list(params)
    for entry in listed:
        if hasattr(type(entry), "named_parameters"):
            raise ArgumentError(
                f"{name}: params holds the module {type(entry).__name__}; write "
                f"model.parameters(), for several modules "
                f"[*first.parameters(), *second.parameters()]"
            )
        if isinstance(entry, (list, Iterator)):
            raise ArgumentError(
                f"{name}: params holds a {type(entry).__name__}; without brackets around it write "
                f"{name}(model.parameters()), for several modules "
                f"{name}([*first.parameters(), *second.parameters()])"
            )
    return listed


def as_params(group: dict[str, Any]) -> dict[str, Any]:
    """The group with its parameters fixed."""
    return {**group, "params": Params(group["params"])}


def _checked(group: dict[str, Any], name: str) -> dict[str, Any]:
    if not group["params"]:
        raise ArgumentError(
            f"{name}: a parameter group is empty; the model has no parameters, or its generator "
            f"was used up: model.parameters() can be walked once"
        )
    for i, parameter in enumerate(group["params"]):
        _check_parameter(parameter, i, name)
    return group


def _check_parameter(parameter: Any, i: int, name: str) -> None:
    if not isinstance(parameter, Tensor):
        named = isinstance(parameter, tuple) and len(parameter) == 2
        hint = "; write model.parameters() without the names" if named else ""
        raise DTypeError(f"{name}: parameter {i} is {type(parameter).__name__}, not a tensor{hint}")
    if parameter.dtype.kind != "f":
        raise DTypeError(
            f"{name}: parameter {i} of shape {parameter.shape} holds {parameter.dtype}: small "
            f"steps need floating data; write tg.tensor(..., dtype='float32', requires_grad=True)"
        )
    if not parameter.requires_grad or not parameter.is_leaf:
        raise ArgumentError(
            f"{name}: parameter {i} of shape {parameter.shape} is not a leaf that requires a "
            f"gradient, so it cannot be trained; leave frozen ones out: "
            f"[p for p in model.parameters() if p.requires_grad]"
        )


def refuse_duplicates(groups: Iterable[dict[str, Any]], name: str) -> None:
    """Raise if a parameter stands in these groups twice."""
    seen: set[int] = set()
    for group in groups:
        for i, parameter in enumerate(group["params"]):
            if id(parameter) in seen:
                raise ArgumentError(
                    f"{name}: parameter {i} of shape {parameter.shape} is listed twice; it would "
                    f"be updated twice"
                )
            seen.add(id(parameter))


def refuse_unknown(group: dict[str, Any], defaults: dict[str, Any], name: str) -> None:
    """Raise for an option that the optimizer does not have."""
    for key in group:
        if key not in defaults and key != "params" and key not in SCHEDULED:
            near = difflib.get_close_matches(key, defaults, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ArgumentError(
                f"{name}: a parameter group has no option {key!r}{hint} "
                f"(it takes {', '.join(defaults)})"
            )


def by_dtype(parameters: Iterable[Tensor]) -> list[list[Tensor]]:
    """The parameters of each dtype, in their order."""
    parameters = list(parameters)
    dtypes = list(dict.fromkeys(parameter.dtype for parameter in parameters))
    return [[p for p in parameters if p.dtype == dtype] for dtype in dtypes]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def check_not_negative(name: str, group: dict[str, Any], *keys: str) -> None:
    """Raise `ArgumentError` unless these options are numbers of 0 or more."""
    for key in keys:
        value = group[key]
        if not _is_number(value) or not value >= 0:
            raise ArgumentError(f"{name}: {key} must be a number of 0 or more, got {value!r}")


def check_fraction(name: str, group: dict[str, Any], key: str) -> None:
    """Raise `ArgumentError` unless this option is a number in [0, 1]."""
    value = group[key]
    if not _is_number(value) or not 0 <= value <= 1:
        raise ArgumentError(f"{name}: {key} must be a number in [0, 1], got {value!r}")


def check_betas(name: str, group: dict[str, Any]) -> None:
    """Raise `ArgumentError` unless betas are two numbers in [0, 1)."""
    betas = group["betas"]
    if (
        not isinstance(betas, (tuple, list))
        or len(betas) != 2
        or not all(_is_number(beta) and 0 <= beta < 1 for beta in betas)
    ):
        raise ArgumentError(f"{name}: betas must be two numbers in [0, 1), got {betas}")


def check_switch(name: str, group: dict[str, Any], *keys: str) -> None:
    """Raise `ArgumentError` unless these options are True or False."""
    for key in keys:
        if not isinstance(group[key], (bool, np.bool_)):
            raise ArgumentError(f"{name}: {key} must be True or False, got {group[key]!r}")
