"""`StatisticsLogistic`: statistics of whole clips with logistic regression."""

from __future__ import annotations

from aver.models.parts.fit_scores import Fit, fit_logistic
from aver.models.recognizer import models
from aver.models.statistics import Statistics


@models.register("statistics-logistic")
class StatisticsLogistic(Statistics):
    """Multinomial logistic regression on statistics of whole clips.

    Notes
    -----
    Source: the classical baseline of emotion recognition, Schuller et al. (2009), "The
    INTERSPEECH 2009 Emotion Challenge".
    """

    name = "statistics-logistic"
    source = "Functionals with logistic regression; Schuller et al. (2009)"

    @property
    def _fit(self) -> Fit:
        return fit_logistic
