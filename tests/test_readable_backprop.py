"""The lesson on backpropagation as code prints a program with the lines that it talks about."""

import readable_backprop


def test_the_program_is_printed(capsys):
    readable_backprop.finding(True, 0)
    told = capsys.readouterr().out
    for line in [
        "d_layers_2_weight[...] = d_linear_2.T @ sigmoid",
        "d_linear = d_sigmoid * (sigmoid * (1 - sigmoid))",
        "d_layers_0_weight[...] = d_linear.T @ x",
    ]:
        assert line in told
    assert told.index("dJ/dz2 = (a2 - y) / m") < told.index("# backward")
