"""Recognizers as scikit-learn classifiers over feature vectors, for pipelines and searches.

The vectors may come from anywhere, for instance from ``aver.extract``::

    table = aver.extract(corpus, "egemaps").to_frame().dropna()
    X, y = table.filter(like="statistics"), table["emotion"]
    cross_val_score(VectorClassifier(), X, y, groups=table["speaker"], cv=GroupKFold(5))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from aver.corpora.clip import Clip
from aver.errors import AverError
from aver.features.feature import Feature, FeatureRecord
from aver.models.base.presets import load_preset

__all__ = ["VectorClassifier"]


class VectorClassifier(ClassifierMixin, BaseEstimator):
    """A recognizer of `aver` that reads one vector per clip.

    Parameters
    ----------
    preset : str
        A preset that reads functionals of whole clips: ``"statistics-svm"`` or
        ``"statistics-logistic"``, or a file of such a preset.
    overrides : mapping, optional
        Settings that replace the preset's, by dotted name.
    validation_share : float in (0, 1)
        Share of the rows, or of the groups, on which the recognizer makes its choices.
    random_state : int, optional
        Which rows or groups these are; default 0.

    Attributes
    ----------
    classes_ : np.ndarray
        Sorted labels.
    recognizer_ : aver.models.base.recognizer.Recognizer
        The trained one.
    n_features_in_ : int
    """

    def __init__(
        self,
        preset: str = "statistics-svm",
        overrides: Mapping[str, Any] | None = None,
        validation_share: float = 0.25,
        random_state: int | None = None,
    ) -> None:
        self.preset = preset
        self.overrides = overrides
        self.validation_share = validation_share
        self.random_state = random_state

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Train.

        Parameters
        ----------
        X : array [shape=(rows, n)]
        y : array [shape=(rows,)]
            Labels of any kind.
        groups : array [shape=(rows,)], optional
            Speakers: none of them is then both in training and in validation.

        Raises
        ------
        ValueError
            If an array or parameter does not fit.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("The labels have 1 class; a classifier needs at least two classes.")
        clips = [Clip(str(row), None, _name(number)) for row, number in enumerate(numbers)]
        held_out = self._held_out(numbers, groups)
        try:
            kind, settings = load_preset(
                self.preset, {"modalities": ["audio"], **(self.overrides or {})}
            )
            recognizer = kind(settings, _Vectors(X))
            recognizer.fit(
                [clip for clip, is_held in zip(clips, held_out, strict=True) if not is_held],
                [clip for clip, is_held in zip(clips, held_out, strict=True) if is_held],
                seed=self.random_state or 0,
            )
        except AverError as error:
            raise ValueError(str(error)) from error
        self.recognizer_ = recognizer
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities, columns as `classes_`: (rows, classes)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        clips = [Clip(str(row), None, None) for row in range(len(X))]
        predicted = self.recognizer_.with_features_from(_Vectors(X)).predict_clips(clips)
        order = [predicted.classes.index(_name(number)) for number in range(len(self.classes_))]
        return predicted.probabilities[:, order]

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def _held_out(self, numbers: np.ndarray, groups: Any) -> np.ndarray:
        """Rows for validation; every class keeps at least one row for training."""
        if not 0 < self.validation_share < 1:
            raise ValueError(f"validation_share must be in (0, 1), not {self.validation_share}.")
        random = np.random.default_rng(self.random_state or 0)
        held = np.zeros(len(numbers), dtype=bool)
        if groups is not None:
            names, of_row = np.unique(np.asarray(groups), return_inverse=True)
            if len(of_row) != len(numbers):
                raise ValueError(f"There are {len(of_row)} groups for {len(numbers)} rows.")
            count = min(max(1, round(self.validation_share * len(names))), len(names) - 1)
            held = np.isin(of_row, random.permutation(len(names))[:count])
        else:
            for number in range(len(self.classes_)):
                rows = random.permutation(np.flatnonzero(numbers == number))
                held[rows[: min(round(self.validation_share * len(rows)), len(rows) - 1)]] = True
        for number in set(numbers) - set(numbers[~held]):
            held[numbers == number] = False
        return held


class _Vectors:
    """A source of features: row ``i`` of an array for the clip with the id ``i``."""

    def __init__(self, vectors: np.ndarray) -> None:
        self._vectors = vectors

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The row, as any feature of whole clips."""
        return FeatureRecord({"statistics": self._vectors[int(clip.clip_id)]})


def _name(number: int) -> str:
    """Label inside the recognizer, which knows text only."""
    return f"class {number:06d}"
