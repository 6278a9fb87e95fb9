"""`Estimator`: the methods that users of scikit-learn expect of a recognizer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import LabelError, MediaError, SettingsError
from aver.features.feature import Feature
from aver.features.store import FeatureSource, FeatureStore
from aver.models.base.predict_files import predict_files
from aver.models.base.prediction import Prediction
from aver.models.base.sources import listed
from aver.settings import apply_changes, settings_from_mapping, settings_to_mapping


class Estimator(ABC):
    """Predicts, scores and copies; see `aver.models.base.recognizer.Recognizer`.

    Parameters
    ----------
    settings : dataclass
        Frozen.
    store : FeatureSource
        Where features come from.
    """

    name: ClassVar[str]

    def __init__(self, settings: Any, store: FeatureSource) -> None:
        self.settings = settings
        self.store = store

    @property
    @abstractmethod
    def features(self) -> Mapping[str, Feature]:
        """Modality to the feature that it reads."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Emotions that it tells apart, in canonical order."""

    @property
    @abstractmethod
    def card(self) -> dict[str, Any]:
        """Facts for the model card."""

    @abstractmethod
    def with_features_from(self, source: FeatureSource) -> Self:
        """The same recognizer with another source of features."""

    @abstractmethod
    def predict_clips(self, clips: Sequence[Clip]) -> Prediction:
        """Predict clips; an unreadable one is an error."""

    def __repr__(self) -> str:
        state = f"predicts {', '.join(self.classes)}" if self.classes else "not trained"
        reads = ", ".join(self.features) or "nothing"
        return f"<{type(self).__name__} {self.name!r}: reads {reads}; {state}>"

    @property
    def classes_(self) -> np.ndarray:
        """`classes` as an array, the name of scikit-learn."""
        return np.array(self.classes)

    def predict(self, sources: Any, *, workers: int = 1) -> Prediction:
        """Predict clips, files or data in memory, with predictions per modality and flags.

        A clip that lacks a modality is predicted from the others and flagged. A clip without any
        usable modality has no prediction: probabilities of NaN, an empty label and the flag
        ``"no usable modality"``. Threads can share one recognizer.

        Parameters
        ----------
        sources : object
            Clips; or one source or several, as `aver.models.base.sources.open_sources` takes them:
            paths, folders, file objects, bytes, arrays with their rate, `aver.Recording`.
        workers : int >= 1
            Processes that compute features.

        Returns
        -------
        Prediction
            One row per source, in the order given. A file that cannot be read has no emotion, and
            its flags say why.

        Raises
        ------
        SettingsError
            If the recognizer has not been trained, or needs the speaker's other clips
            (`aver.predict` takes them), or a source is none of these.
        MediaError
            If a clip (rather than a file) cannot be read.
        """
        check_workers(workers)
        given = listed(sources)
        if not all(isinstance(source, Clip) for source in given):
            return predict_files(self, given, self._cache(), workers).prediction
        if workers > 1:
            prepared = self._cache().prepare(given, list(self.features.values()), workers=workers)
            if prepared.failures:
                first = prepared.failures[0]
                raise MediaError(f"Clip {first.clip.clip_id} cannot be used: {first.reason}")
        return self.predict_clips(given)

    def predict_proba(self, sources: Any, *, workers: int = 1) -> np.ndarray:
        """Class probabilities, fused over modalities.

        Parameters
        ----------
        sources, workers
            As for `predict`.

        Returns
        -------
        np.ndarray [shape=(sources, classes)]
            Rows sum to 1; columns as `classes`. Rows of NaN for clips without a usable modality.
        """
        return self.predict(sources, workers=workers).probabilities

    def score(
        self, sources: Any, labels: Iterable[str] | None = None, *, workers: int = 1
    ) -> float:
        """Share of right predictions, in [0, 1]; a clip without a prediction is wrong.

        Parameters
        ----------
        sources, workers
            As for `predict`; the recognizer does not see the labels of clips.
        labels : iterable of str, optional
            True emotions, one per row of the prediction; default those of the clips.

        Raises
        ------
        LabelError
            If labels are missing, or their number differs from that of the rows.
        """
        given = listed(sources)
        are_clips = all(isinstance(source, Clip) for source in given)
        if labels is not None:
            truth: list[str | None] = list(labels)
        elif are_clips:
            truth = [clip.emotion for clip in given]
        else:
            raise LabelError("The labels of the files are missing. Give one per file.")
        unlabeled = [clip.without_labels() for clip in given] if are_clips else given
        found = self.predict(unlabeled, workers=workers).labels
        if len(truth) != len(found) or not truth or None in truth:
            known = len(truth) - truth.count(None)
            raise LabelError(f"There are {known} labels for {len(found)} clips. Give one for each.")
        return float(np.mean([one == other for one, other in zip(found, truth, strict=True)]))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Settings by name.

        Parameters
        ----------
        deep : bool
            Also nested ones, as ``training__epochs``.
        """
        plain = settings_to_mapping(self.settings)
        return {**plain, **(dict(_nested(plain)) if deep else {})}

    def set_params(self, **params: Any) -> Self:
        """Change settings; the recognizer is then untrained.

        Parameters
        ----------
        **params
            By name as in `get_params`.

        Raises
        ------
        SettingsError
            If there is no such setting, or a value does not fit.
        """
        if not params:
            return self
        changes = {name.replace("__", "."): value for name, value in params.items()}
        values = apply_changes(settings_to_mapping(self.settings), changes)
        settings = settings_from_mapping(type(self.settings), values)
        store = self.store
        self.__dict__.clear()  # all that was made from the settings
        self.__init__(settings, store)  # type: ignore[misc]
        return self

    def clone(self) -> Self:
        """An untrained recognizer with the same settings and the same source of features."""
        return type(self)(self.settings, self.store)

    def __sklearn_clone__(self) -> Self:
        return self.clone()

    def _cache(self) -> FeatureStore:
        return self.store if isinstance(self.store, FeatureStore) else FeatureStore()


def check_workers(workers: int) -> None:
    """Refuse a number of processes that is none.

    Raises
    ------
    SettingsError
        If it is not a whole number of at least 1.
    """
    if isinstance(workers, bool) or not isinstance(workers, int | np.integer) or workers < 1:
        raise SettingsError(f"workers must be a whole number of at least 1, not {workers!r}.")


def _nested(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if prefix:
            yield prefix + name, value
        if isinstance(value, Mapping):
            yield from _nested(value, f"{prefix}{name}__")
