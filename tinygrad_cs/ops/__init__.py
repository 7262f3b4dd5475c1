"""The table of derivatives, one family a file.

Each file says in its `__all__` which functions users find at the top level (`tg.exp`). Those named
below are for the floors above: they belong to the library, not to the array API.
"""

from . import functions
from .contractions.products import linear
from .elementwise.exponential_units import elu
from .elementwise.gates import gelu_tanh, silu
from .elementwise.gelu import gelu
from .elementwise.powers import self_power
from .elementwise.rectifiers import hardsigmoid, hardtanh, leaky_relu, prelu
from .front import (
    methods,
    numpy_aliases,
    numpy_choices,
    numpy_protocol,
    numpy_reductions,
    numpy_shapes,
)
from .functions import *
from .indices.encoding import one_hot
from .indices.indexing import getitem, scatter
from .indices.updating import add_at, maximum_at, minimum_at, multiply_at, put
from .reductions import averages, nan_reductions
from .reductions.losses import check_classes, softmax_cross_entropy
from .shapes.conversion import alias, to_scalar, to_tensor
from .shapes.diagonals import onto_diagonal
from .shapes.padding import pad_zeros
