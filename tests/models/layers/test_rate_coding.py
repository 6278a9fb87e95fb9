"""Rates of the inputs of spiking layers, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.audio_functionals import AudioFunctionals
from aver.features.feature import FeatureRecord
from aver.features.mfcc import MFCC
from aver.models.data.clip_features import load_feature
from aver.models.layers.rate_coding import (
    InputSettings,
    LayerInputs,
    RateCoding,
    feature_shape,
    fit_coding,
    read_array,
)

RNG = np.random.default_rng(0)
CLIPS = [RNG.normal([[1.0], [-5.0]], [[2.0], [0.5]], (2, n)) for n in (30, 50, 40)]
ALL_VALUES = np.concatenate(CLIPS, axis=1)  # (rows, values)


def test_on_and_off_channels_share_the_z_score() -> None:
    rates = fit_coding(RateCoding(limit=2.0), CLIPS).rates_hz(CLIPS[0])
    mean, std = ALL_VALUES.mean(axis=1), ALL_VALUES.std(axis=1)
    z = (CLIPS[0] - mean[:, None]) / std[:, None]
    assert rates.shape == (4, 30)
    assert np.allclose(rates[0::2] - rates[1::2], 63.75 * z.clip(-2, 2) / 2, atol=1e-3)
    assert (np.minimum(rates[0::2], rates[1::2]) == 0).all()


def test_on_and_off_inputs_apart_are_two_blocks_of_the_same_rates() -> None:
    mixed = fit_coding(RateCoding(), CLIPS).rates_hz(CLIPS[1])
    apart = fit_coding(RateCoding(apart=True), CLIPS).rates_hz(CLIPS[1])
    assert np.array_equal(apart, np.concatenate([mixed[0::2], mixed[1::2]]))


def test_windows_count_rows_of_the_feature() -> None:
    mixed = InputSettings(window=(2, 5), stride=(1, 5)).windows((12, 20))
    assert (mixed.size, mixed.stride) == ((4, 5), (2, 5))
    whole = InputSettings().windows((12, 20))
    assert (whole.size, whole.stride) == ((12, 10), (12, 10))
    coding = RateCoding(apart=True)
    apart = InputSettings(coding=coding, window=(2, 5), stride=(2, 5)).windows((12, 20))
    assert (apart.size, apart.stride) == ((2, 5), (2, 5))
    half = InputSettings(coding=coding).windows((12, 20))
    assert half.size == (6, 10)
    with pytest.raises(SettingsError, match="together"):
        InputSettings(coding=coding, window=(4, 5), stride=(4, 5)).windows((12, 20))
    with pytest.raises(SettingsError, match="does not fit"):
        InputSettings(window=(2, 30), stride=(2, 30)).windows((12, 20))


def test_other_codings() -> None:
    least, most = ALL_VALUES.min(axis=1), ALL_VALUES.max(axis=1)
    between = fit_coding(RateCoding(scale="min-max"), CLIPS).rates_hz(CLIPS[1])
    expected = 63.75 * (CLIPS[1] - least[:, None]) / (most - least)[:, None]
    assert np.allclose(between, expected, atol=1e-3)
    beyond = fit_coding(RateCoding(scale="min-max"), CLIPS).rates_hz(CLIPS[1] + 100)
    assert (beyond == 63.75).all()
    shifted = fit_coding(RateCoding(channels="shifted", highest_rate_hz=10.0), CLIPS)
    assert np.allclose(shifted.rates_hz(ALL_VALUES.mean(axis=1, keepdims=True)), 5.0)
    whole = fit_coding(RateCoding(channels="on", over="all"), CLIPS)
    assert whole.zero.item() == pytest.approx(ALL_VALUES.mean())
    assert whole.unit.item() == pytest.approx(ALL_VALUES.std())


def test_images_are_scaled_pixel_by_pixel() -> None:
    images = [RNG.normal(RNG.normal(size=(4, 5)), 2.0, (n, 4, 5)) for n in (3, 7, 2)]
    fitted = fit_coding(RateCoding(over="pixels", channels="shifted"), images)
    all_images = np.concatenate(images)
    assert np.allclose(fitted.zero, all_images.mean(axis=0))
    assert np.allclose(fitted.unit, all_images.std(axis=0))
    mean_image = fitted.rates_hz(all_images.mean(axis=0)[np.newaxis])
    assert np.allclose(mean_image, 63.75 / 2)
    with pytest.raises(FeatureError, match="one size"):
        fit_coding(RateCoding(over="pixels"), CLIPS)
    with pytest.raises(FeatureError, match="pixel by pixel"):
        fitted.rates_hz(all_images[:, :, :4])


def test_a_row_that_never_changes_is_silent() -> None:
    flat = [np.full((1, 5), 7.0)]
    for scale in ("z-score", "min-max"):
        assert not fit_coding(RateCoding(scale=scale), flat).rates_hz(flat[0]).any()


class Source:
    """A source of the values above; a clip named 'missing' has none."""

    def get(self, clip, feature):
        if clip.clip_id == "missing":
            return FeatureRecord.absent("no audio")
        return FeatureRecord({"units": CLIPS[int(clip.clip_id)].T}, coverage=0.5)


def test_short_clips_end_with_zero_rates_and_missing_ones_stay_missing() -> None:
    clips = [Clip(name, None, None) for name in ("0", "missing", "1")]
    loaded = load_feature(clips, MFCC(), Source(), read_array)
    inputs = LayerInputs(RateCoding(), (2, 50))
    inputs.fit(loaded)
    first, missing, last = inputs.rates_hz(loaded)
    assert missing is None
    assert loaded.flags == ((), ("no audio",), ())
    assert loaded.coverage.tolist() == [0.5, 0.0, 0.5]
    assert first.shape == last.shape == (4, 50) == inputs.input_shape
    assert not first[:, 30:].any()
    assert first[:, :30].any()
    again = LayerInputs(RateCoding(), (2, 40), inputs.fitted)
    with pytest.raises(FeatureError, match="up to 40 columns"):
        again.rates_hz(loaded)


def test_shapes_of_features() -> None:
    assert feature_shape(MFCC(coefficients=20, step_frames=2, frame_count=99)) == (40, 99)
    with pytest.raises(SettingsError, match="audio-functionals"):
        feature_shape(AudioFunctionals())


@pytest.mark.parametrize(
    ("values", "name"), [({"limit": 0.0}, "limit"), ({"limit": float("nan")}, "limit")]
)
def test_codings_out_of_range(values, name) -> None:
    with pytest.raises(SettingsError, match=name):
        RateCoding(**values)


def test_a_window_has_two_sizes() -> None:
    with pytest.raises(SettingsError, match="'window' must have at least 2"):
        InputSettings(window=(1,))
