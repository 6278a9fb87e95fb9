"""Damaged inputs through the command `aver`: no traceback, no hang, no kill, the good clip as ever.

Usage: ``python benchmarks/fuzz.py [--inputs 10000] [--seed 0] [--minutes M] [--work DIR]``

Every input is an intact file with seeded damage (`mutations.py`): clips in 13 containers and two
formats of pictures, tables of corpora, patterns, splits, presets, checkpoints, tables of action
units, run folders. 20 inputs and one good clip are given to one process, which may use 2 GB of
resident memory. A batch that fails is halved until one input is left; the work folder keeps it. The
work is resumed if it is started again with the same folder. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fuzz_inputs import GOOD, KINDS, Input, Maker
from fuzz_material import make_material
from limited_process import run_limited

T = TypeVar("T")

RESULT = Path(__file__).parent / "results" / "fuzz.json"
MEMORY_BYTES = 2 * 10**9
PER_BATCH = 20
_START_S, _PER_INPUT_S = 120.0, 30.0  # time limits; far from what a busy core needs
_TOLERANCE = 1e-3  # of a probability, which is printed with four digits


@dataclass(frozen=True)
class Result:
    """How one command ended."""

    status: int
    stdout: str
    stderr: str
    traceback: str = ""

    @property
    def fault(self) -> str:
        """What is wrong with how it ended; empty if nothing is."""
        if self.traceback or "Traceback" in self.stderr:
            return "traceback: " + (self.traceback or self.stderr).strip().splitlines()[-1][:300]
        if self.status not in (0, 1, 2):
            return f"status {self.status}: {self.stderr.strip()[-300:]}"
        reasons = [line for line in self.stderr.splitlines() if line.startswith("aver: ")]
        return "no reason was given" if self.status == 2 and not reasons else ""

    def probabilities_of_good(self) -> dict[str, float]:
        """What the good clip was predicted as; empty if it was not."""
        for line in self.stdout.splitlines():
            row = json.loads(line)
            if row["clip"] == GOOD:
                return row["probabilities"] or {}
        return {}


def run_commands(commands: Sequence[Sequence[str]]) -> list[Result]:
    """Run commands of aver one after the other in this process."""
    from aver.cli.main import main

    results = []
    for words in commands:
        out, err, trace, status = io.StringIO(), io.StringIO(), "", -1
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = main(words)
            except BaseException:  # whatever it is: main catches what is expected
                trace = traceback.format_exc()
        results.append(Result(status, out.getvalue(), err.getvalue(), trace))
    return results


def fault_of(results: Sequence[Result], expected: dict[str, float]) -> str:
    """The first fault of a batch, whose last command predicted the good clip; empty if none."""
    faults = [one.fault for one in results if one.fault]
    if faults:
        return faults[0]
    found = results[-1].probabilities_of_good()
    if found.keys() != expected.keys():
        return "the good clip was not predicted"
    difference = max(abs(expected[name] - found[name]) for name in expected)
    return f"the good clip changed by {difference:g}" if difference > _TOLERANCE else ""


def failing(items: Sequence[T], attempt: Callable[[Sequence[T]], str]) -> list[tuple[T, str]]:
    """The items that fail, and why, found by halving.

    Parameters
    ----------
    items : sequence
    attempt : callable
        Why these items fail together; an empty text if they do not.
    """
    why = attempt(items)
    if not why:
        return []
    if len(items) == 1:
        return [(items[0], why)]
    half = len(items) // 2
    found = [*failing(items[:half], attempt), *failing(items[half:], attempt)]
    return found or [(items[0], f"only together with others: {why}")]


@dataclass
class Tally:
    """What was tried and what failed; written after every batch."""

    seed: int
    batches: int = 0
    inputs: Counter[str] = field(default_factory=Counter)
    damage: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)
    good_predicted: int = 0
    peak_mb: float = 0.0
    longest_s: float = 0.0

    def save(self, path: Path) -> None:
        """Write as JSON, completely or not at all."""
        values = {**self.__dict__, "total": self.inputs.total()}
        temporary = path.with_suffix(".partial")
        temporary.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path, seed: int) -> Tally:
        """The state of an earlier start with the same seed, or an empty one."""
        if not path.exists():
            return cls(seed)
        values = json.loads(path.read_text())
        if values.pop("seed") != seed:
            raise SystemExit(f"{path} is of another seed; choose another folder with --work.")
        del values["total"]
        for name in ("inputs", "damage", "statuses"):
            values[name] = Counter(values[name])
        return cls(seed, **values)


class Fuzz:
    """Makes batches, runs them, and finds the inputs that fail.

    Parameters
    ----------
    work : Path
        For the intact files and the batches; failing inputs stay in ``failures/``.
    seed : int
    """

    def __init__(self, work: Path, seed: int) -> None:
        self.work, self.seed = work.resolve(), seed
        self.material = make_material(self.work / "material")
        alone = Maker(self.material, self._emptied("alone"))
        self._expected = {}
        for kind in ("media", "others"):
            result = run_commands([alone.predict_good(kind)])[0]
            self._expected[kind] = result.probabilities_of_good()

    def run_batch(self, number: int, tally: Tally, kind: str = "") -> None:
        """Make one batch, of a random kind if none is named, run it, and count."""
        random = np.random.default_rng([self.seed, number])
        shares = [one.share for one in KINDS.values()]
        kind = kind or str(random.choice(list(KINDS), p=shares))
        maker = Maker(self.material, self._emptied("batch"))
        inputs = [maker.make(kind, f"{i:02d}", random) for i in range(PER_BATCH)]
        found = failing(inputs, lambda some: self._attempt(maker, kind, some, tally))
        for one, why in found:
            kept = self.work / "failures" / f"{number:05d}-{inputs.index(one):02d}"
            shutil.copytree(maker.folder, kept, dirs_exist_ok=True)
            words = [word.replace(f"{self.work}/", "") for word in one.words]
            tally.failures.append(
                {"batch": number, "kind": kind, "why": why, "damage": one.damage,
                 "words": words, "kept": kept.name}
            )  # fmt: skip
        tally.inputs[kind] += len(inputs)
        tally.damage.update(one.damage for one in inputs)
        tally.batches = number + 1

    def _emptied(self, name: str) -> Path:
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def _attempt(self, maker: Maker, kind: str, inputs: Sequence[Input], tally: Tally) -> str:
        """Run some inputs and the good clip in one process; why that failed, or an empty text."""
        plan, report = maker.folder / "plan.json", maker.folder / "report.json"
        plan.write_text(json.dumps(maker.commands(kind, inputs)))
        report.unlink(missing_ok=True)
        done = run_limited(
            [sys.executable, __file__, "--child", str(plan), str(report)],
            seconds=_START_S + _PER_INPUT_S * len(inputs),
            memory_bytes=MEMORY_BYTES,
            env={**os.environ, "AVER_CACHE": str(maker.cache)},
            cwd=maker.folder,
        )
        shutil.rmtree(maker.cache, ignore_errors=True)
        tally.peak_mb = max(tally.peak_mb, round(done.peak_bytes / 1e6, 1))
        tally.longest_s = max(tally.longest_s, round(done.seconds, 1))
        if done.stopped:
            return f"{done.stopped} limit reached after {done.seconds:.0f} s"
        if done.status != 0 or not report.exists():
            return f"the process ended with status {done.status}: {done.stderr.strip()[-300:]}"
        results = [Result(**values) for values in json.loads(report.read_text())]
        tally.statuses.update(str(one.status) for one in results)
        why = fault_of(results, self._expected["media" if kind == "media" else "others"])
        tally.good_predicted += not why
        return why


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--work", type=Path, default=Path("fuzz-work"))
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--child", type=Path, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        plan, report = arguments.child
        results = run_commands(json.loads(plan.read_text()))
        report.write_text(json.dumps([one.__dict__ for one in results]))
        return
    end = time.monotonic() + 60 * arguments.minutes
    fuzz = Fuzz(arguments.work, arguments.seed)
    state = arguments.work / "state.json"
    tally = Tally.load(state, arguments.seed)
    while tally.inputs.total() < arguments.inputs and time.monotonic() < end:
        fuzz.run_batch(tally.batches, tally)
        tally.save(state)
        print(f"{tally.inputs.total()} inputs, {len(tally.failures)} failures", flush=True)
    tally.save(arguments.out)
    print(f"{'kind':<14}{'inputs':>8}{'failures':>10}")
    failed = Counter(one["kind"] for one in tally.failures)
    for kind, count in sorted(tally.inputs.items()):
        print(f"{kind:<14}{count:>8}{failed[kind]:>10}")
    print(f"{tally.good_predicted} good clips predicted; peak {tally.peak_mb:.0f} MB")
    print(arguments.out)


if __name__ == "__main__":
    main()
