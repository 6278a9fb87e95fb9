"""`RunRecord`: what a run folder was asked for, written before anything is learnt in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aver.errors import CheckpointError
from aver.execution.atomic import write_json
from aver.training.resume_state import drop_resume_states

STARTED_NAME = "started.json"


@dataclass(frozen=True)
class RunRecord:
    """Keeps two pretrainings out of one folder, and the test part from being scored twice.

    Parameters
    ----------
    folder : Path
        Run folder.
    asked : mapping of str to JSON value
        Everything that decides the result: settings, seed, split, data.
    done : Path
        The file that a finished run leaves last, for instance the card.
    """

    folder: Path
    asked: Mapping[str, Any]
    done: Path

    def start(self) -> bool:
        """Make the folder this run's.

        A state to resume from that nobody knows the settings of is deleted.

        Returns
        -------
        bool
            Whether an earlier call finished the run: its results lie there.

        Raises
        ------
        CheckpointError
            If the folder holds a run with other settings or data, finished or not.
        """
        place = self.folder / STARTED_NAME
        asked = json.loads(json.dumps(self.asked))
        if place.exists():
            known = json.loads(place.read_text(encoding="utf-8"))
            differing = sorted(k for k in {*known, *asked} if known.get(k) != asked.get(k))
            if differing:
                raise CheckpointError(
                    f"{self.folder} holds a pretraining with other {', '.join(differing)}. "
                    "Choose another folder with --out, or remove this one."
                )
            return self.done.exists()
        if self.done.exists():
            raise CheckpointError(
                f"{self.folder} holds a pretraining that does not say what it was asked for. "
                "Choose another folder with --out, or remove this one."
            )
        drop_resume_states(self.folder)
        write_json(place, asked)
        return False

    def finish(self) -> None:
        """Delete the state to resume from: nothing is left to be learnt."""
        drop_resume_states(self.folder)


def digest(value: Any) -> str:
    """Sixteen hexadecimal digits that name a JSON value.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
