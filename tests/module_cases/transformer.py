from .record import ModuleCase, normal

CASES = [
    ModuleCase(lambda nn: nn.TransformerEncoderLayer(4, 2, 5, 0.0, "gelu"), normal((3, 2, 4))),
    ModuleCase(
        lambda nn: nn.TransformerEncoderLayer(
            4, 1, 3, 0.0, nn.Tanh(), 1e-3, norm_first=True, batch_first=True, bias=False
        ),
        normal((2, 3, 4)),
    ),
    ModuleCase(lambda nn: nn.TransformerEncoderLayer(4, 2, 5), normal((3, 4)), random=True),
]
