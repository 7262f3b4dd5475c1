"""The table of derivatives, one family a file.

Each file says in its `__all__` which functions users find at the top level (`tg.exp`). Those named
below are for the floors above: they belong to the library, not to the array API.
"""

from . import (
    averages,
    functions,
    methods,
    nan_reductions,
    numpy_choices,
    numpy_protocol,
    numpy_shapes,
)
from .conversion import alias, to_scalar, to_tensor
from .diagonals import onto_diagonal
from .encoding import one_hot
from .functions import *
from .indexing import getitem, scatter
from .losses import check_classes, softmax_cross_entropy
from .padding import pad_zeros
from .powers import self_power
from .products import linear
from .updating import add_at, maximum_at, minimum_at, multiply_at, put
