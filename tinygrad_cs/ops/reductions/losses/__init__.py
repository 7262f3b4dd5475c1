"""Fused losses: one operation where the composed form would cost several passes.

Each is what `nn.functional` calls after it has checked the arguments; the value and the slope come
from the same pass, and the slope's formula gives the derivatives of higher order.
"""

from .binary import binary_cross_entropy, sigmoid_cross_entropy
from .classification import check_classes, soft_cross_entropy, softmax_cross_entropy
from .divergences import kl_divergence, kl_divergence_of_logs, normal_log_loss
from .margins import class_margins
from .penalties import absolute_total, square_total
from .regression import absolute_error, huber_error, squared_error

__all__ = [
    "absolute_error",
    "absolute_total",
    "binary_cross_entropy",
    "check_classes",
    "class_margins",
    "huber_error",
    "kl_divergence",
    "kl_divergence_of_logs",
    "normal_log_loss",
    "sigmoid_cross_entropy",
    "soft_cross_entropy",
    "softmax_cross_entropy",
    "square_total",
    "squared_error",
]
