"""What every row of the table refuses, generated from the table: types, axes, shapes."""

import inspect

import numpy as np
import pytest
from draws import Case

import tinygrad_cs as tg
from tinygrad_cs.engine import errors
from tinygrad_cs.engine.record import ELEMENTWISE, FUNCTIONS, evaluate, rows
from tinygrad_cs.ops.families import Draw, case_for

ROWS = list(rows().values())
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
# (The axis of `spread` is that of a reduction, which has refused it already.)
WITH_AXIS = [r for r in ROWS if "axis" in r.params and "shape" not in r.params]
TWO = [r for r in ROWS if r.kind is ELEMENTWISE and len(r.operands) > 1]


def cases(row):
    return [Case(row, *case_for(row, Draw(seed))) for seed in range(5)]


@every_row
def test_texts_and_objects_are_no_operands(row):
    """Refused by an error of ours, whatever else would follow from them."""
    case = cases(row)[0]
    for junk in ("text", object(), {"a": 1}):
        for k in range(len(case.arrays)):
            values = case.tensors()
            values[k] = junk
            with pytest.raises(tg.TinygradError):
                evaluate(row, case.operands(values), case.params)


@pytest.mark.parametrize("row", WITH_AXIS, ids=[r.name for r in WITH_AXIS])
@pytest.mark.parametrize("axis", [7, -8])
def test_an_axis_that_does_not_exist(row, axis):
    """An IndexError and a ValueError, as NumPy's, that says which operation and which axis."""
    for case in cases(row):
        params = case.params | {"axis": axis}
        with pytest.raises(np.exceptions.AxisError) as caught:
            evaluate(row, case.operands(case.tensors()), params)
        assert isinstance(caught.value, tg.TinygradError)
        assert f"axis {axis} is out of bounds" in str(caught.value)


@pytest.mark.parametrize("row", TWO, ids=[r.name for r in TWO])
def test_shapes_that_do_not_broadcast(row):
    """Operation, both shapes, and the axis at which they differ."""
    needed = {"condition": np.ones((2, 3), bool)}
    params = {name: needed[name] for name in row.params if name in needed}
    a, b = (tg.tensor(np.ones(shape), requires_grad=True) for shape in ((2, 3), (2, 4)))
    given_ = dict(zip(row.operands, (a, b), strict=True))
    with pytest.raises(errors.ShapeError) as caught:
        FUNCTIONS[row.name](**given_, **params)
    message = str(caught.value)
    assert row.name in message and "(2, 3)" in message and "(2, 4)" in message
    assert "axis -1: 3 against 4" in message


@every_row
def test_a_misspelt_argument_is_pythons_own_error(row):
    names = inspect.signature(FUNCTIONS[row.name]).parameters
    if any(p.kind is p.VAR_KEYWORD for p in names.values()):
        return
    with pytest.raises(TypeError, match="misspelt"):
        FUNCTIONS[row.name](misspelt=1)
