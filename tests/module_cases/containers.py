from .record import ModuleCase, normal

CASES = [
    ModuleCase(
        lambda nn: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), normal((5, 3))
    ),
]
