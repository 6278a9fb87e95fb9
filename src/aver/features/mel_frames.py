"""`MelFrames`: what the features of mel bands share, sound to at most so many frames."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.clip_sound import read_clip_sound, sound_paths
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

    modality = "sound"

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
        return sound_paths(clip)

    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute the frames of one clip."""
        sound = read_clip_sound(clip, self.rate_hz)
        if sound.missing:
            return FeatureRecord.absent(sound.missing)
        bands_db, empty = self.bands_db(sound.samples)
        bands_db = bands_db[:, self._loud(bands_db)]
        kept = bands_db if self.stretched else _centre(bands_db, self.frame_count)
        flags = list(sound.flags)
        if empty:
            flags.append(f"{empty} of {self.band_count} mel bands are empty")
        if kept.shape[1] < bands_db.shape[1]:
            flags.append(f"cut to {self.frame_count * self.hop / self.rate_hz:g} s of sound")
        return FeatureRecord(
            arrays={"units": self._timed(self.rows(kept)).T.astype(np.float32)},
            coverage=sound.coverage * kept.shape[1] / bands_db.shape[1],
            flags=tuple(flags),
        )

    def bands_db(self, sound: np.ndarray) -> tuple[np.ndarray, int]:
        """Mel bands in dB, no lower than 80 dB under the highest, and how many of them are empty.

        Parameters
        ----------
        sound : np.ndarray [shape=(samples,)]
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
                y=sound, sr=self.rate_hz, hop_length=self.hop, **bands
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


def _centre(frames: np.ndarray, most: int) -> np.ndarray:
    """The middle frames, as many as `most`."""
    first = max(0, (frames.shape[1] - most) // 2)
    return frames[:, first : first + most]
