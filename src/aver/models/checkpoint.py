"""Checkpoints of all recognisers: weights as safetensors, everything else as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from aver.errors import CheckpointError
from aver.execution.atomic import write_atomically, write_json
from aver.execution.private_paths import without_folders
from aver.models.checkpoint_files import find_files, keep_files

FORMAT = "aver-recognizer-1"
WEIGHTS_NAME, FACTS_NAME, CARD_NAME = "weights.safetensors", "recognizer.json", "card.json"
_SHOWN = 3


@dataclass(frozen=True)
class Checkpoint:
    """What lies in the folder of a saved recogniser.

    Parameters
    ----------
    model : str
        Registered name.
    weights : mapping of str to np.ndarray
    facts : mapping
        What `load` needs besides: settings, classes, features.
    card : mapping
        Facts for the model card.
    """

    model: str
    weights: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]
    card: Mapping[str, Any]


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the three files, each whole or not at all.

    Files that the features need (`aver.models.checkpoint_files`) are kept beside them, and no
    folder of this machine is named: a checkpoint may be given away.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written.
    """
    arrays = {name: np.asarray(array, order="C") for name, array in checkpoint.weights.items()}
    with write_atomically(folder / WEIGHTS_NAME) as temporary:
        temporary.write_bytes(save(arrays, metadata={"format": FORMAT, "model": checkpoint.model}))
    facts = keep_files(dict(checkpoint.facts), folder)
    write_json(folder / CARD_NAME, without_folders(dict(checkpoint.card)))
    write_json(
        folder / FACTS_NAME,
        {"format": FORMAT, "model": checkpoint.model, "facts": without_folders(facts)},
    )


def read_checkpoint(folder: Path, model: str | None = None) -> Checkpoint:
    """Read what `write_checkpoint` wrote.

    Parameters
    ----------
    folder : Path
    model : str, optional
        The registered name that is expected.

    Raises
    ------
    CheckpointError
        If the folder is none of ours, of another version or model, or torn.
    """
    facts = _read_json(folder / FACTS_NAME)
    if not isinstance(facts, dict) or facts.get("format") != FORMAT or "facts" not in facts:
        found = facts.get("format") if isinstance(facts, dict) else None
        raise CheckpointError(
            f"The checkpoint at {folder} has format {found!r}; this version reads {FORMAT!r}. "
            "Train it again, or use the version that wrote it."
        )
    if model is not None and facts["model"] != model:
        raise CheckpointError(
            f"The checkpoint at {folder} holds the model {facts['model']!r}, not {model!r}."
        )
    return Checkpoint(
        facts["model"],
        _read_weights(folder / WEIGHTS_NAME),
        find_files(facts["facts"], folder),
        _read_json(folder / CARD_NAME),
    )


def check_names(found: Mapping[str, np.ndarray], wanted: Mapping[str, Any], folder: Path) -> None:
    """Compare names and shapes of weights with those of a network's ``state_dict``.

    Raises
    ------
    CheckpointError
        If one is missing, foreign, or of another shape.
    """
    faults = [f"{name} is missing" for name in sorted(wanted.keys() - found.keys())]
    faults += [f"{name} is foreign" for name in sorted(found.keys() - wanted.keys())]
    faults += [
        f"{name} has shape {tuple(found[name].shape)}, not {tuple(wanted[name].shape)}"
        for name in sorted(found.keys() & wanted.keys())
        if tuple(found[name].shape) != tuple(wanted[name].shape)
    ]
    if faults:
        more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise CheckpointError(
            f"The weights at {folder} do not fit their own settings: {'; '.join(faults[:_SHOWN])}"
            f"{more}. The checkpoint was changed or mixed with another one."
        )


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(
            f"There is no checkpoint at {path.parent}: {path.name} cannot be read "
            f"({error.strerror})."
        ) from None
    except ValueError as error:
        raise CheckpointError(f"{path} is not readable JSON: {error}.") from None


def _read_weights(path: Path) -> dict[str, np.ndarray]:
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"The weights at {path} cannot be read: {error}.") from None
