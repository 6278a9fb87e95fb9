"""`Evaluation`: every tested clip's answer, and how the run came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from aver.errors import LabelError, SettingsError


@dataclass(frozen=True, eq=False)
class TargetPredictions:
    """What was asked and answered, row by row of an `Evaluation`.

    Parameters
    ----------
    kind : {"classification", "regression"}
    outputs : tuple of str
        Names of the columns: classes, or the quantities regressed.
    truth : np.ndarray [shape=(rows, outputs)]
        For classification 1 in the true class's column and 0 elsewhere; for regression the true
        values. Rows of NaN where a clip has no label for this target.
    predictions : np.ndarray [shape=(rows, outputs)]
        Class probabilities, or regressed values.

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
        object.__setattr__(self, "outputs", tuple(self.outputs))
        object.__setattr__(self, "truth", np.asarray(self.truth, dtype=np.float64))
        object.__setattr__(self, "predictions", np.asarray(self.predictions, dtype=np.float64))
        expected = (len(self.truth), len(self.outputs))
        if self.truth.shape != expected or self.predictions.shape != expected:
            raise LabelError(
                f"A target with {len(self.outputs)} outputs needs truth and answers of shape "
                f"(rows, {len(self.outputs)}), not {self.truth.shape} and {self.predictions.shape}."
            )

    @property
    def known(self) -> np.ndarray:
        """Rows that have a label for this target; bool, shape (rows,)."""
        return ~np.isnan(self.truth).any(axis=1)

    def rows(self, chosen: np.ndarray) -> TargetPredictions:
        """The same for some rows, chosen by a mask or by indices."""
        return TargetPredictions(
            self.kind, self.outputs, self.truth[chosen], self.predictions[chosen]
        )


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Answers for all tested clips of all folds and seeds, one row per clip, fold and seed.

    All numbers that `aver` prints are computed from this object, so whoever has it can compute
    them again.

    Parameters
    ----------
    system : str
        What was evaluated, for instance ``"mrpn-compact N2"``.
    corpus : str
        Registered name of the corpus.
    protocol : str
        Name of the protocol, for instance ``"clean: speaker-kfold(folds=5)"``.
    classes : tuple of str
        The classes told apart, in the order of the columns of `probabilities`.
    clip_ids : tuple of str
    speakers : tuple of str
        Speaker of each row; where nobody knows, the clip's id (a cluster of its own).
    sexes : tuple of (str or None)
    folds, seeds : np.ndarray of int [shape=(rows,)]
    truth : tuple of str
        True class of each row; one of `classes`.
    probabilities : np.ndarray [shape=(rows, classes)]
        Rows sum to 1.
    by_modality : mapping of str to np.ndarray [shape=(rows, classes)]
        What each modality alone says; rows of NaN where a clip lacks it.
    flags : tuple of tuple of str
        What a reader should know about a clip; empty, or one entry per row.
    targets : mapping of str to TargetPredictions
        Targets besides emotion.
    leaks : tuple of str
        What the protocol shares between training and test, in whole sentences; empty for a
        clean one.
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
        If lengths disagree, a row is there twice, or probabilities are none.
    """

    system: str
    corpus: str
    protocol: str
    classes: tuple[str, ...]
    clip_ids: tuple[str, ...]
    speakers: tuple[str, ...]
    sexes: tuple[str | None, ...]
    folds: np.ndarray
    seeds: np.ndarray
    truth: tuple[str, ...]
    probabilities: np.ndarray
    by_modality: Mapping[str, np.ndarray] = field(default_factory=dict)
    flags: tuple[tuple[str, ...], ...] = ()
    targets: Mapping[str, TargetPredictions] = field(default_factory=dict)
    leaks: tuple[str, ...] = ()
    training_s: float | None = None
    prediction_s: float | None = None
    parameters: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("classes", "clip_ids", "speakers", "sexes", "truth", "leaks"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        flags = tuple(tuple(flag) for flag in self.flags) or ((),) * len(self.clip_ids)
        object.__setattr__(self, "flags", flags)
        object.__setattr__(self, "folds", np.asarray(self.folds, dtype=np.int64))
        object.__setattr__(self, "seeds", np.asarray(self.seeds, dtype=np.int64))
        object.__setattr__(self, "probabilities", np.asarray(self.probabilities, np.float64))
        modalities = {name: np.asarray(p, np.float64) for name, p in self.by_modality.items()}
        object.__setattr__(self, "by_modality", modalities)
        self._check_lengths()
        self._check_values()

    def _check_lengths(self) -> None:
        rows = len(self.clip_ids)
        if rows == 0:
            raise SettingsError(f"The evaluation of {self.system!r} has no tested clip.")
        for name in ("speakers", "sexes", "folds", "seeds", "truth", "flags"):
            if len(getattr(self, name)) != rows:
                raise SettingsError(
                    f"An evaluation of {rows} rows needs as many {name}, "
                    f"not {len(getattr(self, name))}."
                )
        shape = (rows, len(self.classes))
        for name, values in {"probabilities": self.probabilities, **self.by_modality}.items():
            if values.shape != shape:
                raise SettingsError(f"{name} must have shape {shape}, not {values.shape}.")
        for name, target in self.targets.items():
            if len(target.truth) != rows:
                raise SettingsError(f"Target {name!r} needs {rows} rows, not {len(target.truth)}.")

    def _check_values(self) -> None:
        for clip_id, label in zip(self.clip_ids, self.truth, strict=True):
            if label not in self.classes:
                raise LabelError(
                    f"Clip {clip_id} is {label!r}, which is not among the classes "
                    f"{', '.join(self.classes)}. Leave such clips out of the test part."
                )
        keys = set(zip(self.clip_ids, self.folds.tolist(), self.seeds.tolist(), strict=True))
        if len(keys) != len(self.clip_ids):
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

    @cached_property
    def speaker_ids(self) -> tuple[str, ...]:
        """The distinct speakers tested, sorted."""
        return tuple(sorted(set(self.speakers)))

    @cached_property
    def speaker_index(self) -> np.ndarray:
        """Place of each row's speaker in `speaker_ids`; shape (rows,)."""
        place = {speaker: index for index, speaker in enumerate(self.speaker_ids)}
        return np.array([place[speaker] for speaker in self.speakers])

    @cached_property
    def truth_index(self) -> np.ndarray:
        """Column of each row's true class; shape (rows,)."""
        return np.array([self.classes.index(label) for label in self.truth])

    @cached_property
    def prediction_index(self) -> np.ndarray:
        """Column of each row's most probable class, the first of equals; shape (rows,)."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def correct(self) -> np.ndarray:
        """Whether each row's answer is right; bool, shape (rows,)."""
        return self.prediction_index == self.truth_index

    @cached_property
    def clip_weights(self) -> np.ndarray:
        """One over the number of rows of the row's clip; shape (rows,).

        A clip tested with three seeds counts once, with the mean of its three scores.
        """
        _, inverse, counts = np.unique(self.clip_ids, return_inverse=True, return_counts=True)
        return 1.0 / counts[inverse]

    @property
    def clip_count(self) -> int:
        """Number of distinct clips tested."""
        return len(set(self.clip_ids))

    @property
    def seed_values(self) -> tuple[int, ...]:
        """The distinct seeds, sorted."""
        return tuple(int(seed) for seed in np.unique(self.seeds))

    @cached_property
    def clips_of_unknown_speakers(self) -> int:
        """Number of distinct clips that stand for a speaker of their own, nobody knowing whose."""
        pairs = zip(self.clip_ids, self.speakers, strict=True)
        return len({clip_id for clip_id, speaker in pairs if clip_id == speaker})

    @property
    def knows_speakers(self) -> bool:
        """Whether anybody knows the speaker of any clip."""
        return self.clips_of_unknown_speakers < self.clip_count

    def rows(self, chosen: np.ndarray) -> Evaluation:
        """The same run on some rows only, chosen by a mask or by indices."""
        indices = np.arange(len(self.clip_ids))[chosen].tolist()
        return replace(
            self,
            clip_ids=tuple(self.clip_ids[i] for i in indices),
            speakers=tuple(self.speakers[i] for i in indices),
            sexes=tuple(self.sexes[i] for i in indices),
            folds=self.folds[indices],
            seeds=self.seeds[indices],
            truth=tuple(self.truth[i] for i in indices),
            probabilities=self.probabilities[indices],
            by_modality={name: p[indices] for name, p in self.by_modality.items()},
            flags=tuple(self.flags[i] for i in indices),
            targets={name: t.rows(np.array(indices)) for name, t in self.targets.items()},
        )

    def of_modality(self, modality: str) -> Evaluation:
        """What one modality alone says, on the clips that have it.

        Raises
        ------
        SettingsError
            If the run has no such modality, or no tested clip has it.
        """
        if modality not in self.by_modality:
            raise SettingsError(
                f"{self.system} gives no answers for {modality!r} alone. "
                f"It has: {', '.join(self.by_modality) or 'none'}."
            )
        alone = self.by_modality[modality]
        present = ~np.isnan(alone).any(axis=1)
        if not present.any():
            raise SettingsError(f"No tested clip has the modality {modality!r}.")
        part = self.rows(present)
        return replace(
            part,
            system=f"{self.system}, {modality} alone",
            probabilities=alone[present],
            by_modality={},
            targets={},
        )

    def of_target(self, name: str) -> Evaluation:
        """A classification target besides emotion, as an evaluation of its own.

        Raises
        ------
        SettingsError
            If there is no such target, or it is a regression (see `evaluation.regression`).
        """
        target = self.targets.get(name)
        if target is None or target.kind != "classification":
            raise SettingsError(
                f"{self.system} has no classification target {name!r}. "
                f"It has: {', '.join(self.targets) or 'none besides emotion'}."
            )
        part = self.rows(target.known)
        columns = part.targets[name]
        return replace(
            part,
            system=f"{self.system}, {name}",
            classes=columns.outputs,
            truth=tuple(columns.outputs[i] for i in columns.truth.argmax(axis=1)),
            probabilities=columns.predictions,
            by_modality={},
            targets={},
        )
