"""The table of derivatives, one family a file.

Each file says in its `__all__` which functions users find at the top level (`tg.exp`). Those named
below are for the floors above: they belong to the library, not to the array API.
"""

from . import functions, methods, numpy_protocol
from .elementwise import self_power
from .functions import *
from .indexing import getitem, put, scatter
from .losses import check_classes, softmax_cross_entropy
from .products import linear
from .shaping import alias, to_scalar, to_tensor
