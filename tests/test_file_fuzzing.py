"""Damaged and hostile files: every reader gives what the file holds, or its one typed error.

The examples are arbitrary bytes and valid files with bits flipped, pieces cut, repeated and
overwritten; `--hypothesis-profile=long` tries thousands. What is read is compared with a second,
plainer reading, and the memory asked for with the size of the file.
"""

import csv
import gzip
import io
import json
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cs as tg
from tinygrad_cs import data, saving, training

LONG = settings.default.max_examples >= 500
FUZZ = settings(max_examples=10_000 if LONG else 250)
MEMORY = 8 << 20
"""More than the readers may ask for: the files here have some kilobytes, packed a megabyte."""

NUMBERS = st.sampled_from(
    [0, 1, 2, 8, 255, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]
)


@st.composite
def damaged(draw, valid):
    """One of the valid files, damaged a few times; or bytes that were never a file."""
    content = bytearray(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(0, 3))):
        # Headers are at the beginning, the directory of a zip archive at the end.
        size = len(content)
        near = st.integers(0, max(0, min(size, 200) - 1))
        place = draw(st.one_of(near, st.integers(0, size), near.map(lambda k, n=size: n - k)))
        kind = draw(st.sampled_from(["flip", "cut", "drop", "repeat", "number", "bytes", "any"]))
        if kind == "flip" and place < size:
            content[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del content[place:]
        elif kind == "drop":
            del content[place : place + draw(st.integers(1, 20))]
        elif kind == "repeat":
            content[place:place] = content[place : place + draw(st.integers(1, 200))]
        elif kind == "number":
            width = draw(st.sampled_from([1, 2, 4, 8]))
            order = draw(st.sampled_from(["little", "big"]))
            number = draw(NUMBERS) % 256**width
            content[place : place + width] = number.to_bytes(width, order)
        elif kind == "bytes":
            piece = draw(st.one_of(st.binary(max_size=8), st.text(max_size=4).map(str.encode)))
            content[place : place + len(piece) * draw(st.integers(0, 1))] = piece
        elif kind == "any":
            content = bytearray(draw(st.binary(max_size=100)))
    return bytes(content)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


def attempt(read, path, content, valid, refusal=data.DataFileError):
    """What the reader makes of the bytes, or None where it refuses them as it should."""
    path.write_bytes(content)
    tracemalloc.start()
    try:
        return read(path)
    except refusal as error:
        assert content not in valid
        assert error.path.startswith(str(path.parent)) and error.path in str(error)
        assert error.reason in str(error) and len(error.reason) < 1000
        assert error.offset is None or error.offset >= 0
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MEMORY
    return None


def assert_same(a, b):
    """Equal in shape, type and every bit, NaN included."""
    b = b.astype(b.dtype.newbyteorder("="))
    assert (a.shape, a.dtype) == (b.shape, b.dtype) and a.tobytes() == b.tobytes()


def idx(array, code):
    lengths = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + lengths + array.tobytes()


PLAIN_IDX = [
    idx(np.arange(6, dtype=">i2").reshape(2, 3), 0x0B),
    idx(np.arange(30, dtype=np.uint8).reshape(2, 3, 5), 0x08),
    idx(np.linspace(0, 1, 4).astype(">f8"), 0x0E),
]
IDX = PLAIN_IDX + [gzip.compress(file, mtime=0) for file in PLAIN_IDX]


@FUZZ
@given(content=damaged(IDX))
def test_idx(folder, content):
    array = attempt(data.read_idx, folder / "file", content, IDX)
    if array is not None:
        plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        axes = plain[3]
        shape = struct.unpack(f">{axes}I", plain[4 : 4 + 4 * axes])
        kind = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}[plain[2]]
        assert_same(array, np.frombuffer(plain[4 + 4 * axes :], kind).reshape(shape))


def saved(write, *arrays, **named):
    stream = io.BytesIO()
    write(stream, *arrays, **named)
    return stream.getvalue()


ARRAYS = [
    np.arange(6.0).reshape(3, 2),
    np.asfortranarray(np.arange(6, dtype=">i4").reshape(3, 2)),
    np.array([[True, False]]),
    np.array(["ab", "c"]),
    np.array(3.5),
    np.zeros((0, 3)),
]
NPY = [saved(np.save, array) for array in ARRAYS]


@FUZZ
@given(content=damaged(NPY))
def test_npy(folder, content):
    array = attempt(data.read_npy, folder / "file.npy", content, NPY)
    if array is not None:
        assert_same(array, np.load(io.BytesIO(content), allow_pickle=False))


NPZ = [
    saved(np.savez, x=np.arange(6.0), y=np.arange(6)),
    saved(np.savez_compressed, x=np.zeros((4, 8, 8)), y=np.array(["cat", "dog"])),
]


@FUZZ
@given(content=damaged(NPZ))
def test_npz(folder, content):
    arrays = attempt(data.read_npz, folder / "file.npz", content, NPZ)
    if arrays is not None:
        with np.load(io.BytesIO(content), allow_pickle=False) as expected:
            assert list(arrays) == expected.files
            for name, array in arrays.items():
                assert_same(array, expected[name])


CIFAR10 = [bytes([9]) + bytes(3072) + bytes([0]) + bytes(range(256)) * 12]
CIFAR100 = [bytes([19, 99]) + bytes(3072) + bytes([0, 7]) + bytes(range(256)) * 12]


@pytest.mark.parametrize(
    ("read", "valid", "labels"),
    [(data.read_cifar10, CIFAR10, 1), (data.read_cifar100, CIFAR100, 2)],
)
@settings(FUZZ, max_examples=10_000 if LONG else 125)
@given(draw=st.data())
def test_cifar(folder, read, valid, labels, draw):
    content = draw.draw(damaged(valid))
    samples = attempt(read, folder / "batch.bin", content, valid)
    if samples is not None:
        rows = np.frombuffer(content, np.uint8).reshape(-1, labels + 3072)
        assert samples.y.tolist() == rows[:, labels - 1].tolist() and samples.y.max() < 10**labels
        assert_same(samples.x, rows[:, labels:].reshape(-1, 3, 32, 32))


CSV = [
    b'size,town,price\n1.5,Ulm,3\n-2e3,Bonn,NA\n,"a, ""b""\n c",5\n',
    "höhe;größe\n1;x\n2;y\n".encode(),
    b"\xef\xbb\xbfa\tb\r\n1\t2\r\n",
]


@FUZZ
@given(content=damaged(CSV), delimiter=st.sampled_from([",", ";", "\t", None]))
def test_csv(folder, content, delimiter):
    path = folder / "file.csv"
    # Another delimiter than theirs may tear quoted cells apart.
    valid = CSV if delimiter is None else []
    table = attempt(lambda path: data.read_csv(path, delimiter=delimiter), path, content, valid)
    if table is None or delimiter is None:
        return
    with open(path, newline="\n", encoding="utf-8-sig") as stream:
        header, *rows = [row for row in csv.reader(stream, delimiter=delimiter) if row]
    assert len(table) == len(rows) and len(table.columns) == len(header)
    for column, *texts in zip(table, *rows, strict=True):
        for value, text in zip(column.values.tolist(), map(str.strip, texts), strict=True):
            if text in ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"):
                assert value == -1 if column.kind == "category" else value != value
            elif column.kind == "number":
                assert value == float(text)
            else:
                assert column.categories[value] == text


PPM = [
    b"P6 # a comment\n2 3\n255\n" + bytes(range(18)),
    b"P5\n4 2 255 " + bytes(range(8)),
]


@FUZZ
@given(content=damaged(PPM))
def test_netpbm(folder, content):
    image = attempt(data.read_netpbm, folder / "file.ppm", content, PPM)
    if image is not None:
        pixels = image.transpose(1, 2, 0).tobytes()
        assert content.endswith(pixels) and image.size > 0
        header = content[: len(content) - len(pixels)]
        words = b" ".join(line.partition(b"#")[0] for line in header.split(b"\n")).split()
        channels = {b"P5": 1, b"P6": 3}[words[0]]
        assert list(map(int, words[1:])) == [*image.shape[:0:-1], 255]
        assert len(image) == channels


def pictures():
    image = pytest.importorskip("PIL.Image")
    picture = image.fromarray(np.arange(108, dtype=np.uint8).reshape(6, 6, 3))
    palette = picture.convert("P")
    return [
        *(saved(picture.save, format=kind) for kind in ("PNG", "JPEG", "BMP")),
        saved(palette.save, format="PNG", transparency=0),
        saved(picture.convert("1").save, format="PNG"),
    ]


@FUZZ
@given(draw=st.data())
def test_pictures(folder, draw):
    valid = pictures()
    content = draw.draw(damaged(valid))
    place = folder / "pictures" / "of a kind"
    place.mkdir(parents=True, exist_ok=True)
    path = place / "file.png"
    samples = attempt(lambda _: data.read_image_folder(folder / "pictures"), path, content, valid)
    if samples is not None:
        assert samples.x.dtype == np.uint8 and samples.x.shape[1] in (1, 3)
        assert samples.x.size > 0 and samples.y.tolist() == [0]


def model_file(state):
    """The bytes of a model file by another library: without a checksum."""
    header = {
        name: {
            "dtype": {"f": "F", "i": "I", "u": "U"}[array.dtype.kind] + str(8 * array.itemsize),
            "shape": list(array.shape),
            "data_offsets": [0, array.nbytes],
        }
        for name, array in state.items()
    }
    text = json.dumps(header | {"__metadata__": {"made by": "hand"}}).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in state.values())


FOREIGN = [
    model_file({"weight": np.arange(6, dtype="<f4").reshape(2, 3)}),
    model_file({"n": np.arange(5, dtype="<i8")}),
    model_file({"none": np.zeros((0, 3), "<f8")}),
]


@FUZZ
@given(content=damaged(FOREIGN))
def test_model_files_of_others(folder, content):
    """Without a checksum what is read must be what the public package reads."""
    oracle = pytest.importorskip("safetensors.numpy")
    state = attempt(tg.load, folder / "file.safetensors", content, FOREIGN, saving.ModelFileError)
    if state is not None:
        expected = oracle.load(content)
        assert state.keys() == expected.keys()
        for name, array in state.items():
            assert_same(array, expected[name])


HISTORY = [
    b'{"epoch": 1, "loss": 0.5, "validation_f1": [0.5, "NaN"]}\n{"stopped": "interrupted"}\n',
    b'{"epoch": 1, "lr": 1e-3}\n{"epoch": 2, "lr": "Infinity"}\n',
]


@FUZZ
@given(content=damaged(HISTORY))
def test_histories(folder, content):
    path = folder / "history.jsonl"
    path.write_bytes(content)
    try:
        history = training.History.from_json_lines(path)
    except training.HistoryFileError as error:
        assert content not in HISTORY
        assert str(error).startswith(str(path)) and "byte" in str(error)
    else:
        lines = [json.loads(line) for line in content.splitlines()]
        rows = [line for line in lines if "stopped" not in line]
        assert [list(row) for row in history.rows] == [list(row) for row in rows]
        numbers = [[v for v in row.values() if type(v) is float] for row in rows]
        found = [[v for k, v in row.items() if type(rows[i][k]) is float]
                 for i, row in enumerate(history.rows)]  # fmt: skip
        assert repr(found) == repr(numbers)
