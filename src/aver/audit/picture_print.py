"""`print_of_picture`: what stays of a picture under JPEG, a small crop and mirroring."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aver.errors import MediaError

VIEWS = ((1.0, 0.5, 0.5), (1.02, 0.5, 0.5), (1.04, 0.5, 0.5)) + tuple(
    (1.02, across, down) for across in (0.0, 1.0) for down in (0.0, 1.0)
)
"""Zoom, and the point that stays in place: a crop of 2 % at the rim, or at one of the corners."""

CENTRED = 3
"""So many of the views, the first ones, are zoomed about the middle."""

_SIDE = 32  # pixels that a picture is shrunk to
_WAVES = 12  # along each axis
_FINEST = 10.5  # waves per picture; what is finer is lost by JPEG or by the crop
_FLATTEST = 4.0  # standard deviation in grey levels, below which a picture shows nothing

_frequency = np.hypot(*np.meshgrid(np.arange(_WAVES), np.arange(_WAVES), indexing="ij"))
_kept = (_frequency > 0) & (_frequency <= _FINEST)
_odd_columns = np.broadcast_to(np.arange(_WAVES) % 2 == 1, (_WAVES, _WAVES))[_kept]

MIRROR = np.where(_odd_columns, -1.0, 1.0).astype(np.float32)
"""Multiply a row by this and it is that of the mirrored picture. [shape=(coefficients,)]."""


def print_of_picture(grey: np.ndarray) -> np.ndarray | None:
    """Describe a picture by its coarse structure.

    Parameters
    ----------
    grey : np.ndarray [shape=(height, width), dtype=uint8]

    Returns
    -------
    np.ndarray [shape=(7, coefficients), dtype=float32] or None
        A row of norm 1 for each of `VIEWS`; None where the picture is blank.

    Notes
    -----
    Cosine coefficients, each weighted by its frequency, because amplitudes in pictures fall with
    the frequency: so all scales count alike and different faces are nearly uncorrelated.
    Source: Field (1987), "Relations between the statistics of natural images and the response
    properties of cortical cells", for the fall; the whole is a real-valued form of what is called
    a perceptual hash.
    """
    import cv2

    if float(grey.std()) < _FLATTEST:
        return None
    small = _no_larger(grey.astype(np.float32))  # of bytes, shrinking would round
    shrunk = [
        cv2.resize(_seen(small, *view), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        for view in VIEWS
    ]
    rows = coefficients(np.stack(shrunk))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def coefficients(small: np.ndarray) -> np.ndarray:
    """Weighted cosine coefficients of shrunk pictures, without the mean.

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


def print_of_picture_file(path: Path) -> np.ndarray | None:
    """Describe a picture file, which may lie in a tar archive.

    Raises
    ------
    MediaError
        If it cannot be read.
    """
    import cv2

    from aver.corpora.archive import read_file

    grey = cv2.imdecode(np.frombuffer(read_file(path), np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise MediaError(f"{path} cannot be read as a picture. Fetch it again.")
    return print_of_picture(grey)


def _no_larger(grey: np.ndarray) -> np.ndarray:
    """At most 128 pixels a side: finer than needed, and quick to zoom."""
    import cv2

    if max(grey.shape) <= 128:
        return grey
    return cv2.resize(grey, (128, 128), interpolation=cv2.INTER_AREA)


def _seen(grey: np.ndarray, zoom: float, across: float, down: float) -> np.ndarray:
    import cv2

    if zoom == 1.0:
        return grey
    height, width = grey.shape
    moved = ((1 - zoom) * (width - 1) * across, (1 - zoom) * (height - 1) * down)
    matrix = np.array([[zoom, 0, moved[0]], [0, zoom, moved[1]]], np.float32)
    return cv2.warpAffine(grey, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
