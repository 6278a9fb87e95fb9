"""`MelBands`: the mel spectrogram of a clip in dB."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aver.features.feature import features
from aver.features.mel_frames import MelFrames


@features.register("mel-bands")
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
