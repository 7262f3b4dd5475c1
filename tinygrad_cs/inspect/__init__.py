"""Looking into models and trainings: statistics of layers, summaries, what went wrong."""

from .diagnosing import *
from .drawing import *
from .explaining import *
from .summarizing import *
from .trials import *
from .watching import *
