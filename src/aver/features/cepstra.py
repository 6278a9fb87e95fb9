"""`Cepstra`: mel-frequency cepstral coefficients of a clip, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aver.errors import SettingsError
from aver.features.feature import features
from aver.features.mel_frames import MelFrames


@features.register("cepstra")
@dataclass(frozen=True)
class Cepstra(MelFrames):
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

    name = "cepstra"
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

        cepstra = dct(bands_db, axis=0, norm="ortho")[: self.coefficients]
        if not self.step_frames:
            return cepstra
        at = np.arange(cepstra.shape[1])
        last = cepstra.shape[1] - 1
        after, before = (
            np.minimum(at + self.step_frames, last),
            np.maximum(at - self.step_frames, 0),
        )
        return np.concatenate([cepstra, cepstra[:, after] - cepstra[:, before]])
