"""`Recognizer`: the one interface of all systems, in scikit-learn's words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from aver.corpora.clip import Clip
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.prediction import Prediction
from aver.registry import Registry


class Recognizer(ABC):
    """Learns from labelled clips and answers for any clip.

    Parameters
    ----------
    settings : dataclass
        An instance of `settings_type`; frozen.
    store : FeatureSource
        Where features come from.

    Notes
    -----
    `fit` never sees test clips, `predict` never sees labels (callers hand it
    `Clip.without_labels`). A system whose published protocol breaks this offers a separate
    ``fit_predict_leaking(train, validation, test, *, seed, run_folder)``, which only `evaluation`
    calls for a paper protocol; such a run cannot be saved.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    """Paper and section, for `aver list`."""
    settings_type: ClassVar[type]
    protocol_leaks: ClassVar[tuple[str, ...]] = ()
    """What ``fit_predict_leaking`` lets slip, as whole sentences; empty where there is none."""

    def __init__(self, settings: Any, store: FeatureSource) -> None:
        self.settings = settings
        self.store = store

    def take_features_from(self, source: FeatureSource) -> None:
        """Use another source of features from now on, such as one adapted to a speaker."""
        self.store = source

    @property
    @abstractmethod
    def features(self) -> Mapping[str, Feature]:
        """Modality name to the feature it needs; the same declaration goes into checkpoints."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Emotions that it tells apart, in canonical order; known after `fit`."""

    @abstractmethod
    def fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int = 0,
        run_folder: Path | None = None,
    ) -> Self:
        """Learn from `train`; every choice (epoch, rate, scaler, read-out) uses `validation` only.

        Parameters
        ----------
        train, validation : sequence of Clip
            Labelled.
        seed : int
            Same seed, same machine, same result, whatever the number of threads.
        run_folder : Path, optional
            Where logs and the resume state go; nothing is written without it.

        Raises
        ------
        LabelError
            If there are fewer than two classes, or a clip has no label.
        MissingModalityError
            If no training clip has a modality that the settings name.
        TrainingInterrupted
            After Ctrl-C; calling again with the same `run_folder` resumes.
        """

    @abstractmethod
    def predict(self, clips: Sequence[Clip]) -> Prediction:
        """Answer for clips, with per-modality answers, coverage and flags.

        A clip with one modality missing is answered from the others and flagged. A clip with
        nothing to go by gets the training prior, flagged ``"no usable modality"``.
        """

    def predict_proba(self, clips: Sequence[Clip]) -> np.ndarray:
        """Class probabilities, fused over modalities.

        Returns
        -------
        np.ndarray [shape=(clips, classes)]
            Rows sum to 1; columns as `classes`.
        """
        return self.predict(clips).probabilities

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the checkpoint: ``weights.safetensors``, ``recognizer.json``, ``card.json``."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, store: FeatureSource) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        CheckpointError
            If the folder is none of ours, of another version, or holds missing or foreign keys.
        """

    @property
    @abstractmethod
    def card(self) -> dict[str, Any]:
        """Facts for the model card: corpora, speakers, settings, features, parameters."""


models: Registry[Recognizer] = Registry("model", "aver.models")
"""All recognisers. ``@models.register("name")`` adds one; `aver list` prints them."""
