"""eGeMAPS is what openSMILE computes, on windows of speech; and features side by side."""

from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features import egemaps
from aver.features.egemaps import EGeMAPS, LicenseWarning
from aver.features.joined_functionals import JoinedFunctionals
from aver.features.store import FeatureStore
from tone_corpus import RATE_HZ, speech_like


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    path = tmp_path_factory.mktemp("voice") / "voice.wav"
    soundfile.write(path, speech_like(130.0, 2.0, np.random.default_rng(0)), RATE_HZ)
    return Clip("clip", None, None, audio=path)


@pytest.fixture(autouse=True)
def _forget_the_extractor() -> None:
    egemaps._extractor.cache_clear()


def test_values_are_opensmiles_and_the_license_is_said(clip: Clip) -> None:
    opensmile = pytest.importorskip("opensmile")
    with pytest.warns(LicenseWarning, match="research"):
        found = EGeMAPS(needs_speech=False).extract(clip).arrays["statistics"]
    smile = opensmile.Smile("eGeMAPSv02", "Functionals")
    audio, _ = soundfile.read(clip.audio, dtype="float32")
    expected = smile.process_signal(audio, RATE_HZ).to_numpy()[0]
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_long_speech_is_the_mean_of_windows(clip: Clip) -> None:
    pytest.importorskip("opensmile")
    audio, _ = soundfile.read(clip.audio, dtype="float32")
    feature = EGeMAPS(needs_speech=False, window_s=1.0)
    with pytest.warns(LicenseWarning):
        whole = feature.from_speech([audio])
    second = RATE_HZ
    parts = [feature.from_speech([audio[at : at + second]]) for at in (0, second // 2, second)]
    assert np.allclose(whole, np.mean(parts, axis=0), rtol=1e-4)


def test_without_the_extra_it_is_one_line(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name == "opensmile":
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SettingsError, match=r"pip install 'aver\[opensmile\]'"):
        EGeMAPS().extract(clip)


def test_joined_functionals_are_side_by_side(clip: Clip, tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    joined = JoinedFunctionals(
        features=("mfcc-functionals", "audio-functionals"),
        feature_settings={"audio-functionals": {"window_s": 2.0}},
    )
    found = store.get(clip, joined)
    parts = [store.get(clip, basis) for basis in joined.bases]
    expected = np.concatenate([part.arrays["statistics"] for part in parts])
    assert np.array_equal(found.arrays["statistics"], expected)
    assert found.coverage == parts[0].coverage
    assert all(store.has(clip, basis) for basis in joined.bases)
    assert np.array_equal(joined.extract(clip).arrays["statistics"], expected)


def test_joined_functionals_of_silence_are_absent(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(RATE_HZ), RATE_HZ)
    joined = JoinedFunctionals(features=("mfcc-functionals", "audio-functionals"))
    assert joined.extract(Clip("a", None, None, audio=path)).missing == "silent audio"


@pytest.mark.parametrize(
    "names",
    [(), ("audio-functionals",) * 2, ("face-functionals",), ("joined-functionals",), ("x",)],
)
def test_wrong_names_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError):
        JoinedFunctionals(features=names)


def test_features_without_functionals_are_refused(clip: Clip) -> None:
    with pytest.raises(SettingsError, match="'mfcc' has no functionals"):
        JoinedFunctionals(features=("mfcc",)).extract(clip)
