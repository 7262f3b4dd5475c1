"""Initialisers: how to draw the first weights, in place; and `apply`, which does a whole model.

A layer keeps the variance of what flows through it when the variance of its weights is
gain^2 / fan; which fan and which gain is the difference between the published rules.
"""

from .filling import constant_, normal_, ones_, trunc_normal_, uniform_, zeros_
from .gains import calculate_gain
from .report import Drawn, Report
from .scaling import (
    fans,
    kaiming_normal_,
    kaiming_uniform_,
    lecun_normal_,
    lecun_uniform_,
    xavier_normal_,
    xavier_uniform_,
)
from .scheme import apply
from .structured import dirac_, eye_, orthogonal_

__all__ = [
    "Drawn",
    "Report",
    "apply",
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "fans",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]
