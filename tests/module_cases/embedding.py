from .record import ModuleCase


def words(count, *shape):
    return lambda rng: (rng.integers(0, count, size=shape),)


# Where a padding row is looked up, its gradient is zero though the output changes with it.
CASES = [
    ModuleCase(lambda nn: nn.Embedding(5, 3), words(5, 2, 4)),
    ModuleCase(lambda nn: nn.Embedding(4, 2, padding_idx=3), words(3, 6)),
    ModuleCase(lambda nn: nn.Embedding(4, 2, -1), words(3)),
]
