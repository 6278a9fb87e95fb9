"""Processes that compile the same kernels at the same time never damage each other's cache."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numba.core.caching import IndexDataCacheFile
from numba.core.serialize import dumps

from aver.spiking.kernels import compile
from aver.spiking.kernels.compile import SignatureFiles

PROCESSES = 8

# Even processes call with 32-bit delays first, odd ones with 64-bit ones: with one numbered index
# per function, as Numba has it, both signatures would get the same file.
SORT = """
import json, sys, time
import numpy as np
from aver.spiking.kernels.poisson import sort_by_arrival

kinds = [np.int32, np.int64]
if int(sys.argv[1]) % 2:
    kinds.reverse()
time.sleep(max(0.0, float(sys.argv[2]) - time.time()))  # all at once
steps, neurons = np.array([3, 0, 2, 0], np.int32), np.arange(4, dtype=np.int32)
found = {}
for kind in kinds:
    begins, order = np.zeros(7, np.int64), np.zeros(4, np.int32)
    sort_by_arrival(steps, neurons, np.array([0, 2, 0, 1], kind), 1, 4, 0, begins, order)
    found[kind.__name__] = [begins.tolist(), order.tolist()]
print(json.dumps({
    "sorted": found,
    "compiled": sum(sort_by_arrival.stats.cache_misses.values()),
    "loaded": sum(sort_by_arrival.stats.cache_hits.values()),
}))
"""
EXPECTED = {kind: [[0, 0, 0, 1, 3, 4, 4], [3, 1, 2, 0]] for kind in ("int32", "int64")}


def start(number: int, cache: Path, at_s: float = 0.0, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SORT, str(number), str(at_s)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process: subprocess.Popen) -> dict:
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return json.loads(output)


@pytest.mark.parametrize("trial", range(2))
def test_processes_that_compile_at_once_share_a_sound_cache(trial, tmp_path) -> None:
    at_s = time.time() + 3
    together = [result(one) for one in [start(k, tmp_path, at_s) for k in range(PROCESSES)]]
    assert all(one["sorted"] == EXPECTED for one in together)
    assert sum(one["compiled"] for one in together) >= 2
    later = result(start(0, tmp_path))
    assert later == {"sorted": EXPECTED, "compiled": 0, "loaded": 2}
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".nbc"]


def test_damaged_files_are_compiled_again(tmp_path) -> None:
    result(start(0, tmp_path))
    damaged = sorted(tmp_path.rglob("*.nbc"))
    assert len(damaged) == 2
    damaged[0].write_bytes(b"")
    whole = damaged[1].read_bytes()
    damaged[1].write_bytes(whole[: len(whole) // 2])
    first, second = (result(start(0, tmp_path)) for _ in range(2))
    assert first == {"sorted": EXPECTED, "compiled": 2, "loaded": 0}
    assert second == {"sorted": EXPECTED, "compiled": 0, "loaded": 2}


def test_kernels_lie_below_the_cache_of_aver(tmp_path) -> None:
    """And not beside the source, which an installation for all users does not let one write."""
    beside = Path(compile.__file__).parent
    before = {*beside.rglob("*.nb*")}
    unset = {"NUMBA_CACHE_DIR": "", "AVER_CACHE": str(tmp_path)}
    first, second = (result(start(0, tmp_path, **unset)) for _ in range(2))
    assert first == {"sorted": EXPECTED, "compiled": 2, "loaded": 0}
    assert second == {"sorted": EXPECTED, "compiled": 0, "loaded": 2}
    assert {path.suffix for path in (tmp_path / "kernels").rglob("*") if path.is_file()} == {".nbc"}
    assert {*beside.rglob("*.nb*")} == before


@pytest.mark.parametrize("place", [{"AVER_CACHE": os.devnull}, {"HOME": os.devnull}])
def test_without_a_folder_that_can_be_written_kernels_are_compiled_anew(place) -> None:
    """As in a container with a read-only installation and home."""
    unset = dict.fromkeys(("NUMBA_CACHE_DIR", "AVER_CACHE", "XDG_CACHE_HOME"), "")
    for _ in range(2):
        found = result(start(0, Path(), **{**unset, **place}))
        assert found["sorted"] == EXPECTED
        assert found["loaded"] == 0


def files(folder: Path, source: bytes = b"source") -> SignatureFiles:
    return SignatureFiles(folder / "module.function-1.py311", source)


@pytest.mark.parametrize(
    ("kind", "keeps_apart"), [(SignatureFiles, True), (IndexDataCacheFile, False)]
)
def test_interleaved_writers_keep_each_signature_with_its_own_code(
    kind, keeps_apart, tmp_path, monkeypatch
) -> None:
    """The second writer is overtaken by the first just before it writes its machine code.

    Numba's own files mix the two up; when a release of Numba does not, `SignatureFiles` can go.
    """

    def files() -> SignatureFiles | IndexDataCacheFile:
        if kind is SignatureFiles:
            return SignatureFiles(tmp_path / "function", b"source")
        return IndexDataCacheFile(str(tmp_path), "function", b"source")

    first, second = files(), files()
    reached, finished = threading.Event(), threading.Event()
    writer = threading.Thread(target=second.save, args=("float32", b"code of the second"))

    def interrupted(value) -> bytes:
        content = dumps(value)
        if threading.current_thread() is writer:
            if b"code of the second" in content:
                reached.set()
                finished.wait(10)
        elif not writer.ident:
            writer.start()
            reached.wait(10)
        return content

    for module in ("aver.spiking.kernels.compile", "numba.core.caching"):
        monkeypatch.setattr(f"{module}.dumps", interrupted)
    first.save("float64", b"code of the first")
    finished.set()
    writer.join()
    first_code, second_code = files().load("float64"), files().load("float32")
    right = first_code in (None, b"code of the first")
    right = right and second_code in (None, b"code of the second")
    assert right == keeps_apart
    if keeps_apart:
        assert (first_code, second_code) == (b"code of the first", b"code of the second")


def test_code_of_earlier_sources_is_neither_used_nor_kept(tmp_path) -> None:
    files(tmp_path, b"old").save(("float64",), b"old code")
    changed = files(tmp_path, b"new")
    assert changed.load(("float64",)) is None
    changed.save(("float64",), b"new code")
    assert files(tmp_path, b"new").load(("float64",)) == b"new code"
    assert len(list(tmp_path.iterdir())) == 1
    changed.flush()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_became_unwritable_is_no_error(tmp_path) -> None:
    from aver.spiking.kernels.compile import compiled

    @compiled()
    def twice(x):
        return 2 * x

    blocked = tmp_path / "file"
    blocked.touch()
    twice._cache._cache_file = files(blocked)  # a file where a folder is expected
    assert twice(np.float64(4.0)) == 8.0
    assert twice._cache._cache_file.load("anything") is None
