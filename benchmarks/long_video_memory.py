"""Peak memory and time of `aver predict` on long files: sound and video of up to two hours.

Usage: ``python benchmarks/long_video_memory.py [--only sound] [--minutes 10 120] [--clip CLIP]``. A
clip with a face and a voice is repeated up to each length in a temporary folder: as sound (FLAC,
16 kHz) and as video (H.264, 160 pixels high at 5 frames/s, AAC), so that two hours fit on any disk.
Each file is predicted by the shipped recognizer in a separate process with an empty cache. The peak
is VmHWM of Linux: `ru_maxrss` would start with that of the process that started it. Rows that are
not measured again are kept.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

RESULT = Path(__file__).parent / "results" / "long_video_memory.json"
MINUTES = {"sound": (10, 120), "video": (1, 10, 120)}
SUFFIXES = {"sound": ".flac", "video": ".mp4"}
FRAME_HZ, HEIGHT_PX, AUDIO_HZ = 5, 160, 16000

PREDICT = """
import json, re, sys
from pathlib import Path
from aver.cli.main import main
status = main(["predict", sys.argv[1], "--cache", sys.argv[2], "--workers", "1",
               "--format", "jsonl", "--out", sys.argv[2] + "/predicted.jsonl"])
assert status == 0, status
peak_kib = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
row = json.loads(Path(sys.argv[2], "predicted.jsonl").read_text())
print(json.dumps({"peak_mib": peak_kib / 1024, "coverage": row["coverage"], "flags": row["flags"]}))
"""


def repeat_sound(clip: Path, minutes: int, target: Path) -> None:
    """Write a clip's audio repeatedly, up to a length of `minutes`."""
    import soundfile

    with soundfile.SoundFile(target, "w", AUDIO_HZ, 1) as file:
        for samples in repeated_audio(clip, minutes * 60 * AUDIO_HZ):
            file.write(samples)


def repeat_video(clip: Path, minutes: int, target: Path) -> None:
    """Write a clip's frames and audio repeatedly, up to a length of `minutes`."""
    import av

    from aver.media.frames import read_frames

    frames = [
        av.VideoFrame.from_ndarray(frame, "rgb24")
        for _, frame in read_frames(clip, FRAME_HZ, skip_black=True)
    ]
    width_px = round(frames[0].width * HEIGHT_PX / frames[0].height / 2) * 2
    # forward and backward, so that there is no cut between repetitions
    loop = [frame.reformat(width_px, HEIGHT_PX, "yuv420p") for frame in [*frames, *frames[::-1]]]
    with av.open(str(target), "w") as container:
        video = container.add_stream("libx264", rate=FRAME_HZ)
        video.height, video.width, video.pix_fmt = HEIGHT_PX, width_px, "yuv420p"
        video.options = {"preset": "ultrafast", "crf": "23"}
        voice = container.add_stream("aac", rate=AUDIO_HZ, layout="mono")
        written = 0
        for second, samples in enumerate(repeated_audio(clip, minutes * 60 * AUDIO_HZ, AUDIO_HZ)):
            for index in range(second * FRAME_HZ, (second + 1) * FRAME_HZ):
                frame = loop[index % len(loop)]
                frame.pts, frame.time_base = index, Fraction(1, FRAME_HZ)
                container.mux(video.encode(frame))
            piece = av.AudioFrame.from_ndarray(samples[None], "fltp", "mono")
            piece.rate, piece.pts, piece.time_base = AUDIO_HZ, written, Fraction(1, AUDIO_HZ)
            written += samples.size
            container.mux(voice.encode(piece))
        container.mux(video.encode())
        container.mux(voice.encode())


def repeated_audio(clip: Path, samples: int, block: int | None = None) -> Iterator[np.ndarray]:
    """Blocks of a clip's audio, over and over, `samples` in all."""
    from aver.media.audio import read_audio

    audio = read_audio(clip, AUDIO_HZ)
    block = block or audio.size
    for start in range(0, samples, block):
        yield np.take(audio, np.arange(start, min(start + block, samples)), mode="wrap")


def measure(media: Path) -> dict[str, Any]:
    """Predict a file in a fresh process with an empty cache."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-c", PREDICT, str(media), cache]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**row, "wall_s": time.perf_counter() - start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = Path(os.environ.get("AVER_DATA", Path(__file__).parents[2] / "shared" / "data"))
    default = data / "javanese-av" / "01-01-01_01.mp4"
    parser.add_argument("--clip", type=Path, default=default)
    parser.add_argument("--only", choices=MINUTES, help="default: sound and video")
    parser.add_argument("--minutes", type=int, nargs="+", help="lengths (default: up to 120)")
    arguments = parser.parse_args()
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    print(f"{'':6}{'minutes':>8}{'peak MiB':>10}{'seconds':>9}")
    for kind in [arguments.only] if arguments.only else MINUTES:
        for minutes in arguments.minutes or MINUTES[kind]:
            with tempfile.TemporaryDirectory() as folder:
                media = Path(folder) / f"{minutes}{SUFFIXES[kind]}"
                (repeat_sound if kind == "sound" else repeat_video)(arguments.clip, minutes, media)
                row = measure(media)
            result.setdefault(kind, {})[str(minutes)] = row
            print(f"{kind:6}{minutes:8}{row['peak_mib']:10.0f}{row['wall_s']:9.1f}", flush=True)
            result["machine"] = f"{platform.machine()}, {os.cpu_count()} cores"
            RESULT.parent.mkdir(exist_ok=True)
            RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(RESULT)


if __name__ == "__main__":
    main()
