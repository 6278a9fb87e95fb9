"""How tightly faces are framed in the images of FER2013 and in the crops of a corpus of videos.

    python benchmarks/face_framing.py --data DIR [--images 150] [--margins 0.1]

A face network needs faces framed as in its training data. Prints medians, in units of the side of
the image: the longer side of the box of MTCNN, its center, and the positions of eyes and mouth. No
label is used.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from aver.corpora import open_corpus
from aver.corpora.corpus import Corpus
from aver.features.face_crops import FaceCrops
from aver.features.store import FeatureStore
from aver.media.face_detection import FaceDetector, make_detector
from aver.pretraining.images import read_images

SIDE_PX = 192  # images are enlarged to this size for the detector
BORDER_PX = 48


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with fer2013.tar and javanese-av"
    )
    parser.add_argument("--images", type=int, default=150)
    parser.add_argument("--margins", type=float, nargs="+", default=[0.1])
    arguments = parser.parse_args()
    detector = make_detector("mtcnn")
    fer2013 = open_corpus(arguments.data / "fer2013.tar", "fer2013")
    chosen = np.random.default_rng(0).permutation(len(fer2013))[: arguments.images]
    clips = list(fer2013)
    _print_medians("FER2013", detector, list(read_images([clips[row] for row in chosen], 48)))
    videos = open_corpus(arguments.data / "javanese-av", "manifest", config="javanese-av")
    for margin in arguments.margins:
        crops = FaceCrops(size_px=64, rate_hz=6.0, margin=margin)
        _print_medians(f"javanese-av, margin {margin}", detector, _middle_crops(videos, crops))


def _middle_crops(videos: Corpus, crops: FaceCrops) -> list[np.ndarray]:
    """One crop per video: the middle one of those with a face."""
    store = FeatureStore()
    records = [store.get(clip, crops) for clip in videos]
    crops_with_face = [
        record.arrays["crops"][record.arrays["found"]] for record in records if record.arrays
    ]
    return [some[len(some) // 2] for some in crops_with_face]


def _print_medians(name: str, detector: FaceDetector, images: list[np.ndarray]) -> None:
    rows = []
    for image in images:
        large = cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
        wide = cv2.copyMakeBorder(large, *(BORDER_PX,) * 4, cv2.BORDER_REPLICATE)
        faces = detector.detect(
            [wide if wide.ndim == 3 else cv2.cvtColor(wide, cv2.COLOR_GRAY2RGB)]
        )
        if not len(faces[0]):
            continue
        left, top, right, bottom = (faces[0].boxes[0] - BORDER_PX) / SIDE_PX
        points = (faces[0].landmarks[0] - BORDER_PX) / SIDE_PX
        eyes, mouth = points[:2], points[3:]
        rows.append(
            (max(right - left, bottom - top), (left + right) / 2, (top + bottom) / 2,
             eyes[1, 0] - eyes[0, 0], eyes[:, 1].mean(), mouth[:, 1].mean())
        )  # fmt: skip
    names = ("box side", "center x", "center y", "eye distance", "eyes y", "mouth y")
    medians = np.median(rows, axis=0)
    values = ", ".join(f"{name} {value:.3f}" for name, value in zip(names, medians, strict=True))
    print(f"{name}: {len(rows)} of {len(images)} faces found; {values}", flush=True)


if __name__ == "__main__":
    main()
