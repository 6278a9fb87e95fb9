"""`DegradedAnswers`: what recognisers said of worse media, kept in the run folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation, save_evaluation
from aver.media.degradation import DEGRADATIONS, Degradation, Level

FOLDER = "robustness"
"""Below a run folder."""


@dataclass(frozen=True)
class DegradedRuns:
    """A run under one kind of damage.

    Parameters
    ----------
    kind : Degradation
    runs : mapping of float or str to Evaluation
        By level, as given; the same rows as the run without damage.
    """

    kind: Degradation
    runs: Mapping[Level, Evaluation]


def read_robustness(run: Evaluation, folder: Path) -> tuple[DegradedRuns, ...]:
    """What was measured of a run before, in the order of `DEGRADATIONS`; may be empty."""
    found = []
    for kind in DEGRADATIONS:
        runs: dict[Level, Evaluation] = {}
        for place in (folder / FOLDER / kind.name).glob("*/evaluation.json"):
            degraded = load_evaluation(place.parent)
            about = degraded.facts.get("robustness", {})
            if about.get("of") == key_of_run(run):
                runs[about["level"]] = degraded
        if runs:
            ordered = sorted(runs, key=lambda level: (isinstance(level, str), level))
            found.append(DegradedRuns(kind, {level: runs[level] for level in ordered}))
    return tuple(found)


@dataclass(frozen=True)
class DegradedAnswers:
    """Where the answers to one level of one kind of damage lie.

    Parameters
    ----------
    kind : Degradation
    level : float or str
    seed : int
        Of everything drawn.
    of : str
        The run, as `key_of_run` names it.
    """

    kind: Degradation
    level: Level
    seed: int
    of: str

    @property
    def facts(self) -> dict[str, Any]:
        """What an evaluation says of itself that holds these answers."""
        return {"kind": self.kind.name, "level": self.level, "seed": self.seed, "of": self.of}

    def place(self, folder: Path) -> Path:
        """Below the run folder."""
        level = self.level if isinstance(self.level, str) else f"{self.level:g}"
        return folder / FOLDER / self.kind.name / level

    def read(self, folder: Path) -> Evaluation | None:
        """The answers, if they are of this run, level and seed."""
        place = self.place(folder)
        if not (place / "evaluation.json").exists():
            return None
        found = load_evaluation(place)
        return found if found.facts.get("robustness") == self.facts else None

    def write(self, run: Evaluation, folder: Path) -> None:
        """Keep the answers."""
        facts = {**run.facts, "robustness": self.facts}
        save_evaluation(replace(run, facts=facts), self.place(folder))


def key_of_run(run: Evaluation) -> str:
    """Tells runs apart by their answers."""
    rows = [run.clip_ids, run.seeds.tolist(), run.folds.tolist()]
    digest = hashlib.sha256(json.dumps(rows).encode())
    digest.update(np.ascontiguousarray(run.probabilities).tobytes())
    return digest.hexdigest()[:16]
