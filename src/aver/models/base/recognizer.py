"""`Recognizer`: the interface of all systems, with fit, predict, save, load and card written once.

A system implements `features`, `_fit`, `_predict`, `_weights` and `_restore`, and declares what
other packages may ask about it.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from aver.corpora.clip import Clip
from aver.emotions import in_canonical_order
from aver.errors import CheckpointError, LabelError, SettingsError
from aver.features.feature import Feature
from aver.features.store import FeatureSource, FeatureStore
from aver.models.base.checkpoint import (
    Checkpoint,
    find_checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from aver.models.base.estimator import Estimator
from aver.models.base.hub import hub_folder, is_on_hub, push_to_hub, save_pretrained
from aver.models.base.prediction import NO_MODALITY, Prediction
from aver.models.base.training_distance import (
    TrainingDistance,
    distance_arrays,
    learn_distances,
    mean_vector,
    rows_of,
    take_distances,
    unlike,
)
from aver.registry import Registry
from aver.settings import settings_from_mapping


class Recognizer(Estimator):
    """Learns from labeled clips and predicts the emotion of any clip.

    Parameters
    ----------
    settings : dataclass
        An instance of `settings_type`; frozen.
    store : FeatureSource
        Where features come from.

    Notes
    -----
    `fit` never sees test clips, `predict` never sees labels (callers pass `Clip.without_labels`).
    A system whose published protocol breaks this implements `_fit_predict_leaking` and declares
    `protocol_leaks`; only `evaluation` calls `fit_predict_leaking`, for a paper's protocol.
    """

    name: ClassVar[str]
    """Registered name."""
    source: ClassVar[str]
    """Paper and section, for `aver list`."""
    settings_type: ClassVar[type]
    protocol_leaks: ClassVar[tuple[str, ...]] = ()
    """What `fit_predict_leaking` leaks, in whole sentences; empty if there is no such protocol."""
    can_refit: ClassVar[bool] = False
    """Whether the settings have ``refit``: train on the validation clips too."""
    supports_offset: ClassVar[bool] = False
    """Whether `with_offset` can take the audio earlier or later than the video."""
    gives_embeddings: ClassVar[bool] = False
    """Whether predictions hold deep features (`Prediction.embeddings`)."""
    pairs_across_clips: ClassVar[bool] = False
    """Whether training may take audio and video of one sample from different clips of a class."""

    trains_unpaired: ClassVar[bool] = False
    """Whether training may use clips of which none has every modality."""

    def __init__(self, settings: Any, store: FeatureSource) -> None:
        super().__init__(settings, store)
        self._classes: tuple[str, ...] = ()
        self._prior = np.zeros(0)
        self._card: dict[str, Any] = {}
        self._distances: dict[str, TrainingDistance] = {}
        self._trained = False

    # What a recognizer declares.

    @property
    @abstractmethod
    def features(self) -> Mapping[str, Feature]:
        """Modality to the feature that it reads; stored in checkpoints."""

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities that it reads."""
        return tuple(self.features)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of what it predicts; ``"emotion"`` is always among them."""
        return ("emotion",)

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """Names or paths of all pretrained weights that it starts from or that its features use."""
        return tuple(
            dict.fromkeys(name for one in self.features.values() for name in one.pretrained_weights)
        )

    @classmethod
    def pretrained_overrides(cls, settings: Any, modality: str, weights: str) -> dict[str, Any]:
        """Changes of settings that start a modality from pretrained weights.

        Parameters
        ----------
        settings : dataclass
            Of `settings_type`.
        modality : {"video", "audio"}
        weights : str
            As `aver.networks.pretrained.find_weights` takes it.

        Returns
        -------
        dict of str to object
            By dotted name of the setting; empty if there is nothing in that modality that could
            start from pretrained weights.

        Raises
        ------
        CheckpointError
            If there are no such weights, or those without a card do not fit the settings.
        """
        return {}

    @classmethod
    def can_choose_modalities(cls) -> bool:
        """Whether the settings have ``modalities``, so that some can be left out."""
        return any(entry.name == "modalities" for entry in fields(cls.settings_type))

    @classmethod
    def without_refit(cls, settings: Any) -> Any:
        """The same settings, but validation clips are used for choices only, not for training."""
        return replace(settings, refit=False) if cls.can_refit else settings

    @property
    def refits(self) -> bool:
        """Whether `fit` trains on the validation clips too."""
        return bool(self.without_refit(self.settings) != self.settings)

    def with_offset(self, offset_s: float) -> Self:
        """The same trained recognizer, with the audio taken so much later than the video.

        Raises
        ------
        SettingsError
            If the recognizer does not support it, see `supports_offset`.
        """
        raise SettingsError(
            f"{self.name} does not read audio around single video frames, so the audio cannot be "
            "shifted. Use temporal-aggregation."
        )

    def with_features_from(self, source: FeatureSource) -> Self:
        """The same recognizer with another source of features, such as one adapted to a speaker.

        The trained arrays are shared, not copied.
        """
        other = copy.copy(self)
        other.store = source
        return other

    # What is known after `fit`.

    @property
    def classes(self) -> tuple[str, ...]:
        """Emotions that it tells apart, in canonical order."""
        return self._classes

    @property
    def prior(self) -> np.ndarray:
        """Share of each class in the training clips, ``(classes,)``."""
        return self._prior

    @property
    def card(self) -> dict[str, Any]:
        """Facts for the model card: speakers, settings, features, parameters; JSON values."""
        return dict(self._card)

    # Training.

    def fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int = 0,
        run_folder: Path | None = None,
    ) -> Self:
        """Train on `train`; every choice (epoch, penalty, temperature) is made on `validation`.

        With the setting ``refit`` the validation clips are trained on too.

        Parameters
        ----------
        train, validation : sequence of Clip
            Labeled.
        seed : int
            The same seed gives the same result on the same machine, for any number of threads.
        run_folder : Path, optional
            Gets logs and the resume state; nothing is written without it.

        Raises
        ------
        LabelError
            If there are fewer than two classes, or a training clip has no label.
        MissingModalityError
            If no training clip has a modality that the settings name.
        TrainingInterrupted
            After Ctrl-C; calling again with the same `run_folder` resumes.
        """
        self._trained = False
        self._distances = {}
        self._learn_classes(train, validation)
        facts = self._fit(train, validation, seed=seed, run_folder=run_folder)
        self._learn_distances(train, validation)
        self._card = {**self._shared_facts(train, validation, seed), **facts}
        self._trained = True
        return self

    def fit_predict_leaking(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        test: Sequence[Clip],
        *,
        seed: int = 0,
        run_folder: Path | None = None,
    ) -> Prediction:
        """The system's own published protocol, which uses the test clips' labels. LEAKS.

        The recognizer can afterwards neither predict nor be saved.

        Raises
        ------
        SettingsError
            If the system has no such protocol, see `protocol_leaks`.
        """
        if not self.protocol_leaks:
            raise SettingsError(f"{self.name} has no leaking protocol. Use fit and predict.")
        self._trained = False
        self._learn_classes(train, validation)
        facts, prediction = self._fit_predict_leaking(
            train, validation, test, seed=seed, run_folder=run_folder
        )
        self._card = {**self._shared_facts(train, validation, seed), **facts}
        return self._with_prior(self._complete(prediction))

    def _learn_classes(self, train: Sequence[Clip], validation: Sequence[Clip]) -> None:
        """Set `classes` and `prior`."""
        self._classes, self._prior = label_shares(train)

    @abstractmethod
    def _fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> dict[str, Any]:
        """Train; `classes` and `prior` are known already.

        Returns
        -------
        dict
            The system's own facts for the model card. `aver.audit.audit_run` reads ``fitted_on``
            and ``labels_used`` of them.
        """

    def _fit_predict_leaking(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        test: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> tuple[dict[str, Any], Prediction]:
        """As `_fit` and `_predict`; for systems with `protocol_leaks`."""
        raise NotImplementedError

    def _shared_facts(
        self, train: Sequence[Clip], validation: Sequence[Clip], seed: int
    ) -> dict[str, Any]:
        """What the cards of all systems hold."""
        return {
            "model": self.name,
            "source": self.source,
            "classes": list(self.classes),
            "speakers": {
                subset: sorted({clip.speaker for clip in clips if clip.speaker is not None})
                for subset, clips in (("train", train), ("validation", validation))
            },
            "clips": {"train": len(train), "validation": len(validation)},
            "seed": seed,
            "settings": asdict(self.settings),
            "features": {
                modality: {"name": feature.name, "settings": feature.settings()}
                for modality, feature in self.features.items()
            },
        }

    # Prediction.

    def predict_clips(self, clips: Sequence[Clip]) -> Prediction:
        """Predict clips; see `predict`, which also takes files and data in memory.

        Raises
        ------
        SettingsError
            If the recognizer has not been trained.
        """
        self._check_trained()
        return self._complete(self._with_distances(self._predict(clips), clips))

    def _with_distances(self, prediction: Prediction, clips: Sequence[Clip]) -> Prediction:
        """Measure how far each clip is from the training clips, and flag those beyond the limit."""
        if not self._distances:
            return prediction
        found = prediction.embeddings if self.gives_embeddings else self._describe(clips)
        distance = {
            name: one.ratios(found.get(name, np.zeros((len(clips), 0))))
            for name, one in self._distances.items()
        }
        flags = [list(some) for some in prediction.flags or ((),) * len(clips)]
        for modality, ratios in distance.items():
            for row in np.flatnonzero(ratios > 1):  # NaN is not above 1
                flags[row].append(unlike(modality))
        return replace(prediction, distance=distance, flags=tuple(map(tuple, flags)))

    def predict_all(self, clips: Sequence[Clip]) -> Prediction:
        """As `predict`, with the training prior for clips without any usable modality.

        For evaluations, in which every clip counts.
        """
        return self._with_prior(self.predict_clips(clips))

    def _with_prior(self, prediction: Prediction) -> Prediction:
        empty = np.isnan(prediction.probabilities).any(axis=1, keepdims=True)
        return replace(
            prediction, probabilities=np.where(empty, self._prior, prediction.probabilities)
        )

    def _learn_distances(self, train: Sequence[Clip], validation: Sequence[Clip]) -> None:
        """Learn, for each modality, how far validation clips are from training clips."""
        if self._distances:  # learned on the way
            return
        some, held = (_evenly(clips, _MAX_DESCRIBED) for clips in (train, validation))
        self._distances = learn_distances(self._describe(some), self._describe(held))

    def _describe(self, clips: Sequence[Clip]) -> dict[str, np.ndarray]:
        """One vector per clip and modality, to tell how far a clip is from the training clips.

        By default a mean over the time of the features. Systems that make better vectors on the
        way to a prediction give those.

        Returns
        -------
        dict of str to np.ndarray [shape=(clips, n)]
            By modality; rows of NaN for clips without it.
        """
        return {
            modality: rows_of([mean_vector(self.store.get(clip, feature).arrays) for clip in clips])
            for modality, feature in self.features.items()
        }

    @abstractmethod
    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        """Predict clips; `probabilities` are rows of NaN for clips without a usable modality."""

    def _complete(self, prediction: Prediction) -> Prediction:
        """Flag clips without a usable modality, drop repeated flags."""
        empty = np.isnan(prediction.probabilities).any(axis=1)
        flags = prediction.flags or ((),) * len(empty)
        return replace(
            prediction,
            flags=tuple(
                tuple(dict.fromkeys((*some, NO_MODALITY) if is_empty else some))
                for some, is_empty in zip(flags, empty, strict=True)
            ),
        )

    def _check_trained(self) -> None:
        if not self._trained:
            raise SettingsError(
                "This recognizer has not been trained: call fit, or load one. After a leaking "
                "protocol it cannot be used again."
            )

    # Checkpoints.

    def save(self, folder: Path) -> None:
        """Write the checkpoint: ``weights.safetensors``, ``recognizer.json``, ``card.json``.

        Raises
        ------
        SettingsError
            If the recognizer has not been trained.
        StorageError
            If the disk is full or the folder cannot be written.
        """
        self._check_trained()
        facts = {
            "settings": asdict(self.settings),
            "features": {name: feature.settings() for name, feature in self.features.items()},
            "feature_layouts": self._feature_layouts,
            "classes": list(self._classes),
            "prior": self._prior.tolist(),
            **self._state(),
        }
        weights = self._weights()
        weights |= distance_arrays(self._distances)
        write_checkpoint(folder, Checkpoint(self.name, weights, facts, self.card))

    @classmethod
    def load(cls, folder: Path, store: FeatureSource) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        CheckpointError
            If the folder holds no checkpoint of this system, or one of another version, or if
            arrays are missing, unknown or of the wrong shape.
        """
        checkpoint = read_checkpoint(folder, cls.name)
        facts, weights = checkpoint.facts, dict(checkpoint.weights)
        missing = {"settings", "classes", "prior"} - facts.keys()
        if missing:
            raise CheckpointError(
                f"The checkpoint at {folder} lacks {', '.join(sorted(missing))}: it was changed or "
                "damaged. Train it again."
            )
        try:
            recognizer = cls(settings_from_mapping(cls.settings_type, facts["settings"]), store)
            recognizer._check_layouts(facts.get("feature_layouts", {}), folder)
            recognizer._classes = tuple(facts["classes"])
            recognizer._prior = np.array(facts["prior"], dtype=np.float64)
            _check_classes(recognizer._classes, recognizer._prior)
            recognizer._card = dict(checkpoint.card)
            recognizer._distances = take_distances(weights)
            recognizer._restore(weights, facts)
            if weights:
                raise ValueError(f"{min(weights)} is unknown")
        except CheckpointError:
            raise
        except Exception as error:  # any: a damaged checkpoint can hold any value
            raise _damaged(folder, error) from None
        recognizer._trained = True
        return recognizer

    def save_pretrained(self, folder: str | Path, **options: Any) -> None:
        """As `save`, with a README for the Hugging Face Hub; see `aver.models.base.hub`."""
        save_pretrained(self, folder, **options)

    def push_to_hub(self, repository: str, **options: Any) -> str:
        """Upload the recognizer and its card to the Hugging Face Hub, for `load_recognizer`.

        Parameters
        ----------
        repository : str
            ``"user/name"``.
        options
            Such as ``private=True``, ``token``, ``commit_message``.

        Returns
        -------
        str
            The address of the commit.

        Raises
        ------
        CheckpointError
            If the Hub cannot be reached or refuses.
        """
        return push_to_hub(self, repository, **options)

    @staticmethod
    def from_pretrained(
        name: str | Path, store: FeatureSource | None = None, **options: Any
    ) -> Recognizer:
        """A recognizer of any model, from the Hugging Face Hub or a folder of `save_pretrained`.

        Parameters
        ----------
        name : str or Path
            ``"user/name"`` or a folder.
        store : FeatureSource, optional
        options
            Such as ``revision`` and ``local_files_only``; see `aver.models.base.hub.hub_folder`.
        """
        return load_recognizer(hub_folder(name, **options), store)

    @property
    def _feature_layouts(self) -> dict[str, int]:
        return {
            name: layout
            for feature in self.features.values()
            for name, layout in feature.layouts.items()
        }

    def _check_layouts(self, trained: Mapping[str, int], folder: Path) -> None:
        """Refuse a checkpoint that was trained on other values of the same name."""
        for name, layout in self._feature_layouts.items():
            if trained.get(name, 1) != layout:
                raise CheckpointError(
                    f"The recognizer at {folder} was trained on layout {trained.get(name, 1)} of "
                    f"the feature {name!r}; this version of aver computes layout {layout}, other "
                    "values under the same name. Train it again, or use the version that wrote it."
                )

    def _state(self) -> dict[str, Any]:
        """JSON facts that `_restore` needs besides settings, classes and prior."""
        return {}

    def _weights(self) -> dict[str, np.ndarray]:
        """All trained arrays, by name."""
        return {}

    def _restore(self, weights: dict[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        """Take what `_weights` and `_state` gave.

        Parameters
        ----------
        weights : dict of str to np.ndarray
            Arrays that are used are removed from it; those that stay are reported as unknown.
        facts : mapping

        Raises
        ------
        KeyError, TypeError, ValueError, AverError
            If anything is missing or does not fit; `load` turns it into a `CheckpointError`.
        """


def _check_classes(classes: tuple[Any, ...], prior: np.ndarray) -> None:
    if not all(isinstance(name, str) for name in classes) or len({*classes}) < len(classes):
        raise ValueError(f"the classes are {list(classes)!r}, not distinct names")
    if prior.shape != (len(classes),) or not np.isfinite(prior).all():
        raise ValueError(f"the prior is {prior.tolist()}, not one number for each class")


def _damaged(folder: Path, error: BaseException) -> CheckpointError:
    reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
    first = reason.partition("\n")[0].rstrip(".") or type(error).__name__
    return CheckpointError(
        f"The weights at {folder} do not fit their own settings: {first}. The checkpoint was "
        "changed or mixed with another one."
    )


_MAX_DESCRIBED = 1000  # clips to learn distances from; more would only take longer


def _evenly(clips: Sequence[Clip], count: int) -> list[Clip]:
    """At most `count` clips, evenly spread."""
    rows = np.unique(np.linspace(0, len(clips) - 1, min(count, len(clips))).round().astype(int))
    return [clips[row] for row in rows]


models: Registry[Recognizer] = Registry(
    "model",
    {
        "cross-attention": "aver.models.cross_attention.recognizer:CrossAttention",
        "expert-fusion": "aver.models.expert_fusion.recognizer:ExpertFusion",
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
"""All recognizers. ``@models.register("name")`` adds one; `aver list` prints them."""


def load_recognizer(run: str | Path, store: FeatureSource | None = None) -> Recognizer:
    """Load the checkpoint of a run.

    Parameters
    ----------
    run : str or Path
        A checkpoint folder, a run folder that holds exactly one or a final one, a name of
        ``aver list weights``, or ``hf://user/name`` for one on the Hugging Face Hub.
    store : FeatureSource, optional
        Where features come from; default the user's cache.

    Returns
    -------
    Recognizer
        Ready to predict.

    Raises
    ------
    CheckpointError
        If there is no checkpoint, more than one, or one that cannot be read.
    """
    folder = hub_folder(run) if is_on_hub(run) else find_checkpoint(Path(run))
    kind = models.get(read_checkpoint(folder).model)
    return kind.load(folder, store or FeatureStore())


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
            raise LabelError(
                f"Training clip {clip.clip_id!r} has no emotion. Leave it out of training."
            )
    counts = Counter(clip.emotion for clip in clips if clip.emotion is not None)
    classes = in_canonical_order(counts)
    if len(classes) < 2:
        raise LabelError(
            f"The {len(clips)} training clips have {len(classes)} emotion "
            f"({', '.join(classes) or 'none'}); at least two are needed."
        )
    shares = np.array([counts[label] for label in classes], dtype=np.float64)
    return classes, shares / shares.sum()


def check_validation(validation: Sequence[Clip]) -> None:
    """Refuse to train without validation clips.

    Raises
    ------
    LabelError
        If there are none; the message names splits that have some.
    """
    if not validation:
        raise LabelError(
            "There is no validation clip; the choice of the epoch needs some. Take a split that "
            "has them: for the rule 'random' shares=60/20/20, or validation=test, which LEAKS; for "
            "any other its default, validation=nested."
        )
