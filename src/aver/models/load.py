"""A trained recogniser from wherever a run left it."""

from __future__ import annotations

from pathlib import Path

from aver.errors import CheckpointError
from aver.features.store import FeatureSource, FeatureStore
from aver.models.checkpoint import FACTS_NAME, read_checkpoint
from aver.models.recognizer import Recognizer, models
from aver.networks.shipped import find_shipped, is_shipped

DEFAULT, DEFAULT_ADAPTED = "faces-voices", "faces-voices-adapted"
"""Shipped recognisers that answer where none is named: alone, and with a speaker's other clips."""

_SHOWN = 3


def load_recognizer(run: str | Path, store: FeatureSource | None = None) -> Recognizer:
    """Load the checkpoint of a run.

    Parameters
    ----------
    run : str or Path
        A checkpoint folder, a run folder that holds exactly one, or a name of `aver list weights`.
    store : FeatureSource, optional
        Where features come from; default the user's cache.

    Returns
    -------
    Recognizer
        Ready to predict.

    Raises
    ------
    CheckpointError
        If there is no checkpoint, more than one, or it is not one of ours.
    """
    folder = find_checkpoint(Path(run))
    kind = models.get(read_checkpoint(folder).model)
    return kind.load(folder, store or FeatureStore())


def find_checkpoint(run: Path) -> Path:
    """The one checkpoint folder at or below `run`, or that of shipped weights.

    Raises
    ------
    CheckpointError
        If there is none, or more than one; the message names some. If shipped weights were changed.
    """
    if not run.exists():
        if is_shipped(str(run), "recognizer"):
            return find_shipped(str(run), "recognizer").checked()
        raise CheckpointError(
            f"There is no run at {run}: the path does not exist, and no recogniser of that name "
            "comes with the package (see 'aver list weights')."
        )
    if (run / FACTS_NAME).is_file():
        return run
    found = sorted(path.parent for path in run.rglob(FACTS_NAME) if "baselines" not in path.parts)
    if not found:
        raise CheckpointError(
            f"{run} holds no checkpoint. Give the run folder of 'aver train', after it finished."
        )
    if len(found) > 1:
        some = ", ".join(str(path) for path in found[:_SHOWN])
        raise CheckpointError(
            f"{run} holds {len(found)} checkpoints, one per fold and seed ({some}, ...). "
            "Give one of these folders."
        )
    return found[0]
