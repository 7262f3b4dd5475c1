"""Not compared in float64: hardsigmoid, which PyTorch divides by a 6 in float32; nor celu with an
alpha other than a power of two, of which PyTorch takes 1 / alpha in float32.
"""

from .record import ModuleCase, away_from, normal

CASES = [
    ModuleCase(lambda nn: nn.Identity(), normal((3, 4))),
    ModuleCase(lambda nn: nn.Identity(3, bias=False), normal((3, 4))),
    ModuleCase(lambda nn: nn.ReLU(), away_from([0], 3, 4)),
    ModuleCase(lambda nn: nn.ReLU6(), away_from([0, 6], 3, 40)),
    ModuleCase(lambda nn: nn.LeakyReLU(), away_from([0], 3, 4)),
    ModuleCase(lambda nn: nn.LeakyReLU(0.3), away_from([0], 3, 4)),
    ModuleCase(lambda nn: nn.LeakyReLU(negative_slope=1.5), away_from([0], 3, 4)),
    ModuleCase(lambda nn: nn.LeakyReLU(0.0), away_from([0], 3, 4)),
    ModuleCase(lambda nn: nn.PReLU(), away_from([0], 5)),
    ModuleCase(lambda nn: nn.PReLU(num_parameters=1, init=-0.5), away_from([0], 2, 3, 4)),
    ModuleCase(lambda nn: nn.PReLU(4), away_from([0], 3, 4)),
    ModuleCase(lambda nn: nn.PReLU(3, init=0.1), away_from([0], 2, 3, 4, 2)),
    ModuleCase(lambda nn: nn.Hardtanh(), away_from([-1, 1], 3, 4)),
    ModuleCase(lambda nn: nn.Hardtanh(min_val=-0.5, max_val=2.0), away_from([-0.5, 2], 3, 4)),
    ModuleCase(lambda nn: nn.Hardsigmoid(), away_from([-3, 3], 3, 40), oracle=False),
    ModuleCase(lambda nn: nn.Sigmoid(), normal((3, 4))),
    ModuleCase(lambda nn: nn.Tanh(), normal((3, 4))),
    ModuleCase(lambda nn: nn.LogSigmoid(), normal((3, 4))),
    ModuleCase(lambda nn: nn.Softplus(), normal((3, 4))),
    ModuleCase(lambda nn: nn.Softplus(beta=3.0, threshold=6.0), away_from([2], 3, 4), smooth=False),
    ModuleCase(lambda nn: nn.ELU(), away_from([0], 3, 4)),
    ModuleCase(lambda nn: nn.ELU(alpha=0.3), away_from([0], 3, 4)),
    ModuleCase(lambda nn: nn.SELU(), away_from([0], 3, 4)),
    ModuleCase(lambda nn: nn.CELU(), away_from([0], 3, 4)),
    ModuleCase(lambda nn: nn.CELU(alpha=0.5), away_from([0], 3, 4)),
    ModuleCase(lambda nn: nn.GELU(), normal((3, 4))),
    ModuleCase(lambda nn: nn.GELU(), normal((30, 40)), smooth=False),  # by polynomials
    ModuleCase(lambda nn: nn.GELU(approximate="tanh"), normal((3, 4))),
    ModuleCase(lambda nn: nn.SiLU(), normal((3, 4))),
    ModuleCase(lambda nn: nn.Softmax(dim=1), normal((2, 3, 4))),
    ModuleCase(lambda nn: nn.Softmax(-1), normal((3, 4))),
    ModuleCase(lambda nn: nn.Softmin(dim=1), normal((2, 3, 4))),
    ModuleCase(lambda nn: nn.LogSoftmax(dim=1), normal((2, 3, 4))),
    ModuleCase(lambda nn: nn.Maxout(3, 2), normal((4, 3)), oracle=False),
    ModuleCase(lambda nn: nn.Maxout(3, 2, pieces=3), normal((2, 2, 3)), oracle=False),
    ModuleCase(lambda nn: nn.MaxoutConv2d(2, 3, 2), normal((2, 2, 4, 3)), oracle=False),
    ModuleCase(
        lambda nn: nn.MaxoutConv2d(2, 2, (3, 2), pieces=3, stride=2, padding=1, dilation=(1, 2)),
        normal((2, 2, 5, 4)),
        oracle=False,
    ),
]
