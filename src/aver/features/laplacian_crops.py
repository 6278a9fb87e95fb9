"""`LaplacianCrops`: edges of the face at a few times, the visual input of the spiking networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated

import numpy as np

from aver.features.face_crops import FaceCrops, FaceFeature
from aver.media.boxes import resize_square
from aver.settings import Field, settings


@settings
class LaplacianCrops(FaceFeature):
    """Laplacian of Gaussian of the gray face at `image_count` evenly spaced times.

    Array: ``images`` float32 (images, size_px, size_px). Only frames with a face count; if there
    are fewer than `image_count`, all of them are taken. Positive values are darker than their
    surroundings.

    Parameters
    ----------
    size_px : int > 0
        Side of the images.
    sigma_px : float > 0
        Standard deviation of the Gaussian, in pixels of `size_px`.
    image_count : int > 0
        1 takes the middle frame.
    crops : FaceCrops or mapping
        The images that are filtered.

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

    size_px: Annotated[int, Field(gt=0)] = 100
    sigma_px: Annotated[float, Field(gt=0)] = 1.5
    image_count: Annotated[int, Field(gt=0)] = 7
    crops: FaceCrops = field(default_factory=FaceCrops)

    name = "laplacian-crops"
    source = "Mansouri-Benssassi & Ye (2019), section V-C; Marr & Hildreth (1980)"

    def from_faces(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        """Choose frames and filter them."""
        chosen = images[evenly_spaced(len(images), self.image_count)]
        return {"images": np.stack([self.filtered(image) for image in chosen])}

    def filtered(self, image: np.ndarray) -> np.ndarray:
        """Laplacian of Gaussian of one image.

        Parameters
        ----------
        image : np.ndarray [shape=(height, width, 3), dtype=uint8]

        Returns
        -------
        np.ndarray [shape=(size_px, size_px), dtype=float32]
        """
        from scipy.ndimage import gaussian_laplace

        gray = (image @ np.array([0.299, 0.587, 0.114])).astype(np.float32)  # ITU-R BT.601
        return gaussian_laplace(resize_square(gray, self.size_px), self.sigma_px)


def evenly_spaced(count: int, wanted: int) -> np.ndarray:
    """Indices of `wanted` of `count` items, each in the middle of an equal share; at most all.

    Examples
    --------
    >>> evenly_spaced(20, 1).tolist(), evenly_spaced(20, 4).tolist(), evenly_spaced(2, 7).tolist()
    ([10], [2, 7, 12, 17], [0, 1])
    """
    wanted = min(wanted, count)
    return ((np.arange(wanted) + 0.5) * count / wanted).astype(int)
