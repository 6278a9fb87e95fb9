"""Commands killed at random moments and run again: the result equals that of an unbroken run.

    python benchmarks/kills.py [--kills 100] [--seed 0] [--out DIR]

A small synthetic corpus goes through `aver features`, `aver train`, `aver evaluate` and `aver
report`. Each command is killed with SIGKILL, its worker processes too, after a random share of the
time that it takes unbroken, and run again in the same folder, which may be killed in turn; after at
most four kills it runs to its end. Then every file must equal that of an unbroken run; of weights
the arrays and metadata, because the library writes them in any order. Files in which two unbroken
runs differ, such as times, are not compared; the result names them. Logs of TensorBoard, which each
start of a training adds to, are left out. After every kill the JSON and CSV files, arrays and
checkpoints that can be seen must be whole.

The work is resumed if it is started again with the same folder. Writes
``benchmarks/results/kills.json``. Linux and macOS only.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

RESULT = Path(__file__).parent / "results" / "kills.json"
CORPUS = (
    ["speakers=4", "takes=1", "sentences=1", "duration_s=1.0,1.3", "fps=8", "size_px=96", "seed=1"]
)  # fmt: skip
SYSTEM = ("--preset", "mrpn-statistics", "--set", "training.epochs=8", "training.patience=8")
MOST_KILLS = 4
LONGEST_S = 900.0


@dataclass(frozen=True)
class Job:
    """A command and the part of its folder that is its result."""

    name: str
    arguments: tuple[str, ...]
    needs: str = ""
    """The job whose unbroken folder it starts from."""


JOBS = (
    Job("features", ("features", "--corpus", "{corpus}", *SYSTEM, "--cache", "cache")),
    Job(
        "train",
        ("train", "--corpus", "{corpus}", *SYSTEM, "--split", "leave-one-speaker-out",
         "--cache", "cache", "--out", "run"),
        needs="features",
    ),
    Job(
        "evaluate",
        ("evaluate", "--corpus", "{corpus}", *SYSTEM, "--split", "leave-one-speaker-out",
         "--baselines", "none", "--cache", "cache", "--out", "run"),
        needs="features",
    ),
    Job("report", ("report", "run", "--no-media", "--out", "report"), needs="evaluate"),
)  # fmt: skip


@dataclass
class Counts:
    """What happened; written after every round."""

    kills: dict[str, int] = field(default_factory=dict)
    rounds: dict[str, int] = field(default_factory=dict)
    seconds_unbroken: dict[str, float] = field(default_factory=dict)
    not_compared: dict[str, list[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """As JSON, at once or not at all."""
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps({"protocol": __doc__, **self.__dict__}, indent=1) + "\n")
        partial.replace(path)


class Study:
    """A corpus, and unbroken runs of every job to compare with."""

    def __init__(self, folder: Path, jobs: Sequence[Job] = JOBS) -> None:
        self.folder, self.jobs = folder, jobs
        self.corpus = folder / "corpus"
        folder.mkdir(parents=True, exist_ok=True)

    def prepare(self, counts: Counts) -> None:
        """Make the corpus and the unbroken runs, each twice, unless they are there."""
        if not (self.folder / "ready").exists():
            shutil.rmtree(self.folder)
            self.folder.mkdir()
            synthesize = ("corpus", "synthesize", str(self.corpus), "--set", *CORPUS)
            self.run(synthesize, self.folder)
            for job in self.jobs:
                for name in ("unbroken", "again"):
                    self.start(job, self.folder / name / job.name)
                    started = time.monotonic()
                    self.run(job.arguments, self.folder / name / job.name)
                    counts.seconds_unbroken[job.name] = round(time.monotonic() - started, 1)
            counts.not_compared = {job.name: sorted(self.volatile(job)) for job in self.jobs}
            (self.folder / "ready").touch()

    def start(self, job: Job, folder: Path) -> None:
        """A folder as the job finds it."""
        shutil.rmtree(folder, ignore_errors=True)
        if job.needs:
            shutil.copytree(self.folder / "unbroken" / job.needs, folder)
        else:
            folder.mkdir(parents=True)

    def run(self, arguments: Sequence[str], folder: Path, limit_s: float = LONGEST_S) -> bool:
        """Run a command in a folder; False if it was killed at the limit.

        Raises
        ------
        SystemExit
            If the command fails.
        """
        command = [sys.executable, "-m", "aver.cli.main"]
        command += [word.format(corpus=self.corpus) for word in arguments]
        with (folder / ".output").open("wb") as output:
            process = subprocess.Popen(
                command, cwd=folder, stdout=output, stderr=output, start_new_session=True
            )
            try:
                process.wait(limit_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return False
        if process.returncode:
            text = (folder / ".output").read_text(errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
        return True

    def volatile(self, job: Job) -> set[str]:
        """Files in which two unbroken runs differ."""
        one, other = (digests(self.folder / name / job.name) for name in ("unbroken", "again"))
        return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}

    def round(self, job: Job, random_source: random.Random, seconds: float) -> tuple[int, str]:
        """Kill a job up to `MOST_KILLS` times, let it end, and compare.

        Returns
        -------
        kills : int
        fault : str
            Empty if the result is that of the unbroken run.
        """
        folder = self.folder / "killed" / job.name
        self.start(job, folder)
        kills = 0
        for _ in range(random_source.randint(1, MOST_KILLS)):
            if self.run(job.arguments, folder, random_source.uniform(0.0, 1.1 * seconds)):
                break
            kills += 1
            broken = broken_files(folder)
            if broken:
                return kills, f"{job.name}: {', '.join(broken)} half written after a kill"
        try:
            self.run(job.arguments, folder)
        except SystemExit as error:
            return kills, f"{job.name}: {error}"
        found, expected = digests(folder), digests(self.folder / "unbroken" / job.name)
        ignored = self.volatile(job)
        wrong = {n for n in found.keys() | expected.keys() if found.get(n) != expected.get(n)}
        return kills, f"{job.name}: {sorted(wrong - ignored)} differ" if wrong - ignored else ""


def digests(folder: Path) -> dict[str, str]:
    """The hash of every file below a folder that is not hidden; of weights, of their content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(_content(path)).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not _hidden(path.relative_to(folder))
        and ".tfevents." not in path.name
    }


def _content(path: Path) -> bytes:
    from safetensors import safe_open

    if path.suffix != ".safetensors":
        return path.read_bytes()
    with safe_open(path, framework="numpy") as file:
        parts = [json.dumps(file.metadata(), sort_keys=True).encode()]
        for name in sorted(file.keys()):
            array = file.get_tensor(name)
            parts += [f"{name} {array.dtype} {array.shape}".encode(), array.tobytes()]
    return b"\n".join(parts)


def broken_files(folder: Path) -> list[str]:
    """Files that are not hidden and cannot be read as what their suffix says."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _hidden(path.relative_to(folder)):
            try:
                _read(path)
            except Exception as error:
                found.append(f"{path.relative_to(folder)} ({type(error).__name__}: {error})")
    return found


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _read(path: Path) -> None:
    import numpy as np
    from safetensors.numpy import load_file

    if path.suffix == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as lines:
            widths = {len(row) for row in csv.reader(lines)}
        if len(widths) > 1:
            raise ValueError(f"rows of {sorted(widths)} columns")
    elif path.suffix in (".npz", ".npy"):
        np.load(path, allow_pickle=False)
    elif path.suffix == ".safetensors":
        load_file(path)


def measure(study: Study, counts: Counts, kills: int, seed: int, save: Path | None) -> None:
    """Rounds of all jobs in turn until there were so many kills."""
    study.prepare(counts)
    number = sum(counts.rounds.values())
    while sum(counts.kills.values()) < kills:
        job = study.jobs[number % len(study.jobs)]
        chance = random.Random(f"{seed} {number}")
        done, fault = study.round(job, chance, counts.seconds_unbroken[job.name])
        counts.kills[job.name] = counts.kills.get(job.name, 0) + done
        counts.rounds[job.name] = counts.rounds.get(job.name, 0) + 1
        if fault:
            counts.failures.append(fault)
            print(fault, flush=True)
        number += 1
        if save is not None:
            counts.save(save)
            print(f"{sum(counts.kills.values())} kills in {number} rounds", flush=True)


def main() -> None:
    """Read the arguments, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/kills"), help="working folder")
    arguments = parser.parse_args()
    kept = arguments.out / "counts.json"
    counts = Counts()
    if kept.exists() and (arguments.out / "ready").exists():
        values = json.loads(kept.read_text())
        counts = Counts(**{name: values[name] for name in counts.__dict__})
    measure(Study(arguments.out.resolve()), counts, arguments.kills, arguments.seed, kept)
    counts.save(RESULT)
    print(f"{sum(counts.kills.values())} kills, {len(counts.failures)} failures")


if __name__ == "__main__":
    main()
