"""`FaceFunctionals`: a clip's face as one short vector, for classical classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated

import numpy as np

from aver.errors import SettingsError
from aver.features.face_crops import FaceCrops, FaceFeature
from aver.settings import Field, settings

_ORIENTATIONS = 8


@settings
class FaceFunctionals(FaceFeature):
    """Mean and standard deviation over frames of histograms of oriented gradients of the face.

    The gray crop is divided into ``cells`` by ``cells`` squares; each gives one histogram of the
    directions of its edges (8 bins over half a turn, weighted by magnitude), and the histograms of
    a frame are scaled together to length 1. Frames without a face are left out.

    Array: ``statistics`` float32 (2 x 8 x cells^2,).

    Parameters
    ----------
    crops : FaceCrops or mapping
        The images that are described.
    cells : int, 1 to 16
        Squares along each side; each has at least 2 pixels.

    Raises
    ------
    SettingsError
        If `cells` is out of range.

    Notes
    -----
    Source: Dalal & Triggs (2005), "Histograms of oriented gradients for human detection",
    sections 6.1 to 6.4.
    Differs from the paper: one block per frame and no interpolation between bins.
    """

    crops: FaceCrops = field(default_factory=lambda: FaceCrops(size_px=64, rate_hz=6.0))
    cells: Annotated[int, Field(ge=1, le=16)] = 6

    name = "face-functionals"
    source = "Dalal & Triggs (2005), histograms of oriented gradients"

    def __post_init__(self) -> None:
        if self.cells > self.crops.size_px // 2:
            raise SettingsError(
                f"The setting 'cells' must be at most {self.crops.size_px // 2} for crops of "
                f"{self.crops.size_px} px, not {self.cells}."
            )

    def from_faces(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        """Describe every frame with a face, then take mean and standard deviation."""
        described = np.stack([hog_descriptor(image, self.cells) for image in images])
        functionals = np.concatenate([described.mean(0), described.std(0)])
        return {"statistics": functionals.astype(np.float32)}


def hog_descriptor(image: np.ndarray, cells: int) -> np.ndarray:
    """Histograms of oriented gradients of one image.

    Parameters
    ----------
    image : np.ndarray [shape=(height, width, 3), dtype=uint8]
    cells : int > 0
        Along each side.

    Returns
    -------
    np.ndarray [shape=(cells * cells * 8,)]
        Of Euclidean length 1, or all zero for an image of one color.

    Examples
    --------
    >>> stripes = np.zeros((8, 8, 3), np.uint8)
    >>> stripes[:, 4:] = 255
    >>> hog_descriptor(stripes, 1).tolist()
    [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    gray = image @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    down, across = np.gradient(gray)
    magnitude = np.hypot(across, down)
    direction = np.arctan2(down, across) / np.pi % 1.0  # half a turn is 1
    # Bins are centered on 0, 1/8, ... of half a turn, so that vertical and horizontal edges lie
    # inside a bin.
    bins = np.floor(direction * _ORIENTATIONS + 0.5).astype(int) % _ORIENTATIONS
    rows = np.arange(gray.shape[0]) * cells // gray.shape[0]
    columns = np.arange(gray.shape[1]) * cells // gray.shape[1]
    cell = rows[:, np.newaxis] * cells + columns
    histogram = np.bincount(
        (cell * _ORIENTATIONS + bins).ravel(), magnitude.ravel(), cells * cells * _ORIENTATIONS
    )
    length = np.linalg.norm(histogram)
    return histogram / length if length else histogram
