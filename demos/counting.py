"""What a table of all that was read foresees: the rival of a net that guesses characters."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np


def by_counting(training: Any, test: Any, symbols: int, order: int) -> float:
    """Bits per character of the test text for one who knows the last `order` characters.

    The probabilities are counted in the training text. What never followed there gets the
    probability it has after one character less (Witten and Bell, 1991).
    """
    training, test = training.tolist(), test.tolist()
    p = np.full(len(test), 1 / symbols)
    for k in range(order + 1):
        after: dict[Any, Counter[int]] = defaultdict(Counter)
        for i in range(k, len(training)):
            after[tuple(training[i - k : i])][training[i]] += 1
        for i in range(k, len(test)):
            if (seen := after.get(tuple(test[i - k : i]))) is not None:
                p[i] = (seen[test[i]] + len(seen) * p[i]) / (seen.total() + len(seen))
    return float(-np.log2(p[1:]).mean())
