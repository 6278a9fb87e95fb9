"""Put what a training left among the weights that come with the package."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from safetensors.torch import load_file as load_tensors

from aver.errors import CheckpointError, SettingsError
from aver.evaluation.evaluation_folder import load_evaluation
from aver.execution.files import write_json
from aver.models.base.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from aver.networks.pretrained import WEIGHTS_NAME, find_weights, write_weights
from aver.networks.shipped import CARD_NAME, INDEX_NAME, describe_folder, weights_root
from aver.pretraining.cross_corpus import TESTS, figures_of
from aver.version import __version__

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
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
        The new folder; weights of that name that were shipped there before are replaced.

    Raises
    ------
    SettingsError
        If the name is not one of letters, digits, dots, hyphens and underscores.
    CheckpointError
        If something else has that name in the folder of all weights, or the card's figures leak.
    """
    card = json.loads((run / CARD_NAME).read_text(encoding="utf-8"))
    if card.get("leaks"):
        raise CheckpointError(
            f"The figures on the card of {run} LEAK: {' '.join(card['leaks'])} Train without "
            "--leaking first."
        )

    def write(folder: Path) -> None:
        write_weights(folder / WEIGHTS_NAME, load_tensors(find_weights(str(run))), half=True)
        write_json(folder / CARD_NAME, _told(card))

    return _put(root or weights_root(), name, "extractor", summary, write)


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
        As for `ship_extractor`, with the same errors.
    metrics : mapping, optional
        Figures of its tests, for the card.
    """

    def write(folder: Path) -> None:
        for facts in sorted(checkpoint.rglob("recognizer.json")):
            found = read_checkpoint(facts.parent)
            weights = {key: _halved(value) for key, value in found.weights.items()}
            card = _told(dict(found.card))
            if facts.parent == checkpoint and metrics:
                card["metrics"] = dict(metrics)
            target = folder / facts.parent.relative_to(checkpoint)
            write_checkpoint(target, Checkpoint(found.model, weights, found.facts, card))

    return _put(root or weights_root(), name, "recognizer", summary, write)


def _halved(value: np.ndarray) -> np.ndarray:
    large = value.size >= _SMALL and value.dtype.kind == "f"
    return value.astype(np.float16) if large else value


def _told(card: dict[str, Any]) -> dict[str, Any]:
    """The card without what only its maker's machine knows."""
    kept = {key: value for key, value in card.items() if key != "command"}
    return kept | {
        "license": "research, non-commercial",
        "precision": "16 bits, rounded after the tests",
        "version": __version__,
    }


def _put(root: Path, name: str, kind: str, summary: str, write: Callable[[Path], None]) -> Path:
    """Write beside, then take the place of what was shipped under that name; list it."""
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"Weights cannot be named {name!r}. Take letters, digits, dots, hyphens and "
            "underscores, and start with a letter or digit."
        )
    place, folder = root / INDEX_NAME, root / name
    index = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    if folder.exists() and name not in index:
        raise CheckpointError(
            f"{folder} holds something that is not among the weights in {root}. Choose another "
            "--name or --root, or move it away."
        )
    root.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=root, prefix=".shipping-") as beside:
        fresh = Path(beside) / name
        write(fresh)
        entry = describe_folder(fresh, kind, summary)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    write_json(place, index | {name: entry})
    return folder
