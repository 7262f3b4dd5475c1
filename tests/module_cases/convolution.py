from .record import ModuleCase, normal

CASES = [
    ModuleCase(lambda nn: nn.Conv1d(2, 3, 3), normal((2, 2, 5))),
    ModuleCase(lambda nn: nn.Conv1d(2, 4, 2, stride=2, padding=1, groups=2), normal((2, 5))),
    ModuleCase(lambda nn: nn.Conv1d(2, 1, 3, padding="same", bias=False), normal((1, 2, 6))),
    ModuleCase(
        lambda nn: nn.Conv1d(1, 2, 3, padding=2, dilation=2, padding_mode="circular"),
        normal((2, 1, 5)),
    ),
    ModuleCase(lambda nn: nn.Conv2d(2, 3, 2), normal((2, 2, 3, 4))),
    ModuleCase(lambda nn: nn.Conv2d(2, 2, (3, 2), (2, 1), (1, 0), (1, 2), 2), normal((1, 2, 4, 5))),
    ModuleCase(lambda nn: nn.Conv2d(1, 2, 3, padding="valid", bias=False), normal((1, 4, 3))),
    ModuleCase(
        lambda nn: nn.Conv2d(1, 2, 2, padding="same", padding_mode="reflect"), normal((1, 1, 3, 3))
    ),
    ModuleCase(
        lambda nn: nn.Conv2d(1, 1, 3, padding=(2, 1), padding_mode="replicate"),
        normal((1, 1, 3, 3)),
    ),
    ModuleCase(lambda nn: nn.ConvTranspose1d(2, 3, 3), normal((2, 2, 4))),
    ModuleCase(
        lambda nn: nn.ConvTranspose1d(2, 2, 3, 2, 1, 1, groups=2, dilation=2), normal((2, 4))
    ),
    ModuleCase(lambda nn: nn.ConvTranspose2d(2, 1, 2, bias=False), normal((1, 2, 2, 3))),
    ModuleCase(
        lambda nn: nn.ConvTranspose2d(2, 4, (3, 2), (2, 3), (1, 0), (1, 2), 2), normal((1, 2, 2, 2))
    ),
]
