"""`ClipFunctionals`: moments of MFCCs, pitch and loudness of a whole clip, as in version 0.1."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from aver.features.clip_audio import AudioFeature, ClipAudio
from aver.features.feature import FeatureRecord
from aver.features.spectral import cepstrum, hann_window, mel_bands_db
from aver.settings import Field, settings

_MEL_BANDS = 128
_MIN_FRAMES = 3  # so that first differences have a standard deviation
_PITCH_PERCENTILES = (5, 50, 95)
_SILENCE_DB = -80.0  # added to the power as a floor, relative to full scale


@settings
class ClipFunctionals(AudioFeature):
    """Mean and standard deviation of MFCCs and of their differences, and functionals of the pitch.

    Array: ``statistics`` float32 (4 x coefficients,), and with `pitch` ten more: of the logarithm
    (in octaves) of the pitch of voiced frames the mean, standard deviation, 5th, 50th and 95th
    percentile and mean step; share of voiced frames; mean and standard deviation of the loudness in
    dB; duration in seconds.

    Its values depend on the length and the level of the recording, so that a recognizer does not
    travel to other corpora: prefer ``audio-functionals``. Checkpoints of version 0.1 read it.

    Parameters
    ----------
    rate_hz : int > 0
        The audio is resampled to this rate; its loudness is kept, since it carries emotion.
    coefficients : int, 1 to 128
        MFCCs, including the zeroth.
    n_fft : int >= 2
        Window of the spectrum, in samples.
    hop : int > 0
        Step of the spectrum, in samples.
    pitch : bool
        Add the functionals of pitch, loudness and duration.

    Raises
    ------
    SettingsError
        If a setting is out of range.

    Notes
    -----
    Source: MFCCs as librosa computes them (Slaney's mel bands, orthonormal DCT-II); functionals
    over frames as in Schuller et al. (2009), "The INTERSPEECH 2009 Emotion Challenge".
    """

    rate_hz: Annotated[int, Field(gt=0)] = 16000
    coefficients: Annotated[int, Field(gt=0, le=_MEL_BANDS)] = 40
    n_fft: Annotated[int, Field(ge=2)] = 1024
    hop: Annotated[int, Field(gt=0)] = 256
    pitch: bool = True

    name = "clip-functionals"
    source = "Schuller et al. (2009), functionals; MFCCs as in librosa"

    def from_audio(self, audio: ClipAudio) -> FeatureRecord:
        """Compute the functionals of one clip."""
        if audio.samples.size < _MIN_FRAMES * self.hop:
            return FeatureRecord.absent("too little audio")
        functionals = [self._mfcc_functionals(audio.samples)]
        if self.pitch:
            functionals.append(self._pitch_functionals(audio.samples))
        return FeatureRecord(
            arrays={"statistics": np.concatenate(functionals).astype(np.float32)},
            coverage=audio.coverage,
            flags=audio.flags,
        )

    def _mfcc_functionals(self, samples: np.ndarray) -> np.ndarray:
        bands_db = mel_bands_db(
            samples, self.rate_hz, self.n_fft, self.hop, _MEL_BANDS, self.rate_hz / 2
        )
        mfcc = cepstrum(bands_db, self.coefficients)  # (coefficients, frames)
        steps = np.diff(mfcc, axis=1)
        return np.concatenate([mfcc.mean(1), mfcc.std(1), steps.mean(1), steps.std(1)])

    def _pitch_functionals(self, samples: np.ndarray) -> np.ndarray:
        pitch_hz = _track_pitch(samples, self.rate_hz)
        voiced = np.isfinite(pitch_hz)
        octaves = np.log2(pitch_hz[voiced])
        melody = np.zeros(6)  # without voiced frames: an outlier to the classifier's scaler
        if octaves.size > 1:
            percentiles = np.percentile(octaves, _PITCH_PERCENTILES)
            step = np.abs(np.diff(octaves)).mean()
            melody = np.array([octaves.mean(), octaves.std(), *percentiles, step])
        blocks = np.lib.stride_tricks.sliding_window_view(samples, self.hop)[:: self.hop]
        power = np.square(blocks).mean(axis=1)
        loudness_db = 10 * np.log10(power + 10 ** (_SILENCE_DB / 10))
        share = voiced.mean() if voiced.size else 0.0
        rest = [share, loudness_db.mean(), loudness_db.std(), samples.size / self.rate_hz]
        return np.concatenate([melody, rest])


_WINDOW_PERIODS = 3.0  # Boersma (1993): three periods of the lowest pitch
_OCTAVE_COST = 0.01  # Boersma (1993): per octave, so that a period is preferred to its multiples
_SILENCE = 0.03  # Boersma (1993): frames below this share of the clip's peak are unvoiced


def _track_pitch(
    audio: np.ndarray,
    rate_hz: int,
    *,
    lowest_hz: float = 65.0,
    highest_hz: float = 500.0,
    hop_s: float = 0.01,
    voiced_above: float = 0.45,
) -> np.ndarray:
    """Estimate the fundamental frequency by the autocorrelation method.

    The autocorrelation of each windowed frame is divided by that of the window; its highest peak
    between the shortest and the longest period, refined by a parabola, is the period.

    Parameters
    ----------
    audio : np.ndarray [shape=(samples,)]
    rate_hz : int > 0
    lowest_hz, highest_hz : float > 0
        Range of the pitch, in Hz.
    hop_s : float > 0
        Time between frames, in seconds.
    voiced_above : float in [0, 1]
        Minimum height of the peak, as a share of the frame's energy, of a voiced frame.

    Returns
    -------
    np.ndarray [shape=(frames,), unit=Hz]
        NaN in unvoiced frames; empty if the audio is shorter than one frame.

    Notes
    -----
    Source: Boersma (1993), "Accurate short-term analysis of the fundamental frequency and the
    harmonics-to-noise ratio of a sampled sound", steps 3.1 to 3.5 with its thresholds.
    Differs from the paper: each frame is decided on its own, without a path through the frames.
    """
    length, hop = round(_WINDOW_PERIODS * rate_hz / lowest_hz), round(hop_s * rate_hz)
    if audio.size < length:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(audio, length)[::hop]
    frames = frames - frames.mean(axis=1, keepdims=True)
    loud = np.abs(frames).max(axis=1) > _SILENCE * np.abs(audio - audio.mean()).max()
    first, last = int(rate_hz / highest_hz), int(np.ceil(rate_hz / lowest_hz))
    lags = np.arange(first - 1, last + 2)
    similarity = _autocorrelation(frames, lags)  # (frames, lags)
    inner = similarity[:, 1:-1]
    peaks = (inner >= similarity[:, :-2]) & (inner > similarity[:, 2:])
    cost = _OCTAVE_COST * np.log2(lags[1:-1] / lags[1])
    best = np.where(peaks, inner - cost, -np.inf).argmax(axis=1) + 1
    rows = np.arange(len(frames))
    left, height, right = (similarity[rows, best + shift] for shift in (-1, 0, 1))
    bend = left - 2 * height + right
    offset = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend != 0)
    voiced = loud & peaks.any(axis=1) & (height > voiced_above)
    return np.where(voiced, rate_hz / (lags[best] + np.clip(offset, -0.5, 0.5)), np.nan)


def _autocorrelation(frames: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Autocorrelation of windowed frames over that of the window; 1 at lag 0."""
    from scipy import fft

    window = hann_window(frames.shape[1])
    size = fft.next_fast_len(2 * frames.shape[1], real=True)

    def correlate(values: np.ndarray) -> np.ndarray:
        whole = fft.irfft(np.abs(fft.rfft(values, size, axis=-1)) ** 2, size, axis=-1)
        return whole[..., lags] / np.maximum(whole[..., :1], np.finfo(float).tiny)

    return correlate(frames * window) / correlate(window)
