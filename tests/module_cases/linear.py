from .record import ModuleCase, normal

CASES = [
    ModuleCase(lambda nn: nn.Linear(3, 2), normal((4, 3))),
    ModuleCase(lambda nn: nn.Linear(3, 2, bias=False), normal((2, 2, 3))),
]
