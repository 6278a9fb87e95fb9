"""Augmentation and slices: what is random, per clip or frame, and only in training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from aver.errors import SettingsError
from aver.models.data.batches import ClipSequences
from aver.models.layers.augmentation import (
    ImageAugmentation,
    ImageAugmentationSettings,
    SpectrogramAugmentation,
    SpectrogramAugmentationSettings,
)

OFF = {"rotation_deg": 0, "shift": 0, "scale": 0, "flip": False, "brightness": 0, "contrast": 0}


def smooth_image():
    chance = np.random.default_rng(0)
    image = ndimage.gaussian_filter(chance.normal(size=(40, 40)), 4)
    return torch.tensor(image / image.std(), dtype=torch.float32)


def clips_of(image, lengths=(3, 2)):
    return ClipSequences.of([image.expand(n, 1, 40, 40) for n in lengths])


def test_all_frames_of_a_clip_are_augmented_alike_and_clips_differ():
    torch.manual_seed(0)
    clips = clips_of(smooth_image())
    views = ImageAugmentation(ImageAugmentationSettings()).train()(clips.frames, clips)
    for first, other in ((0, 1), (0, 2), (3, 4)):
        torch.testing.assert_close(views[first], views[other])
    assert not torch.allclose(views[0], views[3], atol=0.1)


def test_each_frame_can_be_augmented_separately_for_figure_9():
    torch.manual_seed(0)
    clips = clips_of(smooth_image())
    settings = ImageAugmentationSettings(per_frame=True)
    views = ImageAugmentation(settings).train()(clips.frames, clips)
    assert not torch.allclose(views[0], views[1], atol=0.1)


def test_nothing_is_changed_outside_training_or_with_everything_off():
    clips = clips_of(smooth_image())
    layer = ImageAugmentation(ImageAugmentationSettings())
    assert layer.eval()(clips.frames, clips) is clips.frames
    off = ImageAugmentation(ImageAugmentationSettings(**OFF)).train()
    torch.testing.assert_close(off(clips.frames, clips), clips.frames, atol=1e-4, rtol=1e-4)


def test_rotation_is_that_of_scipy(monkeypatch):
    """Turned by a known angle, away from the border, as SciPy turns it."""
    monkeypatch.setattr(torch, "rand", lambda count: torch.ones(count))  # the largest draw
    clips = clips_of(smooth_image(), (1,))
    settings = ImageAugmentationSettings(**{**OFF, "rotation_deg": 20})
    found = ImageAugmentation(settings).train()(clips.frames, clips)[0, 0].numpy()
    expected = ndimage.rotate(clips.frames[0, 0].numpy(), 20, reshape=False, order=1)
    np.testing.assert_allclose(found[10:30, 10:30], expected[10:30, 10:30], atol=0.05)


def test_a_flip_is_a_mirror(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda count: torch.zeros(count))  # below one half
    clips = clips_of(smooth_image(), (1,))
    settings = ImageAugmentationSettings(**{**OFF, "flip": True})
    found = ImageAugmentation(settings).train()(clips.frames, clips)
    torch.testing.assert_close(found, clips.frames.flip(3), atol=1e-4, rtol=1e-4)


def test_masked_bands_are_the_same_in_all_segments_of_a_clip():
    torch.manual_seed(1)
    settings = SpectrogramAugmentationSettings(band_share=0.4)
    layer = SpectrogramAugmentation(settings).train()
    clips = ClipSequences.of([torch.ones(5, 1, 20, 10), torch.ones(4, 1, 20, 10)])
    seen = []
    for _ in range(40):
        rows = layer(clips.frames, clips)[:, 0, :, 0]
        for part in (rows[:5], rows[5:]):
            assert bool((part == part[0]).all())
            hidden = np.flatnonzero(part[0].numpy() == 0)
            assert len(hidden) <= 8
            assert len(hidden) == 0 or np.ptp(hidden) + 1 == len(hidden)  # one run
            seen.append(len(hidden))
    assert set(seen) >= {0, 1, 4, 8}
    assert layer.eval()(clips.frames, clips) is clips.frames


def test_shifts_move_all_bands_of_a_clip():
    torch.manual_seed(1)
    layer = SpectrogramAugmentation(SpectrogramAugmentationSettings(shift_share=0.1)).train()
    ramp = torch.arange(20.0)[:, None].expand(3, 1, 20, 10)
    clips = ClipSequences.of([ramp])
    found = {float(layer(ramp, clips)[0, 0, 10, 0]) for _ in range(60)}
    assert found == {8.0, 9.0, 10.0, 11.0, 12.0}


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (ImageAugmentationSettings, {"rotation_deg": 200}),
        (ImageAugmentationSettings, {"shift": -0.1}),
        (SpectrogramAugmentationSettings, {"band_share": 1.0}),
        (SpectrogramAugmentationSettings, {"noise": -1.0}),
    ],
)
def test_ranges_are_checked(kind, wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        kind(**wrong)
