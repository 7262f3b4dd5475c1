from .record import ModuleCase, normal

L, N, IN, H = 3, 2, 2, 2


def states(layers, shape=(L, N, IN)):
    """An input and first hidden states."""
    return normal(shape, (layers, *shape[1:-1], H))


def both_ways(nn, name, **options):
    return getattr(nn, name)(IN, H, num_layers=2, bidirectional=True, **options)


CASES = [
    ModuleCase(lambda nn: nn.RNN(IN, H), normal((L, N, IN))),
    ModuleCase(lambda nn: nn.RNN(IN, H, nonlinearity="relu"), states(1)),
    ModuleCase(lambda nn: nn.RNN(IN, H, 2, "tanh", False, True), normal((N, L, IN))),
    ModuleCase(lambda nn: both_ways(nn, "RNN"), states(4, (2, 1, IN))),
    ModuleCase(lambda nn: nn.LSTM(IN, H), normal((L, N, IN))),
    ModuleCase(lambda nn: nn.LSTM(IN, H, bias=False), normal((L, IN))),
    ModuleCase(lambda nn: nn.LSTM(IN, H, batch_first=True, num_layers=2), normal((N, L, IN))),
    ModuleCase(lambda nn: both_ways(nn, "LSTM"), normal((2, 1, IN))),
    ModuleCase(lambda nn: nn.LSTM(IN, H, 2, dropout=0.5), normal((2, N, IN)), random=True),
    ModuleCase(lambda nn: nn.GRU(IN, H), states(1)),
    ModuleCase(lambda nn: nn.GRU(IN, H, bias=False, batch_first=True), normal((N, L, IN))),
    ModuleCase(lambda nn: both_ways(nn, "GRU"), normal((2, IN))),
    ModuleCase(lambda nn: nn.RNNCell(IN, H), normal((N, IN))),
    ModuleCase(lambda nn: nn.RNNCell(IN, H, False, "relu"), normal((N, IN), (N, H))),
    ModuleCase(lambda nn: nn.LSTMCell(IN, H), normal((N, IN))),
    ModuleCase(lambda nn: nn.LSTMCell(IN, H, bias=False), normal((IN,))),
    ModuleCase(lambda nn: nn.GRUCell(IN, H), normal((N, IN), (N, H))),
    ModuleCase(lambda nn: nn.GRUCell(IN, H, bias=False), normal((IN,))),
]
