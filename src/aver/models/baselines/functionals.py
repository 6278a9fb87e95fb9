"""Functionals of whole clips with logistic regression (`StatisticsLogistic`) or `StatisticsSvm`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.feature import Feature, feature_from_settings, features
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction, mean_of_known
from aver.models.base.recognizer import Recognizer
from aver.models.base.training_distance import rows_of
from aver.models.data.clip_features import (
    ClipFeature,
    check_present,
    coverage_of,
    flags_of,
    load_features,
)
from aver.models.layers.score_classifier import (
    Loss,
    Scaling,
    ScoreClassifier,
    fit_chosen,
    fit_logistic,
    fit_svm,
)
from aver.settings import Field, settings

FEATURE_NAMES = {
    "audio": "audio-functionals",
    "video": "face-functionals",
    "action_units": "action-unit-functionals",
}

Strengths = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]


@settings
class StatisticsSettings:
    """Settings of the statistics baselines.

    Parameters
    ----------
    modalities : tuple of {"audio", "video", "action_units"}
        What is read; the vectors of several modalities are concatenated.
    Cs : tuple of float
        Candidates for scikit-learn's ``C``, rising; chosen on the validation clips.
    refit : bool
        Once ``C`` is chosen, fit again on training and validation clips together: with few
        speakers, those of the validation set are missed in training. Evaluation switches it off if
        the validation clips are test clips too.
    scaling : {"standard", "robust"}
        See `aver.models.layers.score_classifier.fit_logistic`.
    feature : tuple of str
        Names of features to read instead, one per modality, for instance ``egemaps``. Modalities
        without one are then not read.
    feature_names : mapping of str to str
        By modality, another feature that yields one vector per clip, for instance
        ``{"audio": "egemaps"}``, or ``"joined-functionals"`` for several.
    feature_settings : mapping of str to mapping
        By modality, settings of its feature that differ from the defaults, for instance
        ``{"audio": {"window_s": 2.0}}``.
    """

    modalities: tuple[str, ...] = ("video", "audio")
    Cs: Strengths = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    refit: bool = True
    scaling: Scaling = "robust"
    feature: tuple[str, ...] = ()
    feature_names: Mapping[str, str] = field(default_factory=dict)
    feature_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = self._named_features()
        if named:
            kept = tuple(name for name in self.modalities if name in named)
            object.__setattr__(self, "feature_names", {**self.feature_names, **named})
            object.__setattr__(self, "modalities", kept or tuple(named))
        if not self.modalities or len(set(self.modalities)) < len(self.modalities):
            raise SettingsError(
                f"modalities must name at least one modality, each once, not {self.modalities}."
            )
        for modality in (*self.modalities, *self.feature_settings, *self.feature_names):
            if modality not in FEATURE_NAMES and modality not in self.feature_names:
                raise SettingsError(
                    f"There are no functionals of the modality {modality!r}. "
                    f"Known are: {', '.join(FEATURE_NAMES)}."
                )
        for modality, name in self.feature_names.items():
            if features.get(name).modality != modality:
                raise SettingsError(
                    f"feature_names.{modality} must name a feature of {modality}, not {name!r}."
                )

    def _named_features(self) -> dict[str, str]:
        """The features of the setting ``feature`` by their modality."""
        named: dict[str, str] = {}
        for name in self.feature:
            modality = features.get(name).modality
            if modality in named:
                raise SettingsError(
                    f"The setting 'feature' names two features of {modality}, {named[modality]!r} "
                    f"and {name!r}. Name one of each modality; 'joined-functionals' joins several "
                    "of audio."
                )
            named[modality] = name
        return named


class Statistics(Recognizer):
    """One classifier per modality, and one over the vectors of all modalities concatenated.

    A clip with every modality is predicted by the joint classifier, one that lacks some by the mean
    of the probabilities of those it has.

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

    @cached_property
    def features(self) -> Mapping[str, Feature]:
        """Modality to its functionals."""
        return {
            modality: feature_from_settings(
                self.settings.feature_names.get(modality) or FEATURE_NAMES[modality],
                self.settings.feature_settings.get(modality, {}),
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
        subsets = []
        for clips in (train, known):
            labels = [self.classes.index(str(clip.emotion)) for clip in clips]
            subsets.append((self._load(clips), np.array(labels, dtype=int)))
        check_present(subsets[0][0])
        self._classifiers, chosen = {}, {}
        for modalities in self._combinations:
            rows = [_rows(loaded, modalities) for loaded, _ in subsets]
            fitted_on, held_out = (
                (_joined(loaded, modalities, chosen_rows), labels[chosen_rows])
                for (loaded, labels), chosen_rows in zip(subsets, rows, strict=True)
            )
            if set(fitted_on[1]) == set(range(len(self.classes))):  # else it could not predict all
                name = "+".join(modalities)
                self._classifiers[name], chosen[name] = fit_chosen(
                    self._fit_classifier,
                    self.settings.Cs,
                    fitted_on,
                    held_out,
                    len(self.classes),
                    refit=self.settings.refit,
                )
        learned = ["train", "validation"] if self.settings.refit else ["train"]
        return {
            "parameters": sum(array.size for array in self._weights().values()),
            "C chosen on validation": chosen,
            "fitted_on": {"scalers": learned},
            "labels_used": {"weights": learned, "C and temperature": ["validation"]},
        }

    @abstractmethod
    def _fit_classifier(
        self, inputs: np.ndarray, labels: np.ndarray, classes: int, C: float
    ) -> ScoreClassifier:
        """Fit one classifier."""

    @property
    def _combinations(self) -> list[tuple[str, ...]]:
        """Each modality alone, and all together."""
        alone: list[tuple[str, ...]] = [(modality,) for modality in self.modalities]
        return alone if len(alone) == 1 else [*alone, self.modalities]

    def _load(self, clips: Sequence[Clip]) -> dict[str, ClipFeature[np.ndarray]]:
        return load_features(clips, self.features, self.store, _read_vector)

    def _describe(self, clips: Sequence[Clip]) -> dict[str, np.ndarray]:
        """The functionals themselves."""
        return {name: rows_of(found.values) for name, found in self._load(clips).items()}

    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        loaded = self._load(clips)
        predictions = {
            "+".join(modalities): self._probabilities(modalities, loaded, len(clips))
            for modalities in self._combinations
        }
        alone = {modality: predictions[modality] for modality in self.modalities}
        joint = predictions["+".join(self.modalities)]
        return Prediction(
            clip_ids=tuple(clip.clip_id for clip in clips),
            classes=self.classes,
            probabilities=np.where(np.isnan(joint), mean_of_known(list(alone.values())), joint),
            by_modality=alone,
            coverage=coverage_of(loaded),
            flags=flags_of(loaded),
        )

    def _probabilities(
        self, modalities: tuple[str, ...], loaded: Mapping[str, ClipFeature[np.ndarray]], clips: int
    ) -> np.ndarray:
        """One classifier's probabilities, NaN if a clip lacks a modality: (clips, classes)."""
        probabilities = np.full((clips, len(self.classes)), np.nan)
        classifier = self._classifiers.get("+".join(modalities))
        rows = _rows(loaded, modalities)
        if classifier is None or not len(rows):
            return probabilities
        inputs = _joined(loaded, modalities, rows)
        if inputs.shape[1] != len(classifier.mean):
            raise FeatureError(
                f"The functionals of {', '.join(modalities)} have {inputs.shape[1]} values; this "
                f"recognizer was trained on {len(classifier.mean)}. Use the same tables."
            )
        probabilities[rows] = classifier.probabilities(inputs)
        return probabilities

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
    """Multinomial logistic regression on functionals of whole clips.

    Notes
    -----
    Source: the classical baseline of emotion recognition, Schuller et al. (2009), "The
    INTERSPEECH 2009 Emotion Challenge".
    """

    name = "statistics-logistic"
    source = "Functionals with logistic regression; Schuller et al. (2009)"

    def _fit_classifier(
        self, inputs: np.ndarray, labels: np.ndarray, classes: int, C: float
    ) -> ScoreClassifier:
        return fit_logistic(inputs, labels, classes, C, self.settings.scaling)


@settings
class SvmSettings(StatisticsSettings):
    """As `StatisticsSettings`, with weaker penalties, which suit support vector machines.

    Parameters
    ----------
    kernel_width, loss
        See `aver.models.layers.score_classifier.fit_svm`.
    """

    Cs: Strengths = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
    kernel_width: Annotated[float, Field(gt=0)] = 2.0
    loss: Loss = "hinge"


class StatisticsSvm(Statistics):
    """Support vector machines, one class against all others, on functionals of whole clips.

    Notes
    -----
    Source: the classical baseline of emotion recognition, Schuller et al. (2009), "The
    INTERSPEECH 2009 Emotion Challenge". Probabilities are the softmax of the machines' scores,
    calibrated by one temperature on the validation clips.
    """

    name = "statistics-svm"
    source = "Functionals with a support vector machine; Schuller et al. (2009)"
    settings_type = SvmSettings
    settings: SvmSettings

    def _fit_classifier(
        self, inputs: np.ndarray, labels: np.ndarray, classes: int, C: float
    ) -> ScoreClassifier:
        s = self.settings
        return fit_svm(inputs, labels, classes, C, s.scaling, s.kernel_width, s.loss)


def _read_vector(
    clip: Clip, feature: Feature, arrays: Mapping[str, np.ndarray]
) -> np.ndarray | None:
    """The vector of one clip, ``(n,)``: the array ``statistics``, or the only array."""
    found = arrays if len(arrays) == 1 else {k: a for k, a in arrays.items() if k == "statistics"}
    vector = next(iter(found.values()), np.zeros((0, 0)))
    if vector.ndim != 1 or not np.issubdtype(vector.dtype, np.number):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise FeatureError(
            f"The feature {feature.name!r} of clip {clip.clip_id!r} yields {shapes or 'nothing'}; "
            "one vector per clip is needed, alone or named 'statistics'. Take a feature of "
            "functionals, or one with pooling."
        )
    return vector if np.isfinite(vector).all() else None


def _rows(loaded: Mapping[str, ClipFeature[np.ndarray]], modalities: Sequence[str]) -> np.ndarray:
    """Numbers of the clips that have all these modalities."""
    return np.flatnonzero(np.all([loaded[modality].present for modality in modalities], axis=0))


def _joined(
    loaded: Mapping[str, ClipFeature[np.ndarray]], modalities: Sequence[str], rows: np.ndarray
) -> np.ndarray:
    """Vectors of several modalities side by side, ``(rows, functionals)``."""
    vectors = [
        np.concatenate([loaded[modality].values[row] for modality in modalities]) for row in rows
    ]
    widths = {len(vector) for vector in vectors}
    if len(widths) > 1:
        raise FeatureError(
            f"The functionals of {', '.join(modalities)} have {min(widths)} values for some clips "
            f"and {max(widths)} for others; do their tables differ?"
        )
    return np.array(vectors, dtype=np.float64).reshape(len(rows), *widths or (0,))
