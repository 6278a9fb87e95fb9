"""`image_hash` and `video_hash`: find images and videos that were recoded, cropped or mirrored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from aver.audit.candidate_pairs import candidate_pairs
from aver.errors import MediaError

VIEWS = ((1.0, 0.5, 0.5), (1.02, 0.5, 0.5), (1.04, 0.5, 0.5)) + tuple(
    (1.02, x, y) for x in (0.0, 1.0) for y in (0.0, 1.0)
)
"""Zoom, and the point that stays in place: a crop of 2 % all round, or at one of the corners."""

_CENTERED_VIEWS = 3  # the first ones

_SIDE = 32  # pixels that an image is shrunk to
_WAVES = 12  # along each axis
_MAX_FREQUENCY = 10.5  # waves per image; JPEG and cropping destroy finer structure
_MIN_CONTRAST = 4.0  # standard deviation in gray levels; below it an image is blank

_frequency = np.hypot(*np.meshgrid(np.arange(_WAVES), np.arange(_WAVES), indexing="ij"))
_kept = (_frequency > 0) & (_frequency <= _MAX_FREQUENCY)
_odd_columns = np.broadcast_to(np.arange(_WAVES) % 2 == 1, (_WAVES, _WAVES))[_kept]

MIRROR = np.where(_odd_columns, -1.0, 1.0).astype(np.float32)
"""The coefficients of an image times this are those of its mirror image.
[shape=(coefficients,)]."""


def image_file_hash(path: Path) -> np.ndarray | None:
    """Hash an image file, which may be inside a tar archive.

    Raises
    ------
    MediaError
        If it cannot be read.
    """
    import cv2

    from aver.corpora.files import read_file

    gray = cv2.imdecode(np.frombuffer(read_file(path), np.uint8), cv2.IMREAD_GRAYSCALE)
    if gray is None:
        raise MediaError(f"{path} cannot be read as an image. Fetch it again.")
    return image_hash(gray)


def image_hash(gray: np.ndarray) -> np.ndarray | None:
    """Describe an image by its coarse structure.

    Parameters
    ----------
    gray : np.ndarray [shape=(height, width), dtype=uint8]

    Returns
    -------
    np.ndarray [shape=(7, coefficients), dtype=float32] or None
        A row of norm 1 for each of `VIEWS`; None if the image is blank.

    Notes
    -----
    A real-valued perceptual hash: cosine coefficients, each weighted by its frequency, because
    the amplitudes in images fall with the frequency. So all scales count alike, and different
    faces are nearly uncorrelated.
    Source: Field (1987), "Relations between the statistics of natural images and the response
    properties of cortical cells", for the fall of the amplitudes.
    """
    import cv2

    if float(gray.std()) < _MIN_CONTRAST:
        return None
    small: np.ndarray = gray.astype(np.float32)  # shrinking bytes would round
    if max(gray.shape) > 128:  # finer than needed, and slow to zoom
        small = cv2.resize(small, (128, 128), interpolation=cv2.INTER_AREA)
    shrunk = [
        cv2.resize(_zoomed(small, *view), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        for view in VIEWS
    ]
    rows = coefficients(np.stack(shrunk))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def coefficients(small: np.ndarray) -> np.ndarray:
    """Weighted cosine coefficients of shrunk images, without the mean.

    Parameters
    ----------
    small : np.ndarray [shape=(..., 32, 32)]

    Returns
    -------
    np.ndarray [shape=(..., coefficients), dtype=float32]
    """
    from scipy import fft

    waves = fft.dctn(small.astype(np.float32), axes=(-2, -1), norm="ortho")
    return waves[..., :_WAVES, :_WAVES][..., _kept] * _frequency[_kept].astype(np.float32)


def _zoomed(gray: np.ndarray, zoom: float, x: float, y: float) -> np.ndarray:
    import cv2

    if zoom == 1.0:
        return gray
    height, width = gray.shape
    shift = ((1 - zoom) * (width - 1) * x, (1 - zoom) * (height - 1) * y)
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]], np.float32)
    return cv2.warpAffine(gray, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


MIN_IMAGE_CORRELATION = 0.93
"""Copies are above; other images of the same face, taken seconds apart, are below."""

_PAIRS_AT_ONCE = 20_000


def find_image_copies(hashes: Sequence[np.ndarray]) -> list[tuple[int, int, float]]:
    """Find pairs of images that are copies of each other, mirrored or not.

    Parameters
    ----------
    hashes : sequence of np.ndarray [shape=(views, coefficients)]
        From `image_hash`.

    Returns
    -------
    list of (int, int, float)
        Indices, the smaller first, and the correlation; sorted.
    """
    if len(hashes) < 2:
        return []
    rows = np.stack(hashes).astype(np.float32)  # (images, views, coefficients)
    views = [rows[:, view] * mirror for view in range(_CENTERED_VIEWS) for mirror in (1.0, MIRROR)]
    pairs = candidate_pairs(rows[:, 0], views, min_correlation=MIN_IMAGE_CORRELATION - 0.1)
    found: list[tuple[int, int, float]] = []
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        block = pairs[start : start + _PAIRS_AT_ONCE]
        best = _best_correlation(rows[block[:, 0]], rows[block[:, 1]])
        for at in np.flatnonzero(best > MIN_IMAGE_CORRELATION).tolist():
            found.append((int(block[at, 0]), int(block[at, 1]), float(best[at])))
    return sorted(found)


def _best_correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Best over the views of both and mirroring. [shape=(pairs,)]."""
    turned = np.swapaxes(other, 1, 2)
    straight = np.matmul(one, turned).max(axis=(1, 2))
    mirrored = np.matmul(one * MIRROR, turned).max(axis=(1, 2))
    return np.maximum(straight, mirrored)


FRAME_RATE_HZ = 10.0
_MIN_FRAMES = 10  # one second; with less, chance agreement is not negligible
_MAX_LAG = 7  # 0.7 s trimmed at the start
_MIN_MOTION = 1.0  # of the weighted coefficients; the coding noise of a still image is below


def video_file_hash(path: Path) -> np.ndarray:
    """Hash a video file, from its first frame that is not black.

    Raises
    ------
    MediaError, MissingModalityError
        If the file cannot be read, or has no video.
    """
    from aver.media.frames import read_frames

    frames = read_frames(path, FRAME_RATE_HZ, skip_black=True, outline_px=_SIDE)
    return video_hash(image for _, image in frames)


def video_hash(frames: Iterable[np.ndarray]) -> np.ndarray:
    """Describe a video by the coarse structure of its frames.

    Parameters
    ----------
    frames : iterable of np.ndarray [shape=(32, 32), dtype=uint8]
        Gray, ten per second, as `aver.media.frames.read_frames` gives them with ``outline_px``.

    Returns
    -------
    np.ndarray [shape=(frames, coefficients), dtype=float32]
        Rows are compared after their mean over time is subtracted: what remains is the motion,
        because in one studio the frames themselves are all alike.
    """
    images = list(frames)
    if not images:
        return np.zeros((0, MIRROR.size), np.float32)
    return coefficients(np.stack(images))


MIN_VIDEO_CORRELATION = 0.85
"""Of motion. Copies are above 0.9; different takes by one actor are below 0.75."""

_ALL_PAIRS_UP_TO = 30
_MIN_CANDIDATE_CORRELATION = 0.6  # of `motion_spectrum`: copies are above 0.8
_VIDEO_BITS = 12  # videos are fewer than images, and their copies further apart


def find_video_copies(hashes: Sequence[np.ndarray]) -> list[tuple[int, int, float]]:
    """Find pairs of videos that are copies, mirrored, cropped or trimmed by up to 0.7 s.

    Parameters
    ----------
    hashes : sequence of np.ndarray [shape=(frames, coefficients)]
        From `video_hash`. Still or very short videos are never paired.

    Returns
    -------
    list of (int, int, float)
        Indices, the smaller first, and the correlation; sorted.
    """
    spectra = {n: row for n, one in enumerate(hashes) if (row := motion_spectrum(one)) is not None}
    if len(spectra) < 2:
        return []
    moving = list(spectra)
    found = []
    for first, second in _candidate_videos(np.stack(list(spectra.values()))):
        one, other = moving[first], moving[second]
        correlation = video_correlation(hashes[one], hashes[other])
        if correlation > MIN_VIDEO_CORRELATION:
            found.append((one, other, correlation))
    return sorted(found)


def motion_spectrum(video: np.ndarray) -> np.ndarray | None:
    """How much a video moves at each spatial frequency, whatever the time and mirrored or not.

    Parameters
    ----------
    video : np.ndarray [shape=(frames, coefficients)]

    Returns
    -------
    np.ndarray [shape=(coefficients,)] or None
        Norm 1; None for videos shorter than a second, and for still images.
    """
    if len(video) < _MIN_FRAMES or video.std(axis=0).mean() < _MIN_MOTION:
        return None
    motion = np.log(video.std(axis=0) + 1e-3)
    motion -= motion.mean()
    return motion / np.linalg.norm(motion)


def video_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of the motion of two videos, at the best lag up to 0.7 s, mirrored or not.

    Parameters
    ----------
    one, other : np.ndarray [shape=(frames, coefficients)]

    Returns
    -------
    float
        1 for copies; different takes by one actor reach 0.75.
    """
    return max(_best_lag(one, other), _best_lag(one * MIRROR, other))


def _candidate_videos(spectra: np.ndarray) -> list[tuple[int, int]]:
    """All pairs of few videos; of many, those with similar motion."""
    if len(spectra) <= _ALL_PAIRS_UP_TO:
        return list(combinations(range(len(spectra)), 2))
    # What all videos have in common says nothing about two of them.
    rows = spectra - spectra.mean(axis=0)
    rows = rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-12)
    pairs = candidate_pairs(rows, [rows], _MIN_CANDIDATE_CORRELATION, _VIDEO_BITS)
    return [(one, two) for one, two in pairs.tolist()]


def _best_lag(one: np.ndarray, other: np.ndarray) -> float:
    best = -1.0
    for lag in range(-_MAX_LAG, _MAX_LAG + 1):
        first, last = max(0, lag), min(len(one), len(other) + lag)
        # A short overlap of longer videos says little.
        if last - first < max(_MIN_FRAMES, min(len(one), len(other)) - _MAX_LAG):
            continue
        here, there = one[first:last], other[first - lag : last - lag]
        here, there = here - here.mean(axis=0), there - there.mean(axis=0)
        norm = float(np.sqrt((here**2).sum() * (there**2).sum()))
        if norm > 0:
            best = max(best, float((here * there).sum()) / norm)
    return best
