"""`MFCC`: mel-frequency cepstral coefficients of a clip, frame by frame."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.clip_audio import audio_paths, read_clip_audio
from aver.features.feature import Feature, FeatureRecord


@dataclass(frozen=True)
class MelFrames(Feature):
    """Mel bands of a clip in dB, frame by frame; a subclass says what is kept of them.

    Array: ``units`` float32 (frames, rows), as many frames as the clip has, `frame_count` at most.
    Longer clips are cut at both ends alike, flagged, and coverage is the share that is kept; or all
    clips are `stretched` to as many frames.

    Parameters
    ----------
    rate_hz : int > 0
        The sound is resampled to this rate; its loudness is kept.
    n_fft, hop : int > 0
        Window and step of the spectrum, in samples.
    band_count : int > 0
        Mel bands up to `highest_hz`.
    highest_hz : float > 0
        At most half of `rate_hz`.
    frame_count : int > 0
        Most frames of a clip.
    quiet_db : float > 0, or None
        Frames at both ends that are this much below the loudest frame are left out; None keeps
        silence.
    stretched : bool
        Every clip yields `frame_count` frames, evenly spaced from its first to its last, whatever
        its length: the same column is the same share of the utterance in all clips, and how long
        it took is not told.

    Raises
    ------
    SettingsError
        If a setting is out of range.
    """

    rate_hz: int = 16000
    n_fft: int = 512
    hop: int = 160
    band_count: int = 128
    highest_hz: float = 8000.0
    frame_count: int = 388
    quiet_db: float | None = None
    stretched: bool = False

    modality = "audio"

    def __post_init__(self) -> None:
        for field in ("rate_hz", "n_fft", "hop", "band_count", "frame_count"):
            if getattr(self, field) < 1:
                raise SettingsError(f"{field} is {getattr(self, field)}; it must be positive.")
        if not 0 < self.highest_hz <= self.rate_hz / 2:
            raise SettingsError(
                f"highest_hz is {self.highest_hz:g}; it must be positive and at most half of "
                f"rate_hz, {self.rate_hz / 2:g}."
            )
        if self.quiet_db is not None and self.quiet_db <= 0:
            raise SettingsError(f"quiet_db is {self.quiet_db:g}; it must be positive, or null.")

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's file of sound."""
        return audio_paths(clip)

    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute the frames of one clip."""
        audio = read_clip_audio(clip, self.rate_hz)
        if audio.missing:
            return FeatureRecord.absent(audio.missing)
        bands_db, empty = self.bands_db(audio.samples)
        bands_db = bands_db[:, self._loud(bands_db)]
        kept = bands_db if self.stretched else _center(bands_db, self.frame_count)
        flags = list(audio.flags)
        if empty:
            flags.append(f"{empty} of {self.band_count} mel bands are empty")
        if kept.shape[1] < bands_db.shape[1]:
            flags.append(f"cut to {self.frame_count * self.hop / self.rate_hz:g} s of sound")
        return FeatureRecord(
            arrays={"units": self._timed(self.rows(kept)).T.astype(np.float32)},
            coverage=audio.coverage * kept.shape[1] / bands_db.shape[1],
            flags=tuple(flags),
        )

    def bands_db(self, audio: np.ndarray) -> tuple[np.ndarray, int]:
        """Mel bands in dB, no lower than 80 dB under the highest, and how many of them are empty.

        Parameters
        ----------
        audio : np.ndarray [shape=(samples,)]
            At `rate_hz`.

        Returns
        -------
        np.ndarray [shape=(bands, frames)]
        int
            Bands too narrow to hold a line of the spectrum.
        """
        import librosa

        bands: dict[str, Any] = {
            "n_fft": self.n_fft,
            "n_mels": self.band_count,
            "fmax": self.highest_hz,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of empty bands: they are counted here
            filters = librosa.filters.mel(sr=self.rate_hz, **bands)
            power = librosa.feature.melspectrogram(
                y=audio, sr=self.rate_hz, hop_length=self.hop, **bands
            )
        return librosa.power_to_db(power), int((filters.max(axis=1) == 0).sum())

    @property
    @abstractmethod
    def row_count(self) -> int:
        """Values of each frame."""

    @abstractmethod
    def rows(self, bands_db: np.ndarray) -> np.ndarray:
        """What is kept of bands (bands, frames): shape (rows, frames)."""

    def _timed(self, rows: np.ndarray) -> np.ndarray:
        """Rows (rows, frames) with the frames that are asked for."""
        if not self.stretched:
            return rows
        places = np.linspace(0, rows.shape[1] - 1, self.frame_count)
        return rows[:, np.round(places).astype(int)]

    def _loud(self, bands_db: np.ndarray) -> slice:
        """From the first loud frame to the last."""
        if self.quiet_db is None:
            return slice(None)
        level_db = bands_db.mean(axis=0)
        loud = np.flatnonzero(level_db > level_db.max() - self.quiet_db)
        return slice(int(loud[0]), int(loud[-1]) + 1) if loud.size else slice(None)


def _center(frames: np.ndarray, most: int) -> np.ndarray:
    """The middle frames, as many as `most`."""
    first = max(0, (frames.shape[1] - most) // 2)
    return frames[:, first : first + most]


@dataclass(frozen=True)
class MelBands(MelFrames):
    """Mel spectrogram in dB, 128 bands by up to 388 frames of 10 ms.

    Array: ``units`` float32 (frames, bands). Parameters are those of `MelFrames`.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye (2019), section V-B: 128 bands up to 8 kHz, 388 frames.
    Differs from the paper: it prints a Fourier window of 128 samples, which leaves 41 of the 128
    bands without a single line of the spectrum; ours is 512. ``n_fft=128`` is the paper's.
    """

    name = "mel-bands"
    source = "Mansouri-Benssassi & Ye (2019), section V-B; mel bands by librosa"

    @property
    def row_count(self) -> int:
        """Values of each frame."""
        return self.band_count

    def rows(self, bands_db: np.ndarray) -> np.ndarray:
        """The bands themselves."""
        return bands_db


@dataclass(frozen=True)
class MFCC(MelFrames):
    """MFCCs, 40 coefficients by up to 388 frames of 10 ms.

    Array: ``units`` float32 (frames, rows), the zeroth coefficient (loudness) first; with
    `step_frames`, the changes of all coefficients follow after them.

    Parameters
    ----------
    coefficients : int, 1 to `band_count`
    step_frames : int >= 0
        Adds each coefficient's change from so many frames before to so many after; 0 adds nothing.
        The other parameters are those of `MelFrames`.

    Raises
    ------
    SettingsError
        If a setting is out of range.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye (2019), section V-B: 40 coefficients, 388 frames.
    Differs from the paper: a Fourier window of 512 samples, see `MelBands`.
    """

    coefficients: int = 40
    step_frames: int = 0

    name = "mfcc"
    source = "Mansouri-Benssassi & Ye (2019), section V-B; MFCCs by librosa"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.coefficients <= self.band_count:
            raise SettingsError(
                f"coefficients is {self.coefficients}; {self.band_count} mel bands yield 1 to "
                f"{self.band_count}."
            )
        if self.step_frames < 0:
            raise SettingsError(f"step_frames is {self.step_frames}; it must not be negative.")

    @property
    def row_count(self) -> int:
        """Values of each frame."""
        return self.coefficients * (2 if self.step_frames else 1)

    def rows(self, bands_db: np.ndarray) -> np.ndarray:
        """The first coefficients of the orthonormal cosine transform over bands."""
        from scipy.fft import dct

        mfcc = dct(bands_db, axis=0, norm="ortho")[: self.coefficients]
        if not self.step_frames:
            return mfcc
        at = np.arange(mfcc.shape[1])
        last = mfcc.shape[1] - 1
        after, before = (
            np.minimum(at + self.step_frames, last),
            np.maximum(at - self.step_frames, 0),
        )
        return np.concatenate([mfcc, mfcc[:, after] - mfcc[:, before]])
