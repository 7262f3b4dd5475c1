from .record import ModuleCase, normal

CASES = [
    ModuleCase(lambda nn: nn.BatchNorm1d(3), normal((5, 3))),
    ModuleCase(lambda nn: nn.BatchNorm1d(3, momentum=None), normal((4, 3, 2))),
    ModuleCase(lambda nn: nn.BatchNorm1d(2, eps=0.1, momentum=0.3, affine=False), normal((4, 2))),
    ModuleCase(lambda nn: nn.BatchNorm1d(2, track_running_stats=False), normal((4, 2))),
    ModuleCase(lambda nn: nn.BatchNorm2d(2), normal((3, 2, 2, 3))),
    ModuleCase(
        lambda nn: nn.BatchNorm2d(2, affine=False, track_running_stats=False),
        normal((2, 2, 2, 2)),
    ),
    ModuleCase(lambda nn: nn.LayerNorm(4), normal((3, 4))),
    ModuleCase(lambda nn: nn.LayerNorm([2, 3], eps=0.1), normal((2, 2, 2, 3))),
    ModuleCase(lambda nn: nn.LayerNorm(3, bias=False), normal((3,))),
    ModuleCase(lambda nn: nn.LayerNorm((3,), elementwise_affine=False), normal((2, 2, 3))),
    ModuleCase(lambda nn: nn.GroupNorm(2, 4), normal((3, 4))),
    ModuleCase(lambda nn: nn.GroupNorm(2, 4, eps=0.1), normal((2, 4, 2, 3))),
    ModuleCase(lambda nn: nn.GroupNorm(1, 3, affine=False), normal((2, 3, 2))),
    ModuleCase(lambda nn: nn.GroupNorm(3, 3), normal((2, 3, 4))),
    ModuleCase(lambda nn: nn.InstanceNorm1d(2), normal((3, 2, 4))),
    ModuleCase(lambda nn: nn.InstanceNorm1d(2, affine=True), normal((2, 4))),
    ModuleCase(
        lambda nn: nn.InstanceNorm1d(2, 0.1, 0.3, affine=True, track_running_stats=True),
        normal((3, 2, 4)),
    ),
    ModuleCase(lambda nn: nn.InstanceNorm2d(2, eps=0.1), normal((2, 2, 3, 2))),
    ModuleCase(lambda nn: nn.InstanceNorm2d(2, track_running_stats=True), normal((3, 2, 2, 3))),
    ModuleCase(lambda nn: nn.InstanceNorm2d(2, affine=True), normal((2, 2, 3))),
    ModuleCase(lambda nn: nn.RMSNorm(4), normal((3, 4))),
    ModuleCase(lambda nn: nn.RMSNorm((2, 3), eps=0.1), normal((2, 2, 3))),
    ModuleCase(lambda nn: nn.RMSNorm(3, elementwise_affine=False), normal((2, 2, 3))),
]
