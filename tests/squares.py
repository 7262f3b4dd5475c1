"""A data set for the tests of loaders."""

import numpy as np

from tinygrad_cs import data
from tinygrad_cs.engine.modes import generator


class Squares(data.Dataset):
    """Samples one by one, with a little noise from the library's generator."""

    def __init__(self, samples=20, noise=0.0):
        self.samples, self.noise, self.seen = samples, noise, []

    def __len__(self):
        return self.samples

    def __getitem__(self, position):
        self.seen.append(position)
        return position, np.full(3, position**2 + self.noise * generator().normal())


def listed(batches):
    return [[part.tolist() for part in batch] for batch in batches]
