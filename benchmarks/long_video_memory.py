"""Peak memory of tracking a face and reading audio: a 10-minute video against a 1-minute one.

Usage: ``python benchmarks/long_video_memory.py [--video CLIP] [--size-px 64] [--rate-hz 6]``. A
real clip is repeated up to each length and encoded (H.264 at 25 frames/s, AAC) in a temporary
folder; each length is read in a separate process, whose peak resident memory is reported by the
operating system.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

RESULT = Path(__file__).parent / "results" / "long_video_memory.json"
FRAME_HZ, AUDIO_HZ = 25, 16000


def repeat_clip(clip: Path, minutes: int, target: Path) -> None:
    """Write a clip repeatedly, video and audio, up to a length of `minutes`."""
    import av

    from aver.media.audio import read_audio
    from aver.media.frames import read_frames

    frames = [frame for _, frame in read_frames(clip, FRAME_HZ, skip_black=True)]
    audio = np.tile(read_audio(clip, AUDIO_HZ), 400)[: minutes * 60 * AUDIO_HZ]
    with av.open(str(target), "w") as container:
        video = container.add_stream("libx264", rate=FRAME_HZ)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt, video.options = "yuv420p", {"preset": "ultrafast", "crf": "23"}
        voice = container.add_stream("aac", rate=AUDIO_HZ, layout="mono")
        # forward and backward, so that there is no cut between repetitions
        loop = [*frames, *frames[::-1]]
        for index in range(minutes * 60 * FRAME_HZ):
            frame = av.VideoFrame.from_ndarray(loop[index % len(loop)], "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FRAME_HZ)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        for start in range(0, audio.size, 1024):
            piece = av.AudioFrame.from_ndarray(audio[None, start : start + 1024], "fltp", "mono")
            piece.rate, piece.pts, piece.time_base = AUDIO_HZ, start, Fraction(1, AUDIO_HZ)
            container.mux(voice.encode(piece))
        container.mux(voice.encode())


def extract(video: Path, size_px: int, rate_hz: float) -> dict[str, float]:
    """Track, crop and read audio as streams, keeping nothing. Runs in a process of its own."""
    import cv2
    import torch

    from aver.media.audio import read_audio_blocks
    from aver.media.main_face import iter_face_crops, track_faces

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    start = time.perf_counter()
    track = track_faces(video, rate_hz=rate_hz)
    crops = sum(1 for _ in iter_face_crops(video, track, size_px))
    samples = sum(block.size for block in read_audio_blocks(video, AUDIO_HZ))
    return {
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "crops": crops,
        "audio_s": samples / AUDIO_HZ,
        "coverage": track.coverage,
        "wall_s": time.perf_counter() - start,
    }


def measure(video: Path, size_px: int, rate_hz: float) -> dict[str, float]:
    """Run `extract` in a fresh process."""
    command = [sys.executable, __file__, "--extract", str(video)]
    command += ["--size-px", str(size_px), "--rate-hz", str(rate_hz)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = Path(os.environ.get("AVER_DATA", Path(__file__).parents[2] / "shared" / "data"))
    default = data / "javanese-av" / "01-01-01_01.mp4"
    parser.add_argument("--video", type=Path, default=default)
    parser.add_argument("--size-px", type=int, default=64)
    parser.add_argument("--rate-hz", type=float, default=6.0)
    parser.add_argument("--extract", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.extract:
        print(json.dumps(extract(arguments.extract, arguments.size_px, arguments.rate_hz)))
        return
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for minutes in (1, 10):
            video = Path(folder) / f"{minutes}.mp4"
            repeat_clip(arguments.video, minutes, video)
            rows[minutes] = measure(video, arguments.size_px, arguments.rate_hz)
            video.unlink()
    ratio = rows[10]["peak_mib"] / rows[1]["peak_mib"]
    result = {
        "one_minute": rows[1],
        "ten_minutes": rows[10],
        "ratio": ratio,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{'video':>8}{'peak MiB':>10}{'crops':>8}{'seconds':>9}")
    for minutes, row in rows.items():
        values = f"{row['peak_mib']:10.0f}{row['crops']:8.0f}{row['wall_s']:9.1f}"
        print(f"{minutes:>4} min{values}")
    print(f"ratio {ratio:.3f}")
    print(RESULT)


if __name__ == "__main__":
    main()
