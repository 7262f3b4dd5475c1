"""What training loops do with all parameters at once."""

from .clipping import clip_grad_norm_, clip_grad_value_
from .vectors import parameters_to_vector, vector_to_parameters

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "parameters_to_vector",
    "vector_to_parameters",
]
