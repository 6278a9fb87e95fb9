"""Predicts emotions with face networks from PyPI, on the frames and boxes of `frames.py`.

    PEERS/bin/python benchmarks/peers/peer_predict.py --frames FOLDER [--peers fer facex]

Runs in an environment of its own (see README.md) and imports nothing of aver. No peer detects
faces: each one crops and normalizes the given boxes with its own code. Writes
``FOLDER/predictions/NAME.csv``: per clip the mean of the probabilities over its frames.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

EMOTIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
"""As aver names them."""

_NAMES = {
    **{emotion: emotion for emotion in EMOTIONS},
    "sadness": "sad",
    "anger": "angry",
    "fear": "fearful",
    "surprise": "surprised",
}
"""The peers' words for emotions, to those of aver."""

Scores = Mapping[str, float]
"""Of one frame: the peer's name of an emotion to its probability."""
Predict = Callable[[np.ndarray, np.ndarray], "Scores | None"]
"""From a frame [shape=(height, width, 3), dtype=uint8] in BGR and a box [shape=(4,)] to scores."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=Path, required=True, help="folder that frames.py wrote")
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS))
    arguments = parser.parse_args()
    table = arguments.frames / "clips.csv"
    if not table.is_file():
        parser.error(f"There is no {table}. Write the frames with frames.py first.")
    with table.open(newline="", encoding="utf-8") as handle:
        clips = list(csv.DictReader(handle))
    out = arguments.frames / "predictions"
    out.mkdir(exist_ok=True)
    for name in arguments.peers:
        try:
            predict = PEERS[name]()
        except ImportError as error:
            parser.error(
                f"{name} cannot be imported: {error}. Run this script with the Python of the "
                "environment that README.md describes."
            )
        count = _write(out / f"{name}.csv", name, clips, arguments.frames, predict)
        print(f"{name}: {count} of {len(clips)} clips, {out / f'{name}.csv'}")


def _write(
    target: Path, name: str, clips: Sequence[Mapping[str, str]], folder: Path, predict: Predict
) -> int:
    """Write the probabilities of all clips; returns how many clips have any."""
    system = f"{name} {metadata.version(name)}"
    count = 0
    with target.open("w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle)
        rows.writerow(["clip_id", "system", "frames", *(f"p {emotion}" for emotion in EMOTIONS)])
        for clip in clips:
            with np.load(folder / clip["file"], allow_pickle=False) as arrays:
                images, boxes = arrays["images"], arrays["boxes"]
            scores = [predict(bgr(image), box) for image, box in zip(images, boxes, strict=True)]
            known = [one for one in scores if one is not None]
            if known:
                means = mean_over_frames(known)
                rows.writerow([clip["clip_id"], system, len(known), *means.values()])
                count += 1
    return count


def bgr(image: np.ndarray) -> np.ndarray:
    """An RGB image with the order of colors that OpenCV uses."""
    return np.ascontiguousarray(image[:, :, ::-1])


def mean_over_frames(scores: Iterable[Scores]) -> dict[str, float]:
    """Mean of the probabilities, under the names of aver, scaled to sum to 1.

    The scores of one frame need not sum to 1, because `fer` rounds them to two decimals.

    Parameters
    ----------
    scores : iterable of mapping
        At least one frame.

    Raises
    ------
    KeyError
        If a frame lacks an emotion or has an unknown one.

    Examples
    --------
    >>> others = dict.fromkeys(("neutral", "angry", "fear", "disgust", "surprise"), 0.0)
    >>> frames = [{"happy": 1.0, "sad": 0.0, **others}, {"happy": 0.5, "sad": 0.5, **others}]
    >>> means = mean_over_frames(frames)
    >>> means["happy"], means["sad"]
    (0.75, 0.25)
    """
    frames = []
    for one in scores:
        translated = {_NAMES[word]: score for word, score in one.items()}
        frames.append([translated[emotion] for emotion in EMOTIONS])
    means = np.mean(frames, axis=0)
    return dict(zip(EMOTIONS, (means / means.sum()).tolist(), strict=True))


def _fer() -> Predict:
    """The default of `fer`: its quantized network, with the documented argument for boxes.

    ``FER.detect_emotions`` makes the box a square by its longer side, adds 10 pixels on each side
    and scales the gray crop to 64 x 64 pixels in [-1, 1].
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from fer.fer import FER

    network = FER()

    def predict(image: np.ndarray, box: np.ndarray) -> Scores | None:
        left, top, right, bottom = (round(float(edge)) for edge in box)
        rectangle = (left, top, right - left, bottom - top)
        found = network.detect_emotions(image, face_rectangles=[rectangle])
        return found[0]["emotions"] if found else None

    return predict


def _facex() -> Predict:
    """The network of `facex`, with its own preprocessing of a gray crop.

    Its detector (Haar) gives squares, so the crop is the square around the box.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import cv2
    import facex
    from facex.utils import crop_center

    network = facex.EmotionClassifier(
        str(Path(facex.__file__).parent / "assets" / "model_optimized.tflite")
    )

    def predict(image: np.ndarray, box: np.ndarray) -> Scores | None:
        gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        crop = crop_center(gray, *square_inside(box, gray.shape))
        return network.detect_emotion(crop) if crop.size else None

    return predict


def square_inside(box: np.ndarray, shape: Sequence[int]) -> tuple[int, int, int, int]:
    """The square around a box with its longer side, cut at the edges of the image.

    Parameters
    ----------
    box : np.ndarray [shape=(4,)]
        Left, top, right, bottom in pixels.
    shape : (height, width)

    Returns
    -------
    (int, int, int, int)
        Left, top, width, height.

    Examples
    --------
    >>> square_inside(np.array([2.0, 1.0, 6.0, 9.0]), (10, 7))
    (0, 1, 7, 8)
    """
    half = max(box[2] - box[0], box[3] - box[1]) / 2
    centers = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    (left, right), (top, bottom) = (
        (max(round(float(center - half)), 0), min(round(float(center + half)), size))
        for center, size in zip(centers, (shape[1], shape[0]), strict=True)
    )
    return left, top, max(right - left, 0), max(bottom - top, 0)


PEERS = {"fer": _fer, "facex": _facex}


if __name__ == "__main__":
    main()
