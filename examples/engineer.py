"""Serve predictions: load once, predict from many threads, from memory.

One recognizer is loaded and shared by eight threads. Requests are uploaded files (bytes), frames of
a camera with their audio, and audio alone. Nothing of them stays in the cache. The clips here are
synthetic.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import aver
from aver.features.store import FeatureStore
from aver.media.audio import read_audio
from aver.media.frames import read_frames
from aver.synthesis import SynthesisSettings, synthesize


def main(folder: Path, threads: int = 8, requests: int = 16) -> None:
    uploads, recordings = _requests(folder)
    cache = folder / "service-cache"
    recognizer = aver.load("faces-voices", FeatureStore(cache))
    print(recognizer)

    def answer(number: int) -> dict[str, object]:
        upload = number % 2 == 0
        source = (uploads if upload else recordings)[number // 2 % len(uploads)]
        found = recognizer.predict(source)
        label, flags = found.labels[0], found.flags[0]
        return {"emotion": label or None, "confidence": _highest(found), "flags": list(flags)}

    alone = [answer(number) for number in range(requests)]
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(answer, range(requests)))
    seconds = time.perf_counter() - started

    for number, one in enumerate(answers[:4]):
        print(f"request {number}: {one}")
    print(f"{requests} requests by {threads} threads: {requests / seconds:.1f} per second")
    print(f"equal to one thread: {answers == alone}")
    print(f"files left in the cache: {sum(path.is_file() for path in cache.rglob('*'))}")

    broken = recognizer.predict(b"no media file")  # a row with the reason, no exception
    print(f"broken upload: {broken.labels[0]!r}, {broken.flags[0][0]}")
    silence = recognizer.predict((np.zeros(16_000), 16_000))
    print(f"silence: {silence.labels[0]!r}, {', '.join(silence.flags[0])}")


def _highest(found) -> float | None:
    value = float(found.probabilities[0].max())
    return None if np.isnan(value) else round(value, 3)


def _requests(folder: Path) -> tuple[list[bytes], list[aver.Recording]]:
    """The same clips as uploaded files, and as frames and samples in memory."""
    settings = SynthesisSettings(
        speakers=1, emotions=("neutral", "happy"), sentences=1, size_px=96, duration_s=(0.8, 1.0)
    )
    corpus = synthesize(folder / "service-corpus", settings)
    videos = sorted(corpus.glob("clips/*/*.mp4"))[:2]
    uploads = [video.read_bytes() for video in videos]
    recordings = []
    for video in videos:
        frames = np.stack([frame for _, frame in read_frames(video, rate_hz=25.0)])
        recordings.append(aver.Recording(frames, 25.0, read_audio(video, 16_000), 16_000))
    return uploads, recordings


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples-run"))
