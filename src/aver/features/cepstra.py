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

    Array: ``frames`` float32 (coefficients, frames), the zeroth coefficient (loudness) first.

    Parameters
    ----------
    coefficients : int, 1 to `band_count`
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

    name = "cepstra"
    source = "Mansouri-Benssassi & Ye (2019), section V-B; MFCCs by librosa"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.coefficients <= self.band_count:
            raise SettingsError(
                f"coefficients is {self.coefficients}; {self.band_count} mel bands yield 1 to "
                f"{self.band_count}."
            )

    def rows(self, bands_db: np.ndarray) -> np.ndarray:
        """The first coefficients of the orthonormal cosine transform over bands."""
        from scipy.fft import dct

        return dct(bands_db, axis=0, norm="ortho")[: self.coefficients]
