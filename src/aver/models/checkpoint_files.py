"""Files that a recogniser's features need, kept in its checkpoint."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aver.features.face_crops import FaceCrops
from aver.features.face_embeddings import FaceEmbeddings
from aver.networks.pretrained import WEIGHTS_NAME, find_weights
from aver.networks.shipped import CARD_NAME, is_shipped

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
