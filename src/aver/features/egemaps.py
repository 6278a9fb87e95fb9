"""`EGeMAPS`: the 88 functionals of the extended Geneva parameter set, by openSMILE."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Any

import numpy as np

from aver.errors import SettingsError
from aver.features.speech_feature import SpeechFeature
from aver.features.speech_windows import speech_windows
from aver.settings import Field, settings

_RATE_HZ = 16000
_MIN_S = 0.25


class LicenseWarning(UserWarning):
    """What was chosen has a license that does not allow every use."""


@settings
class EGeMAPS(SpeechFeature):
    """Functionals of eGeMAPSv02 of a clip's speech, read in windows and averaged.

    Array: ``statistics`` float32 (88,), in the order of openSMILE. Needs the extra
    ``aver[opensmile]``. The license of openSMILE allows research and private use only.

    Parameters
    ----------
    window_s : float > 0
        Length of a window of speech; windows overlap by half.
    needs_speech : bool
        See `SpeechFeature`.

    Notes
    -----
    Source: Eyben et al. (2016), "The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for voice
    research and affective computing"; computed by the package ``opensmile``.
    """

    window_s: Annotated[float, Field(ge=1.0)] = 3.0

    name = "egemaps"
    source = "Eyben et al. (2016), by opensmile (research use only); extra aver[opensmile]"
    version = 2
    effort = 4.0

    def from_speech(self, stretches: Iterable[np.ndarray]) -> np.ndarray | None:
        """Mean of the functionals over windows."""
        extractor = _extractor()
        total, count = np.zeros(0), 0
        for window in speech_windows(stretches, round(self.window_s * _RATE_HZ)):
            if window.size < _MIN_S * _RATE_HZ:
                continue
            values = extractor.process_signal(window, _RATE_HZ).to_numpy(np.float64)[0]
            total, count = (total if count else 0.0) + values, count + 1
        return total / count if count else None


@lru_cache(maxsize=1)
def _extractor() -> Any:
    try:
        import opensmile
    except ImportError:
        raise SettingsError(
            "The feature 'egemaps' needs openSMILE. Install it with: pip install 'aver[opensmile]'."
        ) from None
    warnings.warn(
        "The feature 'egemaps' is computed by openSMILE, whose license allows research and private "
        "use only.",
        LicenseWarning,
        stacklevel=2,
    )
    return opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=opensmile.FeatureLevel.Functionals,
    )
