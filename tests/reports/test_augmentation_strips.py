"""The strips show what training does: one view per clip, slices of at least a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aver.reports.augmentation_strips import spatial_strips, time_strips, write_strips


@pytest.fixture
def crops() -> np.ndarray:
    """A still picture, so that frames differ by augmentation only."""
    image = np.random.default_rng(0).integers(0, 256, size=(24, 24, 3), dtype=np.uint8)
    return np.repeat(image[None], 20, axis=0)


def test_same_parameters_for_all_frames_in_the_middle_strip_only(crops: np.ndarray) -> None:
    original, same, different = spatial_strips(crops).values()
    np.testing.assert_allclose(original, crops / 255, atol=1e-6)
    assert np.ptp(same, axis=0).max() < 1e-5
    assert not np.allclose(same, original)
    assert np.ptp(different, axis=0).max() > 0.2


def test_slices_last_a_second_at_least_and_keep_their_place(crops: np.ndarray) -> None:
    for seed in range(20):
        for name, frames in list(time_strips(crops, 6.0, seed=seed).items())[1:]:
            kept = np.flatnonzero(~np.isnan(frames).any(axis=(1, 2, 3)))
            assert len(kept) >= 6, name
            assert kept[-1] - kept[0] + 1 == len(kept)


@pytest.mark.parametrize("number", ["9", "10"])
def test_written_as_both_formats(number: str, crops: np.ndarray, tmp_path: Path) -> None:
    png, svg = write_strips(number, crops, 6.0, tmp_path)
    assert png.read_bytes()[:4] == b"\x89PNG"
    assert "<svg" in svg.read_text()
