"""A `Prediction` on disk: safetensors with its names in the header."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from aver.errors import CheckpointError
from aver.execution.atomic import write_atomically
from aver.models.prediction import Prediction

_FORMAT = "aver-prediction-1"
_GROUPS = ("by_modality", "coverage", "other_targets", "embeddings")


def save_prediction(prediction: Prediction, path: Path) -> None:
    """Write one file, whole or not at all.

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
        If the file is torn or not one of ours.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            if header.get("format") != _FORMAT:
                raise CheckpointError(f"{path} holds no predictions of this version of aver.")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"The predictions in {path} cannot be read: {error}.") from None
    about = json.loads(header["about"])
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
