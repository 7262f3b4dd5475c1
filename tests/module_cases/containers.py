from collections import OrderedDict

from .record import ModuleCase, normal


def listed(nn):
    """A list of layers, called one after the other."""

    class ModuleList(nn.ModuleList):
        def forward(self, x):
            for layer in self:
                x = layer(x)
            return x

    return ModuleList([nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)])


def named(nn):
    """Two heads by name, both called."""

    class ModuleDict(nn.ModuleDict):
        def forward(self, x):
            return [head(x) for head in self.values()]

    return ModuleDict({"mean": nn.Linear(3, 2), "spread": nn.Linear(3, 1)})


def parameters(nn):
    """The weight and the bias of a linear layer in a list."""

    class ParameterList(nn.ParameterList):
        def forward(self, x):
            return x @ self[0].T + self[1]

    return ParameterList(nn.Linear(3, 2).parameters())


CASES = [
    ModuleCase(
        lambda nn: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), normal((5, 3))
    ),
    ModuleCase(
        lambda nn: nn.Sequential(OrderedDict(first=nn.Linear(3, 2), act=nn.Tanh()))[:2],
        normal((5, 3)),
    ),
    ModuleCase(listed, normal((4, 3))),
    ModuleCase(named, normal((4, 3))),
    ModuleCase(parameters, normal((4, 3)), oracle=False),  # PyTorch forbids to call it
    ModuleCase(lambda nn: nn.Flatten(), normal((2, 3, 2, 2))),
    ModuleCase(lambda nn: nn.Flatten(0, -2), normal((2, 3, 2))),
    ModuleCase(lambda nn: nn.Unflatten(1, (2, 3)), normal((2, 6, 2))),
    ModuleCase(lambda nn: nn.Upsample(scale_factor=2), normal((1, 2, 3))),
    ModuleCase(lambda nn: nn.Upsample((3, 5), mode="bilinear"), normal((1, 2, 2, 3))),
    ModuleCase(
        lambda nn: nn.Upsample(5, mode="linear", align_corners=True),
        normal((1, 2, 3)),
    ),
]
