"""tinygrad_cs: automatic differentiation one can read, on NumPy."""

from . import autograd, data, nn, ops, optim
from .autograd import func
from .engine.errors import TinygradError
from .engine.modes import debug, enable_grad, manual_seed, no_grad, set_default_dtype
from .engine.scalar import Scalar
from .engine.tensor import Tensor, asarray, tensor
from .ops import *  # noqa: F403
