"""Checkpoints of all recognizers: weights as safetensors, everything else as JSON."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from aver.compatibility import upgrade, upgrade_array_name
from aver.errors import CheckpointError, SettingsError
from aver.execution.clip_work import reading
from aver.execution.documents import read_json
from aver.execution.files import without_folders, write_atomically, write_json
from aver.features.face_embeddings import FaceEmbeddings
from aver.networks.encoder_source import EncoderSource
from aver.networks.shipped import CARD_NAME, WEIGHTS_NAME, find_shipped, is_shipped
from aver.settings import settings_from_mapping, settings_to_mapping

FORMAT, FORMAT_1 = "aver-recognizer-2", "aver-recognizer-1"
"""Written by this version; written by version 0.1 and still read."""
FACTS_NAME = "recognizer.json"
DEFAULT, DEFAULT_ADAPTED = "faces-voices", "faces-voices-adapted"
"""Shipped recognizers that predict if none is named: without, and with a speaker's other clips."""

FINAL_NAME = "final"
"""The folder of a run with the recognizer that was fitted on every clip."""

_MAX_SHOWN = 3


@dataclass(frozen=True)
class Checkpoint:
    """What the folder of a saved recognizer holds.

    Parameters
    ----------
    model : str
        Registered name.
    weights : mapping of str to np.ndarray
    facts : mapping
        JSON values: settings, features, classes, prior, and what else the model needs to load.
    card : mapping
        Facts for the model card.
    """

    model: str
    weights: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]
    card: Mapping[str, Any]


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the three files, each completely or not at all.

    Files that the features need are copied into the folder, and no path of this machine is
    written: a checkpoint can be given away. Pretrained encoders, which are large, are not copied:
    their name, revision and hash are written, and another encoder is refused.

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
    """Read what `write_checkpoint` wrote, of this version or of version 0.1.

    Parameters
    ----------
    folder : Path
    model : str, optional
        The registered name that is expected.

    Raises
    ------
    CheckpointError
        If the folder holds no checkpoint, one of another version or model, or a damaged one.
    """
    content = _read_json(folder / FACTS_NAME)
    written = content.get("format") if isinstance(content, dict) else None
    if written not in (FORMAT, FORMAT_1) or not isinstance(content.get("facts"), dict):
        raise CheckpointError(
            f"The checkpoint at {folder} has format {written!r}; this version reads {FORMAT!r}. "
            "Train it again, or use the version that wrote it."
        )
    card, weights = _read_json(folder / CARD_NAME), _read_weights(folder / WEIGHTS_NAME)
    if written == FORMAT_1:
        with reading(folder / FACTS_NAME, CheckpointError):
            content, card = upgrade(content), upgrade(card)
            weights = {upgrade_array_name(name): array for name, array in weights.items()}
            _move_prior_and_classes(content["facts"], weights)
            if "settings" in content["facts"]:
                _read_all_sound(content["model"], content["facts"]["settings"])
    if not isinstance(content.get("model"), str) or not isinstance(card, dict):
        raise CheckpointError(
            f"The checkpoint at {folder} names no model or has no card: it was changed or damaged. "
            "Train it again."
        )
    if model is not None and content["model"] != model:
        raise CheckpointError(
            f"The checkpoint at {folder} holds the model {content['model']!r}, not {model!r}."
        )
    return Checkpoint(content["model"], weights, find_files(content["facts"], folder), card)


def _move_prior_and_classes(facts: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
    """Put them into the facts, where some models of version 0.1 did not have them."""
    if "prior" not in facts and "prior" in weights:
        facts["prior"] = weights.pop("prior").tolist()
    if "classes" not in facts and "targets" in facts:
        facts["classes"] = facts["targets"]["emotion"]


_AUDIO_1 = ("clip-functionals", "log-spectrogram", "mel-bands", "mfcc", "spectrogram-segments")
"""Features of audio in version 0.1, by today's names."""


def _read_all_sound(model: str, settings: Any) -> None:
    """Version 0.1 had no voice activity: its features took any sound."""
    if model.startswith("statistics-"):  # their features had no name
        settings["feature_names"] = {"audio": "clip-functionals"}
        options = settings.setdefault("feature_settings", {}).setdefault("audio", {})
        options["needs_speech"] = False
    if model == "late-fusion" and str(settings.get("preset", "")).startswith("statistics-"):
        _read_all_sound(settings["preset"], settings.setdefault("overrides", {}))
    if model == "temporal-aggregation":
        settings["needs_speech"] = False
    if isinstance(settings, dict):
        if settings.get("feature") in _AUDIO_1:
            settings.setdefault("feature_settings", {})["needs_speech"] = False
        for value in settings.values():
            _read_all_sound("", value)


def check_names(found: Mapping[str, np.ndarray], expected: Mapping[str, Any]) -> None:
    """Compare names and shapes of arrays with those of a network's ``state_dict``.

    Raises
    ------
    ValueError
        If one is missing, unknown, or of another shape.
    """
    faults = [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    faults += [f"{name} is unknown" for name in sorted(found.keys() - expected.keys())]
    faults += [
        f"{name} has shape {tuple(found[name].shape)}, not {tuple(expected[name].shape)}"
        for name in sorted(found.keys() & expected.keys())
        if tuple(found[name].shape) != tuple(expected[name].shape)
    ]
    if faults:
        more = f" and {len(faults) - _MAX_SHOWN} more" if len(faults) > _MAX_SHOWN else ""
        raise ValueError("; ".join(faults[:_MAX_SHOWN]) + more)


def _read_json(path: Path) -> Any:
    try:
        return read_json(path)
    except OSError as error:
        raise CheckpointError(
            f"There is no checkpoint at {path.parent}: {path.name} cannot be read "
            f"({error.strerror})."
        ) from None
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not readable JSON: {error}.") from None


def _read_weights(path: Path) -> dict[str, np.ndarray]:
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"The weights at {path} cannot be read: {error}.") from None


def find_checkpoint(run: Path) -> Path:
    """The one checkpoint folder at or below `run`, or that of shipped weights.

    Of a run with a recognizer that was fitted on every clip, that one.

    Raises
    ------
    CheckpointError
        If there is none, or more than one (the message names some), or if shipped weights were
        changed.
    """
    if not run.exists():
        if is_shipped(str(run), "recognizer"):
            return find_shipped(str(run), "recognizer").checked()
        raise CheckpointError(
            f"There is no run at {run}: the path does not exist, and no recognizer of that name "
            "comes with the package (see 'aver list weights')."
        )
    for folder in (run, run / FINAL_NAME / "checkpoint"):
        if (folder / FACTS_NAME).is_file():
            return folder
    folders = sorted(path.parent for path in run.rglob(FACTS_NAME) if "baselines" not in path.parts)
    folders = [path for path in folders if not {*path.parents} & {*folders}]  # without members
    if not folders:
        raise CheckpointError(
            f"{run} holds no checkpoint. Give the run folder of 'aver train', after it finished."
        )
    if len(folders) > 1:
        some = ", ".join(str(path) for path in folders[:_MAX_SHOWN])
        raise CheckpointError(
            f"{run} holds {len(folders)} checkpoints, one per fold and seed ({some}, ...), and no "
            "recognizer that was fitted on every clip. Repeat its command with --final to fit one, "
            "or give one of these folders."
        )
    return folders[0]


FILES_FOLDER = "files"
"""Folder of kept files in the checkpoint."""

_NAMES = FaceEmbeddings.file_settings
_ENCODER = "encoder"
"""Name of the settings that are an `EncoderSource`."""


def keep_files(facts: Any, folder: Path) -> Any:
    """Copy files that settings name by a path into the checkpoint, and name the copies instead.

    Shipped weights (see ``aver list weights``) come with the package and keep their names. Encoders
    keep theirs too and get the commit and the hash that they have now, see `EncoderSource`.

    Parameters
    ----------
    facts : JSON value
    folder : Path
        Of the checkpoint.

    Raises
    ------
    CheckpointError
        If a file no longer exists.
    """
    if isinstance(facts, list | tuple):
        return [keep_files(entry, folder) for entry in facts]
    if not isinstance(facts, Mapping):
        return facts
    return {
        name: _keep(value, folder)
        if name in _NAMES and isinstance(value, str) and _is_path(value)
        else _pinned(value)
        if name == _ENCODER and isinstance(value, Mapping)
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
        if name in _NAMES and isinstance(value, str) and value.startswith(f"{FILES_FOLDER}/")
        else find_files(value, folder)
        for name, value in facts.items()
    }


def _is_path(value: str) -> bool:
    """Whether a file is meant; a single word can be one in the working folder of the training."""
    path = Path(value).expanduser()
    if len(path.parts) > 1:
        return True
    if not value or is_shipped(value, "extractor"):
        return False
    return path.is_file() or (path / WEIGHTS_NAME).is_file()


def _pinned(encoder: Mapping[str, Any]) -> dict[str, Any]:
    """With commit and hash; unchanged if it is not here, so that no feature can have used it."""
    source: EncoderSource = settings_from_mapping(EncoderSource, encoder, _ENCODER)
    with suppress(CheckpointError, SettingsError):
        pinned = replace(source, local_files_only=True).pinned()
        source = replace(pinned, local_files_only=source.local_files_only)
    return settings_to_mapping(source)


def _keep(value: str, folder: Path) -> str:
    """Copy a file and the card beside it, which says how the network's input is made."""
    from aver.networks.pretrained import find_weights  # imports torch

    source = find_weights(value)
    target = folder / FILES_FOLDER / (source.parent.name or "file")
    target.mkdir(parents=True, exist_ok=True)
    card = source.with_name(CARD_NAME)
    for file in (source, *([card] if card.is_file() else [])):
        if (target / file.name).resolve() != file.resolve():
            shutil.copyfile(file, target / file.name)
    return (target / source.name).relative_to(folder).as_posix()
