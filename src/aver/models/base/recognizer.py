"""`Recognizer`: the one interface of all systems, in scikit-learn's words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from aver.corpora.clip import Clip
from aver.emotions import in_canonical_order
from aver.errors import LabelError
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction
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


models: Registry[Recognizer] = Registry(
    "model",
    {
        "late-fusion": "aver.models.baselines.late_fusion:LateFusion",
        "majority": "aver.models.baselines.majority:Majority",
        "mrpn": "aver.models.mrpn.recognizer:MRPN",
        "snn-audio": "aver.models.snn_cross_modal.recognizer:SnnAudio",
        "snn-cross-modal": "aver.models.snn_cross_modal.recognizer:SnnCrossModal",
        "snn-early-fusion": "aver.models.snn_cross_modal.recognizer:SnnEarlyFusion",
        "snn-video": "aver.models.snn_cross_modal.recognizer:SnnVideo",
        "statistics-logistic": "aver.models.baselines.functionals:StatisticsLogistic",
        "statistics-svm": "aver.models.baselines.functionals:StatisticsSvm",
        "synch-graph": "aver.models.synch_graph.recognizer:SynchGraph",
        "temporal-aggregation": "aver.models.temporal_aggregation.recognizer:TemporalAggregation",
    },
    "aver.models",
)
"""All recognisers. ``@models.register("name")`` adds one; `aver list` prints them."""


def card_facts(
    recognizer: Recognizer, train: Sequence[Clip], validation: Sequence[Clip], seed: int
) -> dict[str, Any]:
    """Facts for the model card, as plain JSON values.

    Parameters
    ----------
    recognizer : Recognizer
        Trained.
    train, validation : sequence of Clip
    seed : int
    """
    return {
        "model": recognizer.name,
        "source": recognizer.source,
        "classes": list(recognizer.classes),
        "speakers": {
            part: sorted({clip.speaker for clip in clips if clip.speaker is not None})
            for part, clips in (("train", train), ("validation", validation))
        },
        "clips": {"train": len(train), "validation": len(validation)},
        "seed": seed,
        "settings": asdict(recognizer.settings),
        "features": {
            modality: {"name": feature.name, "settings": feature.settings()}
            for modality, feature in recognizer.features.items()
        },
    }


def label_shares(clips: Sequence[Clip]) -> tuple[tuple[str, ...], np.ndarray]:
    """Classes in canonical order, and the share of each.

    Parameters
    ----------
    clips : sequence of Clip
        Training clips.

    Returns
    -------
    tuple of str
    np.ndarray [shape=(classes,)]
        Sums to 1.

    Raises
    ------
    LabelError
        If a clip has no label, or there are fewer than two classes.

    Examples
    --------
    >>> label_shares([Clip("1", "a", "sad"), Clip("2", "a", "sad"), Clip("3", "a", "neutral")])
    (('neutral', 'sad'), array([0.33333333, 0.66666667]))
    """
    for clip in clips:
        if clip.emotion is None:
            raise LabelError(f"Clip {clip.clip_id!r} has no emotion; leave it out of training.")
    counts = Counter(clip.emotion for clip in clips if clip.emotion is not None)
    classes = in_canonical_order(counts)
    if len(classes) < 2:
        raise LabelError(
            f"The {len(clips)} training clips have {len(classes)} emotion "
            f"({', '.join(classes) or 'none'}); at least two are needed."
        )
    shares = np.array([counts[label] for label in classes], dtype=np.float64)
    return classes, shares / shares.sum()


def need_validation(validation: Sequence[Clip]) -> None:
    """Refuse to train without validation clips.

    Raises
    ------
    LabelError
        If there are none; it says which splits have some.
    """
    if not validation:
        raise LabelError(
            "There is no validation clip; the choice of the epoch needs some. Take a split that "
            "has them: for the rule 'random' shares=60/20/20, or validation=test, which LEAKS; for "
            "any other its default, validation=nested."
        )
