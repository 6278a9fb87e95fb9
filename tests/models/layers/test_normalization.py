"""Normalization against NumPy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aver.errors import SettingsError
from aver.models.data.batches import ClipSequences
from aver.models.layers.normalization import FeatureMean, FeatureNorm, Standardize


def test_standardization_is_that_of_numpy():
    clips = [torch.randn(3, 1, 4, 5) * 3 + 2, torch.randn(6, 1, 4, 5)]
    joined = ClipSequences.of(clips)
    by_clip = Standardize("clip", 4)(joined.frames, joined).split([3, 6])
    by_band = Standardize("bands", 4)(joined.frames, joined).split([3, 6])
    for clip, whole, bands in zip(clips, by_clip, by_band, strict=True):
        x = clip.numpy()
        np.testing.assert_allclose(whole, (x - x.mean()) / x.std(), atol=1e-5)
        mean, std = (f(x, axis=(0, 1, 3), keepdims=True) for f in (np.mean, np.std))
        np.testing.assert_allclose(bands, (x - mean) / std, atol=1e-5)


def test_standardization_by_training_clips_weights_clips_equally():
    clips = [torch.randn(3, 4) * 3 + 2, torch.randn(600, 4)]
    standard = Standardize("train", 4)
    standard.learn(clips)
    mean = np.mean([c.numpy().mean(axis=0) for c in clips], axis=0)
    square = np.mean([(c.numpy() ** 2).mean(axis=0) for c in clips], axis=0)
    x = torch.randn(5, 4)
    np.testing.assert_allclose(
        standard(x, ClipSequences.of([x])).numpy(),
        (x.numpy() - mean) / np.sqrt(square - mean**2),
        rtol=1e-4,
    )
    with pytest.raises(SettingsError, match="Known are"):
        Standardize("speaker", 4)


def test_the_feature_mean_is_that_of_the_training_features():
    mean = FeatureMean(3).train()
    everyone = torch.ones(4, dtype=torch.bool)
    torch.manual_seed(0)
    for _ in range(300):
        mean(torch.randn(4, 3) + torch.tensor([1.0, -2.0, 5.0]), everyone, everyone)
    torch.testing.assert_close(mean.mean, torch.tensor([1.0, -2.0, 5.0]), atol=0.5, rtol=0)
    mean.eval()
    has, kept = torch.tensor([True, False, True]), torch.tensor([True, True, False])
    rows = mean(torch.tensor([[1.0, 1, 1], [2, 2, 2]]), has, kept)
    torch.testing.assert_close(rows, torch.stack([torch.ones(3), mean.mean, mean.mean]))


def test_a_batch_of_one_is_normalized_with_running_statistics():
    part = FeatureNorm(3)
    part(torch.randn(8, 3))
    before = part.running_mean.clone()
    x = torch.randn(1, 3)
    found = part(x)
    torch.testing.assert_close(part.running_mean, before)
    torch.testing.assert_close(found, part.eval()(x))
