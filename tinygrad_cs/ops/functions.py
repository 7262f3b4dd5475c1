"""The array functions that users find at the top level: what every family offers, together."""

from .contraction import *
from .elementwise import *
from .products import *
from .reductions import *
from .rounding import *
from .selection import *
from .shaping import *
