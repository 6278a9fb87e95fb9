"""`Prediction`: probabilities, flags and embeddings of a list of clips, and their file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aver.errors import CheckpointError
from aver.execution.clip_work import reading
from aver.execution.files import write_atomically

if TYPE_CHECKING:
    import pandas as pd

NO_MODALITY = "no usable modality"
"""Flag of a clip that has none of the modalities that the recognizer reads."""


@dataclass(frozen=True)
class Prediction:
    """Predictions for clips, in the order in which the clips were given.

    Parameters
    ----------
    clip_ids : tuple of str
    classes : tuple of str
        Emotions, in canonical order.
    probabilities : np.ndarray [shape=(clips, classes)]
        Fused over the modalities present; rows of NaN for clips that have none.
    by_modality : mapping of str to np.ndarray [shape=(clips, classes)]
        From each modality alone; rows of NaN if a clip lacks it.
    coverage : mapping of str to np.ndarray [shape=(clips,)]
        Share of each clip, in [0, 1], that has a face, audio, action units.
    distance : mapping of str to np.ndarray [shape=(clips,)]
        Of each clip to the training clips, by modality, over the limit above which it is unlike
        the training data; NaN if a clip lacks the modality. Empty if the recognizer cannot tell.
    flags : tuple of tuple of str
        Remarks on each clip ("no face", "no audio", "shorter than one segment").
    other_targets : mapping of str to np.ndarray [shape=(clips, outputs)]
        Targets besides emotion: class probabilities or regression values.
    other_outputs : mapping of str to tuple of str
        Names of the columns of `other_targets`.
    embeddings : mapping of str to np.ndarray [shape=(clips, n)]
        Deep features by modality, and ``"fused"``; for t-SNE. May be empty.
    """

    clip_ids: tuple[str, ...]
    classes: tuple[str, ...]
    probabilities: np.ndarray
    by_modality: Mapping[str, np.ndarray] = field(default_factory=dict)
    coverage: Mapping[str, np.ndarray] = field(default_factory=dict)
    distance: Mapping[str, np.ndarray] = field(default_factory=dict)
    flags: tuple[tuple[str, ...], ...] = ()
    other_targets: Mapping[str, np.ndarray] = field(default_factory=dict)
    other_outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    embeddings: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """The most probable class of each clip; empty for a clip without a prediction."""
        known = np.isfinite(self.probabilities).all(axis=1)
        best = np.where(known[:, None], self.probabilities, 0.0).argmax(axis=1)
        return tuple(
            self.classes[index] if one else "" for index, one in zip(best, known, strict=True)
        )

    def to_frame(self) -> pd.DataFrame:
        """All predictions as a table, one row per clip.

        Returns
        -------
        pd.DataFrame
            ``clip_id``, ``prediction``, ``flags`` (separated by semicolons), ``p <class>``,
            ``<modality>: p <class>``, ``<target>: predicted <output>``,
            ``<modality>: coverage`` and ``<modality>: distance``.
        """
        import pandas as pd

        blocks = [(probability_columns(self.classes), self.probabilities)]
        for modality, values in self.by_modality.items():
            blocks.append((probability_columns(self.classes, modality), values))
        for target, values in self.other_targets.items():
            blocks.append((target_columns(target, self.other_outputs[target]), values))
        for name, columns in (("coverage", self.coverage), ("distance", self.distance)):
            for modality, values in columns.items():
                blocks.append(([f"{modality}: {name}"], np.reshape(values, (-1, 1))))
        clips = pd.DataFrame(
            {
                "clip_id": list(self.clip_ids),
                "prediction": list(self.labels),
                "flags": ["; ".join(flags) for flags in self.flags] or "",
            }
        )
        tables = [pd.DataFrame(values, columns=columns) for columns, values in blocks]
        return pd.concat([clips, *tables], axis=1)


def probability_columns(classes: Sequence[str], modality: str = "") -> list[str]:
    """Names of the columns that hold class probabilities in tables of predictions.

    Examples
    --------
    >>> probability_columns(("happy", "sad"))
    ['p happy', 'p sad']
    >>> probability_columns(("happy", "sad"), "audio")
    ['audio: p happy', 'audio: p sad']
    """
    prefix = f"{modality}: " if modality else ""
    return [f"{prefix}p {label}" for label in classes]


def target_columns(target: str, outputs: Sequence[str]) -> list[str]:
    """Names of the columns that hold the predictions of a target besides emotion.

    Examples
    --------
    >>> target_columns("intensity", ("normal", "strong"))
    ['intensity: predicted normal', 'intensity: predicted strong']
    """
    return [f"{target}: predicted {output}" for output in outputs]


_FORMAT = "aver-prediction-1"
_GROUPS = ("by_modality", "coverage", "distance", "other_targets", "embeddings")


def save_prediction(prediction: Prediction, path: Path) -> None:
    """Write one file, completely or not at all.

    Raises
    ------
    StorageError
        If the disk is full.
    """
    from safetensors.numpy import save

    arrays = {"probabilities": prediction.probabilities}
    for group in _GROUPS:
        for name, array in getattr(prediction, group).items():
            arrays[f"{group}/{name}"] = array
    about = {
        "clip_ids": prediction.clip_ids,
        "classes": prediction.classes,
        "flags": prediction.flags,
        "other_outputs": {name: list(names) for name, names in prediction.other_outputs.items()},
    }
    header = {"format": _FORMAT, "about": json.dumps(about)}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with write_atomically(path) as temporary:
        temporary.write_bytes(save(contiguous, metadata=header))


def load_prediction(path: Path) -> Prediction:
    """Read what `save_prediction` wrote, exactly.

    Raises
    ------
    CheckpointError
        If the file is damaged, or not a file of `save_prediction`.
    """
    from safetensors import safe_open

    with reading(path, CheckpointError):
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            if header.get("format") != _FORMAT:
                raise CheckpointError(f"{path} holds no predictions of this version of aver.")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return _assembled(json.loads(header["about"]), arrays)


def _assembled(about: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Prediction:
    groups: dict[str, dict[str, np.ndarray]] = {group: {} for group in _GROUPS}
    for name, array in arrays.items():
        group, _, rest = name.partition("/")
        if rest:
            groups[group][rest] = array
    return Prediction(
        clip_ids=tuple(about["clip_ids"]),
        classes=tuple(about["classes"]),
        probabilities=arrays["probabilities"],
        flags=tuple(tuple(flags) for flags in about["flags"]),
        other_outputs={name: tuple(names) for name, names in about["other_outputs"].items()},
        **groups,
    )


def mean_of_known(predictions: Sequence[np.ndarray]) -> np.ndarray:
    """Late fusion: mean of the probabilities, clip by clip, over the predictions that exist.

    Source: Kittler et al. (1998), "On Combining Classifiers", section II, the sum rule.

    Parameters
    ----------
    predictions : sequence of np.ndarray [shape=(clips, classes)]
        By system or modality; a row with NaN is no prediction.

    Returns
    -------
    np.ndarray [shape=(clips, classes)]
        Rows of NaN where there is no prediction at all.

    Examples
    --------
    >>> one, two = np.array([[0.2, 0.8], [1.0, 0.0]]), np.array([[0.4, 0.6], [np.nan, np.nan]])
    >>> mean_of_known([one, two]).round(2).tolist()
    [[0.3, 0.7], [1.0, 0.0]]
    """
    stacked = np.stack(predictions)
    known = np.isfinite(stacked).all(axis=2, keepdims=True)
    counts = known.sum(axis=0)
    sums = np.where(known, stacked, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
