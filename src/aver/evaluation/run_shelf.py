"""`RunShelf`: runs that were made lie on it, and are not made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation, save_evaluation
from aver.evaluation.run_request import RunRequest

Evaluate = Callable[[RunRequest, Path], Evaluation]
"""Makes a run in the folder given, going on with what an interrupted one left there."""


class RunShelf:
    """Finished runs below one folder, found by what was asked for.

    Parameters
    ----------
    folder : Path
        Each run gets a folder of its own below, named by the request's hash.
    evaluate : callable
        Makes a run that is not there yet.
    """

    def __init__(self, folder: Path, evaluate: Evaluate) -> None:
        self.folder = folder
        self._evaluate = evaluate

    def place(self, request: RunRequest) -> Path:
        """The run's folder."""
        return self.folder / request.hash

    def has(self, request: RunRequest) -> bool:
        """Whether the run is finished."""
        return (self.place(request) / "evaluation.json").exists()

    def get(self, request: RunRequest) -> Evaluation:
        """The run, made now if it is not there."""
        place = self.place(request)
        if not self.has(request):
            evaluation = self._evaluate(request, place)
            if not self.has(request):
                save_evaluation(evaluation, place)
        found = load_evaluation(place)
        return replace(found, system=request.system.name or found.system)
