"""Speech found in emotional voices, and in sounds that are none; with and without slowing down.

    python benchmarks/voice_activity.py --data DIR [--every 1]

Counts clips of RAVDESS, nEMO, ASED and javanese-av in which less than 0.25 s of speech is found,
and tones, noises and pieces of synthetic music in which more is found. "Original speed" is the
network as published; "slowed" is `aver.media.voice_activity`. Thresholds and the speed were chosen
on RAVDESS, nEMO and the music. Also measures processor time per second of sound. Prints one table
and writes ``benchmarks/results/voice_activity.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from aver.media.audio import read_audio
from aver.media.voice_activity import FRAME_S, MIN_SPEECH_S, detect_speech

RESULT = Path(__file__).parent / "results" / "voice_activity.json"
RATE_HZ = 16000
CORPORA = {
    "RAVDESS": "ravdess/Actor_*/03-01-*.flac",
    "nEMO": "nemo/*.opus",
    "ASED": "ased/*/*.opus",
    "javanese-av": "javanese-av/*.mp4",
}
SPEEDS = {"original speed": 1.25, "slowed": 1.0}
"""Samples that are said to have a rate 1.25 times as high reach the network at their own speed."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--every", type=int, default=1, help="use every n-th clip")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    rows, used_s, heard_s = [], 0.0, 0.0
    for corpus, pattern in CORPORA.items():
        paths = sorted(arguments.data.glob(pattern))[:: arguments.every]
        lost = dict.fromkeys(SPEEDS, 0)
        for path in paths:
            audio = read_audio(path, RATE_HZ)
            started_s = time.process_time()
            for speed in SPEEDS:
                lost[speed] += not has_speech(audio, speed)
            used_s += (time.process_time() - started_s) / len(SPEEDS)
            heard_s += audio.size / RATE_HZ
        rows.append({"sounds": corpus, "count": len(paths), "without speech": lost})
        print(describe(rows[-1]), flush=True)
    music = [melody(seed) for seed in range(60)]
    lost = {speed: sum(not has_speech(one, speed) for one in music) for speed in SPEEDS}
    rows.append({"sounds": "synthetic music", "count": len(music), "without speech": lost})
    print(describe(rows[-1]))
    per_second = round(used_s / max(heard_s, 1.0), 4)
    print(f"processor time per second of sound: {per_second} s")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    content = {"protocol": __doc__, "rows": rows, "processor_s_per_s": per_second}
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def has_speech(audio: np.ndarray, speed: str) -> bool:
    """Whether 0.25 s of speech is found, in time of the sound."""
    speech = detect_speech([audio], round(RATE_HZ * SPEEDS[speed]))
    return bool(speech.frames.sum() * FRAME_S * SPEEDS[speed] >= MIN_SPEECH_S)


def melody(seed: int) -> np.ndarray:
    """Six seconds of notes, one to three at a time, plucked or held, some with a drum."""
    random = np.random.default_rng(seed)
    time_s = np.arange(6 * RATE_HZ) / RATE_HZ
    held = seed % 4 == 3
    decay = (3.0, 0.8, 8.0, 0.3)[seed % 4]
    music = np.zeros(len(time_s))
    for note in range(24):
        start = note * RATE_HZ // 4
        end = min(len(time_s), start + RATE_HZ + (RATE_HZ // 2 if held else 0))
        since_s = time_s[: end - start]
        for _ in range(1 + seed % 3):
            pitch_hz = 440 * 2 ** ((random.integers(45, 78) - 69) / 12)
            vibrato = 1 + 0.006 * np.sin(2 * np.pi * 5.5 * since_s) * held
            phase = 2 * np.pi * pitch_hz * np.cumsum(vibrato) / RATE_HZ
            tone = sum(np.sin(k * phase) / k ** (1 + 0.3 * (seed % 2)) for k in range(1, 10))
            ends = np.minimum(1, since_s / 0.02) * np.minimum(1, since_s[::-1] / 0.05)
            music[start:end] += np.exp(-decay * since_s) * ends * tone
        if seed % 2:
            drum = random.standard_normal(2000) * np.exp(-np.arange(2000) / 400)
            music[start : start + 2000] += 2 * drum
    return (0.5 * music / np.abs(music).max()).astype(np.float32)


def describe(row: dict) -> str:
    """One line."""
    lost = ", ".join(f"{speed} {count}" for speed, count in row["without speech"].items())
    return f"{row['sounds']}: {row['count']} sounds, without speech: {lost}"


if __name__ == "__main__":
    main()
