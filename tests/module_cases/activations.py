from .record import ModuleCase, away_from, normal

CASES = [
    ModuleCase(lambda nn: nn.ReLU(), away_from([0], 3, 4)),
    ModuleCase(lambda nn: nn.Sigmoid(), normal((3, 4))),
    ModuleCase(lambda nn: nn.Tanh(), normal((3, 4))),
]
