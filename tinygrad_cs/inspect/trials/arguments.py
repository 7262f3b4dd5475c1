"""Checks of what the trials are given, before any time is spent."""

from __future__ import annotations

from typing import Any

from ...engine.errors import ArgumentError
from ...nn.module import Module
from ...optim import Optimizer


def check_model_and_loss(where: str, model: Any, loss: Any) -> None:
    """Raise `ArgumentError` unless these are a module and something that gives one number."""
    if not isinstance(model, Module):
        raise ArgumentError(
            f"{where}: expected an nn.Module first, got {type(model).__name__}; the order is "
            f"{where}(model, loss, data)"
        )
    if type(model).__module__.startswith("tinygrad_cs.nn.losses"):
        raise ArgumentError(
            f"{where}: got the loss {type(model).__name__} where the model should be; the order is "
            f"{where}(model, loss, data)"
        )
    if not callable(loss) or isinstance(loss, type):
        raise ArgumentError(
            f"{where}: expected a loss second that can be called with prediction and target, such "
            f"as nn.CrossEntropyLoss(), got {type(loss).__name__}; the order is "
            f"{where}(model, loss, data)"
        )
    if getattr(loss, "reduction", "mean") == "none":
        raise ArgumentError(f"{where}: reduction='none' gives no single loss; take 'mean' or 'sum'")


def check_trainable(where: str, model: Module) -> None:
    """Raise `ArgumentError` unless the model has a parameter that is not frozen."""
    names = [name for name, _ in model.named_parameters()]
    if not names:
        raise ArgumentError(f"{where}: {type(model).__name__} has no parameters to train")
    if not any(p.requires_grad for p in model.parameters()):
        raise ArgumentError(
            f"{where}: all {len(names)} parameters of {type(model).__name__} are frozen; thaw some "
            f"with model.requires_grad_(True)"
        )


def check_optimizer(where: str, model: Module, optimizer: Any) -> None:
    """Raise `ArgumentError` unless the optimizer trains something of this model."""
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError(
            f"{where}: expected an optimizer such as optim.Adam(model.parameters(), lr=1e-3), got "
            f"{type(optimizer).__name__}"
        )
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not any(id(p) in held for p in model.parameters()):
        raise ArgumentError(
            f"{where}: the optimizer holds none of this model's parameters; make it after the "
            f"model: optim.Adam(model.parameters())"
        )
