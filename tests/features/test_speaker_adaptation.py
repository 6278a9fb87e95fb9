"""Adaptation takes out what a speaker adds to all of their clips, and looks at no label."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.audio_functionals import AudioFunctionals
from aver.features.face_crops import FaceCrops
from aver.features.feature import Feature, FeatureRecord
from aver.features.laplacian_crops import LaplacianCrops
from aver.features.log_spectrogram import LogSpectrogram
from aver.features.speaker_adaptation import SpeakerAdaptation, check_adaptable
from aver.features.spectrogram_segments import SpectrogramSegments

FEATURE = AudioFunctionals()


class Planted:
    """Arrays by clip id; remembers whether it was shown a label."""

    def __init__(self, name: str, arrays: dict[str, np.ndarray]) -> None:
        self.name, self.arrays = name, arrays
        self.labels: set[str | None] = set()

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        self.labels.add(clip.emotion)
        if clip.clip_id not in self.arrays:
            return FeatureRecord.absent("no audio")
        return FeatureRecord({self.name: self.arrays[clip.clip_id]})


def _clips(speaker: str, count: int, emotion: str | None = None) -> list[Clip]:
    return [Clip(f"{speaker}-{number}", speaker, emotion) for number in range(count)]


def test_vectors_become_those_of_a_standard_scaler_per_speaker() -> None:
    rng = np.random.default_rng(0)
    clips = _clips("a", 7) + _clips("b", 9)
    scale = {"a": (5.0, 2.0), "b": (-40.0, 0.1)}
    arrays = {
        clip.clip_id: rng.normal(*scale[str(clip.speaker)], 4).astype(np.float32) for clip in clips
    }
    source = SpeakerAdaptation(Planted("statistics", arrays), clips)
    for speaker in "ab":
        own = [clip for clip in clips if clip.speaker == speaker]
        found = np.stack([source.get(clip, FEATURE).arrays["statistics"] for clip in own])
        wanted = StandardScaler().fit_transform(np.stack([arrays[c.clip_id] for c in own]))
        np.testing.assert_allclose(found, wanted, atol=2e-4)


def test_tracks_and_spectrograms_have_mean_zero_and_std_one_per_row() -> None:
    rng = np.random.default_rng(1)
    clips = _clips("a", 5)
    tracks = {c.clip_id: rng.normal(3, 2, (6, 4)).astype(np.float32) for c in clips}
    source = SpeakerAdaptation(Planted("units", tracks), clips)
    found = np.concatenate([source.get(c, FEATURE).arrays["units"] for c in clips])
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(0), 1, atol=1e-5)
    bands = rng.normal(0, 1, (1, 8, 1)) * 10
    images = {c.clip_id: (rng.normal(0, 1, (3, 8, 5)) + bands).astype(np.float16) for c in clips}
    source = SpeakerAdaptation(Planted("segments", images), clips)
    found = np.concatenate([source.get(c, SpectrogramSegments()).arrays["segments"] for c in clips])
    assert found.dtype == np.float16
    np.testing.assert_allclose(found.astype(float).mean(axis=(0, 2)), 0, atol=0.01)
    np.testing.assert_allclose(found.astype(float).std(axis=(0, 2)), 1, atol=0.01)


def test_columns_of_whole_clips_are_scaled_per_speaker_and_band() -> None:
    clips, rng = _clips("a", 5), np.random.default_rng(3)
    loud = np.linspace(1, 9, 6)
    columns = {c.clip_id: rng.normal(loud, 0.5, (40, 6)).astype(np.float16) for c in clips}
    source = SpeakerAdaptation(Planted("columns", columns), clips)
    found = np.concatenate([source.get(c, LogSpectrogram()).arrays["columns"] for c in clips])
    np.testing.assert_allclose(found.astype(float).mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(found.astype(float).std(axis=0), 1, atol=0.01)


def test_a_recognizer_of_crops_alone_cannot_be_adapted() -> None:
    with pytest.raises(SettingsError, match="does not change face crops"):
        check_adaptable([FaceCrops()])
    check_adaptable([FaceCrops(), SpectrogramSegments()])


def test_the_scale_does_not_use_labels() -> None:
    clips = _clips("a", 5, "happy")
    planted = Planted("statistics", {c.clip_id: np.ones(2, np.float32) for c in clips})
    SpeakerAdaptation(planted, clips).get(clips[0].without_labels(), FEATURE)
    assert planted.labels == {None}


def test_filtered_images_are_scaled_per_speaker_and_pixel() -> None:
    clips, rng = _clips("a", 5), np.random.default_rng(2)
    face = rng.normal(0, 5, (4, 6)).astype(np.float32)
    images = {c.clip_id: (face + rng.normal(0, 1, (3, 4, 6))).astype(np.float32) for c in clips}
    source = SpeakerAdaptation(Planted("images", images), clips)
    found = np.concatenate([source.get(c, LaplacianCrops()).arrays["images"] for c in clips])
    np.testing.assert_allclose(found.mean(axis=0), np.zeros((4, 6)), atol=1e-5)
    np.testing.assert_allclose(found.std(axis=0), np.ones((4, 6)), atol=1e-3)


def test_crops_and_missing_modalities_pass_unchanged() -> None:
    clips = _clips("a", 5)
    crops = np.full((2, 4, 4, 3), 7, np.uint8)
    source = SpeakerAdaptation(Planted("crops", {"a-0": crops}), clips)
    assert source.get(clips[0], FaceCrops()).arrays["crops"] is crops
    assert source.get(clips[1], FaceCrops()).missing == "no audio"


@pytest.mark.parametrize("speaker", ["a", None])
def test_too_few_clips_are_an_error_that_says_how_many(speaker: str | None) -> None:
    clips = [Clip(f"c{number}", speaker, None) for number in range(3)]
    planted = Planted("statistics", {c.clip_id: np.ones(2, np.float32) for c in clips})
    with pytest.raises(FeatureError, match="needs 4 unlabeled clips"):
        SpeakerAdaptation(planted, clips).get(clips[0], FEATURE)


def test_a_feature_that_too_few_clips_have_can_count_as_missing() -> None:
    clips = _clips("a", 5)
    new = Clip("new", "a", None)
    few = Planted("statistics", {c.clip_id: np.ones(2, np.float32) for c in [*clips[:3], new]})
    source = SpeakerAdaptation(few, clips, missing_ok=True)
    assert source.get(new, FEATURE).missing == "too few clips to adapt audio to"
    with pytest.raises(FeatureError, match="needs 4 unlabeled clips"):
        source.check_enough("a", [FEATURE])
    enough = Planted("statistics", {c.clip_id: np.ones(2, np.float32) for c in [*clips, new]})
    SpeakerAdaptation(enough, clips, missing_ok=True).check_enough("a", [FEATURE])


def test_extreme_values_of_a_new_clip_stay_finite() -> None:
    clips = _clips("a", 8)
    rng = np.random.default_rng(0)
    arrays = {clip.clip_id: rng.normal(0, 1e-4, 3).astype(np.float16) for clip in clips}
    source = Planted("embeddings", {**arrays, "new": np.ones(3, np.float16)})
    new = Clip("new", "a", None)
    adapted = SpeakerAdaptation(source, clips).get(new, FEATURE).arrays["embeddings"]
    assert np.isfinite(adapted).all()
    assert (adapted > 5).all()
