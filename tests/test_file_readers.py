"""Readers: what they make of right files, and what they say of wrong ones."""

import gzip
import io
import os
import pickle
import struct
import sys
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import data
from tinygrad_cs.engine import errors

DataFileError = data.DataFileError


def idx(array, code=8):
    lengths = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + lengths + array.tobytes()


def mnist(folder, part="train", count=6, suffix="", write=lambda content: content):
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28)).astype(np.uint8)
    labels = (np.arange(count) % 10).astype(np.uint8)
    (folder / f"{part}-images-idx3-ubyte{suffix}").write_bytes(write(idx(images)))
    (folder / f"{part}-labels-idx1-ubyte{suffix}").write_bytes(write(idx(labels)))
    return images, labels


# ---- IDX ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "stored", "native"),
    [
        (0x08, "u1", "u1"),
        (0x09, "i1", "i1"),
        (0x0B, ">i2", "i2"),
        (0x0C, ">i4", "i4"),
        (0x0D, ">f4", "f4"),
        (0x0E, ">f8", "f8"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_holds_every_type(tmp_path, code, stored, native, pack):
    array = np.arange(-6, 18).reshape(2, 3, 4).astype(stored)
    (tmp_path / "file").write_bytes(pack(idx(array, code)))
    read = data.read_idx(tmp_path / "file")
    assert read.dtype == np.dtype(native) and read.dtype.isnative
    assert_array_equal(read, array)
    read += 1  # one's own memory


@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress)])
def test_mnist_is_images_with_a_channel_and_integer_labels(tmp_path, suffix, pack):
    images, labels = mnist(tmp_path, suffix=suffix, write=pack)
    samples = data.read_mnist(tmp_path)
    assert samples.x.shape == (6, 1, 28, 28) and samples.x.dtype == np.uint8
    assert_array_equal(samples.x[:, 0], images)
    assert samples.y.dtype == np.int64
    assert_array_equal(samples.y, labels)
    assert samples.class_names == tuple("0123456789")
    assert data.read_fashion_mnist(str(tmp_path)).class_names[9] == "ankle boot"
    with pytest.raises(DataFileError, match="t10k-images-idx3-ubyte"):
        data.read_mnist(tmp_path, train=False)


def test_mnist_takes_the_names_with_a_dot(tmp_path):
    mnist(tmp_path)
    for file in list(tmp_path.iterdir()):
        file.rename(file.with_name(file.name.replace("-idx", ".idx")))
    assert len(data.read_mnist(tmp_path).y) == 6


WRONG_IDX = [
    (b"", 0, "ends here, 4 bytes before the end of the header"),
    (b"\x89PNG....", 0, "begins with 0 0"),
    (bytes([0, 0, 7, 1, 0, 0, 0, 1, 5]), 0, "got 0 0 7 1"),
    (bytes([0, 0, 8, 0]), 0, "got 0 0 8 0"),
    (bytes([0, 0, 8, 3, 0, 0]), 6, "ends here, 10 bytes before the end of the header"),
    (idx(np.zeros((3, 4), np.uint8))[:-1], 12, "12 bytes, but 11 follow"),
    (idx(np.zeros((3, 4), np.uint8)) + b"!", 12, "12 bytes, but 13 follow"),
    (bytes([0, 0, 8, 1]) + 4 * b"\xff", 8, "4294967295 bytes, but 0 follow"),
    (bytes([0, 0, 8, 1, 0, 0, 0, 0]), 4, "no entries"),
    (bytes([0, 0, 14, 3]) + 12 * b"\xff" + b"\0", 16, "more than any array can hold"),
    (bytes([0, 0, 8, 255]) + 255 * b"\0\0\0\1" + b"\0", 1024, "more than any array can hold"),
]


@pytest.mark.parametrize(("content", "offset", "message"), WRONG_IDX)
def test_idx_refuses(tmp_path, content, offset, message):
    path = tmp_path / "file-idx"
    for stored in (content, gzip.compress(content)):
        path.write_bytes(stored)
        with pytest.raises(DataFileError) as caught:
            data.read_idx(path)
        error = caught.value
        assert error.path == str(path) and str(error).startswith(f"{path}, byte {error.offset}: ")
        if stored is content or "follow" not in message:
            assert error.offset == offset and message in error.reason


def test_a_packed_file_ends_where_its_header_says(tmp_path):
    path, content = tmp_path / "file.gz", idx(np.arange(200, dtype=np.uint8))
    packed = gzip.compress(content)
    for wrong, message in [
        (gzip.compress(content + b"!"), "more bytes follow"),
        (gzip.compress(content[:-1]), "ends here, 1 bytes before the end of the uint8"),
        (packed[:-20], "cannot be read"),
        (packed[:-8] + b"\0\0\0\0" + packed[-4:], "cannot be read: CRC"),
        (packed + b"\x1f\x8bxxxxxxx", "cannot be read"),
        (packed[:2] + b"\xff" + packed[3:], "cannot be read"),
    ]:
        path.write_bytes(wrong)
        with pytest.raises(DataFileError, match=message):
            data.read_idx(path)


def test_mislabelled_mnist_is_refused(tmp_path):
    images, labels = mnist(tmp_path)
    at = {kind: tmp_path / f"train-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1")}
    for kind, content, message in [
        ("labels-idx1", idx(images), r"uint8\[6\], got uint8\[6, 28, 28\]"),
        ("labels-idx1", idx(labels[:5]), r"uint8\[6\], got uint8\[5\]"),
        ("labels-idx1", idx(labels.astype(">f4"), 13), r"got float32\[6\]"),
        ("labels-idx1", idx(labels * 5), "byte 10: expected labels 0 to 9, got 10"),
        ("images-idx3", idx(labels), r"uint8\[n, 28, 28\], got uint8\[6\]"),
        ("images-idx3", idx(images[:, :14]), r"got uint8\[6, 14, 28\]"),
    ]:
        mnist(tmp_path)
        at[kind].write_bytes(content)
        with pytest.raises(DataFileError, match=message) as caught:
            data.read_mnist(tmp_path)
        assert caught.value.path == str(at[kind])


# ---- memory ------------------------------------------------------------------------------------


def peak(call):
    tracemalloc.start()
    try:
        with pytest.raises(DataFileError) as caught:
            call()
        return tracemalloc.get_traced_memory()[1], caught.value
    finally:
        tracemalloc.stop()


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npy_header(text, version=1):
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text.encode()


HUGE = npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1 << 30,), }")
HUGE = HUGE.replace(b"1 << 30", b"%7d" % (1 << 22))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("file", bytes([0, 0, 8, 2, 0, 1, 0, 0, 0, 0, 16, 0]) + bytes(50)),
        ("file", gzip.compress(bytes([0, 0, 8, 2, 0, 1, 0, 0, 0, 0, 16, 0]) + bytes(50), mtime=0)),
        ("file.npy", HUGE + bytes(80)),
        ("file.ppm", b"P6 20000 20000 255 " + bytes(99)),
    ],
)
def test_nothing_is_allocated_on_the_word_of_a_header(tmp_path, name, content):
    read = {".npy": data.read_npy, ".ppm": data.read_netpbm}
    path = tmp_path / name
    path.write_bytes(content)
    used, _ = peak(lambda: read.get(path.suffix, data.read_idx)(path))
    assert used < 1 << 20


def test_a_gzip_bomb_is_not_unpacked(tmp_path):
    # The header is small and honest about a small array; then come 64 MiB of zeros.
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(idx(np.zeros(9, np.uint8)) + bytes(1 << 26)))
    used, error = peak(lambda: data.read_idx(path))
    assert used < 1 << 20 and error.offset == 17 and "more bytes follow" in error.reason
    # The header announces all of it: more than max_bytes.
    path.write_bytes(gzip.compress(idx(np.zeros(1 << 22, np.uint8))))
    used, error = peak(lambda: data.read_idx(path, max_bytes=1 << 20))
    assert used < 1 << 20 and "raise max_bytes" in error.reason
    assert data.read_idx(path).shape == (1 << 22,), "within the default"
    with pytest.raises(errors.ArgumentError, match="max_bytes"):
        data.read_idx(path, max_bytes=-1)


def test_an_npz_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "file.npz"
    np.savez_compressed(path, x=np.zeros(1 << 22, np.uint8))
    used, error = peak(lambda: data.read_npz(path, max_bytes=1 << 20))
    assert used < 1 << 20 and "raise max_bytes" in error.reason
    # Many arrays, each of them within the limit.
    np.savez_compressed(path, **{f"x{k}": np.zeros(1 << 18, np.uint8) for k in range(8)})
    used, error = peak(lambda: data.read_npz(path, max_bytes=1 << 20))
    assert used < 1 << 20 and "8 arrays announce" in error.reason
    assert len(data.read_npz(path)) == 8
    # A directory that announces more than DEFLATE can pack into so few bytes.
    np.savez_compressed(path, x=np.zeros(1000, np.uint8))
    content = path.read_bytes()
    size = struct.pack("<I", zipfile.ZipFile(path).infolist()[0].file_size)
    path.write_bytes(content.replace(size, struct.pack("<I", 1 << 27)))
    used, error = peak(lambda: data.read_npz(path))
    assert used < 1 << 20


# ---- files that are none -------------------------------------------------------------------------

READERS = [
    data.read_idx,
    data.read_npy,
    data.read_npz,
    data.read_csv,
    data.read_netpbm,
    data.read_cifar10,
    data.read_cifar100,
    data.read_mnist,
    data.read_image_folder,
]


@pytest.mark.parametrize("read", READERS)
def test_what_is_no_file_is_refused(tmp_path, read):
    with pytest.raises(DataFileError, match="absent"):
        read(tmp_path / "absent")
    with pytest.raises(DataFileError, match=r"a.b"):
        read("a\0b")
    with pytest.raises(DataFileError):
        read(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")  # to open it would wait for ever
        with pytest.raises(DataFileError):
            read(tmp_path / "pipe")


def test_the_error_is_a_value_error_that_pickles():
    error = DataFileError("x.npy", "too short", 8)
    assert isinstance(error, (tg.TinygradError, ValueError))
    assert str(error) == "x.npy, byte 8: too short" and str(DataFileError("x", "y")) == "x: y"
    twin = pickle.loads(pickle.dumps(error))
    assert (twin.path, twin.reason, twin.offset) == ("x.npy", "too short", 8)


# ---- NumPy's files -------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(24).reshape(2, 3, 4)),
        np.arange(6, dtype=">f4"),
        np.array([True, False]),
        np.array(["Ulm", "Bonn"]),
        np.array([b"ab"]),
        np.array(2 + 1j),
        np.float16([1.5]),
        np.zeros((0, 5)),
    ],
)
def test_npy_holds_numbers_booleans_and_text(tmp_path, array, pack):
    (tmp_path / "x.npy").write_bytes(pack(npy(array)))
    read = data.read_npy(tmp_path / "x.npy")
    assert read.dtype.isnative
    assert_array_equal(read, array.astype(read.dtype), strict=True)
    assert read.dtype.kind == array.dtype.kind and read.dtype.itemsize == array.dtype.itemsize


class Trap:
    def __reduce__(self):
        return pytest.fail, ("a pickle was opened",)


def test_pickles_are_never_opened(tmp_path):
    np.save(tmp_path / "x.npy", np.array([Trap()], object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", x=np.array([Trap()], object))
    (tmp_path / "bare.npy").write_bytes(pickle.dumps(Trap()))
    for name, read in [
        ("x.npy", data.read_npy),
        ("x.npz", data.read_npz),
        ("bare.npy", data.read_npy),
    ]:
        with pytest.raises(DataFileError, match=r"objects|begins with"):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", "whole numbers >= 0"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (2.0,), }", "whole numbers >= 0"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }", "whole numbers >= 0"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': 2, }", "whole numbers >= 0"),
        ("{'descr': '<f8', 'fortran_order': 0, 'shape': (2,), }", "whole numbers >= 0"),
        ("{'descr': '<f8', 'shape': (2,), }", "whole numbers >= 0"),
        ("['<f8', False, (2,)]", "whole numbers >= 0"),
        ("(" * 5000, "whole numbers >= 0"),
        ("open('/etc/passwd')", "whole numbers >= 0"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", "objects"),
        ("{'descr': '<M8[s]', 'fortran_order': False, 'shape': (2,), }", "dates"),
        ("{'descr': '|V8', 'fortran_order': False, 'shape': (2,), }", "records"),
        ("{'descr': '<U0', 'fortran_order': False, 'shape': (10**9,), }", "whole numbers"),
        ("{'descr': '<U0', 'fortran_order': False, 'shape': (999999999999,), }", "dtype '<U0'"),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807,), }",
            "any array",
        ),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4611686018427387904)}",
            "any array",
        ),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", "24 bytes, but 16 follow"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", "8 bytes, but 16 follow"),
        ("{'descr': '|b1', 'fortran_order': False, 'shape': (16,), }", "booleans"),
        ("{'descr': '<U4', 'fortran_order': True, 'shape': (1,), }", "Unicode"),
        ("{" + " " * 20_000 + "}", "at most 10000 bytes, got 20002"),
    ],
)
def test_npy_refuses(tmp_path, header, message):
    for version in (1, 2, 3):
        (tmp_path / "x.npy").write_bytes(npy_header(header, version) + 16 * b"\xff")
        with pytest.raises(DataFileError, match=message):
            data.read_npy(tmp_path / "x.npy")


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_npz_gives_its_arrays_by_name(tmp_path, write):
    x, y = np.random.default_rng(0).random((50, 3)), np.arange(50) % 2
    write(tmp_path / "data.npz", x=x, y=y)
    arrays = data.read_npz(tmp_path / "data.npz")
    assert list(arrays) == ["x", "y"]
    assert_array_equal(arrays["x"], x)
    assert_array_equal(arrays["y"], y)


def archive(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members:
            file.writestr(name, content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_npz_refuses(tmp_path):
    path, one = tmp_path / "x.npz", npy(np.arange(100))
    for members, method, message in [
        ([("x.npy", one), ("x.npy", one)], 0, "'x.npy' is there twice"),
        ([("x.npy", one), ("notes.txt", b"")], 0, "'notes.txt' is no array"),
        ([("x.npy", one)], zipfile.ZIP_BZIP2, "packed by method 12"),
        ([("x.npy", one)], zipfile.ZIP_LZMA, "packed by method 14"),
        ([("x.npy", one[:-1])], 8, "x.npz/x.npy, byte 128: .* 800 bytes, but 799 follow"),
        ([("x.npy", one + b"!")], 8, "800 bytes, but 801 follow"),
        ([("x.npy", b"")], 0, "ends here"),
    ]:
        archive(path, members, method)
        with pytest.raises(DataFileError, match=message):
            data.read_npz(path)
    archive(path, [("x.npy", one)])
    content = path.read_bytes()
    place = content.index(one) + 200
    for wrong, message in [
        (content[:place] + b"\xee" + content[place + 1 :], "Bad CRC-32"),
        (content[: len(content) // 2], "no .npz file"),
        (one, "no .npz file"),
        (zlib.compress(one), "no .npz file"),
        (b"", "no .npz file"),
    ]:
        path.write_bytes(wrong)
        with pytest.raises(DataFileError, match=message):
            data.read_npz(path)


# ---- CIFAR ---------------------------------------------------------------------------------------


def cifar_rows(labels, count):
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (count, 3072), dtype=np.uint8)
    return np.concatenate([np.array(labels, np.uint8).reshape(count, -1), pixels], axis=1), pixels


def test_cifar10_joins_its_batches(tmp_path):
    expected = []
    for k in range(1, 6):
        rows, pixels = cifar_rows([k, 9], 2)
        (tmp_path / f"data_batch_{k}.bin").write_bytes(rows.tobytes())
        expected.append(pixels)
    samples = data.read_cifar10(tmp_path)
    assert samples.y.tolist() == [1, 9, 2, 9, 3, 9, 4, 9, 5, 9] and samples.y.dtype == np.int64
    assert_array_equal(samples.x, np.concatenate(expected).reshape(10, 3, 32, 32), strict=True)
    assert samples.class_names[9] == "truck"
    single = data.read_cifar10(tmp_path / "data_batch_3.bin")
    assert single.y.tolist() == [3, 9]
    with pytest.raises(DataFileError, match=r"test_batch\.bin"):
        data.read_cifar10(tmp_path, train=False)
    (tmp_path / "data_batch_4.bin").unlink()
    with pytest.raises(DataFileError, match=r"data_batch_4\.bin: cannot be opened"):
        data.read_cifar10(tmp_path)


def test_cifar100_has_fine_and_coarse_labels(tmp_path):
    rows, _ = cifar_rows([[19, 99], [3, 40]], 2)
    (tmp_path / "test.bin").write_bytes(rows.tobytes())
    (tmp_path / "coarse_label_names.txt").write_text("".join(f"group_{k}\n" for k in range(20)))
    fine = data.read_cifar100(tmp_path, train=False)
    assert fine.y.tolist() == [99, 40] and fine.class_names == ()
    coarse = data.read_cifar100(tmp_path, train=False, labels="coarse")
    assert coarse.y.tolist() == [19, 3] and coarse.class_names[19] == "group_19"
    (tmp_path / "coarse_label_names.txt").write_text("one two")
    with pytest.raises(DataFileError, match="expected 20 names of classes, got 2"):
        data.read_cifar100(tmp_path, train=False, labels="coarse")
    with pytest.raises(errors.ArgumentError, match="fine"):
        data.read_cifar100(tmp_path, labels="medium")


@pytest.mark.parametrize(
    ("content", "offset", "message"),
    [
        (b"", 0, "no whole number of rows"),
        (bytes(3073 + 3072), 3073, "no whole number of rows"),
        (bytes(3073) + bytes([10]) + bytes(3072), 3073, "label from 0 to 9, got 10"),
        (gzip.compress(bytes(3073), mtime=0), 0, "gzip"),
    ],
)
def test_cifar_refuses(tmp_path, content, offset, message):
    (tmp_path / "batch.bin").write_bytes(content)
    with pytest.raises(DataFileError, match=message) as caught:
        data.read_cifar10(tmp_path / "batch.bin")
    assert caught.value.offset == offset


# ---- images --------------------------------------------------------------------------------------


def test_netpbm_reads_grey_and_colour(tmp_path):
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    (tmp_path / "x.ppm").write_bytes(b"P6\n# by hand\n4 2\n255\n" + pixels.tobytes())
    assert_array_equal(data.read_netpbm(tmp_path / "x.ppm"), pixels.transpose(2, 0, 1), strict=True)
    # Pixels may look like blanks and digits.
    (tmp_path / "x.pgm").write_bytes(b"P5 3 2 255\n \n 123")
    assert data.read_netpbm(tmp_path / "x.pgm").tobytes() == b" \n 123"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ends here"),
        (b"P6 2", "ends here"),
        (b"P3 1 1 255 0 0 0", "expected a binary PGM or PPM"),
        (b"\x89PNG", "expected a binary PGM or PPM"),
        (b"P5 " + b"#" * 5000, "expected a binary PGM or PPM"),
        (b"P5 -1 2 255 \0\0", "expected a binary PGM or PPM|ends here"),
        (b"P5 1 1 65535 \0\0", "values up to 65535"),
        (b"P5 0 1 255 ", "0 by 1"),
        (b"P5 2 2 255 \0\0\0", "4 bytes, but 3 follow"),
        (b"P5 2 2 255 \0\0\0\0\0", "4 bytes, but 5 follow"),
        (b"P6 999999999 999999999 255 \0", "but 1 follow"),
    ],
)
def test_netpbm_refuses(tmp_path, content, message):
    (tmp_path / "x.ppm").write_bytes(content)
    with pytest.raises(DataFileError, match=message):
        data.read_netpbm(tmp_path / "x.ppm")


def grey(path, value, height=2, width=2):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"P5 %d %d 255 " % (width, height) + bytes(height * width * [value]))


def test_an_image_folder_is_a_class_a_folder(tmp_path):
    for name in ("b/2.pgm", "b/1.pgm", "a/3.pgm"):
        grey(tmp_path / name, int(name[2]))
    (tmp_path / "notes.txt").write_text("beside the folders")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "a" / ".DS_Store").write_bytes(b"")
    samples = data.read_image_folder(tmp_path)
    assert samples.class_names == ("a", "b") and samples.y.tolist() == [0, 1, 1]
    assert samples.x.shape == (3, 1, 2, 2) and samples.x[:, 0, 0, 0].tolist() == [3, 1, 2]
    assert samples.x.dtype == np.uint8 and samples.y.dtype == np.int64


def test_an_image_folder_refuses(tmp_path):
    with pytest.raises(DataFileError, match="a folder for each class"):
        data.read_image_folder(tmp_path)
    grey(tmp_path / "a" / "1.pgm", 1)
    (tmp_path / "b").mkdir()
    with pytest.raises(DataFileError, match="images of this class"):
        data.read_image_folder(tmp_path)
    grey(tmp_path / "b" / "1.pgm", 1, height=3)
    with pytest.raises(DataFileError, match=r"2 by 2 pixels with 1 channel as .* got 3 by 2"):
        data.read_image_folder(tmp_path)
    (tmp_path / "b" / "1.pgm").rename(tmp_path / "b" / "1.gif")
    with pytest.raises(DataFileError, match=r"\.png, .*got '\.gif'"):
        data.read_image_folder(tmp_path)
    for arguments in ({"channels": 2}, {"size": 8}, {"size": (0, 8)}, {"size": (2**20, 2**20)}):
        with pytest.raises(errors.ArgumentError, match=next(iter(arguments))):
            data.read_image_folder(tmp_path, **arguments)


@pytest.fixture
def pillow():
    return pytest.importorskip("PIL.Image")


@pytest.mark.parametrize("kind", ["png", "bmp", "ppm"])
def test_pillow_gives_the_same_pixels(tmp_path, pillow, kind):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    (tmp_path / "c").mkdir()
    pillow.fromarray(pixels).save(tmp_path / "c" / f"x.{kind}")
    samples = data.read_image_folder(tmp_path)
    assert_array_equal(samples.x[0], pixels.transpose(2, 0, 1), strict=True)
    assert data.read_image_folder(tmp_path, channels=1).x.shape == (1, 1, 5, 7)
    assert data.read_image_folder(tmp_path, size=(10, 4)).x.shape == (1, 3, 10, 4)
    assert data.read_image_folder(tmp_path, size=(5, 7)).x.tolist() == samples.x.tolist()


def test_modes_of_pictures(tmp_path, pillow):
    (tmp_path / "c").mkdir()
    path = tmp_path / "c" / "x.png"
    for mode, channels in [("1", 1), ("L", 1), ("LA", 1), ("P", 3), ("RGB", 3), ("RGBA", 3)]:
        pillow.new(mode, (4, 3), 1).save(path)
        x, _ = data.read_image_folder(tmp_path)
        assert x.shape == (1, channels, 3, 4)
        assert data.read_image_folder(tmp_path, channels=3).x.shape == (1, 3, 3, 4)
    # 16 bits a channel would be cut to 8.
    pillow.new("I;16", (4, 3), 1000).save(path)
    with pytest.raises(DataFileError, match="a byte a channel, got mode 'I;16'"):
        data.read_image_folder(tmp_path)


def test_pictures_are_refused_before_they_are_unpacked(tmp_path, pillow):
    (tmp_path / "c").mkdir()
    path = tmp_path / "c" / "x.png"
    pillow.new("1", (9000, 9000)).save(path)
    with pytest.raises(DataFileError, match="9000 by 9000 pixels, more than"):
        data.read_image_folder(tmp_path)
    # A header alone: 4000 by 4000 in less than a hundred bytes.
    header = b"IHDR" + struct.pack(">IIBBBBB", 4000, 4000, 8, 2, 0, 0, 0)
    body = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    rest = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body + rest)
    with pytest.raises(DataFileError, match="4000 by 4000 pixels, more than"):
        data.read_image_folder(tmp_path)
    path.write_bytes(b"GIF89a" + bytes(50))
    with pytest.raises(DataFileError, match=r"decoded as an image: cannot identify image file$"):
        data.read_image_folder(tmp_path)


def test_missing_pillow_is_named(tmp_path, monkeypatch):
    for module in [module for module in sys.modules if module.split(".")[0] == "PIL"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "PIL", None)
    grey(tmp_path / "a" / "1.pgm", 1)
    assert len(data.read_image_folder(tmp_path).y) == 1, "needs no Pillow"
    for arguments in ({"size": (4, 4)}, {"channels": 3}):
        with pytest.raises(errors.MissingDependency, match=r'"tinygrad_cs\[images\]"'):
            data.read_image_folder(tmp_path, **arguments)
    (tmp_path / "a" / "2.png").write_bytes(b"\x89PNG")
    with pytest.raises(errors.MissingDependency, match="Pillow"):
        data.read_image_folder(tmp_path)


# ---- the splits take what the readers give -----------------------------------------------------


def test_splits_take_what_readers_give(tmp_path):
    mnist(tmp_path, count=100)
    rows, _ = cifar_rows([k % 10 for k in range(100)], 100)
    (tmp_path / "batch.bin").write_bytes(rows.tobytes())
    (tmp_path / "x.csv").write_text("a,b\n" + "".join(f"{k},{k % 4 > 1}\n" for k in range(100)))
    (tmp_path / "images").mkdir()
    for k in range(100):
        grey(tmp_path / "images" / f"class {k % 2}" / f"{k}.pgm", k)
    for samples in (
        data.read_mnist(tmp_path),
        data.read_cifar10(tmp_path / "batch.bin"),
        data.read_csv(tmp_path / "x.csv").samples("b"),
        data.read_image_folder(tmp_path / "images"),
    ):
        assert samples.y.dtype == np.int64
        parts = data.train_validation_test_split(*samples, stratify=samples.y)
        assert sum(len(y) for _, y in parts) == len(samples.y)
        shares = [np.bincount(y) / len(y) for _, y in parts]
        assert np.ptp(np.stack(shares), axis=0).max() < 0.1
        (x, y), *_ = parts
        assert x.dtype == samples.x.dtype and y.dtype == np.int64
        dataset = data.TensorDataset(*samples)
        halves = data.random_split(dataset, [0.5, 0.5], generator=0, stratify=samples.y)
        assert [len(half) for half in halves] == [50, 50]
        folds = list(data.k_fold(dataset, 4, generator=0, stratify=samples.y))
        assert [tuple(map(len, fold)) for fold in folds] == 4 * [(75, 25)]
        batch = next(iter(data.DataLoader(dataset, batch_size=4)))
        assert_array_equal(batch[0], samples.x[:4])
