import numpy as np

from .record import ModuleCase, normal


def padded(batch_first):
    """Self-attention's three inputs and a mask for padding at the end of the second sample."""

    def draw(rng):
        shape = (2, 3, 4) if batch_first else (3, 2, 4)
        x = [rng.normal(size=shape) for _ in range(3)]
        return (*x, np.array([[False, False, False], [False, False, True]]))

    return draw


CASES = [
    ModuleCase(lambda nn: nn.MultiheadAttention(4, 2), normal((3, 2, 4), (5, 2, 4), (5, 2, 4))),
    ModuleCase(lambda nn: nn.MultiheadAttention(4, 1, bias=False, batch_first=True), padded(True)),
    ModuleCase(lambda nn: nn.MultiheadAttention(4, 2), padded(False)),
    ModuleCase(
        lambda nn: nn.MultiheadAttention(4, 2, kdim=3, vdim=2), normal((2, 4), (3, 3), (3, 2))
    ),
    ModuleCase(
        lambda nn: nn.MultiheadAttention(4, 2, dropout=0.5),
        normal((2, 3, 4), (3, 3, 4), (3, 3, 4)),
        random=True,
    ),
]
