"""`LaplacianCrops`: edges of the face, as the eye's first cells see them, at a few moments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aver.errors import SettingsError
from aver.features.face_crops import FaceCrops
from aver.features.feature import DerivedFeature, FeatureRecord


@dataclass(frozen=True)
class LaplacianCrops(DerivedFeature):
    """Laplacian of Gaussian of the grey face at `image_count` moments, evenly spaced.

    Array: ``images`` float32 (moments, size_px, size_px). Moments are those with a face; where
    there are fewer than `image_count`, all of them. Positive: darker than its surroundings.

    Parameters
    ----------
    size_px : int > 0
        Side of the pictures.
    sigma_px : float > 0
        Of the Gaussian, in pixels of `size_px`.
    image_count : int > 0
        1 takes the middle one.
    crops : FaceCrops or mapping
        What the pictures are made of; from the cache where a model uses the same crops.

    Raises
    ------
    SettingsError
        If a setting is out of range.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye (2019), section V-C: 100 x 100 visual inputs; the filter is in
    their Synch-Graph (2020), equation 4, whose print lacks the squares.
    Differs from the paper: it names neither the width of the Gaussian nor which frames are shown.
    """

    size_px: int = 100
    sigma_px: float = 1.5
    image_count: int = 7
    crops: FaceCrops = field(default_factory=FaceCrops)

    name = "laplacian-crops"
    modality = "video"
    source = "Mansouri-Benssassi & Ye (2019), section V-C; Marr & Hildreth (1980)"
    file_settings = FaceCrops.file_settings

    def __post_init__(self) -> None:
        if isinstance(self.crops, Mapping):
            settings: Mapping[str, Any] = self.crops
            object.__setattr__(self, "crops", FaceCrops(**settings))
        for name in ("size_px", "sigma_px", "image_count"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"{name} is {getattr(self, name)}; it must be positive.")

    @property
    def basis(self) -> FaceCrops:
        """The crops to look at."""
        return self.crops

    def derive(self, record: FeatureRecord) -> FeatureRecord:
        """Choose moments and filter their pictures."""
        faces = np.flatnonzero(record.arrays["found"])
        chosen = faces[evenly_spaced(len(faces), self.image_count)]
        images = [self.filtered(image) for image in record.arrays["crops"][chosen]]
        return FeatureRecord(
            arrays={"images": np.stack(images)},
            coverage=record.coverage,
            flags=record.flags,
        )

    def filtered(self, image: np.ndarray) -> np.ndarray:
        """Laplacian of Gaussian of one picture.

        Parameters
        ----------
        image : np.ndarray [shape=(height, width, 3), dtype=uint8]

        Returns
        -------
        np.ndarray [shape=(size_px, size_px), dtype=float32]
        """
        import cv2
        from scipy.ndimage import gaussian_laplace

        gray = (image @ np.array([0.299, 0.587, 0.114])).astype(np.float32)  # ITU-R BT.601
        smaller = len(gray) > self.size_px
        how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        resized = cv2.resize(gray, (self.size_px, self.size_px), interpolation=how)
        return gaussian_laplace(resized, self.sigma_px)


def evenly_spaced(count: int, wanted: int) -> np.ndarray:
    """Places of `wanted` of `count` items, at the middles of equal parts; all where too few.

    Examples
    --------
    >>> evenly_spaced(20, 1).tolist(), evenly_spaced(20, 4).tolist(), evenly_spaced(2, 7).tolist()
    ([10], [2, 7, 12, 17], [0, 1])
    """
    wanted = min(wanted, count)
    return ((np.arange(wanted) + 0.5) * count / wanted).astype(int)
