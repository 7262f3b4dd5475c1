from .record import ModuleCase, normal

CASES = [
    ModuleCase(lambda nn: nn.Linear(3, 2), normal((4, 3))),
    ModuleCase(lambda nn: nn.Linear(3, 2, bias=False), normal((2, 2, 3))),
    ModuleCase(lambda nn: nn.Bilinear(3, 2, 4), normal((5, 3), (5, 2))),
    ModuleCase(lambda nn: nn.Bilinear(2, 3, 1, bias=False), normal((2, 2, 2), (2, 2, 3))),
]
