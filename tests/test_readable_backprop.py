"""The lesson on backpropagation as code: it prints what it says, and the numbers agree."""

import re

import readable_backprop


def test_the_lesson(capsys):
    assert readable_backprop.main(["--steps", "200"]) == 0
    told = capsys.readouterr().out
    for line in [
        "d_layers_2_weight[...] = d_linear_2.T @ sigmoid",
        "d_linear = d_sigmoid * (sigmoid * (1 - sigmoid))",
        "d_layers_0_weight[...] = d_linear.T @ x",
    ]:
        assert line in told
    differences = re.findall(r"^  d \d\.\w+ +(\S+)$", told, re.MULTILINE)
    assert len(differences) == 4 and all(float(d) < 1e-7 for d in differences)
    assert float(re.search(r"accuracy on 1000 new points: (\S+)", told)[1]) > 0.9
