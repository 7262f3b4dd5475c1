from .record import ModuleCase, normal

CASES = [
    ModuleCase(lambda nn: nn.Dropout(), normal((4, 5)), random=True),
    ModuleCase(lambda nn: nn.Dropout(p=0.2), normal((2, 3, 4)), random=True),
    ModuleCase(lambda nn: nn.Dropout(0), normal((2, 3))),
    ModuleCase(lambda nn: nn.Dropout(1), normal((2, 3))),
    ModuleCase(lambda nn: nn.Dropout2d(0.4), normal((4, 5, 2, 2)), random=True),
    ModuleCase(lambda nn: nn.Dropout2d(1.0), normal((1, 2, 2, 2))),
    ModuleCase(lambda nn: nn.AlphaDropout(0.3), normal((4, 5)), random=True),
    ModuleCase(lambda nn: nn.AlphaDropout(0.0), normal((4, 5))),
    ModuleCase(lambda nn: nn.AlphaDropout(1.0), normal((4, 5))),
    ModuleCase(lambda nn: nn.PlainDropout(0.3), normal((4, 5)), oracle=False, random=True),
    ModuleCase(lambda nn: nn.PlainDropout(0), normal((4, 5)), oracle=False),
    ModuleCase(lambda nn: nn.DropConnect(4, 5), normal((3, 4)), oracle=False, random=True),
    ModuleCase(
        lambda nn: nn.DropConnect(3, 4, bias=False, p=0.2),
        normal((2, 2, 3)),
        oracle=False,
        random=True,
    ),
    ModuleCase(
        lambda nn: nn.Residual(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))),
        normal((2, 3)),
        oracle=False,
    ),
    ModuleCase(
        lambda nn: nn.Residual(nn.Linear(3, 2), shortcut=nn.Linear(3, 2, bias=False)),
        normal((2, 3)),
        oracle=False,
    ),
    # (Of the seeds that the walk compares, 2 keeps the block and 3 leaves it out; rows differ.)
    ModuleCase(
        lambda nn: nn.StochasticDepth(nn.Linear(3, 3), 0.2),
        normal((4, 3)),
        oracle=False,
        random=True,
    ),
    ModuleCase(
        lambda nn: nn.StochasticDepth(nn.Linear(3, 2), 0.3, nn.Linear(3, 2), mode="row"),
        normal((6, 3)),
        oracle=False,
        random=True,
    ),
]
