"""How much two extraction processes gain over one, and how fast the cache answers.

Clips are those of a folder of videos (default: the javanese clips); features are face crops,
spectrogram segments and sound statistics. Runs with one and two processes alternate, each into an
empty cache and from a fresh interpreter, so that both pay for imports and the second also for the
starting of processes; the ratio is that of the medians. Every process has one thread.

    python benchmarks/extraction.py [--corpus DIR] [--clips 192] [--rounds 3] [--out DIR]
"""

from __future__ import annotations

import argparse
import os
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

ASKED_RATIO = 1.7
FEATURES: tuple[Feature, ...] = (
    FaceCrops(size_px=64, rate_hz=6.0),
    SpectrogramSegments(bands="mel", band_count=64, column_count=50),
    AudioFunctionals(),
)


def extract(clips: list[Clip], workers: int) -> None:
    """Fill an empty cache."""
    _use_one_thread()
    with tempfile.TemporaryDirectory() as folder:
        prepared = FeatureStore(Path(folder)).prepare(clips, FEATURES, workers=workers)
    if prepared.failures:
        raise SystemExit(f"{len(prepared.failures)} clips failed: {prepared.failures[0].reason}")


def seconds_from_cold(workers: int) -> float:
    """Seconds by the clock of this script extracting once in an interpreter of its own."""
    command = [sys.executable, *sys.argv, "--once", str(workers)]
    start_s = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start_s


def cache_speed(clips: list[Clip]) -> dict[str, dict[str, float]]:
    """By feature: clips a second out of a warm cache, and how much faster than computing."""
    speeds = {}
    with tempfile.TemporaryDirectory() as folder:
        for feature in FEATURES:
            store = FeatureStore(Path(folder))
            start_s = time.perf_counter()
            store.prepare(clips, [feature])
            computed_s = time.perf_counter() - start_s
            taken = []
            for _ in range(5):
                start_s = time.perf_counter()
                records = [store.get(clip, feature) for clip in clips]
                taken.append(time.perf_counter() - start_s)
            size = sum(array.nbytes for record in records for array in record.arrays.values())
            hit_s = float(np.median(taken))
            speeds[feature.name] = {
                "clips_per_s": len(clips) / hit_s,
                "megabytes_per_s": size / 1e6 / hit_s,
                "times_faster_than_computing": computed_s / hit_s,
            }
    return speeds


def _use_one_thread() -> None:
    """As the worker processes do; else one process takes all cores by threads of its libraries."""
    import cv2
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    threadpool_limits(1)


def measure(clips: list[Clip], rounds: int) -> dict[str, Any]:
    """All figures of this benchmark."""
    taken: dict[int, list[float]] = {1: [], 2: []}
    for number in range(rounds):
        for workers in (1, 2) if number % 2 == 0 else (2, 1):
            taken[workers].append(seconds_from_cold(workers))
    one_s, two_s = (float(np.median(taken[workers])) for workers in (1, 2))
    return {
        "clips": len(clips),
        "cores": usable_cores(),
        "seconds": {"one process": taken[1], "two processes": taken[2]},  # a thread each
        "ratio": one_s / two_s,
        "asked_ratio": ASKED_RATIO,
        "cache": cache_speed(clips),  # this process, after imports
    }


def table(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    seconds = {name: float(np.median(values)) for name, values in figures["seconds"].items()}
    lines = [f"{figures['clips']} clips, {figures['cores']} cores", ""]
    lines += [f"{name:15} {value:7.1f} s" for name, value in seconds.items()]
    lines += [f"{'ratio':15} {figures['ratio']:7.2f}   (asked: {figures['asked_ratio']})", ""]
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
    parser.add_argument("--once", type=int, help="processes; extract once, no figures")
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
