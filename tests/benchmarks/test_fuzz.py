"""300 damaged inputs: one line for each that cannot be used, and the good clip as by itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from fuzz import Fuzz, Tally, failing, fault_of, run_commands
from fuzz_inputs import KINDS, Maker
from fuzz_material import make_material
from limited_process import run_limited

IN_A_PROCESS = 20
IN_THIS_PROCESS = {
    "media": 110,
    "check": 15,
    "table": 35,
    "pattern": 35,
    "split": 30,
    "preset": 20,
    "checkpoint": 20,
    "action-units": 10,
    "run": 5,
}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with ``material/``, the intact files."""
    folder = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVER_CACHE", str(folder / "cache"))
        make_material(folder / "material")
        yield folder


def test_there_are_300_inputs_of_all_kinds():
    assert IN_A_PROCESS + sum(IN_THIS_PROCESS.values()) == 300
    assert IN_THIS_PROCESS.keys() == KINDS.keys()
    assert sum(kind.share for kind in KINDS.values()) == pytest.approx(1)


def test_one_batch_by_the_command(work):
    tally = Tally(seed=0)
    Fuzz(work, seed=0).run_batch(0, tally, kind="media")

    assert tally.failures == []
    assert (tally.inputs["media"], tally.good_predicted) == (IN_A_PROCESS, 1)
    assert 50 < tally.peak_mb < 2000


@pytest.mark.parametrize("kind", IN_THIS_PROCESS)
def test_damaged_inputs(kind, work, tmp_path):
    maker = Maker(work / "material", tmp_path)
    random = np.random.default_rng([1, sorted(KINDS).index(kind)])
    inputs = [maker.make(kind, f"{i:03d}", random) for i in range(IN_THIS_PROCESS[kind])]
    alone = run_commands([maker.predict_good(kind)])[0].probabilities_of_good()

    results = run_commands(maker.commands(kind, inputs))

    assert sum(alone.values()) == pytest.approx(1, abs=1e-3)
    assert fault_of(results, alone) == ""


def test_processes_are_stopped_at_their_limits():
    hungry = [sys.executable, "-c", "x = bytearray(3 * 10**8)\nimport time\ntime.sleep(60)"]
    idle = [sys.executable, "-c", "import time\ntime.sleep(60)"]

    assert run_limited(hungry, seconds=50, memory_bytes=10**8).stopped == "memory"
    assert run_limited(idle, seconds=1, memory_bytes=10**9).stopped == "time"


def test_the_inputs_that_fail_are_found_by_halving():
    def attempt(numbers: Sequence[int]) -> str:
        return "bad" if {3, 12} & {*numbers} else "sum" if sum(numbers) > 1000 else ""

    assert failing(range(20), attempt) == [(3, "bad"), (12, "bad")]
    assert failing([600, 700], attempt) == [(600, "only together with others: sum")]
    assert failing([1, 2], attempt) == []
