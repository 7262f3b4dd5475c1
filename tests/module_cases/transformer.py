from .record import ModuleCase, normal


def stack(nn, *arguments):
    """PyTorch warns of what it cannot do fast, unless told not to try."""
    quiet = {"enable_nested_tensor": False} if nn.__name__.startswith("torch") else {}
    return nn.TransformerEncoder(*arguments, **quiet)


CASES = [
    ModuleCase(lambda nn: nn.TransformerEncoderLayer(4, 2, 5, 0.0, "gelu"), normal((3, 2, 4))),
    ModuleCase(
        lambda nn: nn.TransformerEncoderLayer(
            4, 1, 3, 0.0, nn.Tanh(), 1e-3, norm_first=True, batch_first=True, bias=False
        ),
        normal((2, 3, 4)),
    ),
    ModuleCase(lambda nn: nn.TransformerEncoderLayer(4, 2, 5), normal((3, 4)), random=True),
    ModuleCase(
        lambda nn: stack(
            nn,
            nn.TransformerEncoderLayer(4, 2, 3, 0.0, norm_first=True, batch_first=True, bias=False),
            2,
            nn.LayerNorm(4),
        ),
        normal((2, 3, 4)),
    ),
    ModuleCase(
        lambda nn: stack(nn, nn.TransformerEncoderLayer(2, 1, 3, 0.0, activation="gelu"), 1),
        normal((3, 2, 2)),
    ),
]
