"""Mel-frequency cepstral coefficients: frame by frame (`MFCC`), of a clip (`MFCCFunctionals`)."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Annotated

import numpy as np

from aver.errors import SettingsError
from aver.features.feature import DerivedFeature, FeatureRecord
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


@settings
class MFCCFunctionals(DerivedFeature):
    """Mean and standard deviation of MFCCs, and of their changes from frame to frame.

    Array: ``statistics`` float32 (4 x coefficients,).

    Parameters
    ----------
    mfcc : MFCC
        The frames; by default all frames of a clip of up to an hour.

    Notes
    -----
    Source: functionals as in Schuller et al. (2009), "The INTERSPEECH 2009 Emotion Challenge".
    """

    mfcc: MFCC = field(default_factory=lambda: MFCC(n_fft=1024, hop=256, frame_count=225_000))

    name = "mfcc-functionals"
    modality = "audio"
    source = "Schuller et al. (2009), functionals; MFCCs as in librosa"

    @property
    def basis(self) -> MFCC:
        """The frames."""
        return self.mfcc

    def derive(self, record: FeatureRecord) -> FeatureRecord:
        """Functionals of the frames of one clip."""
        frames = record.arrays["units"].astype(np.float64)  # (frames, coefficients)
        steps = np.diff(frames, axis=0) if len(frames) > 1 else np.zeros((1, frames.shape[1]))
        moments = [frames.mean(0), frames.std(0), steps.mean(0), steps.std(0)]
        return replace(record, arrays={"statistics": np.concatenate(moments).astype(np.float32)})
