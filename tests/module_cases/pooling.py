from .record import ModuleCase, normal

CASES = [
    ModuleCase(lambda nn: nn.MaxPool1d(2), normal((2, 2, 5))),
    ModuleCase(lambda nn: nn.MaxPool1d(3, 2, 1, ceil_mode=True), normal((2, 6))),
    ModuleCase(lambda nn: nn.MaxPool1d(2, 1, 0, 2), normal((1, 2, 5))),
    ModuleCase(lambda nn: nn.MaxPool2d(2), normal((2, 2, 4, 5))),
    ModuleCase(lambda nn: nn.MaxPool2d((3, 2), (1, 2), (1, 0), ceil_mode=True), normal((2, 4, 5))),
    ModuleCase(lambda nn: nn.AvgPool1d(2), normal((2, 2, 5))),
    ModuleCase(lambda nn: nn.AvgPool1d(3, 2, 1, True, False), normal((2, 6))),
    ModuleCase(lambda nn: nn.AvgPool2d(2), normal((2, 1, 4, 5))),
    ModuleCase(lambda nn: nn.AvgPool2d((3, 2), 2, (1, 0), True, False), normal((2, 4, 5))),
    ModuleCase(lambda nn: nn.AvgPool2d(2, 1, 1, divisor_override=3), normal((1, 2, 3, 3))),
    ModuleCase(lambda nn: nn.AdaptiveMaxPool1d(3), normal((2, 2, 5))),
    ModuleCase(lambda nn: nn.AdaptiveMaxPool2d((2, None)), normal((1, 2, 5, 3))),
    ModuleCase(lambda nn: nn.AdaptiveAvgPool1d(3), normal((2, 2, 5))),
    ModuleCase(lambda nn: nn.AdaptiveAvgPool2d(1), normal((2, 2, 4, 3))),
    ModuleCase(lambda nn: nn.AdaptiveAvgPool2d((2, 3)), normal((2, 5, 4))),
    ModuleCase(
        lambda nn: nn.FractionalMaxPool2d(2, output_size=(3, 4)),
        normal((1, 2, 8, 9)),
        oracle=False,
        random=True,
    ),
    ModuleCase(
        lambda nn: nn.FractionalMaxPool2d((2, 3), output_ratio=0.6),
        normal((2, 9, 9)),
        oracle=False,
        random=True,
    ),
]
