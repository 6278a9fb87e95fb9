"""Augmentation and slices: what is drawn, for whom, and when."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from aver.errors import SettingsError
from aver.models.data.batches import ClipSequences
from aver.models.data.sampler import min_frames, random_slice, spread
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


def test_all_frames_of_a_clip_get_the_same_view_and_clips_differ():
    torch.manual_seed(0)
    clips = clips_of(smooth_image())
    views = ImageAugmentation(ImageAugmentationSettings()).train()(clips.frames, clips)
    for first, other in ((0, 1), (0, 2), (3, 4)):
        torch.testing.assert_close(views[first], views[other])
    assert not torch.allclose(views[0], views[3], atol=0.1)


def test_figure_9_may_draw_for_each_frame():
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


def test_rotation_is_scipys(monkeypatch):
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


def test_hidden_bands_are_the_same_in_all_segments_of_a_clip():
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


def test_slices_last_at_least_a_second_and_reach_everywhere():
    generator = torch.Generator().manual_seed(0)
    drawn = [random_slice(9, 6, generator) for _ in range(500)]
    assert {stop - start for start, stop in drawn} == {6, 7, 8, 9}
    assert {start for start, _ in drawn} == {0, 1, 2, 3}
    assert all(start >= 0 and stop <= 9 for start, stop in drawn)
    assert random_slice(4, 6, generator) == (0, 4)


def test_frames_are_spread_one_from_each_part():
    generator = torch.Generator().manual_seed(0)
    for _ in range(100):
        taken = spread(3, 27, 8, generator)
        assert ((taken - 3) // 3).tolist() == list(range(8))
    assert spread(0, 3, 8).tolist() == [0, 1, 2]


def test_a_second_in_frames_follows_the_feature():
    from aver.features.feature import feature_from_settings

    assert min_frames(feature_from_settings("face-crops", {"rate_hz": 6.0})) == 6
    assert min_frames(feature_from_settings("spectrogram-segments", {})) == 1
    half = {"segment_s": 0.5, "hop_s": 0.1, "column_count": 125}
    assert min_frames(feature_from_settings("spectrogram-segments", half)) == 6
