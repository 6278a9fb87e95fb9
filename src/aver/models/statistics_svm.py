"""`StatisticsSvm`: statistics of whole clips with support vector machines."""

from __future__ import annotations

from dataclasses import dataclass

from aver.models.parts.fit_scores import Fit, fit_svm
from aver.models.recognizer import models
from aver.models.statistics import Statistics, StatisticsSettings


@dataclass(frozen=True)
class SvmSettings(StatisticsSettings):
    """As `StatisticsSettings`; support vector machines want less of a penalty."""

    strengths: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


@models.register("statistics-svm")
class StatisticsSvm(Statistics):
    """Support vector machines, one class against all others, on statistics of whole clips.

    Notes
    -----
    Source: the classical baseline of emotion recognition, Schuller et al. (2009), "The
    INTERSPEECH 2009 Emotion Challenge". Probabilities are the softmax of the machines' scores,
    calibrated by one temperature on the validation clips.
    """

    name = "statistics-svm"
    source = "Functionals with a support vector machine; Schuller et al. (2009)"
    settings_type = SvmSettings

    @property
    def _fit(self) -> Fit:
        return fit_svm
