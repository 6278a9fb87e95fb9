"""Put what a training left among the weights that come with the package."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file as load_tensors

from aver.errors import CheckpointError
from aver.evaluation.evaluation_folder import load_evaluation
from aver.execution.atomic import write_json
from aver.models.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from aver.networks.pretrained import WEIGHTS_NAME, find_weights
from aver.networks.shipped import CARD_NAME, INDEX_NAME, describe_folder, weights_root
from aver.networks.weight_file import write_weights
from aver.pretraining.answer_corpus import figures_of
from aver.pretraining.unpaired_scores import TESTS
from aver.version import __version__

_SMALL = 1024  # values; what is smaller (scalers, norms) stays as it is, for it costs nothing


def ship_run(run: Path, name: str, summary: str, root: Path | None = None) -> Path:
    """Ship what ``aver pretrain`` left: an extractor, or a recogniser and the figures of its tests.

    Parameters
    ----------
    run : Path
        Run folder of ``aver pretrain visual``, ``voice`` or ``unpaired``.
    name, summary, root
        As for `ship_extractor`.

    Raises
    ------
    CheckpointError
        If the run is not finished.
    """
    if (run / "checkpoint" / CARD_NAME).is_file():
        tests = sorted((run / TESTS).glob("*/evaluation.json"))
        figures = {place.parent.name: figures_of(load_evaluation(place.parent)) for place in tests}
        return ship_recognizer(run / "checkpoint", name, summary, root, metrics=figures)
    if not (run / CARD_NAME).is_file():
        raise CheckpointError(
            f"{run} holds no finished run of 'aver pretrain'. Repeat that command first."
        )
    return ship_extractor(run, name, summary, root)


def ship_extractor(run: Path, name: str, summary: str, root: Path | None = None) -> Path:
    """Copy weights and card of ``aver pretrain``, weights in half precision.

    Parameters
    ----------
    run : Path
        Run folder.
    name, summary : str
        For ``aver list weights``.
    root : Path, optional
        Folder of all weights; default the package's own.

    Returns
    -------
    Path
        The new folder.
    """
    folder = _fresh(root, name)
    card = json.loads((run / CARD_NAME).read_text(encoding="utf-8"))
    write_weights(folder / WEIGHTS_NAME, load_tensors(find_weights(str(run))), half=True)
    write_json(folder / CARD_NAME, _told(card))
    return _listed(folder, "extractor", summary)


def ship_recognizer(
    checkpoint: Path,
    name: str,
    summary: str,
    root: Path | None = None,
    *,
    metrics: Mapping[str, Any] | None = None,
) -> Path:
    """Copy a checkpoint and all its members, large weights in half precision.

    Parameters
    ----------
    checkpoint : Path
        Folder that `Recognizer.save` wrote.
    name, summary, root
        As for `ship_extractor`.
    metrics : mapping, optional
        Figures of its tests, for the card.
    """
    folder = _fresh(root, name)
    for facts in sorted(checkpoint.rglob("recognizer.json")):
        found = read_checkpoint(facts.parent)
        target = folder / facts.parent.relative_to(checkpoint)
        weights = {key: _halved(value) for key, value in found.weights.items()}
        card = _told(dict(found.card))
        if target == folder and metrics:
            card["metrics"] = dict(metrics)
        write_checkpoint(target, Checkpoint(found.model, weights, found.facts, card))
    return _listed(folder, "recognizer", summary)


def _halved(value: np.ndarray) -> np.ndarray:
    large = value.size >= _SMALL and value.dtype.kind == "f"
    return value.astype(np.float16) if large else value


def _told(card: dict[str, Any]) -> dict[str, Any]:
    """The card without what only its maker's machine knows."""
    kept = {key: value for key, value in card.items() if key != "command"}
    return kept | {
        "licence": "research, non-commercial",
        "precision": "16 bits",
        "version": __version__,
    }


def _fresh(root: Path | None, name: str) -> Path:
    folder = (root or weights_root()) / name
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _listed(folder: Path, kind: str, summary: str) -> Path:
    place = folder.parent / INDEX_NAME
    index = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    write_json(place, index | {folder.name: describe_folder(folder, kind, summary)})
    return folder
