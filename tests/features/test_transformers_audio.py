"""Frames of speech by pretrained encoders: pooled, windowed, cached by content."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.clip_audio import read_clip_audio
from aver.features.encoded_frames import frame_arrays
from aver.features.feature import feature_from_settings
from aver.features.store import FeatureStore
from aver.features.transformers_audio import TransformersAudio
from aver.networks.encoder_source import EncoderSource
from tone_corpus import RATE_HZ, speech_like

pytest.importorskip("transformers", reason="transformers is not installed: make test-extras")

from tiny_encoders import SIZE, noise, save_audio_encoder

pytestmark = pytest.mark.extras


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_audio_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Two seconds of a voice between silences."""
    voice = speech_like(130.0, 2.0, np.random.default_rng(0))
    samples = np.concatenate([0.01 * noise(2.0), voice, 0.01 * noise(1.0)])
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    soundfile.write(path, samples, RATE_HZ, subtype="FLOAT")
    return Clip("clip", "speaker", None, audio=path)


def feature_with(folder: Path, **settings: object) -> TransformersAudio:
    return TransformersAudio(encoder=EncoderSource(str(folder)), **settings)  # type: ignore[arg-type]


def by_transformers(folder: Path, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Output of the encoder (frames, size), and the times of the frames, without a line of ours."""
    import torch
    import transformers

    model = transformers.AutoModel.from_pretrained(folder).eval()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    inputs = extractor(samples, sampling_rate=RATE_HZ, return_tensors="pt")
    with torch.no_grad():
        states = model(inputs["input_values"]).last_hidden_state[0].numpy()
    return states, 0.0125 + 0.02 * np.arange(len(states))


def test_frames_of_speech_are_kept_and_averaged(encoder: Path, clip: Clip) -> None:
    audio = read_clip_audio(clip, RATE_HZ)
    states, times_s = by_transformers(encoder, audio.samples)
    spoken = states[audio.is_speech(times_s)]
    assert 80 < len(spoken) < 120  # two seconds of five

    record = feature_with(encoder, layer=-1).extract(clip)
    frames = record.arrays["embeddings"]
    assert (frames.shape, frames.dtype) == ((len(spoken), SIZE), np.float16)
    np.testing.assert_allclose(frames, spoken, rtol=2e-3, atol=2e-3)
    assert record.coverage == pytest.approx(0.4, abs=0.07)

    pooled = feature_with(encoder, layer=-1, pooling="mean").extract(clip)
    assert pooled.arrays["statistics"].shape == (SIZE,)
    np.testing.assert_allclose(pooled.arrays["statistics"], spoken.mean(axis=0), atol=1e-5)
    assert np.abs(states.mean(axis=0) - spoken.mean(axis=0)).max() > 0.01

    whole = feature_with(encoder, layer=-1, needs_speech=False, pooling="mean").extract(clip)
    np.testing.assert_allclose(whole.arrays["statistics"], states.mean(axis=0), atol=1e-5)
    assert whole.coverage == 1.0


def test_windows_change_nothing_that_is_local(encoder: Path, clip: Clip) -> None:
    whole = feature_with(encoder, layer=0).extract(clip)
    parts = feature_with(encoder, layer=0, window_s=1.0).extract(clip)
    np.testing.assert_allclose(
        parts.arrays["embeddings"].astype(float),
        whole.arrays["embeddings"].astype(float),
        atol=2e-3,
    )


def test_audio_without_speech_lacks_the_modality(encoder: Path, tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    soundfile.write(path, noise(3.0), RATE_HZ, subtype="FLOAT")
    record = feature_with(encoder).extract(Clip("n", None, None, audio=path))
    assert (record.missing, record.coverage, dict(record.arrays)) == ("no speech", 0.0, {})


def test_the_cache_knows_the_encoder_by_content(
    encoder: Path, clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, copy = FeatureStore(tmp_path / "cache"), tmp_path / "copy"
    shutil.copytree(encoder, copy)
    feature = feature_with(encoder, pooling="mean")
    first = store.content_key(clip, feature)
    record = store.get(clip, feature)
    moved = feature_with(copy, pooling="mean")
    assert store.content_key(clip, moved) == first
    assert moved.key == feature.key
    monkeypatch.setattr(TransformersAudio, "extract", None)  # nothing is computed again
    np.testing.assert_array_equal(
        store.get(clip, moved).arrays["statistics"], record.arrays["statistics"]
    )
    save_audio_encoder(copy, seed=1)
    assert store.content_key(clip, moved) != first
    settings = ({"layer": 1}, {"pooling": "frames"}, {"window_s": 10.0}, {"needs_speech": False})
    keys = {replace(feature, **one).key for one in settings}  # type: ignore[arg-type]
    assert len(keys | {feature.key}) == 5
    elsewhere = replace(feature.encoder, device="cpu", local_files_only=True)
    assert replace(feature, encoder=elsewhere).key == feature.key


def test_other_weights_give_other_frames(encoder: Path, clip: Clip, tmp_path: Path) -> None:
    """A file that was replaced in this process is loaded again."""
    folder = tmp_path / "encoder"
    shutil.copytree(encoder, folder)
    feature = feature_with(folder, pooling="mean")
    first = feature.extract(clip).arrays["statistics"]
    save_audio_encoder(folder, seed=1)
    assert np.abs(feature.extract(clip).arrays["statistics"] - first).max() > 0.1


def test_settings_are_read_from_text_and_refused_by_name() -> None:
    text = {"encoder": {"name": "a/b", "revision": "refs/pr/1"}, "layer": "-1", "window_s": "20"}
    feature = feature_from_settings("transformers-audio", text)
    assert (feature.layer, feature.window_s) == (-1, 20.0)  # type: ignore[attr-defined]
    assert feature_from_settings("transformers-audio", {"layer": "mean"}).layer == "mean"  # type: ignore[attr-defined]
    assert feature_from_settings("transformers-audio", feature.settings()) == feature
    for wrong in ({"layer": "last"}, {"pooling": "max"}, {"window_s": 0.5}, {"encoder": {"x": 1}}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            feature_from_settings("transformers-audio", wrong)
    with pytest.raises(SettingsError, match=r"'encoder\.name' must name an encoder"):
        TransformersAudio().paths(Clip("c", None, None, audio=Path("c.wav")))


def test_values_that_are_not_finite_are_no_features() -> None:
    with pytest.raises(FeatureError, match="not finite"):
        frame_arrays(np.array([[1.0, np.nan]], np.float32), "frames", "The encoder x")
    large = frame_arrays(np.array([[1e6]], np.float32), "frames", "The encoder x")
    assert np.isfinite(large["embeddings"]).all()


@pytest.mark.parametrize("corpus", ["ravdess", "javanese-av"])
def test_a_real_clip_has_frames_for_its_speech(corpus: str, encoder: Path, data_root: Path) -> None:
    from aver.media.voice_activity import FRAME_S

    patterns = {"ravdess": "Actor_01/03-01-*.flac", "javanese-av": "**/*.mp4"}
    path = next(iter(sorted((data_root / corpus).glob(patterns[corpus]))), None)
    if path is None:
        pytest.skip(f"There is no clip of {corpus} in {data_root}.")
    clip = Clip("real", None, None, audio=path)
    speech = read_clip_audio(clip, RATE_HZ).speech
    frames = feature_with(encoder).extract(clip).arrays["embeddings"]
    assert len(frames) == pytest.approx(speech.frames.sum() * FRAME_S * 50, abs=4)
