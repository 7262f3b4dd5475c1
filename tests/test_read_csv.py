"""CSV files: what becomes a number and what a category, what is missing, what is refused."""

import csv
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import data
from tinygrad_cs.engine import errors

DataFileError = data.DataFileError

PETS = """weight,coat,age,kind
3.5,short,2,cat
12,long,?,dog
,"wire, rough",7,dog
4e0,,1,cat
"""


@pytest.fixture
def write(tmp_path):
    def write(text, **arguments):
        path = tmp_path / "table.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return data.read_csv(path, **arguments)

    return write


def test_columns_are_typed_and_reported(write):
    table = write(PETS)
    assert str(table).splitlines() == [
        "4 rows, 4 columns",
        "weight  number    3.5 to 12, 1 missing",
        "coat    category  long, short, wire, rough, 1 missing",
        "age     number    1 to 7, 1 missing",
        "kind    category  cat, dog",
    ]
    assert repr(table) == "Table(weight, coat, age, kind; 4 rows)"
    assert_array_equal(table["weight"].values, [3.5, 12, np.nan, 4], strict=True)
    assert_array_equal(table["coat"].values, np.array([1, 0, 2, -1]), strict=True)
    assert table["coat"].categories == ("long", "short", "wire, rough")
    assert [column.missing for column in table] == [1, 1, 1, 0]


def test_samples_have_one_column_a_category(write):
    samples = write(PETS).samples("kind")
    assert samples.feature_names == (
        "weight",
        "coat=long",
        "coat=short",
        "coat=wire, rough",
        "age",
    )
    nan = np.nan
    expected = [[3.5, 0, 1, 0, 2], [12, 1, 0, 0, nan], [nan, 0, 0, 1, 7], [4, nan, nan, nan, 1]]
    assert_array_equal(samples.x, np.float32(expected), strict=True)
    assert_array_equal(samples.y, np.array([0, 1, 1, 0]), strict=True)
    assert samples.class_names == ("cat", "dog")
    complete = write(PETS).samples("kind", features=["age", "coat"], incomplete="drop")
    assert complete.x.tolist() == [[2, 0, 1, 0], [7, 0, 0, 1]] and complete.y.tolist() == [0, 1]


def test_a_target_of_numbers_has_the_shape_of_an_output(write):
    table = write("x,y\n1,2\n3,4\n")
    samples = table.samples("y")
    assert_array_equal(samples.y, np.float32([[2], [4]]), strict=True)
    assert samples.class_names == ()
    tg.set_default_dtype("float64")
    try:
        assert {array.dtype.name for array in table.samples("y")} == {"float64"}
    finally:
        tg.set_default_dtype("float32")


def test_numbers_can_be_categories_in_the_order_of_their_size(write):
    table = write("digit,ink\n10,1\n9,2\n2,3\n10,4\n", categories=["digit"])
    assert table["digit"].categories == ("2", "9", "10")
    assert table.samples("digit").y.tolist() == [2, 1, 0, 2]
    with pytest.raises(errors.ArgumentError, match=r"no column \['dgit'\]"):
        write("digit,ink\n1,2\n", categories=["dgit"])


def test_a_late_text_makes_its_column_one_of_categories(write):
    rows = "".join(f"{k % 3}\n" for k in range(100))
    table = write("x\n" + rows + "none\n")
    assert table["x"].kind == "category" and table["x"].categories == ("0", "1", "2", "none")
    assert table["x"].values.tolist() == [k % 3 for k in range(100)] + [3]
    assert write("x\n1_000\n")["x"].kind == "category", "rather a name than a number"


def test_test_data_takes_the_codes_of_the_training_data(write):
    train = write("coat,age\nlong,1\nshort,2\n")
    test = write("coat,age\nshort,\nshort,5\n", like=train)
    assert test["coat"].categories == ("long", "short")
    assert test["coat"].values.tolist() == [1, 1] and test["age"].missing == 1
    for text, message in [
        ("coat,age\nwire,1\n", "'coat' has 'wire', which the other table lacks; it knows long"),
        ("coat,age\nlong,old\n", "line 2: row 1: expected a number in 'age' .* got 'old'"),
        ("age,coat\n1,long\n", "columns of the other table, coat, age, got age, coat"),
    ]:
        with pytest.raises(DataFileError, match=message):
            write(text, like=train)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_guessed_quotes_aside(write, delimiter):
    rows = [["a", "b"], ["1", 'x,;|\t"'], ["2", "y,,,,,,,;;;;;;;;"]]
    text = "\r\n".join(
        delimiter.join('"' + field.replace('"', '""') + '"' for field in row) for row in rows
    )
    table = write(text)
    assert table["a"].values.tolist() == [1, 2] and table["b"].categories[0] == 'x,;|\t"'
    assert write("1\n2\n", header=False)["column 0"].values.tolist() == [1, 2]
    assert write("a b/c\n1/2\n", delimiter="/")["c"].values.tolist() == [2]


def test_encodings(write):
    assert write(b"\xef\xbb\xbfx\n1\n")["x"].values.tolist() == [1]
    assert write("größe\n1\n".encode("latin-1"), encoding="latin-1")["größe"].missing == 0
    with pytest.raises(
        DataFileError, match=r"byte 4: line 2: .* byte 0xfc at position 1"
    ) as caught:
        write(b"a,b\nM\xfcnchen,1\n")
    assert 'encoding="latin-1"' in caught.value.reason
    for encoding in ("utf-16", "no such", 3):
        with pytest.raises(errors.ArgumentError, match="extends ASCII"):
            write("x\n1\n", encoding=encoding)


FIELDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@given(
    rows=st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(FIELDS, min_size=width, max_size=width), min_size=1)
    )
)
def test_what_the_csv_module_writes_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    with open(path, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    names = [f"column {k}" for k in range(len(rows[0]))]
    table = data.read_csv(path, header=False, delimiter=",", categories=names, missing=["missing"])
    read = [[c.categories[code] for code in c.values] for c in table]
    assert list(zip(*read, strict=True)) == [tuple(map(str.strip, row)) for row in rows]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty file"),
        ("\n\n", "an empty file"),
        ("a,b\n", "at least one row of data"),
        ("a,b\n1,2\n\n3\n", r"byte 9: line 4: row 2 has 1 fields, expected 2: a, b"),
        ("a,b\n1,2\n3,4,5\n", r"byte 8: line 3: row 2 has 3 fields"),
        ('a,b\n"1\n",2\n3\n', r"line 4: row 2 has 1 fields"),
        ("a,a\n1,2\n", "'a' twice"),
        ('a,b\n1,"2\n', "after row 1: unexpected end of data"),
        ('a,b\n1,"2"x\n', "after row 1: "),
        ("a,b\n1,\0\n", "null character"),
        ("a,b\n1,1e999\n", "row 1: expected a finite number in 'b', got '1e999'"),
        ("a,b\n1,-inf\n", "row 1: expected a finite number in 'b', got '-inf'"),
        ("a,b\n1," + 200_000 * "x" + "\n", "field larger than field limit"),
        (b"\x89PNG\r\n\x1a\n\0\0", "expected text in utf-8, got byte 0x89 at position 0"),
        ("x\n1\n".encode("utf-16"), "expected text|null character"),
    ],
)
def test_files_that_are_refused(write, text, message):
    with pytest.raises(DataFileError, match=message) as caught:
        write(text)
    assert caught.value.path.endswith("table.csv") and len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": "knd"}, "did you mean 'kind'"),
        ({"target": "zzz"}, "there are weight, coat, age, kind"),
        ({"target": "kind", "features": ["kind", "age"]}, "other than the target"),
        ({"target": "kind", "features": []}, "other than the target"),
        ({"target": "kind", "features": "age"}, "a list of columns"),
        ({"target": "kind", "incomplete": "fill"}, "incomplete"),
        ({"target": "coat"}, "'coat' is missing in 1 rows, first in row 4"),
        ({"target": "age"}, "'age' is missing in 1 rows, first in row 2"),
        ({"target": "kind", "max_categories": 2}, "'coat' has 3 categories"),
    ],
)
def test_samples_refuse(write, arguments, message):
    with pytest.raises(errors.ArgumentError, match=message):
        write(PETS).samples(**arguments)


def test_samples_refuse_what_is_left_empty_or_too_large(write):
    with pytest.raises(errors.ArgumentError, match="nothing is left"):
        write("a,b\n,1\n").samples("b", incomplete="drop")
    with pytest.raises(errors.ArgumentError, match=r"'a' has 1e.300, more than float32"):
        write("a,b\n1e300,1\n").samples("b")


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", 5])
def test_delimiters_that_are_refused(write, delimiter):
    with pytest.raises(errors.ArgumentError, match="delimiter"):
        write("a,b\n1,2\n", delimiter=delimiter)


def test_hostile_quotes_do_not_make_the_guess_of_the_delimiter_hang(write):
    # The time of the sniffer's pattern for doubled quotes grows with the fourth power of them.
    start = time.process_time()
    with pytest.raises(DataFileError, match="after row 0: "):
        write('"a",' + 300 * '"' + "x\n")
    assert time.process_time() - start < 5
