"""`TargetAnswers`: answers for a target besides emotion, such as intensity or shares of votes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from aver.errors import LabelError


@dataclass(frozen=True, eq=False)
class TargetAnswers:
    """What was asked and answered, row by row of an `Evaluation`.

    Parameters
    ----------
    kind : {"classification", "regression"}
    outputs : tuple of str
        Names of the columns: classes, or the quantities regressed.
    truth : np.ndarray [shape=(rows, outputs)]
        For classification 1 in the true class's column and 0 elsewhere; for regression the true
        values. Rows of NaN where a clip has no label for this target.
    answers : np.ndarray [shape=(rows, outputs)]
        Class probabilities, or regressed values.

    Raises
    ------
    LabelError
        If the shapes do not agree.
    """

    kind: Literal["classification", "regression"]
    outputs: tuple[str, ...]
    truth: np.ndarray
    answers: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "outputs", tuple(self.outputs))
        object.__setattr__(self, "truth", np.asarray(self.truth, dtype=np.float64))
        object.__setattr__(self, "answers", np.asarray(self.answers, dtype=np.float64))
        expected = (len(self.truth), len(self.outputs))
        if self.truth.shape != expected or self.answers.shape != expected:
            raise LabelError(
                f"A target with {len(self.outputs)} outputs needs truth and answers of shape "
                f"(rows, {len(self.outputs)}), not {self.truth.shape} and {self.answers.shape}."
            )

    @property
    def known(self) -> np.ndarray:
        """Rows that have a label for this target; bool, shape (rows,)."""
        return ~np.isnan(self.truth).any(axis=1)

    def rows(self, chosen: np.ndarray) -> TargetAnswers:
        """The same for some rows, chosen by a mask or by indices."""
        return TargetAnswers(self.kind, self.outputs, self.truth[chosen], self.answers[chosen])
