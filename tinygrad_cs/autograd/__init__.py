"""Derivatives as values and as functions, and the gradient checker."""

from ..engine.define import operation
from . import func
from .gradcheck import gradcheck, gradgradcheck
from .gradients import grad

__all__ = ["func", "grad", "gradcheck", "gradgradcheck", "operation"]
