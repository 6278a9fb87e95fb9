"""`MFCC`: mel-frequency cepstral coefficients of a clip, frame by frame."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from aver.errors import SettingsError
from aver.features.mel_bands import MelBands
from aver.features.spectral import cepstrum
from aver.settings import Field, settings


@settings
class MFCC(MelBands):
    """MFCCs, 40 coefficients by up to 388 frames of 10 ms.

    Array: ``units`` float32 (frames, `row_count`), the zeroth coefficient (loudness) first; with
    `step_frames`, the changes of all coefficients follow.

    Parameters
    ----------
    coefficients : int, 1 to `band_count`
    step_frames : int >= 0
        Adds the change of each coefficient from this many frames before to this many after; 0 adds
        nothing. The other parameters are those of `MelBands`.

    Raises
    ------
    SettingsError
        If a setting is out of range.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye (2019), section V-B: 40 coefficients, 388 frames.
    Differs from the paper: a Fourier window of 512 samples, see `MelBands`.
    """

    coefficients: Annotated[int, Field(gt=0)] = 40
    step_frames: Annotated[int, Field(ge=0)] = 0

    name = "mfcc"
    source = "Mansouri-Benssassi & Ye (2019), section V-B; MFCCs as in librosa"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.coefficients > self.band_count:
            raise SettingsError(
                f"The setting 'coefficients' must be at most band_count, {self.band_count}, not "
                f"{self.coefficients}."
            )

    @property
    def row_count(self) -> int:
        """Values per frame."""
        return self.coefficients * (2 if self.step_frames else 1)

    def rows(self, bands_db: np.ndarray) -> np.ndarray:
        """Coefficients and, with `step_frames`, their changes; (rows, frames)."""
        mfcc = cepstrum(bands_db, self.coefficients)
        if not self.step_frames:
            return mfcc
        last = mfcc.shape[1] - 1
        after = np.minimum(np.arange(last + 1) + self.step_frames, last)
        before = np.maximum(np.arange(last + 1) - self.step_frames, 0)
        return np.concatenate([mfcc, mfcc[:, after] - mfcc[:, before]])
