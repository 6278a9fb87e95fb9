"""Checkpoints of all recognisers: weights as safetensors, everything else as JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from aver.compatibility import upgrade, upgrade_name
from aver.errors import CheckpointError
from aver.execution.files import without_folders, write_atomically, write_json
from aver.features.face_crops import FaceCrops
from aver.features.face_embeddings import FaceEmbeddings
from aver.features.store import FeatureSource, FeatureStore
from aver.models.base.recognizer import Recognizer, models
from aver.networks.pretrained import WEIGHTS_NAME, find_weights
from aver.networks.shipped import CARD_NAME, find_shipped, is_shipped

FOLDER = "files"
"""Below the checkpoint."""

_NAMES = tuple(dict.fromkeys((*FaceEmbeddings.file_settings, *FaceCrops.file_settings)))


def keep_files(facts: Any, folder: Path) -> Any:
    """Copy files that settings name by a path, and name the copies in their place.

    Weights that are named by ``aver list weights`` come with the package and stay named.

    Parameters
    ----------
    facts : JSON value
    folder : Path
        Of the checkpoint.

    Raises
    ------
    CheckpointError
        If there is no such file any more.
    """
    if isinstance(facts, list | tuple):
        return [keep_files(entry, folder) for entry in facts]
    if not isinstance(facts, Mapping):
        return facts
    return {
        name: _keep(value, folder)
        if name in _NAMES and isinstance(value, str) and _is_path(value)
        else keep_files(value, folder)
        for name, value in facts.items()
    }


def find_files(facts: Any, folder: Path) -> Any:
    """The facts with the paths of the kept files in this folder; undoes `keep_files`."""
    if isinstance(facts, list):
        return [find_files(entry, folder) for entry in facts]
    if not isinstance(facts, Mapping):
        return facts
    return {
        name: str(folder.resolve() / value)
        if name in _NAMES and isinstance(value, str) and value.startswith(f"{FOLDER}/")
        else find_files(value, folder)
        for name, value in facts.items()
    }


def _is_path(value: str) -> bool:
    """Whether a file is meant; a single word may be one in the folder where the training ran."""
    place = Path(value).expanduser()
    if len(place.parts) > 1:
        return True
    if not value or is_shipped(value, "extractor"):
        return False
    return place.is_file() or (place / WEIGHTS_NAME).is_file()


def _keep(value: str, folder: Path) -> str:
    """Copy a file, and the card beside it: a network cannot be fed without."""
    source = find_weights(value)
    place = folder / FOLDER / (source.parent.name or "file")
    place.mkdir(parents=True, exist_ok=True)
    card = source.with_name(CARD_NAME)
    for found in (source, *([card] if card.is_file() else [])):
        if (place / found.name).resolve() != found.resolve():
            shutil.copyfile(found, place / found.name)
    return (place / source.name).relative_to(folder).as_posix()


FORMAT, FORMAT_1 = "aver-recognizer-2", "aver-recognizer-1"
FACTS_NAME = "recognizer.json"
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

    Files that the features need (`aver.models.base.checkpoint`) are kept beside them, and no
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
    known = isinstance(facts, dict) and facts.get("format") in (FORMAT, FORMAT_1)
    if not known or "facts" not in facts:
        found = facts.get("format") if isinstance(facts, dict) else None
        raise CheckpointError(
            f"The checkpoint at {folder} has format {found!r}; this version reads {FORMAT!r}. "
            "Train it again, or use the version that wrote it."
        )
    old = facts["format"] == FORMAT_1
    card, weights = _read_json(folder / CARD_NAME), _read_weights(folder / WEIGHTS_NAME)
    if old:
        facts, card = upgrade(facts), upgrade(card)
        weights = {upgrade_name(name): array for name, array in weights.items()}
    if model is not None and facts["model"] != model:
        raise CheckpointError(
            f"The checkpoint at {folder} holds the model {facts['model']!r}, not {model!r}."
        )
    return Checkpoint(
        facts["model"],
        weights,
        find_files(facts["facts"], folder),
        card,
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


DEFAULT, DEFAULT_ADAPTED = "faces-voices", "faces-voices-adapted"
"""Shipped recognisers that answer where none is named: alone, and with a speaker's other clips."""


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
