"""Face tracks against the same MTCNN on every frame: speed and agreement, in one run.

Usage: ``python benchmarks/face_tracks.py [--clips 48] --data DIR``. Both sides decode
the file, use one thread and the same detector; they alternate clip by clip, so that other load of
the machine affects both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from aver.media.boxes import areas, overlap
from aver.media.face_detection import FaceDetector, make_detector
from aver.media.frames import read_frames
from aver.media.main_face import FaceTrack, track_faces

RESULT = Path(__file__).parent / "results" / "face_tracks.json"
BATCH = 8


def detect_every_frame(path: Path, detector: FaceDetector) -> tuple[list[float], np.ndarray]:
    """Times and largest face (NaN without a face) of every frame, in batches."""
    times: list[float] = []
    boxes: list[np.ndarray] = []
    batch: list[np.ndarray] = []

    def flush() -> None:
        for faces in detector.detect(batch):
            best = int(np.argmax(areas(faces.boxes))) if len(faces) else None
            boxes.append(np.full(4, np.nan) if best is None else faces.boxes[best])
        batch.clear()

    for time_s, frame in read_frames(path, skip_black=True):
        times.append(time_s)
        batch.append(frame)
        if len(batch) == BATCH:
            flush()
    flush()
    return times, np.stack(boxes)


def compare(path: Path, detector: FaceDetector) -> dict[str, object]:
    """Seconds, number of frames and overlaps of one clip."""
    start = time.perf_counter()
    times, every = detect_every_frame(path, detector)
    middle = time.perf_counter()
    track: FaceTrack = track_faces(path, detector=detector)
    end = time.perf_counter()
    np.testing.assert_allclose(track.times_s, times)
    both = track.found & ~np.isnan(every[:, 0])
    return {
        "frames": len(times),
        "every_s": middle - start,
        "track_s": end - middle,
        "overlaps": np.diagonal(overlap(track.boxes[both], every[both])).tolist(),
        "only_every": int((~track.found & ~np.isnan(every[:, 0])).sum()),
        "only_track": int((track.found & np.isnan(every[:, 0])).sum()),
    }


def summarize(clips: list[dict[str, object]]) -> dict[str, object]:
    """Medians over clips, and agreement over all their frames."""
    frames = np.array([c["frames"] for c in clips])
    every, track = (np.array([c[k] for c in clips]) for k in ("every_s", "track_s"))
    shared = np.concatenate([c["overlaps"] for c in clips])
    return {
        "corpus": "javanese-av (github.com/2black0/video-emotion-recognition-javanese), 360x270",
        "clips": len(clips),
        "frames": int(frames.sum()),
        "every_frame_fps": float(np.median(frames / every)),
        "tracked_fps": float(np.median(frames / track)),
        "ratio": float(np.median(every / track)),
        "ratio_quartiles": np.percentile(every / track, [25, 75]).tolist(),
        "iou_median": float(np.median(shared)),
        "iou_5th_percentile": float(np.percentile(shared, 5)),
        "frames_only_every_found": int(sum(c["only_every"] for c in clips)),
        "frames_only_track_found": int(sum(c["only_track"] for c in clips)),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "opencv": cv2.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--clips", type=int, default=48)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    paths = sorted((arguments.data / "javanese-av").glob("*.mp4"))
    paths = paths[:: max(len(paths) // arguments.clips, 1)][: arguments.clips]
    detector = make_detector("mtcnn")
    compare(paths[0], detector)  # warm up
    result = summarize([compare(path, detector) for path in paths])
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{'':24}{'frames/s':>10}")
    print(f"{'MTCNN on every frame':24}{result['every_frame_fps']:10.1f}")
    print(f"{'face track':24}{result['tracked_fps']:10.1f}")
    print(f"ratio {result['ratio']:.2f}   median IoU {result['iou_median']:.3f}")
    print(RESULT)


if __name__ == "__main__":
    main()
