"""Rules of all registered features: settings, keys, and clips without files."""

from __future__ import annotations

import dataclasses
import json

import pytest

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.feature import feature_from_settings, features
from aver.features.spectrogram_segments import SpectrogramSegments

NAMES = features.names()


def test_all_features_are_found() -> None:
    assert set(NAMES) >= {
        *("face-crops", "spectrogram-segments", "action-units"),
        *("face-functionals", "audio-functionals", "action-unit-functionals"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_defaults_have_name_modality_and_source(name: str) -> None:
    feature = features.get(name)()
    assert feature.name == name
    assert feature.modality in ("video", "audio", "action_units")
    assert feature.source
    assert dataclasses.is_dataclass(feature)
    assert feature.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_settings_survive_json_and_rebuild_the_feature(name: str) -> None:
    feature = features.get(name)()
    again = feature_from_settings(name, json.loads(json.dumps(feature.settings())))
    assert again == feature
    assert again.key == feature.key
    with pytest.raises(SettingsError, match="color"):
        feature_from_settings(name, {"color": 1})


@pytest.mark.parametrize("name", NAMES)
def test_clip_without_files_lacks_the_modality(name: str) -> None:
    feature = features.get(name)()
    record = feature.extract(Clip("a", None, None))
    assert feature.paths(Clip("a", None, None)) == ()
    assert record.missing
    assert record.coverage == 0
    assert not record.arrays


@pytest.mark.parametrize("name", NAMES)
def test_values_of_the_wrong_kind_are_refused_by_name(name: str) -> None:
    kind = features.get(name)
    for setting in dataclasses.fields(kind):
        with pytest.raises(SettingsError, match=setting.name):
            kind(**{setting.name: object()})


def test_every_setting_changes_the_key() -> None:
    changed = [
        SpectrogramSegments(segment_s=2.0, column_count=500),
        SpectrogramSegments(hop_s=0.5),
        SpectrogramSegments(rate_hz=8000, column_count=125),
        SpectrogramSegments(n_fft=1024),
        SpectrogramSegments(stft_hop=32),
        SpectrogramSegments(scale="power"),
        SpectrogramSegments(bands="mel"),
        SpectrogramSegments(band_count=128),
        SpectrogramSegments(column_count=125),
    ]
    assert len({feature.key for feature in [SpectrogramSegments(), *changed]}) == 10


def test_a_second_of_frames_follows_the_settings() -> None:
    """The shortest slice in time of Chang & Skarbek 2021, section 3.3, item 2, is one second."""

    def frames(name: str, **settings: object) -> int:
        return feature_from_settings(name, settings).frames_in_1_s

    assert frames("face-crops", rate_hz=6.0) == 6
    assert frames("face-embeddings", weights="faces-fer2013", crops={"rate_hz": 8.0}) == 8
    assert frames("spectrogram-segments") == 1
    assert frames("spectrogram-segments", segment_s=0.5, hop_s=0.1, column_count=125) == 6
    assert frames("mel-bands") == frames("mfcc") == 100
    assert frames("action-units") == 30
