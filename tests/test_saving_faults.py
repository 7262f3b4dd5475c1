"""Model files against damage, full disks, killed processes and headers that lie."""

import errno
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cs as tg
from tinygrad_cs import saving
from tinygrad_cs.saving import atomic

ROOT = Path(__file__).parents[1]
LONG = settings.default.max_examples >= 500
FUZZ = settings(max_examples=10_000 if LONG else 100)
STATE = {
    "model": {"0.weight": np.arange(12, dtype=np.float32).reshape(3, 4), "mask": np.array([True])},
    "step": 7,
    "rate": 1e-3,
    "random": {"state": 2**127 + 1},
    "z": [np.complex64(1 + 2j), (None, "text")],
    "empty": np.zeros((0, 3)),
}


def written(state, folder):
    path = Path(folder) / "good.safetensors"
    tg.save(path, state, metadata={"comment": "as it should be"})
    return path.read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    return folder / "damaged.safetensors", written(STATE, folder)


def assert_refused(path, raw, message="at byte"):
    path.write_bytes(raw)
    with pytest.raises(saving.ModelFileError, match=message) as caught:
        tg.load(path)
    error = caught.value
    assert isinstance(error, ValueError) and isinstance(error, tg.TinygradError)
    assert error.path == str(path) and str(path) in str(error) and error.reason in str(error)
    assert 0 <= error.offset <= max(len(raw), 8)


# Damage


def test_every_bit_of_a_file_counts(place):
    """Each single flip is found, wherever it is: in the length, the header, the data."""
    path, raw = place
    for k in range(len(raw)):
        damaged = bytearray(raw)
        damaged[k] ^= 1 << (k * 5 % 8)
        assert_refused(path, damaged)


def test_every_truncation_is_found(place):
    path, raw = place
    for length in range(0, len(raw), 3):
        assert_refused(path, raw[:length])
    assert_refused(path, raw + b"\0")
    assert_refused(path, raw + raw)
    assert_refused(path, raw[: len(raw) // 2] + b"\0" * (len(raw) - len(raw) // 2))


@FUZZ
@given(st.data())
def test_any_damage_gives_the_one_error(place, data):
    path, raw = place
    damaged = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(damaged)))
        end = start + data.draw(st.integers(0, 20))
        damaged[start:end] = data.draw(st.binary(max_size=20))
    if damaged != raw:
        assert_refused(path, damaged)


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes_give_the_one_error(place, raw):
    assert_refused(place[0], raw)


# Headers that lie, without a checksum to find out


def file_of(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


def test_the_smallest_files_are_read(place):
    path, _ = place
    path.write_bytes(file_of({"a": entry()}, bytes(8)))
    assert tg.load(path)["a"].tolist() == [0, 0]
    path.write_bytes(file_of({}))
    assert tg.load(path) == {}
    path.write_bytes(file_of({"b": entry(shape=[0], offsets=[8, 8]), "a": entry()}, bytes(8)))
    assert tg.load(path)["b"].size == 0


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "ends after 0 bytes"),
        (b"1234567", "ends after 7 bytes"),
        (struct.pack("<Q", 2**63) + b"{}", "should take 9223372036854775808 bytes"),
        (struct.pack("<Q", 3) + b"{}", "should take 3 bytes"),
        (file_of(b""), "no JSON"),
        (file_of(b"\xff\xfe"), "no JSON"),
        (file_of(b"[1]"), "no JSON object"),
        (file_of(b"[" * 100_000), "no JSON"),
        (file_of(b"[" * 100_000 + b"]" * 100_000), "no JSON"),
        (file_of(b'{"a": ' + b"9" * 5000 + b"}"), "no JSON"),
        (file_of(b'{"a": 1, "a": 2}'), "'a' comes twice"),
        (file_of({"__metadata__": [1]}), "__metadata__"),
        (file_of({"__metadata__": {"a": 1}}), "__metadata__"),
        (file_of({"a": 3}), "not described"),
        (file_of({"a": entry(more=1)}, bytes(8)), "not described"),
        (file_of({"a": {"dtype": "F32"}}), "not described"),
        (file_of({"a": entry("F31")}, bytes(8)), "dtype 'F31'"),
        (file_of({"a": entry(["F32"])}, bytes(8)), "dtype"),
        (file_of({"a": entry(shape=[-2])}, bytes(8)), "whole numbers"),
        (file_of({"a": entry(shape=[True, 2])}, bytes(8)), "whole numbers"),
        (file_of({"a": entry(shape=[2.0])}, bytes(8)), "whole numbers"),
        (file_of({"a": entry(shape=[float("nan")])}, bytes(8)), "whole numbers"),
        (file_of({"a": entry() | {"shape": 2}}, bytes(8)), "whole numbers"),
        (file_of({"a": entry(offsets=[0, 8, 8])}, bytes(8)), "offsets"),
        (file_of({"a": entry(offsets=[8, 0])}, bytes(8)), "takes 8 bytes"),
        (file_of({"a": entry(shape=[3])}, bytes(8)), "takes 12 bytes"),
        (file_of({"a": entry(shape=[2**40, 2**40])}, bytes(8)), "takes"),
        (file_of({"a": entry(shape=[2**40], offsets=[0, 2**42])}, bytes(8)), "cut off"),
        (file_of({"a": entry(shape=[0, 2**64], offsets=[0, 0])}), "impossible shape"),
        (file_of({"a": entry(shape=[0, 2**62, 8], offsets=[0, 0])}), "shape"),
        (file_of({"a": entry(shape=[1] * 65, offsets=[0, 4])}, bytes(4)), "impossible shape"),
        (file_of({"a": entry(), "b": entry()}, bytes(8)), "'b' overlaps"),
        (file_of({"a": entry(), "b": entry(offsets=[4, 12])}, bytes(12)), "'b' overlaps"),
        (file_of({"a": entry(offsets=[8, 16])}, bytes(16)), "leaves a gap"),
        (file_of({"a": entry()}, bytes(9)), "9 bytes of data are there"),
        (file_of({"a": entry("BOOL", [2], [0, 2])}, b"\1\2"), "a byte above 1"),
        (file_of({"__metadata__": {"tinygrad_cs.structure": "{}"}}), "checksum"),
        (b"PK\x03\x04" + bytes(100), "header"),
    ],
)
def test_headers_that_lie_are_refused(place, raw, message):
    assert_refused(place[0], raw, message)


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        ("", "understood"),
        ("[", "understood"),
        ('{"array":"b"}', "understood"),
        ('[{"array":"a"},{"array":"a"}]', "understood"),
        ("[]", "does not mention the tensor 'a'"),
        ('{"array":["a"]}', "understood"),
        ('{"array":"a","dict":{}}', "understood"),
        ('{"dict":[]}', "understood"),
        ('{"pickle":"a"}', "understood"),
        ('{"pairs":[[[],1]]}', "understood"),
        ('{"pairs":[1]}', "understood"),
        ('{"tuple":3}', "understood"),
        ('{"int":"x"}', "understood"),
        ('{"int":1}', "understood"),
        ('{"complex":[1]}', "not mention"),
        ('{"complex":[1,2,3]}', "understood"),
        ('{"complex array":"a"}', "no complex numbers"),
        ('{"scalar":3}', "understood"),
        ('{"dict":{"a":1,"a":2}}', "twice"),
        ("[" * 100_000 + "]" * 100_000, "deep"),
    ],
)
def test_structures_that_lie_are_refused(place, monkeypatch, structure, message):
    path, _ = place
    monkeypatch.setattr(
        saving.files, "flatten", lambda state: (structure, {"a": np.zeros(3, np.float32)})
    )
    tg.save(path, None)
    assert_refused(path, path.read_bytes(), message)


def test_memory_is_not_taken_on_the_word_of_a_header(place):
    """A header of a small file that speaks of terabytes is refused before anything is allocated."""
    import tracemalloc

    path, _ = place
    path.write_bytes(file_of({"a": entry(shape=[2**40], offsets=[0, 2**42])}, bytes(8)))
    tracemalloc.start()
    try:
        with pytest.raises(saving.ModelFileError):
            tg.load(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_file_that_shrinks_while_it_is_read_is_refused(place, monkeypatch):
    path, raw = place
    path.write_bytes(raw)
    sizes = os.fstat

    def larger(descriptor):
        path.write_bytes(raw[:-10])
        monkeypatch.undo()
        return os.stat_result([*sizes(descriptor)[:6], len(raw), *sizes(descriptor)[7:10]])

    monkeypatch.setattr(os, "fstat", larger)
    with pytest.raises(saving.ModelFileError, match="ends within the data"):
        tg.load(path)


# Writing that fails


class FullDisk:
    """A file on a disk with room for a few bytes more."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, part):
        if len(part) > self.room:
            self.file.write(bytes(part)[: self.room])
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(part)
        return self.file.write(part)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)


@pytest.mark.parametrize("room", [0, 5, 300, 800])
def test_a_full_disk_leaves_the_earlier_file(tmp_path, monkeypatch, room):
    path = tmp_path / "state"
    tg.save(path, "earlier")

    def full(*arguments):
        return FullDisk(open(*arguments), room)

    monkeypatch.setattr(atomic, "open", full, raising=False)
    with pytest.raises(OSError, match=r"No space left on device: '.*/state'") as found:
        tg.save(path, {"a": np.zeros(1000), "b": np.zeros(1000)})
    assert found.value.errno == errno.ENOSPC
    assert tg.load(path) == "earlier" and os.listdir(tmp_path) == ["state"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken"), KeyboardInterrupt()])
def test_no_step_that_fails_harms_the_earlier_file(tmp_path, monkeypatch, step, error):
    def fail(*arguments):
        raise error

    path = tmp_path / "state"
    tg.save(path, "earlier")
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        tg.save(path, np.zeros(1000))
    monkeypatch.undo()
    assert tg.load(path) == "earlier" and os.listdir(tmp_path) == ["state"]


def test_errors_of_the_system_name_the_file_and_not_the_temporary_one(tmp_path):
    lost, folder = tmp_path / "lost" / "state", tmp_path / "folder"
    folder.mkdir()
    for path, kind in ((lost, FileNotFoundError), (folder, IsADirectoryError)):
        with pytest.raises(kind) as found:
            tg.save(path, 1)
        assert str(found.value).endswith(f": '{path}'") and not found.value.filename2
    assert os.listdir(tmp_path) == ["folder"]


def test_everything_is_on_the_disk_before_the_name_changes(tmp_path, monkeypatch):
    """First the data, then the name, then the folder that holds the name."""
    events = []
    synced, replaced = os.fsync, os.replace

    def fsync(descriptor):
        events.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        synced(descriptor)

    def replace(source, target):
        events.append("name")
        replaced(source, target)

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    tg.save(tmp_path / "state", 1)
    assert events == ["file", "name", "folder"]


def child(code, *arguments):
    """A process that runs `code` on `arguments`, once everything is imported."""
    text = (
        "import os, sys, email.parser, numpy as np, tinygrad_cs as tg\n"  # (for metadata)
        "from tinygrad_cs import saving\nprint('ready', flush=True)\n" + code
    )
    process = subprocess.Popen(
        [sys.executable, "-c", text, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    return process


LIMITED = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    tg.save(sys.argv[1], np.zeros(100_000))
except OSError as error:
    print(error.strerror)
"""
CLOSED = """
if os.getuid() == 0:
    os.setuid(65534)
for name in ("state", "new"):
    try:
        tg.save(os.path.join(sys.argv[1], name), 1)
    except PermissionError as error:
        print(error.strerror)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits and users of Linux")
@pytest.mark.parametrize(("code", "lines"), [(LIMITED, 1), (CLOSED, 2)])
def test_the_system_refuses_to_write(code, lines):
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "state"
        tg.save(path, "earlier")
        folder.chmod(0o555 if code is CLOSED else 0o755)
        process = child(code, folder if code is CLOSED else path)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0 and len(said.splitlines()) == 1 + lines
        assert tg.load(path) == "earlier" and os.listdir(folder) == ["state"]
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


# Several processes, and processes that are killed

WRITING = """
folder, mark = sys.argv[1], int(sys.argv[2])
for step in range(int(sys.argv[3])):
    tg.save(folder + "/shared", {"all": np.full(50_000, mark), "mark": mark, "step": step})
    saving.Checkpoints(folder + "/steps", keep_last=2).save({"mark": mark}, step, score=step % 3)
"""


def test_processes_that_write_to_one_folder_do_not_mix(tmp_path):
    processes = [child(WRITING, tmp_path, mark, 30) for mark in (1, 2)]
    seen = set()
    while any(process.poll() is None for process in processes):
        if (tmp_path / "shared").exists():
            state = tg.load(tmp_path / "shared")
            assert (state["all"] == state["mark"]).all()
            seen.add(state["mark"])
        time.sleep(0.01)
    assert [process.wait() for process in processes] == [0, 0]
    for process in processes:
        process.stdout.close()
    assert seen
    checkpoints = saving.Checkpoints(tmp_path / "steps")
    assert checkpoints.latest().step == 29
    names = os.listdir(tmp_path) + os.listdir(tmp_path / "steps")
    assert not [name for name in names if name.endswith(".tmp")]


KILLED = """
path = sys.argv[1]
step = 0
while True:
    step += 1
    tg.save(path, {"all": np.full(200_000, step), "step": step})
"""


def test_a_process_may_be_killed_at_any_moment(tmp_path):
    """Whatever moment it is, the file is whole: that of this step or of the one before."""
    rng = random.Random(0)
    kills = 100 if LONG else 12
    for start in range(0, kills, 4):
        folders = [tmp_path / str(k) for k in range(start, min(start + 4, kills))]
        processes = []
        for folder in folders:
            folder.mkdir()
            tg.save(folder / "state", {"all": np.zeros(200_000, int), "step": 0})
            processes.append(child(KILLED, folder / "state"))
        for folder, process in zip(folders, processes, strict=True):
            assert process.stdout.readline() == "ready\n"
            time.sleep(rng.random() * 0.05)
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
            process.stdout.close()
            state = tg.load(folder / "state")
            assert (state["all"] == state["step"]).all()
            leftovers = [name for name in os.listdir(folder) if name != "state"]
            assert len(leftovers) <= 1 and all(name.endswith(".tmp") for name in leftovers)
