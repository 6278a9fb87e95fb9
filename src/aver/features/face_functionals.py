"""`FaceFunctionals`: a clip's face in one short vector, for classical classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aver.errors import SettingsError
from aver.features.face_crops import FaceCrops
from aver.features.feature import DerivedFeature, FeatureRecord

_ORIENTATIONS = 8


@dataclass(frozen=True)
class FaceFunctionals(DerivedFeature):
    """Mean and deviation over frames of histograms of oriented gradients of the face.

    The grey crop is cut into ``cells`` by ``cells`` squares; each yields one histogram of the
    directions of its edges (8 bins over half a turn, weighted by strength), and each picture's
    histograms are scaled together to length 1. Frames without a face do not count.

    Array: ``statistics`` float32 (2 x 8 x cells^2,).

    Parameters
    ----------
    crops : FaceCrops or mapping
        What to describe; from the cache where a model uses the same crops.
    cells : int, 1 to 16
        Squares along each side.

    Raises
    ------
    SettingsError
        If `cells` is out of range or the crops are smaller than 2 pixels a cell.

    Notes
    -----
    Source: Dalal & Triggs (2005), "Histograms of oriented gradients for human detection",
    sections 6.1 to 6.4.
    Differs from the paper: one block per picture and no interpolation between bins.
    """

    crops: FaceCrops = field(default_factory=lambda: FaceCrops(size_px=64, rate_hz=6.0))
    cells: int = 6

    name = "face-functionals"
    modality = "video"
    source = "Dalal & Triggs (2005), histograms of oriented gradients"
    file_settings = FaceCrops.file_settings

    def __post_init__(self) -> None:
        if isinstance(self.crops, Mapping):
            settings: Mapping[str, Any] = self.crops
            object.__setattr__(self, "crops", FaceCrops(**settings))
        if not 1 <= self.cells <= min(16, self.crops.size_px // 2):
            raise SettingsError(
                f"cells is {self.cells}; choose 1 to {min(16, self.crops.size_px // 2)} for crops "
                f"of {self.crops.size_px} px."
            )

    @property
    def basis(self) -> FaceCrops:
        """The crops to describe."""
        return self.crops

    def derive(self, record: FeatureRecord) -> FeatureRecord:
        """Describe every frame with a face, then average."""
        crops = record.arrays["crops"][record.arrays["found"]]
        described = np.stack([hog_descriptor(crop, self.cells) for crop in crops])
        return FeatureRecord(
            arrays={
                "statistics": np.concatenate([described.mean(0), described.std(0)]).astype(
                    np.float32
                )
            },
            coverage=record.coverage,
            flags=record.flags,
        )


def hog_descriptor(image: np.ndarray, cells: int) -> np.ndarray:
    """Histograms of oriented gradients of one picture.

    Parameters
    ----------
    image : np.ndarray [shape=(height, width, 3), dtype=uint8]
    cells : int > 0
        Along each side.

    Returns
    -------
    np.ndarray [shape=(cells * cells * 8,)]
        Of length 1, or all zero for a picture of one colour.

    Examples
    --------
    >>> stripes = np.zeros((8, 8, 3), np.uint8)
    >>> stripes[:, 4:] = 255
    >>> hog_descriptor(stripes, 1).tolist()
    [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    gray = image @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    down, across = np.gradient(gray)
    strength = np.hypot(across, down)
    turn = np.arctan2(down, across) / np.pi % 1.0  # half a turn is 1
    # Bins are centred on 0, 1/8, ... of half a turn, so that upright and level edges fall inside.
    bins = np.floor(turn * _ORIENTATIONS + 0.5).astype(int) % _ORIENTATIONS
    rows = np.arange(gray.shape[0]) * cells // gray.shape[0]
    columns = np.arange(gray.shape[1]) * cells // gray.shape[1]
    cell = rows[:, np.newaxis] * cells + columns
    histogram = np.bincount(
        (cell * _ORIENTATIONS + bins).ravel(), strength.ravel(), cells * cells * _ORIENTATIONS
    )
    length = np.linalg.norm(histogram)
    return histogram / length if length else histogram
