"""`Prediction`: probabilities, flags and embeddings of a list of clips, and their file."""

from __future__ import annotations

import html
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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


_MAX_SHOWN = 10  # rows of a printed prediction
_REMARKS_WIDTH = 60
_ARRAYS = ("by_modality", "coverage", "distance", "other_targets", "embeddings")


@dataclass(frozen=True, repr=False)
class Prediction:
    """Predictions for clips, in the order in which the clips were given.

    Printed, it is a short table.

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
    paths : tuple of str
        Files that were predicted, as they were given; empty if clips were given.
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
    paths: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.clip_ids)

    def __repr__(self) -> str:
        heading, *rows = self._summary()
        widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
        rows = [(*row[:-1], textwrap.shorten(row[-1], _REMARKS_WIDTH)) for row in rows]
        lines = (
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (heading, *rows)
        )
        return "\n".join((*lines, self._rest())).rstrip()

    def _repr_html_(self) -> str:
        """What notebooks show."""
        heading, *rows = self._summary()

        def line(cells: Sequence[str], tag: str) -> str:
            return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)

        body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
        table = f"<table><thead><tr>{line(heading, 'th')}</tr></thead><tbody>{body}</tbody></table>"
        return table + (f"<p>{self._rest()}</p>" if self._rest() else "")

    def _summary(self) -> list[tuple[str, str, str, str]]:
        """The heading and the first rows of the printed table."""
        rows = [("clip", "emotion", "probability", "remarks")]
        for row, (clip_id, label) in enumerate(
            zip(self.clip_ids[:_MAX_SHOWN], self.labels, strict=False)
        ):
            highest = f"{self.probabilities[row].max():.1%}" if label else ""
            flags = "; ".join(self.flags[row]) if self.flags else ""
            rows.append((clip_id, label or "(none)", highest, flags))
        return rows

    def _rest(self) -> str:
        more = len(self) - _MAX_SHOWN
        return f"... and {more} more; to_frame() has all." if more > 0 else ""

    def take(self, rows: Sequence[int | None]) -> Prediction:
        """Some rows, in any order, also repeatedly.

        Parameters
        ----------
        rows : sequence of int or None
            None is an empty row: NaN, no label, no flags, and an empty clip id.
        """
        index = np.array([len(self) if row is None else row for row in rows], dtype=int)

        def taken(array: np.ndarray) -> np.ndarray:
            empty = np.full((1, *array.shape[1:]), np.nan)
            return np.concatenate([array, empty])[index]

        flags = (*(self.flags or ((),) * len(self)), ())
        arrays: dict[str, Any] = {
            group: {name: taken(array) for name, array in getattr(self, group).items()}
            for group in _ARRAYS
        }
        return replace(
            self,
            clip_ids=tuple((*self.clip_ids, "")[row] for row in index),
            probabilities=taken(self.probabilities),
            flags=tuple(flags[row] for row in index),
            paths=tuple((*self.paths, "")[row] for row in index) if self.paths else (),
            **arrays,
        )

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
            ``path`` (if files were given), ``clip``, ``emotion``, ``flags`` (separated by
            semicolons), ``p <class>``, ``<modality>: p <class>``,
            ``<target>: predicted <output>``, ``<modality>: coverage`` and
            ``<modality>: distance``.
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
                **({"path": list(self.paths)} if self.paths else {}),
                "clip": list(self.clip_ids),
                "emotion": list(self.labels),
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


def save_prediction(prediction: Prediction, path: Path) -> None:
    """Write one file, completely or not at all.

    Raises
    ------
    StorageError
        If the disk is full.
    """
    from safetensors.numpy import save

    arrays = {"probabilities": prediction.probabilities}
    for group in _ARRAYS:
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
    groups: dict[str, Any] = {group: {} for group in _ARRAYS}
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
