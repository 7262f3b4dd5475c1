"""tinygrad_cs: automatic differentiation one can read, on NumPy.

    import tinygrad_cs as tg

`tg.tensor` and `tg.Scalar` make nodes, operations on them are recorded, `backward()` fills `.grad`.
Array functions follow the Python Array API standard, layers and optimizers follow PyTorch.
"""

from . import autograd, data, nn, ops, optim
from .autograd import func
from .engine.errors import TinygradError
from .engine.modes import debug, enable_grad, manual_seed, no_grad, set_default_dtype
from .engine.scalar import Scalar
from .engine.tensor import Tensor, asarray, tensor
from .ops.functions import *

__all__ = [
    "Scalar",
    "Tensor",
    "TinygradError",
    "abs",
    "add",
    "asarray",
    "astype",
    "autograd",
    "broadcast_to",
    "clip",
    "concat",
    "cos",
    "data",
    "debug",
    "divide",
    "einsum",
    "enable_grad",
    "exp",
    "expand_dims",
    "floor_divide",
    "func",
    "log",
    "log_softmax",
    "logsumexp",
    "manual_seed",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "multiply",
    "negative",
    "nn",
    "no_grad",
    "ops",
    "optim",
    "permute_dims",
    "power",
    "relu",
    "remainder",
    "reshape",
    "set_default_dtype",
    "sigmoid",
    "sin",
    "softmax",
    "sqrt",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "tanh",
    "tensor",
    "var",
    "where",
]
