"""Laplacian crops against the closed form of a Gaussian blob, and which moments are shown."""

from __future__ import annotations

import numpy as np
import pytest

from aver.errors import SettingsError
from aver.features.feature import FeatureRecord
from aver.features.laplacian_crops import LaplacianCrops, evenly_spaced


def gray(image: np.ndarray) -> np.ndarray:
    return np.repeat(np.round(image)[..., np.newaxis], 3, axis=-1).astype(np.uint8)


def test_a_blob_has_the_laplacian_of_a_wider_blob() -> None:
    size, width, sigma = 100, 12.0, 3.0
    across = np.arange(size) - size / 2
    square = across[:, None] ** 2 + across[None, :] ** 2
    blob = 250 * np.exp(-square / (2 * width**2))
    found = LaplacianCrops(size_px=size, sigma_px=sigma).filtered(gray(blob))
    # A Gaussian smoothed by a Gaussian: variances add; its Laplacian in closed form.
    variance = width**2 + sigma**2
    smooth = 250 * width**2 / variance * np.exp(-square / (2 * variance))
    expected = (square / variance**2 - 2 / variance) * smooth
    inner = (slice(15, -15), slice(15, -15))
    assert np.abs(found - expected)[inner].max() < 0.03 * np.abs(expected).max()
    assert found.dtype == np.float32


def record_of(found: list[bool]) -> FeatureRecord:
    crops = np.stack([gray(np.full((20, 20), 10.0 * k)) for k in range(len(found))])
    for k, crop in enumerate(crops):
        crop[:, 10:] += np.uint8(k)  # an edge as strong as the number of the frame
    return FeatureRecord({"crops": crops, "found": np.array(found)}, coverage=0.5)


def test_only_frames_with_a_face_are_chosen() -> None:
    feature = LaplacianCrops(size_px=20, image_count=2)
    record = feature.derive(record_of([False, True, True, False, True, True, False]))
    assert record.arrays["images"].shape == (2, 20, 20)
    strengths = np.abs(record.arrays["images"]).max(axis=(1, 2))
    assert strengths[1] / strengths[0] == pytest.approx(5 / 2, rel=0.05)  # frames 2 and 5
    assert record.coverage == 0.5


def test_too_few_faces_are_all_taken() -> None:
    record = LaplacianCrops(image_count=7).derive(record_of([True, False, True]))
    assert record.arrays["images"].shape == (2, 100, 100)


def test_a_single_image_is_the_middle_one() -> None:
    assert evenly_spaced(9, 1).tolist() == [4]
    assert evenly_spaced(6, 3).tolist() == [1, 3, 5]


@pytest.mark.parametrize("name", ["size_px", "sigma_px", "image_count"])
def test_settings_out_of_range(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        LaplacianCrops(**{name: 0})
