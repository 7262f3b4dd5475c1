"""Linear algebra: the functions of `numpy.linalg`, on stacks of matrices, with derivatives."""

from . import (
    conditioning,
    determinants,
    inverses,
    norms,
    orthogonal,
    products,
    singular_values,
    symmetric,
    vector_norms,
)
from .conditioning import *
from .determinants import *
from .inverses import *
from .norms import *
from .orthogonal import *
from .products import *
from .singular_values import *
from .symmetric import *
from .vector_norms import *

__all__: list[str] = []
__all__ += conditioning.__all__
__all__ += determinants.__all__
__all__ += inverses.__all__
__all__ += norms.__all__
__all__ += orthogonal.__all__
__all__ += products.__all__
__all__ += singular_values.__all__
__all__ += symmetric.__all__
__all__ += vector_norms.__all__
