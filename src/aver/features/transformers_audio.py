"""`TransformersAudio`: frames of a pretrained speech encoder of the library `transformers`."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from aver.corpora.clip import Clip
from aver.features.clip_audio import AudioFeature, ClipAudio
from aver.features.encoded_frames import Pooling, frame_arrays
from aver.features.feature import FeatureRecord
from aver.networks.encoder_source import EncoderSource
from aver.settings import Field, settings


@settings
class TransformersAudio(AudioFeature):
    """Frames of speech by a pretrained encoder (wav2vec 2.0, HuBERT, WavLM) of `transformers`.

    Arrays: with ``pooling="frames"`` ``embeddings`` float16 (frames with speech, size), 50 frames
    per second; with ``pooling="mean"`` their mean, ``statistics`` float32 (size,). All frames are
    taken if `needs_speech` is false.

    Parameters
    ----------
    encoder : EncoderSource or mapping
        ``{"name": ...}``, see `EncoderSource`. It must read the waveform at 16 kHz.
    layer : int or "mean"
        0 is the input of the first transformer layer, 1 the output of the first layer, -1 the
        encoder's output; ``"mean"`` is the mean over the outputs of all layers.
    pooling : {"frames", "mean"}
    window_s : float, 1 to 120
        Longer audio is encoded in windows of at most this length, each with 2 s before and after
        it, so that memory does not grow with the square of the duration. The default is the length
        of the pieces that wav2vec 2.0 is trained on (section 4.2).

    Raises
    ------
    SettingsError
        If a setting is out of range, or the extra ``aver[foundation]`` is not installed.
    CheckpointError
        If the encoder cannot be found or loaded.

    Notes
    -----
    Source: Baevski et al. (2020), wav2vec 2.0; Hsu et al. (2021), HuBERT; Chen et al. (2022),
    WavLM; the mean over frames as in SUPERB, Yang et al. (2021), section 3.
    """

    encoder: EncoderSource = field(default_factory=EncoderSource)
    layer: int | Literal["mean"] = "mean"
    pooling: Pooling = "frames"
    window_s: Annotated[float, Field(ge=1, le=120)] = 15.0

    name = "transformers-audio"
    source = "Baevski et al. (2020), wav2vec 2.0; needs aver[foundation]"
    version = 2
    effort = 300.0
    file_settings = ("encoder",)

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """The encoder."""
        return (self.encoder.reference,)

    @property
    def frames_in_1_s(self) -> int:
        """50: all encoders of this kind give a frame every 20 ms."""
        return 50

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's audio and the encoder's files: their content counts, not their names."""
        audio = super().paths(clip)
        return (*audio, *self.encoder.files()) if audio else ()

    def from_audio(self, audio: ClipAudio) -> FeatureRecord:
        """Encode one clip and keep the frames with speech."""
        from aver.networks.audio_encoder import AudioEncoder
        from aver.networks.pretrained_encoder import load_encoder

        encoder = AudioEncoder(load_encoder(self.encoder, "audio"))
        times_s = encoder.times_s(audio.samples.size)
        taken = audio.is_speech(times_s) if self.needs_speech else np.ones(len(times_s), bool)
        if not taken.any():
            return FeatureRecord.absent("no speech" if len(times_s) else "too short")
        windows = encoder.frames(audio.samples, self.layer, self.window_s)
        frames = np.concatenate([states[taken[rows]] for rows, states in windows])
        arrays = frame_arrays(frames, self.pooling, f"The encoder {self.encoder.name}")
        return FeatureRecord(arrays, audio.coverage, flags=audio.flags)
