"""Frames of speech encoders: as `transformers` gives them, and the same in windows."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aver.errors import CheckpointError, SettingsError

pytest.importorskip("transformers", reason="transformers is not installed: make test-extras")

from aver.networks.audio_encoder import AudioEncoder
from aver.networks.encoder_source import EncoderSource
from aver.networks.pretrained_encoder import load_encoder
from tiny_encoders import (
    AUDIO_KINDS,
    LAYERS,
    SIZE,
    noise,
    save_audio_encoder,
    save_image_encoder,
)

pytestmark = pytest.mark.extras


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_audio_encoder(tmp_path_factory.mktemp("encoder"))


def encoder_of(folder: Path) -> AudioEncoder:
    return AudioEncoder(load_encoder(EncoderSource(str(folder)), "audio"))


def frames(folder: Path, samples: np.ndarray, layer: Any = -1, window_s: float = 30) -> np.ndarray:
    found = encoder_of(folder).frames(samples, layer, window_s)
    return np.concatenate([states for _, states in found])


def by_transformers(folder: Path, samples: np.ndarray) -> list[np.ndarray]:
    """States of all layers and the output, each (frames, size), without a line of ours."""
    import torch
    import transformers

    model = transformers.AutoModel.from_pretrained(folder).eval()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    inputs = extractor(samples, sampling_rate=16000, return_tensors="pt")
    with torch.no_grad():
        output = model(inputs["input_values"], output_hidden_states=True)
    states = (*output.hidden_states[:-1], output.last_hidden_state)
    return [one[0].numpy() for one in states]


@pytest.mark.parametrize("kind", AUDIO_KINDS)
def test_each_layer_is_as_transformers_gives_it(kind: str, tmp_path: Path) -> None:
    folder, samples = save_audio_encoder(tmp_path, kind), noise(2.0)
    expected = by_transformers(folder, samples)
    assert len(expected) == LAYERS + 1
    for layer in (0, 1, LAYERS, -1):
        np.testing.assert_allclose(frames(folder, samples, layer), expected[layer], atol=1e-5)
    mean = np.mean(expected[1:], axis=0)
    np.testing.assert_allclose(frames(folder, samples, "mean"), mean, atol=1e-5)
    # The layers differ by far more than the tolerance, so that a wrong one would be noticed.
    assert min(np.abs(a - b).max() for a, b in pairwise(expected)) > 0.1


def test_layers_out_of_range_are_refused_with_the_number_of_layers(folder: Path) -> None:
    for layer in (LAYERS + 1, -LAYERS - 2):
        with pytest.raises(SettingsError, match=rf"from -4 to 3, or mean.*3 layers, not {layer}"):
            frames(folder, noise(0.5), layer)


def test_frames_are_counted_and_centered_as_their_convolutions_say(folder: Path) -> None:
    encoder = encoder_of(folder)
    assert (encoder.hop, encoder.reach) == (320, 400)  # Baevski et al. (2020): 20 ms and 25 ms
    for samples in (0, 399, 400, 719, 720, 16000):
        expected = sum(start + 400 <= samples for start in range(0, samples + 1, 320))
        assert encoder.count(samples) == expected
        assert len(encoder.times_s(samples)) == expected
        if expected:
            assert len(frames(folder, noise(samples / 16000))) == expected
    np.testing.assert_allclose(encoder.times_s(1040), [0.0125, 0.0325, 0.0525])
    assert list(encoder.frames(noise(0.02), -1, 30)) == []


def test_a_click_shows_in_the_frames_around_its_time(tmp_path: Path) -> None:
    """The centers of the frames are right: the input of the first layer is local in time."""
    folder = save_audio_encoder(tmp_path, normalize=False)
    quiet = noise(4.0)
    click = quiet.copy()
    click[32000:32040] += 1.0  # at 2.0 s
    change = np.abs(frames(folder, click, 0) - frames(folder, quiet, 0)).max(axis=1)
    times_s = encoder_of(folder).times_s(quiet.size)
    assert abs(times_s[change.argmax()] - 2.0) < 0.03
    # 16 positions of the convolution are 0.32 s.
    assert change[np.abs(times_s - 2.0) > 0.25].max() < 1e-3 * change.max()


def test_long_audio_in_windows_is_the_whole_before_the_layers_that_attend(folder: Path) -> None:
    """Convolutions reach less than the 2 s of context, so that no seam shows."""
    samples = noise(9.0)
    whole, parts = frames(folder, samples, 0), frames(folder, samples, 0, window_s=1.7)
    np.testing.assert_allclose(parts, whole, atol=1e-5)
    windows = [rows for rows, _ in encoder_of(folder).frames(samples, 0, 1.7)]
    assert len(windows) == 6
    assert max(rows.stop - rows.start for rows in windows) <= 1.7 * 50
    assert windows[0].start == 0
    assert windows[-1].stop == len(whole)
    assert all(a.stop == b.start for a, b in pairwise(windows))


def test_memory_of_long_audio_is_that_of_a_window(folder: Path) -> None:
    """The encoder never gets more than a window with its context, however long the audio is."""
    encoder = load_encoder(EncoderSource(str(folder)), "audio")
    lengths: list[int] = []
    handle = encoder.model.register_forward_pre_hook(
        lambda _, inputs: lengths.append(inputs[0].shape[1])
    )
    try:
        for seconds in (20.0, 40.0):
            list(AudioEncoder(encoder).frames(noise(seconds), 0, 5.0))
            assert max(lengths) <= (5.0 + 2 * 2.0) * 16000 + 400
    finally:
        handle.remove()


def test_other_models_and_rates_are_refused_by_one_line(folder: Path, tmp_path: Path) -> None:
    images = save_image_encoder(tmp_path / "images")
    with pytest.raises(CheckpointError, match=r"\(vit\) reads pixel_values, not the waveform"):
        load_encoder(EncoderSource(str(images)), "audio")
    with pytest.raises(CheckpointError, match=r"\(wav2vec2\) reads input_values, not images"):
        load_encoder(EncoderSource(str(folder)), "image")
    fast = save_audio_encoder(tmp_path / "fast")
    preprocess = json.loads((fast / "preprocessor_config.json").read_text())
    (fast / "preprocessor_config.json").write_text(
        json.dumps({**preprocess, "sampling_rate": 24000})
    )
    with pytest.raises(CheckpointError, match=r"24000 Hz; only 16000 Hz"):
        encoder_of(fast)


def test_encoders_of_spectrograms_are_refused(tmp_path: Path) -> None:
    import transformers

    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    whisper = transformers.WhisperModel(
        transformers.WhisperConfig(**sizes, **heads, encoder_ffn_dim=16, decoder_ffn_dim=16)
    )
    whisper.save_pretrained(tmp_path / "whisper")
    transformers.WhisperFeatureExtractor().save_pretrained(tmp_path / "whisper")
    with pytest.raises(CheckpointError, match=r"\(whisper\) reads input_features, not the wave"):
        encoder_of(tmp_path / "whisper")
    config = transformers.ASTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    transformers.ASTModel(config).save_pretrained(tmp_path / "ast")
    transformers.ASTFeatureExtractor().save_pretrained(tmp_path / "ast")
    with pytest.raises(CheckpointError, match="does not read the waveform by convolutions"):
        encoder_of(tmp_path / "ast")


def test_weights_of_another_architecture_are_refused(folder: Path, tmp_path: Path) -> None:
    """Transformers alone would draw random weights for them, with a warning."""
    mixed = save_audio_encoder(tmp_path)
    config = json.loads((mixed / "config.json").read_text())
    (mixed / "config.json").write_text(json.dumps({**config, "num_hidden_layers": LAYERS + 1}))
    with pytest.raises(CheckpointError, match=rf"no weights for encoder\.layers\.{LAYERS}\."):
        encoder_of(mixed)
    (mixed / "config.json").write_text(json.dumps({**config, "hidden_size": 2 * SIZE}))
    with pytest.raises(CheckpointError, match="cannot be loaded by transformers"):
        encoder_of(mixed)


def test_code_that_a_model_brings_is_not_executed(tmp_path: Path) -> None:
    folder = save_audio_encoder(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "model.Own", "AutoConfig": "model.OwnConfig"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w').close()\n")
    with pytest.raises(CheckpointError, match="brings code of its own"):
        encoder_of(folder)
    assert not (tmp_path / "executed").exists()
