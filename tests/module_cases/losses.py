from .record import ModuleCase, normal


def classes(n, c):
    return lambda rng: (rng.normal(size=(n, c)), rng.integers(0, c, size=n))


CASES = [
    ModuleCase(lambda nn: nn.CrossEntropyLoss(), classes(4, 3)),
    ModuleCase(lambda nn: nn.CrossEntropyLoss(reduction="sum"), classes(4, 3)),
    ModuleCase(lambda nn: nn.MSELoss(), normal((4, 3), (4, 3))),
]
