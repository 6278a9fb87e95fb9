"""Extractors against NumPy and the paper's sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aver.errors import SettingsError
from aver.models.base.presets import load_preset
from aver.models.layers.extractors import HOG, BandFunctionals, ConvBlocks, with_coordinates


def test_coordinate_channels_hold_row_and_column():
    found = with_coordinates(torch.zeros(2, 1, 3, 5))
    assert found.shape == (2, 3, 3, 5)
    np.testing.assert_allclose(found[1, 1, :, 0], [-1, 0, 1])
    np.testing.assert_allclose(found[0, 2, 1], [-1, -0.5, 0, 0.5, 1])


def test_hog_is_that_of_numpy():
    image = np.random.default_rng(0).normal(size=(12, 12)).cumsum(axis=0).cumsum(axis=1)
    padded = np.pad(image, 1, mode="edge")
    across, down = padded[1:-1, 2:] - padded[1:-1, :-2], padded[2:, 1:-1] - padded[:-2, 1:-1]
    place = np.mod(np.arctan2(down, across), np.pi) / np.pi * 8
    expected = np.zeros((2, 2, 8))
    for row, column in np.ndindex(12, 12):
        C, low = np.hypot(across, down)[row, column], int(place[row, column])
        share = place[row, column] - low
        cell = expected[row // 6, column // 6]
        cell[low % 8] += C * (1 - share)
        cell[(low + 1) % 8] += C * share
    expected = expected.ravel() / np.linalg.norm(expected)
    x = torch.tensor(image, dtype=torch.float32)[None, None]
    found = HOG((1, 12, 12), cells=2)(x)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(HOG((1, 12, 12), cells=2)(3 * x + 1)[0], found, atol=1e-4)
    with pytest.raises(SettingsError, match="2 pixels per cell"):
        HOG((1, 10, 12))


def test_band_functionals_are_those_of_numpy():
    windows = torch.randn(5, 1, 6, 40)
    values = windows.numpy()[:, 0]
    both = values.mean(axis=2), values.std(axis=2)
    for rows in (6, 9):  # never more than there are bands
        found = BandFunctionals((1, 6, 40), rows)(windows).numpy()
        np.testing.assert_allclose(found, np.concatenate(both, axis=1), rtol=1e-4, atol=1e-5)
    found = BandFunctionals((1, 6, 40), 2)(windows).numpy()
    expected = np.concatenate([part.reshape(5, 2, 3).mean(axis=2) for part in both], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_conv_blocks_are_those_of_the_paper_and_refuse_small_images():
    _, settings = load_preset("temporal-aggregation-paper")
    blocks = ConvBlocks((3, 224, 224), settings.channels)
    kinds = [type(layer).__name__ for layer in blocks.layers]
    assert kinds == ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"] * 5
    assert blocks.size == 256 * 7 * 7
    assert ConvBlocks((1, 192, 120), settings.channels).size == 256 * 6 * 3
    with pytest.raises(SettingsError, match="16 x 40 are too small for 5 blocks"):
        ConvBlocks((1, 16, 40), settings.channels)
