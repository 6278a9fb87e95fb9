"""Speed of extraction with two processes relative to one, and speed of the cache.

The clips are those of a folder of videos (default: javanese-av); the features are face crops,
spectrogram segments and audio functionals. Runs with one and two processes alternate, each with an
empty cache in a fresh interpreter, so that imports and the start of processes count; the ratio is
that of the medians. Every process has one thread.

    python benchmarks/extraction.py [--corpus DIR] [--clips 192] [--rounds 3] [--out DIR]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.execution.files import write_json
from aver.execution.tasks import usable_cores
from aver.features.audio_functionals import AudioFunctionals
from aver.features.face_crops import FaceCrops
from aver.features.feature import Feature
from aver.features.spectrogram_segments import SpectrogramSegments
from aver.features.store import FeatureStore

_PROCESSES = {1: "one process", 2: "two processes"}
FEATURES: tuple[Feature, ...] = (
    FaceCrops(size_px=64, rate_hz=6.0),
    SpectrogramSegments(bands="mel", band_count=64, column_count=50),
    AudioFunctionals(),
)


def extract(clips: list[Clip], workers: int) -> None:
    """Fill an empty cache."""
    if workers == 1:
        _use_one_thread()  # worker processes do so themselves
    with tempfile.TemporaryDirectory() as folder:
        prepared = FeatureStore(Path(folder)).prepare(clips, FEATURES, workers=workers)
    if prepared.failures:
        raise SystemExit(f"{len(prepared.failures)} clips failed: {prepared.failures[0].reason}")


def run_once(workers: int) -> tuple[float, float]:
    """Wall time and processor time, in seconds, of one extraction in a fresh interpreter."""
    command = [sys.executable, *sys.argv, "--once", str(workers)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start_s = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall_s = time.perf_counter() - start_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cache_speed(clips: list[Clip]) -> dict[str, dict[str, float]]:
    """By feature: clips per second from a warm cache, and how much faster than computing."""
    speeds = {}
    with tempfile.TemporaryDirectory() as folder:
        for feature in FEATURES:
            store = FeatureStore(Path(folder))
            start_s = time.perf_counter()
            store.prepare(clips, [feature])
            computed_s = time.perf_counter() - start_s
            durations_s = []
            for _ in range(5):
                start_s = time.perf_counter()
                records = [store.get(clip, feature) for clip in clips]
                durations_s.append(time.perf_counter() - start_s)
            size = sum(array.nbytes for record in records for array in record.arrays.values())
            hit_s = float(np.median(durations_s))
            speeds[feature.name] = {
                "clips_per_s": len(clips) / hit_s,
                "megabytes_per_s": size / 1e6 / hit_s,
                "times_faster_than_computing": computed_s / hit_s,
            }
    return speeds


def _use_one_thread() -> None:
    """As worker processes do; otherwise one process uses all cores through library threads."""
    import cv2
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    threadpool_limits(1)


def measure(clips: list[Clip], rounds: int) -> dict[str, Any]:
    """All figures of this benchmark."""
    runs: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for number in range(rounds):
        for workers in (1, 2) if number % 2 == 0 else (2, 1):
            runs[workers].append(run_once(workers))
    wall_s, processor_s = (
        {name: [run[column] for run in runs[workers]] for workers, name in _PROCESSES.items()}
        for column in (0, 1)
    )
    one_s, two_s = (float(np.median(values)) for values in wall_s.values())
    return {
        "clips": len(clips),
        "cores": usable_cores(),
        "seconds": wall_s,
        "processor_seconds": processor_s,
        "ratio": one_s / two_s,
        "cache": cache_speed(clips),  # in this process, after imports
    }


def table(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    seconds = {name: float(np.median(values)) for name, values in figures["seconds"].items()}
    lines = [f"{figures['clips']} clips, {figures['cores']} cores", ""]
    lines += [f"{name:15} {value:7.1f} s" for name, value in seconds.items()]
    lines += [f"{'ratio':15} {figures['ratio']:7.2f}", ""]
    lines.append(f"{'warm cache':22} {'clips/s':>9} {'MB/s':>8} {'times computing':>16}")
    for name, speed in figures["cache"].items():
        lines.append(
            f"{name:22} {speed['clips_per_s']:9.0f} {speed['megabytes_per_s']:8.0f} "
            f"{speed['times_faster_than_computing']:16.0f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, write the JSON."""
    data = Path(os.environ.get("AVER_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=data / "javanese-av")
    parser.add_argument("--clips", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--once", type=int, help="extract once with N processes")
    arguments = parser.parse_args()
    paths = sorted(arguments.corpus.rglob("*.mp4"))[: arguments.clips]
    clips = [Clip(path.stem, None, None, video=path, audio=path) for path in paths]
    if arguments.once:
        return extract(clips, arguments.once)
    figures = measure(clips, arguments.rounds)
    print(table(figures))
    target = arguments.out / "extraction.json"
    write_json(target, figures)
    print(f"Wrote {target}")


if __name__ == "__main__":
    main()
