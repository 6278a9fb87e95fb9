"""`SoundStatistics`: a clip's voice in one short vector, for classical classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.clip_sound import read_clip_sound, sound_paths
from aver.features.feature import Feature, FeatureRecord, features

_LEAST_FRAMES = 3  # so that first differences have a deviation
_PITCH_PERCENTILES = (5, 50, 95)
_SILENCE_DB = -80.0  # loudness is counted from here, relative to full scale


@features.register("sound-statistics")
@dataclass(frozen=True)
class SoundStatistics(Feature):
    """Mean and deviation of MFCCs and of their differences over a clip, and its melody.

    Array: ``statistics`` float32 (4 x coefficients,), and ten more with pitch: of the logarithm (in
    octaves) of the voiced frames' pitch the mean, deviation, 5th, 50th and 95th percentile and the
    mean step; share of voiced frames; mean and deviation of the loudness in dB; duration in s.

    Parameters
    ----------
    rate_hz : int > 0
        The sound is resampled to this rate; its loudness is kept, since it carries emotion.
    coefficients : int > 0
        MFCCs, the zeroth included.
    n_fft, hop : int > 0
        Window and step of the spectrum, in samples.
    pitch : bool
        Add the statistics of pitch, loudness and duration.

    Raises
    ------
    SettingsError
        If a setting is out of range.

    Notes
    -----
    Source: MFCCs as librosa computes them (Slaney's mel bands, orthonormal DCT-II); functionals
    over frames as in Schuller et al. (2009), "The INTERSPEECH 2009 Emotion Challenge".
    """

    rate_hz: int = 16000
    coefficients: int = 40
    n_fft: int = 1024
    hop: int = 256
    pitch: bool = True

    name = "sound-statistics"
    modality = "sound"
    source = "Schuller et al. (2009), functionals; MFCCs by librosa"

    def __post_init__(self) -> None:
        for field in ("rate_hz", "coefficients", "n_fft", "hop"):
            if getattr(self, field) < 1:
                raise SettingsError(f"{field} is {getattr(self, field)}; it must be positive.")
        if self.coefficients > 128:
            raise SettingsError(
                f"coefficients is {self.coefficients}; 128 mel bands yield at most 128."
            )

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's file of sound."""
        return sound_paths(clip)

    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute the statistics of one clip."""
        sound = read_clip_sound(clip, self.rate_hz)
        if sound.missing:
            return FeatureRecord.absent(sound.missing)
        if sound.samples.size < _LEAST_FRAMES * self.hop:
            return FeatureRecord.absent("too little sound")
        parts = [self._mfcc_statistics(sound.samples)]
        if self.pitch:
            parts.append(self._voice_statistics(sound.samples))
        return FeatureRecord(
            arrays={"statistics": np.concatenate(parts).astype(np.float32)},
            coverage=sound.coverage,
            flags=sound.flags,
        )

    def _mfcc_statistics(self, sound: np.ndarray) -> np.ndarray:
        import librosa

        mfcc = librosa.feature.mfcc(
            y=sound,
            sr=self.rate_hz,
            n_mfcc=self.coefficients,
            n_fft=self.n_fft,
            hop_length=self.hop,
        )  # (coefficients, frames)
        steps = np.diff(mfcc, axis=1)
        return np.concatenate([mfcc.mean(1), mfcc.std(1), steps.mean(1), steps.std(1)])

    def _voice_statistics(self, sound: np.ndarray) -> np.ndarray:
        from aver.features.pitch import track_pitch

        pitch_hz = track_pitch(sound, self.rate_hz)
        voiced = np.isfinite(pitch_hz)
        octaves = np.log2(pitch_hz[voiced])
        melody = np.zeros(6)  # no voiced frame: the classifier's scaler sees an unusual clip
        if octaves.size > 1:
            percentiles = np.percentile(octaves, _PITCH_PERCENTILES)
            step = np.abs(np.diff(octaves)).mean()
            melody = np.array([octaves.mean(), octaves.std(), *percentiles, step])
        blocks = np.lib.stride_tricks.sliding_window_view(sound, self.hop)[:: self.hop]
        power = np.square(blocks).mean(axis=1)
        loudness_db = 10 * np.log10(power + 10 ** (_SILENCE_DB / 10))
        share = voiced.mean() if voiced.size else 0.0
        rest = [share, loudness_db.mean(), loudness_db.std(), sound.size / self.rate_hz]
        return np.concatenate([melody, rest])
