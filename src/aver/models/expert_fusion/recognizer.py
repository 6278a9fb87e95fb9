"""`ExpertFusion`: one calibrated classifier per modality, fused clip by clip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import FeatureError, LabelError
from aver.features.feature import Feature, feature_from_settings
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import Recognizer
from aver.models.base.training_distance import TrainingDistance
from aver.models.data.clip_features import (
    ClipFeature,
    check_present,
    coverage_of,
    flags_of,
    load_features,
)
from aver.models.expert_fusion.fusion_rule import Evidence, FusionRule, choose_rule
from aver.models.expert_fusion.settings import ExpertFusionSettings, ExpertSettings
from aver.models.layers.score_classifier import (
    ScoreClassifier,
    fit_chosen,
    fit_logistic,
    fit_svm,
)


def _fit_of(expert: ExpertSettings) -> Callable[..., ScoreClassifier]:
    if expert.classifier == "logistic":
        return partial(fit_logistic, scaling=expert.scaling)
    return partial(
        fit_svm, scaling=expert.scaling, kernel_width=expert.kernel_width, loss=expert.loss
    )


_MIN_CLIPS = 20
"""Clips with every modality that the choice of a fusion rule needs."""


class ExpertFusion(Recognizer):
    """A product of experts that can be trained on clips of which none has every modality.

    The expert of a modality is a logistic regression or support vector machine on one vector per
    clip, with balanced classes. `aver.models.expert_fusion.fusion_rule` has the equations of the
    fusion. Its parameters are chosen on the validation clips that have every modality, or later
    with `choose_fusion`.

    Parameters
    ----------
    settings : ExpertFusionSettings
    store : FeatureSource

    Notes
    -----
    Source: Hinton (2002), equation 1; Guo et al. (2017), section 4.2, for the temperatures.
    """

    name = "expert-fusion"
    source = "Hinton (2002), a product of experts; Guo et al. (2017), temperatures"
    settings_type = ExpertFusionSettings
    settings: ExpertFusionSettings
    can_refit = True
    gives_embeddings = True
    trains_unpaired = True

    def __init__(self, settings: ExpertFusionSettings, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._experts: dict[str, ScoreClassifier] = {}
        self.rule = FusionRule(dict.fromkeys(settings.modalities, 1.0))

    @cached_property
    def features(self) -> Mapping[str, Feature]:
        """Modality to the feature of its expert."""
        experts = {name: self.settings.experts[name] for name in self.settings.modalities}
        return {
            name: feature_from_settings(expert.feature, expert.feature_settings)
            for name, expert in experts.items()
        }

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """Of all features."""
        names = (n for feature in self.features.values() for n in feature.pretrained_weights)
        return tuple(dict.fromkeys(names))

    def _fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> dict[str, Any]:
        """Fit each expert on the clips that have its modality; nothing is random or written."""
        known = [clip for clip in validation if clip.emotion in self.classes]
        loaded = {name: self._load(clips) for name, clips in (("train", train), ("held", known))}
        labels = {
            name: np.array([self.classes.index(str(clip.emotion)) for clip in clips], dtype=int)
            for name, clips in (("train", train), ("held", known))
        }
        check_present(loaded["train"])
        chosen = {}
        before = {}  # without the validation clips, to choose the fusion on
        for modality in self.modalities:
            subsets = []
            for name in ("train", "held"):
                values = loaded[name][modality]
                subsets.append((_matrix(values, modality), labels[name][values.present]))
            self._check_classes(modality, subsets[0][1])
            expert = self.settings.experts[modality]
            fit = _fit_of(expert)
            before[modality], chosen[modality] = fit_chosen(
                fit, expert.Cs, *subsets, len(self.classes)
            )
            self._distances[modality] = TrainingDistance.fit(subsets[0][0], subsets[1][0])
            self._experts[modality] = before[modality]
        rule = self._choose(loaded["held"], labels["held"], if_possible=True)
        if self.settings.refit:
            for modality in self.modalities:
                both = [loaded[name][modality] for name in ("train", "held")]
                inputs = np.concatenate([_matrix(values, modality) for values in both])
                targets = np.concatenate(
                    [labels[name][loaded[name][modality].present] for name in ("train", "held")]
                )
                fit = _fit_of(self.settings.experts[modality])
                again = fit(inputs, targets, len(self.classes), chosen[modality])
                self._experts[modality] = again.with_temperature(before[modality].temperature)
        learned = ["train", "validation"] if self.settings.refit else ["train"]
        return {
            "parameters": sum(array.size for array in self._weights().values()),
            "C chosen on validation": chosen,
            "fusion": rule,
            "fitted_on": {"scalers": learned, "distance to the training data": ["train"]},
            "labels_used": {"weights": learned, "C, temperatures and fusion": ["validation"]},
        }

    def _check_classes(self, modality: str, labels: np.ndarray) -> None:
        missing = sorted(set(range(len(self.classes))) - set(labels.tolist()))
        if missing:
            raise LabelError(
                f"No training clip with {modality} is {self.classes[missing[0]]}; every expert "
                "needs all emotions. Merge that emotion with another, or leave it out."
            )

    def choose_fusion(self, clips: Sequence[Clip]) -> dict[str, Any]:
        """Choose the fusion rule on labeled clips of speakers that no expert was trained on.

        Parameters
        ----------
        clips : sequence of Clip
            Clips without one of the modalities, or with another emotion, are not used.

        Returns
        -------
        dict
            For the card: the rule, and the number of clips it was chosen on.

        Raises
        ------
        LabelError
            If fewer than 20 clips have every modality.
        """
        labeled = [clip for clip in clips if clip.emotion in self.classes]
        labels = np.array([self.classes.index(str(clip.emotion)) for clip in labeled], dtype=int)
        return self._choose(self._load(labeled), labels)

    def _choose(
        self,
        loaded: Mapping[str, ClipFeature[np.ndarray]],
        labels: np.ndarray,
        *,
        if_possible: bool = False,
    ) -> dict[str, Any]:
        """Choose the rule; with too few clips an error, or the same weight for all experts."""
        evidence, _ = self._evidence(loaded, len(labels))
        complete = np.all([one.known for one in evidence.values()], axis=0)
        if int(complete.sum()) < _MIN_CLIPS:
            if not if_possible:
                raise LabelError(
                    f"Only {int(complete.sum())} labeled clips have {' and '.join(evidence)}; the "
                    f"choice of the fusion needs at least {_MIN_CLIPS}."
                )
            self.rule = FusionRule(dict.fromkeys(self.modalities, 1.0))
            return {"clips": 0, **self.rule.facts()}
        chosen_on = {name: one.of(complete) for name, one in evidence.items()}
        self.rule = choose_rule(chosen_on, labels[complete])
        return {"clips": int(complete.sum()), **self.rule.facts()}

    def evidence(self, clips: Sequence[Clip]) -> dict[str, Evidence]:
        """What each expert says about clips, before the fusion.

        Parameters
        ----------
        clips : sequence of Clip

        Returns
        -------
        dict of str to Evidence
            By modality.
        """
        return self._evidence(self._load(clips), len(clips))[0]

    def _load(self, clips: Sequence[Clip]) -> dict[str, ClipFeature[np.ndarray]]:
        return load_features(clips, self.features, self.store, _read_vector)

    def _evidence(
        self, loaded: Mapping[str, ClipFeature[np.ndarray]], clips: int
    ) -> tuple[dict[str, Evidence], dict[str, np.ndarray]]:
        """What every expert says, and the vectors it read with rows of NaN."""
        evidence, vectors = {}, {}
        for modality, values in loaded.items():
            expert, present = self._experts[modality], values.present
            inputs = _matrix(values, modality)
            if len(inputs) and inputs.shape[1] != len(expert.mean):
                raise FeatureError(
                    f"The {modality} features have {inputs.shape[1]} values; this recognizer was "
                    f"trained on {len(expert.mean)}."
                )
            rows = np.full((clips, len(expert.mean)), np.nan)
            probabilities = np.full((clips, len(self.classes)), np.nan)
            distance = np.full(clips, np.nan)
            if len(inputs):
                rows[present] = inputs
                probabilities[present] = expert.probabilities(inputs)
                distance[present] = self._distances[modality].ratios(inputs)
            evidence[modality] = Evidence(probabilities, values.coverage, distance)
            vectors[modality] = rows
        return evidence, vectors

    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        loaded = self._load(clips)
        evidence, vectors = self._evidence(loaded, len(clips))
        return Prediction(
            clip_ids=tuple(clip.clip_id for clip in clips),
            classes=self.classes,
            probabilities=self.rule.fuse(evidence),
            by_modality={name: self.rule.alone(name, one) for name, one in evidence.items()},
            coverage=coverage_of(loaded),
            flags=flags_of(loaded),
            embeddings=vectors,
        )

    def _state(self) -> dict[str, Any]:
        return {"rule": self.rule.facts()}

    def _weights(self) -> dict[str, np.ndarray]:
        return {
            f"{name}/{array}": value
            for name, expert in self._experts.items()
            for array, value in expert.arrays().items()
        }

    def _restore(self, weights: dict[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        self.rule = FusionRule(**facts["rule"])
        for name in self.modalities:
            names = [key for key in weights if key.rpartition("/")[0] == name]
            arrays = {key.rpartition("/")[2]: weights.pop(key) for key in names}
            self._experts[name] = ScoreClassifier.from_arrays(arrays)
            if self._experts[name].weights.shape[1] != len(self.classes):
                raise ValueError(f"the expert of {name} has other classes")


def _read_vector(
    clip: Clip, feature: Feature, arrays: Mapping[str, np.ndarray]
) -> np.ndarray | None:
    """One vector of a clip, ``(n,)``: the only array of its feature, or the mean of its rows."""
    array = arrays.get("statistics", arrays.get("embeddings"))
    if array is None or array.ndim not in (1, 2):
        raise FeatureError(
            f"The feature {feature.name!r} of clip {clip.clip_id!r} yields "
            f"{', '.join(arrays) or 'nothing'}; an expert needs vectors named 'statistics' or "
            "'embeddings'."
        )
    vector = array.astype(np.float64)
    vector = vector if vector.ndim == 1 else vector.mean(axis=0)
    return vector if np.isfinite(vector).all() else None


def _matrix(values: ClipFeature[np.ndarray], modality: str) -> np.ndarray:
    """Vectors of the clips that have the modality, (clips, n)."""
    widths = {len(vector) for vector in values.some}
    if len(widths) > 1:
        raise FeatureError(
            f"The {modality} features have {min(widths)} values for some clips and {max(widths)} "
            "for others."
        )
    return np.array(values.some, dtype=np.float64).reshape(len(values.some), *widths or (0,))
