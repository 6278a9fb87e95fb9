"""`StatisticsSvm`: statistics of whole clips with support vector machines."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.feature import Feature, feature_from_settings
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction, mean_of_known
from aver.models.base.recognizer import Recognizer, raise_missing_modality
from aver.models.data.clip_functionals import ClipFunctionals, load_clip_functionals
from aver.models.layers.score_classifier import (
    Fit,
    ScoreClassifier,
    fit_chosen,
    fit_logistic,
    fit_svm,
)

FEATURE_NAMES = {
    "audio": "audio-functionals",
    "video": "face-functionals",
    "action_units": "action-unit-functionals",
}


@dataclass(frozen=True)
class StatisticsSettings:
    """Settings of the statistics baselines.

    Parameters
    ----------
    modalities : tuple of {"audio", "video", "action_units"}
        What to look at; the vectors of several are joined.
    Cs : tuple of float
        Candidates for scikit-learn's ``C``, rising; the validation clips choose.
    refit : bool
        Once the strength is chosen, fit again on training and validation clips together: with few
        speakers, those that validate are missed in training. Only for validation clips that are
        not tested on: an `aver.evaluation.experiment.Experiment` switches it off where they are.
    feature_settings : mapping of str to mapping
        By modality, settings of its feature that differ from the defaults, for instance
        ``{"audio": {"pitch": False}}``.
    """

    modalities: tuple[str, ...] = ("video", "audio")
    Cs: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    refit: bool = True
    feature_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.modalities or len(set(self.modalities)) < len(self.modalities):
            raise SettingsError(
                f"modalities must name at least one modality, each once, not {self.modalities}."
            )
        for modality in (*self.modalities, *self.feature_settings):
            if modality not in FEATURE_NAMES:
                raise SettingsError(
                    f"There are no statistics of the modality {modality!r}. "
                    f"Known are: {', '.join(FEATURE_NAMES)}."
                )
        if not self.Cs or min(self.Cs) <= 0:
            raise SettingsError(f"strengths must be positive numbers, not {self.Cs}.")


class Statistics(Recognizer):
    """One classifier per modality, and one over all modalities joined; see its two kinds.

    A clip with every modality is answered by the joint classifier, one that lacks some by the mean
    of the probabilities of those it has, one with none by the training shares, flagged.

    Parameters
    ----------
    settings : StatisticsSettings
    store : FeatureSource
    """

    settings_type = StatisticsSettings
    settings: StatisticsSettings
    can_refit = True

    def __init__(self, settings: StatisticsSettings, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._classifiers: dict[str, ScoreClassifier] = {}

    @property
    @abstractmethod
    def _fit_classifier(self) -> Fit:
        """How one classifier is fitted."""

    @cached_property
    def features(self) -> Mapping[str, Feature]:
        """Modality to its statistics."""
        return {
            modality: feature_from_settings(
                FEATURE_NAMES[modality], self.settings.feature_settings.get(modality, {})
            )
            for modality in self.settings.modalities
        }

    def _fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> dict[str, Any]:
        """Fit on `train`, choose ``C`` and temperature on `validation`, then fit on both.

        Without ``refit`` scalers and weights see `train` only. Nothing is random, so `seed`
        changes nothing; nothing is written.
        """
        known = [clip for clip in validation if clip.emotion in self.classes]
        statistics = [
            load_clip_functionals(subset, self.features, self.store) for subset in (train, known)
        ]
        labels = [
            np.array([self.classes.index(str(clip.emotion)) for clip in subset], dtype=int)
            for subset in (train, known)
        ]
        self._classifiers, chosen = {}, {}
        for modalities in self._combinations():
            name = "+".join(modalities)
            fitted = self._fit_one(modalities, statistics, labels)
            if fitted is not None:
                self._classifiers[name], chosen[name] = fitted
        learned = ["train", "validation"] if self.settings.refit else ["train"]
        return {
            "parameters": sum(array.size for array in self._weights().values()),
            "strengths chosen on validation": chosen,
            "fitted_on": {"scalers": learned},
            "labels_used": {"weights": learned, "strength and temperature": ["validation"]},
        }

    def _combinations(self) -> list[tuple[str, ...]]:
        """Each modality alone, and all together."""
        alone: list[tuple[str, ...]] = [(modality,) for modality in self.settings.modalities]
        return alone if len(alone) == 1 else [*alone, self.settings.modalities]

    def _fit_one(
        self,
        modalities: tuple[str, ...],
        statistics: Sequence[ClipFunctionals],
        labels: Sequence[np.ndarray],
    ) -> tuple[ScoreClassifier, float] | None:
        """Fit over the clips that have these modalities; None where too few have them all."""
        parts = []
        for found, predictions in zip(statistics, labels, strict=True):
            rows = found.present(modalities)
            parts.append((found.joined(modalities)[rows], predictions[rows]))
        if len(modalities) == 1 and not len(parts[0][1]):
            raise_missing_modality(modalities[0], statistics[0].flags)
        if set(parts[0][1]) != set(range(len(self.classes))):
            return None
        return fit_chosen(
            self._fit_classifier,
            self.settings.Cs,
            parts[0],
            parts[1],
            len(self.classes),
            refit=self.settings.refit,
        )

    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        statistics = load_clip_functionals(clips, self.features, self.store)
        predictions = {
            "+".join(modalities): self._predictions(modalities, statistics)
            for modalities in self._combinations()
        }
        alone = {modality: predictions[modality] for modality in self.settings.modalities}
        joint = predictions["+".join(self.settings.modalities)]
        fused = np.where(np.isnan(joint), mean_of_known(list(alone.values())), joint)
        return Prediction(
            clip_ids=tuple(clip.clip_id for clip in clips),
            classes=self.classes,
            probabilities=fused,
            by_modality=alone,
            coverage=statistics.coverage,
            flags=statistics.flags,
        )

    def _predictions(self, modalities: tuple[str, ...], statistics: ClipFunctionals) -> np.ndarray:
        """One classifier's probabilities, NaN where a clip lacks a modality: (clips, classes)."""
        predictions = np.full((len(statistics.flags), len(self.classes)), np.nan)
        classifier = self._classifiers.get("+".join(modalities))
        rows = statistics.present(modalities)
        if classifier is None or not rows.any():
            return predictions
        inputs = statistics.joined(modalities)[rows]
        if inputs.shape[1] != len(classifier.mean):
            raise FeatureError(
                f"The statistics of {', '.join(modalities)} have {inputs.shape[1]} values; this "
                f"recogniser was trained on {len(classifier.mean)}. Use the same tables."
            )
        predictions[rows] = classifier.probabilities(inputs)
        return predictions

    def _state(self) -> dict[str, Any]:
        return {"classifiers": list(self._classifiers)}

    def _weights(self) -> dict[str, np.ndarray]:
        return {
            f"{name}/{array}": value
            for name, classifier in self._classifiers.items()
            for array, value in classifier.arrays().items()
        }

    def _restore(self, weights: dict[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        for name in facts["classifiers"]:
            names = [key for key in weights if key.rpartition("/")[0] == name]
            arrays = {key.rpartition("/")[2]: weights.pop(key) for key in names}
            classifier = ScoreClassifier.from_arrays(arrays)
            if classifier.weights.shape[1] != len(self.classes):
                raise ValueError(f"{name} has {classifier.weights.shape[1]} classes")
            self._classifiers[name] = classifier


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
    def _fit_classifier(self) -> Fit:
        return fit_logistic


@dataclass(frozen=True)
class SvmSettings(StatisticsSettings):
    """As `StatisticsSettings`; support vector machines want less of a penalty."""

    Cs: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


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
    def _fit_classifier(self) -> Fit:
        return fit_svm
