"""`MelBands`: the mel spectrogram of a clip, frame by frame."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from aver.errors import SettingsError
from aver.features.clip_audio import AudioFeature, ClipAudio
from aver.features.feature import FeatureRecord
from aver.features.spectral import mel_bands_db, mel_filters
from aver.settings import Field, settings


@settings
class MelBands(AudioFeature):
    """Mel spectrogram in dB, 128 bands by up to 388 frames of 10 ms.

    Array: ``units`` float32 (frames, `row_count`), all frames of the clip but at most
    `frame_count`. Longer clips lose the same number of frames at both ends and are flagged;
    coverage is the share that is kept. With `stretched`, every clip has `frame_count` frames.

    Parameters
    ----------
    rate_hz : int > 0
        The audio is resampled to this rate; its loudness is kept.
    n_fft : int >= 2
        Window of the spectrum, in samples.
    hop : int > 0
        Step of the spectrum, in samples.
    band_count : int > 0
        Mel bands up to `highest_hz`.
    highest_hz : float > 0
        At most half of `rate_hz`.
    frame_count : int > 0
        Maximum number of frames of a clip.
    quiet_db : float > 0, or None
        Frames at both ends that are this much below the loudest frame are left out; None keeps
        silence.
    stretched : bool
        Take `frame_count` frames, evenly spaced from the first to the last, whatever the clip's
        length: the same column is then the same share of the utterance in all clips, and the
        duration of the utterance is lost.

    Raises
    ------
    SettingsError
        If a setting is out of range.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye (2019), section V-B: 128 bands up to 8 kHz, 388 frames.
    Differs from the paper: it prints a Fourier window of 128 samples, which leaves 41 of the 128
    bands without a single bin of the spectrum; ours is 512. ``n_fft=128`` is the paper's.
    """

    rate_hz: Annotated[int, Field(gt=0)] = 16000
    n_fft: Annotated[int, Field(ge=2)] = 512
    hop: Annotated[int, Field(gt=0)] = 160
    band_count: Annotated[int, Field(gt=0)] = 128
    highest_hz: Annotated[float, Field(gt=0)] = 8000.0
    frame_count: Annotated[int, Field(gt=0)] = 388
    quiet_db: Annotated[float, Field(gt=0)] | None = None
    stretched: bool = False

    name = "mel-bands"
    source = "Mansouri-Benssassi & Ye (2019), section V-B; mel bands as in librosa"

    def __post_init__(self) -> None:
        if self.highest_hz > self.rate_hz / 2:
            raise SettingsError(
                f"The setting 'highest_hz' must be at most half of rate_hz, {self.rate_hz / 2:g}, "
                f"not {self.highest_hz:g}."
            )

    @property
    def frames_in_1_s(self) -> int:
        """One second at the rate of the Fourier windows."""
        return max(1, round(self.rate_hz / self.hop))

    @property
    def row_count(self) -> int:
        """Values per frame."""
        return self.band_count

    def rows(self, bands_db: np.ndarray) -> np.ndarray:
        """Values of each frame, (rows, frames), from mel bands in dB (bands, frames)."""
        return bands_db

    def from_audio(self, audio: ClipAudio) -> FeatureRecord:
        """Compute the frames of one clip."""
        spectrum = (self.rate_hz, self.n_fft, self.hop, self.band_count, self.highest_hz)
        bands_db = mel_bands_db(audio.samples, *spectrum)  # (bands, frames)
        bands_db = bands_db[:, self._loud(bands_db)]
        total = bands_db.shape[1]
        flags = list(audio.flags)
        filters = mel_filters(self.rate_hz, self.n_fft, self.band_count, self.highest_hz)
        if empty := int((filters.max(axis=1) == 0).sum()):
            flags.append(f"{empty} of {self.band_count} mel bands are empty")
        if not self.stretched and total > self.frame_count:
            first = (total - self.frame_count) // 2
            bands_db = bands_db[:, first : first + self.frame_count]
            flags.append(f"cut to {self.frame_count * self.hop / self.rate_hz:g} s of audio")
        rows = self.rows(bands_db)
        if self.stretched:
            rows = rows[:, np.linspace(0, total - 1, self.frame_count).round().astype(int)]
        return FeatureRecord(
            arrays={"units": rows.T.astype(np.float32)},
            coverage=audio.coverage * bands_db.shape[1] / total,
            flags=tuple(flags),
        )

    def _loud(self, bands_db: np.ndarray) -> slice:
        """From the first loud frame to the last."""
        if self.quiet_db is None:
            return slice(None)
        level_db = bands_db.mean(axis=0)
        loud = np.flatnonzero(level_db > level_db.max() - self.quiet_db)
        return slice(int(loud[0]), int(loud[-1]) + 1) if loud.size else slice(None)
