"""`Evaluation`: the predictions for all tested clips in one table, and how they came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from aver.corpora.combine import part_of
from aver.errors import LabelError, SettingsError
from aver.models.base.prediction import probability_columns, target_columns

CLIP_COLUMNS = ("clip_id", "speaker", "sex", "fold", "seed", "truth", "prediction", "flags")
"""Columns of `Evaluation.predictions` that every run has, in front of the numbers."""

ROW_KEYS = ["clip_id", "fold", "seed"]
"""Columns that identify a row."""

_FLAG_SEPARATOR = "; "


@dataclass(frozen=True)
class TargetColumns:
    """A target besides emotion, and its columns in `Evaluation.predictions`.

    Parameters
    ----------
    name : str
    kind : {"classification", "regression"}
    outputs : tuple of str
        Classes, or the quantities regressed.
    """

    name: str
    kind: Literal["classification", "regression"]
    outputs: tuple[str, ...]

    @property
    def truth(self) -> list[str]:
        """Columns of the truth.

        For classification 1 in the true class's column and 0 elsewhere, for regression the true
        values; NaN if a clip has no label for this target.
        """
        return [f"{self.name}: true {output}" for output in self.outputs]

    @property
    def predictions(self) -> list[str]:
        """Columns of the predictions: class probabilities, or regressed values."""
        return target_columns(self.name, self.outputs)


@dataclass(frozen=True, eq=False)
class TargetPredictions:
    """Truth and predictions of a target besides emotion, row by row of an `Evaluation`.

    Parameters
    ----------
    kind : {"classification", "regression"}
    outputs : tuple of str
        Names of the columns: classes, or the quantities regressed.
    truth, predictions : np.ndarray [shape=(rows, outputs)]
        As described in `TargetColumns`.

    Raises
    ------
    LabelError
        If the shapes do not agree.
    """

    kind: Literal["classification", "regression"]
    outputs: tuple[str, ...]
    truth: np.ndarray
    predictions: np.ndarray

    def __post_init__(self) -> None:
        expected = (len(self.truth), len(self.outputs))
        if self.truth.shape != expected or self.predictions.shape != expected:
            raise LabelError(
                f"A target with {len(self.outputs)} outputs needs truth and predictions of shape "
                f"(rows, {len(self.outputs)}), not {self.truth.shape} and {self.predictions.shape}."
            )

    @property
    def known(self) -> np.ndarray:
        """Rows that have a label for this target; bool, shape (rows,)."""
        return ~np.isnan(self.truth).any(axis=1)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Predictions for all tested clips of all folds and seeds, one row per clip, fold and seed.

    All numbers that `aver` prints are computed from this object.

    Parameters
    ----------
    system : str
        What was evaluated, for instance ``"mrpn-compact N2"``.
    corpus : str
        Registered name of the corpus.
    protocol : str
        Name of the protocol, for instance ``"clean: speaker-kfold(folds=5)"``.
    classes : tuple of str
        Classes, in the order of the columns.
    predictions : pd.DataFrame
        The content of ``predictions.csv``: ``clip_id``; ``speaker`` (if unknown, the clip's id: a
        cluster of its own); ``sex`` (missing if unknown); ``fold``; ``seed``; ``truth``;
        ``prediction`` (the most probable class, computed here); ``flags`` (remarks on the clip,
        separated by semicolons); ``p <class>`` (rows sum to 1); ``<modality>: p <class>``
        (from that modality alone, missing if a clip lacks it); and the columns of `targets`.
        Treat it as read-only.
    modalities : tuple of str
        Modalities with predictions of their own.
    targets : tuple of TargetColumns
        Targets besides emotion.
    leaks : tuple of str
        What the protocol shares between training and test, in whole sentences; empty if clean.
    training_s, prediction_s : float or None
        Seconds for training, and for predicting all rows, over all folds and seeds.
    parameters : int or None
        Number of trained parameters of one fold's model.
    facts : mapping of str to JSON value
        Settings, split hash, versions, the command that repeats the run.

    Raises
    ------
    LabelError
        If a true class is not among `classes`.
    SettingsError
        If a column is missing, there is no row, a row appears twice, or probabilities are invalid.
    """

    system: str
    corpus: str
    protocol: str
    classes: tuple[str, ...]
    predictions: pd.DataFrame
    modalities: tuple[str, ...] = ()
    targets: tuple[TargetColumns, ...] = ()
    leaks: tuple[str, ...] = ()
    training_s: float | None = None
    prediction_s: float | None = None
    parameters: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("classes", "modalities", "targets", "leaks"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        columns = [*CLIP_COLUMNS, *self._number_columns]
        missing = [c for c in columns if c not in self.predictions and c != "prediction"]
        if missing:
            raise SettingsError(
                f"The predictions of {self.system!r} have no column {missing[0]!r}."
            )
        if len(self.predictions) == 0:
            raise SettingsError(f"The evaluation of {self.system!r} has no tested clip.")
        # `prediction` always follows from the probabilities.
        frame = self.predictions.assign(prediction="")[columns].reset_index(drop=True)
        frame = frame.astype({"fold": np.int64, "seed": np.int64})
        object.__setattr__(self, "predictions", frame)
        self._check_values()
        frame["prediction"] = np.array(self.classes)[self.prediction_index]

    @property
    def _number_columns(self) -> list[str]:
        columns = probability_columns(self.classes)
        for modality in self.modalities:
            columns += probability_columns(self.classes, modality)
        for target in self.targets:
            columns += target.truth + target.predictions
        return columns

    def _check_values(self) -> None:
        for clip_id, label in zip(self.clip_ids, self.truth, strict=True):
            if label not in self.classes:
                raise LabelError(
                    f"Clip {clip_id} is {label!r}, which is not among the classes "
                    f"{', '.join(self.classes)}. Leave such clips out of the test subset."
                )
        if self.predictions.duplicated(ROW_KEYS).any():
            raise SettingsError("A clip is tested twice in the same fold with the same seed.")
        total = self.probabilities.sum(axis=1)
        if (self.probabilities < -1e-6).any():
            row = int(np.argmax((self.probabilities < -1e-6).any(axis=1)))
            raise SettingsError(f"A probability of clip {self.clip_ids[row]} is below 0.")
        if not np.allclose(total, 1.0, atol=1e-3):
            row = int(np.argmax(~np.isclose(total, 1.0, atol=1e-3)))
            raise SettingsError(
                f"The probabilities of clip {self.clip_ids[row]} sum to {total[row]:.3f}, not 1."
            )

    def with_predictions(
        self,
        probabilities: np.ndarray,
        *,
        by_modality: Mapping[str, np.ndarray] | None = None,
        flags: Sequence[Sequence[str]] = (),
        targets: Mapping[str, TargetPredictions] | None = None,
        **changes: Any,
    ) -> Evaluation:
        """The same clips with other predictions.

        Parameters
        ----------
        probabilities : np.ndarray [shape=(rows, classes)]
        by_modality : mapping of str to np.ndarray [shape=(rows, classes)], optional
            From each modality alone.
        flags : sequence of sequence of str, optional
            Per row, remarks on the clip.
        targets : mapping of str to TargetPredictions, optional
            Targets besides emotion.
        changes
            Further fields of `Evaluation`, such as `system`.

        Raises
        ------
        SettingsError
            If a shape is wrong, or a flag holds a semicolon.
        """
        by_modality, targets = by_modality or {}, targets or {}
        columns = tuple(TargetColumns(name, t.kind, t.outputs) for name, t in targets.items())
        blocks = [("probabilities", probability_columns(self.classes), probabilities)]
        for name, values in by_modality.items():
            blocks.append((name, probability_columns(self.classes, name), values))
        for target in columns:
            blocks.append((target.name, target.truth, targets[target.name].truth))
            blocks.append((target.name, target.predictions, targets[target.name].predictions))
        clips = self.predictions[list(CLIP_COLUMNS)]
        tables = [clips.assign(flags=[_joined(row) for row in flags] or "")]
        for what, names, values in blocks:
            numbers = np.asarray(values, np.float64)
            if numbers.shape != (len(clips), len(names)):
                raise SettingsError(
                    f"{what} must have shape {(len(clips), len(names))}, not {numbers.shape}."
                )
            tables.append(pd.DataFrame(numbers, columns=names))
        return replace(
            self,
            predictions=pd.concat(tables, axis=1),
            modalities=tuple(by_modality),
            targets=columns,
            **changes,
        )

    # The columns as tuples and arrays, for the metrics.

    @cached_property
    def clip_ids(self) -> tuple[str, ...]:
        """Clip of each row."""
        return tuple(self.predictions["clip_id"])

    @cached_property
    def speakers(self) -> tuple[str, ...]:
        """Speaker of each row; if unknown, the clip's id."""
        return tuple(self.predictions["speaker"])

    @cached_property
    def sexes(self) -> tuple[str | None, ...]:
        """Sex of each row's speaker; None if unknown."""
        return tuple(None if pd.isna(sex) else sex for sex in self.predictions["sex"])

    @cached_property
    def folds(self) -> np.ndarray:
        """Fold of each row; int, shape (rows,)."""
        return self.predictions["fold"].to_numpy()

    @cached_property
    def seeds(self) -> np.ndarray:
        """Seed of each row; int, shape (rows,)."""
        return self.predictions["seed"].to_numpy()

    @cached_property
    def truth(self) -> tuple[str, ...]:
        """True class of each row."""
        return tuple(self.predictions["truth"])

    @cached_property
    def flags(self) -> tuple[tuple[str, ...], ...]:
        """Remarks on each row's clip."""
        return tuple(
            tuple(filter(None, text.split(_FLAG_SEPARATOR))) for text in self.predictions["flags"]
        )

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Probability of each class, shape (rows, classes)."""
        return self._numbers(probability_columns(self.classes))

    @cached_property
    def by_modality(self) -> dict[str, np.ndarray]:
        """Probabilities from each modality alone; rows of NaN if a clip lacks it."""
        return {
            name: self._numbers(probability_columns(self.classes, name)) for name in self.modalities
        }

    @cached_property
    def target_predictions(self) -> dict[str, TargetPredictions]:
        """Truth and predictions of the targets besides emotion, by name."""
        return {
            target.name: TargetPredictions(
                target.kind,
                target.outputs,
                self._numbers(target.truth),
                self._numbers(target.predictions),
            )
            for target in self.targets
        }

    def _numbers(self, columns: list[str]) -> np.ndarray:
        # Rows contiguous: the order of memory decides how sums over classes are rounded.
        return np.ascontiguousarray(self.predictions[columns].to_numpy(np.float64))

    # What follows from the columns.

    @cached_property
    def speaker_ids(self) -> tuple[str, ...]:
        """The distinct speakers tested, sorted."""
        return tuple(sorted(set(self.speakers)))

    @cached_property
    def speaker_index(self) -> np.ndarray:
        """Place of each row's speaker in `speaker_ids`; shape (rows,)."""
        return pd.Index(self.speaker_ids).get_indexer(self.predictions["speaker"])

    @cached_property
    def clip_corpora(self) -> np.ndarray:
        """Corpus of each row's clip, if corpora are joined, otherwise empty; shape (rows,)."""
        joined = bool(self.facts.get("corpora"))
        return np.array([part_of(clip_id) if joined else "" for clip_id in self.clip_ids])

    @cached_property
    def speaker_corpora(self) -> tuple[str, ...]:
        """Corpus of each of `speaker_ids`, if several corpora are tested; otherwise empty.

        Intervals leave out and draw speakers within their corpus.
        """
        corpora = tuple(map(part_of, self.speaker_ids)) if self.facts.get("corpora") else ()
        return corpora if len(set(corpora)) > 1 else ()

    @cached_property
    def truth_index(self) -> np.ndarray:
        """Column of each row's true class; shape (rows,)."""
        return pd.Index(self.classes).get_indexer(self.predictions["truth"])

    @cached_property
    def prediction_index(self) -> np.ndarray:
        """Column of each row's most probable class, the first of equals; shape (rows,)."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def correct(self) -> np.ndarray:
        """Whether each row's prediction is right; bool, shape (rows,)."""
        return self.prediction_index == self.truth_index

    @cached_property
    def clip_weights(self) -> np.ndarray:
        """One over the number of rows of the row's clip; shape (rows,).

        A clip tested with three seeds counts once, with the mean of its three scores.
        """
        rows = self.predictions.groupby("clip_id")["fold"].transform("size")
        return 1.0 / rows.to_numpy()

    @property
    def clip_count(self) -> int:
        """Number of distinct clips tested."""
        return self.predictions["clip_id"].nunique()

    @property
    def seed_values(self) -> tuple[int, ...]:
        """The distinct seeds, sorted."""
        return tuple(np.unique(self.seeds).tolist())

    @cached_property
    def clips_of_unknown_speakers(self) -> int:
        """Number of distinct clips whose speaker is unknown."""
        unknown = self.predictions["clip_id"] == self.predictions["speaker"]
        return self.predictions["clip_id"][unknown].nunique()

    @property
    def knows_speakers(self) -> bool:
        """Whether the speaker of any clip is known."""
        return self.clips_of_unknown_speakers < self.clip_count

    # Parts of a run as runs of their own.

    def rows(self, chosen: Any) -> Evaluation:
        """The same run on some rows only, chosen by a mask or by indices."""
        indices = np.arange(len(self.predictions))[np.asarray(chosen)]
        return replace(self, predictions=self.predictions.iloc[indices])

    def of_modality(self, modality: str) -> Evaluation:
        """The predictions from one modality alone, on the clips that have it.

        Raises
        ------
        SettingsError
            If the run has no such modality, or no tested clip has it.
        """
        if modality not in self.modalities:
            raise SettingsError(
                f"{self.system} has no predictions from {modality!r} alone. "
                f"It has: {', '.join(self.modalities) or 'none'}."
            )
        present = ~np.isnan(self.by_modality[modality]).any(axis=1)
        if not present.any():
            raise SettingsError(f"No tested clip has the modality {modality!r}.")
        run = self.rows(present)
        return run.with_predictions(
            run.by_modality[modality], flags=run.flags, system=f"{self.system}, {modality} alone"
        )

    def of_target(self, name: str) -> Evaluation:
        """A classification target besides emotion, as an evaluation of its own.

        Raises
        ------
        SettingsError
            If there is no such target, or it is a regression (see `aver.evaluation.calibration`).
        """
        target = self.target_predictions.get(name)
        if target is None or target.kind != "classification":
            names = ", ".join(target.name for target in self.targets)
            raise SettingsError(
                f"{self.system} has no classification target {name!r}. "
                f"It has: {names or 'none besides emotion'}."
            )
        known = target.known
        frame = self.predictions.loc[known, list(CLIP_COLUMNS)].copy()
        frame["truth"] = np.array(target.outputs)[target.truth[known].argmax(axis=1)]
        frame[probability_columns(target.outputs)] = target.predictions[known]
        return replace(
            self,
            system=f"{self.system}, {name}",
            classes=target.outputs,
            predictions=frame,
            modalities=(),
            targets=(),
        )


def _joined(flags: Sequence[str]) -> str:
    if any(";" in flag for flag in flags):
        raise SettingsError("A flag must not hold a semicolon; semicolons separate flags.")
    return _FLAG_SEPARATOR.join(flags)
