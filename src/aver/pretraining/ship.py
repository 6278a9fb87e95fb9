"""Adds the weights of a run to those that come with the package."""

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
from aver.networks.pretrained import find_weights, write_weights
from aver.networks.shipped import (
    CARD_NAME,
    INDEX_NAME,
    WEIGHTS_NAME,
    describe_folder,
    read_card,
    weights_root,
)
from aver.pretraining.cross_corpus import TESTS, figures_of
from aver.version import __version__

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SMALL = 1024  # values; smaller arrays (scalers, norms) keep their precision at no cost


def ship_run(run: Path, name: str, summary: str, root: Path | None = None) -> Path:
    """Ship the result of ``aver pretrain``: an extractor, or a recognizer with its test figures.

    Parameters
    ----------
    run : Path
        Run folder of ``aver pretrain video``, ``audio`` or ``unpaired``.
    name, summary, root
        As for `ship_extractor`.

    Raises
    ------
    CheckpointError
        If the run is not finished.
    """
    if (run / "checkpoint" / CARD_NAME).is_file():
        tests = sorted((run / TESTS).glob("*/evaluation.json"))
        figures = {test.parent.name: figures_of(load_evaluation(test.parent)) for test in tests}
        return ship_recognizer(run / "checkpoint", name, summary, root, metrics=figures)
    if not (run / CARD_NAME).is_file():
        raise CheckpointError(
            f"{run} contains no finished run of 'aver pretrain'. Run that command to its end first."
        )
    return ship_extractor(run, name, summary, root)


def ship_extractor(run: Path, name: str, summary: str, root: Path | None = None) -> Path:
    """Copy the weights of ``aver pretrain``, in half precision, and their card.

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
        The new folder; weights shipped under this name before are replaced.

    Raises
    ------
    SettingsError
        If the name has other characters than letters, digits, dots, hyphens and underscores.
    CheckpointError
        If the folder of all weights contains something else with that name, or the figures on the
        card leak.
    """
    card = read_card(run)
    if card.get("leaks"):
        raise CheckpointError(
            f"The figures on the card of {run} LEAK: {' '.join(card['leaks'])} Train without "
            "--leaking first."
        )

    def write(folder: Path) -> None:
        write_weights(folder / WEIGHTS_NAME, load_tensors(find_weights(str(run))), half=True)
        write_json(folder / CARD_NAME, _public_card(card))

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
        Test figures for the card.
    """

    def write(folder: Path) -> None:
        for facts in sorted(checkpoint.rglob("recognizer.json")):
            member = read_checkpoint(facts.parent)
            weights = {key: _halved(value) for key, value in member.weights.items()}
            card = _public_card(dict(member.card))
            if facts.parent == checkpoint and metrics:
                card["metrics"] = dict(metrics)
            target = folder / facts.parent.relative_to(checkpoint)
            write_checkpoint(target, Checkpoint(member.model, weights, member.facts, card))

    return _put(root or weights_root(), name, "recognizer", summary, write)


def _halved(value: np.ndarray) -> np.ndarray:
    large = value.size >= _SMALL and value.dtype.kind == "f"
    return value.astype(np.float16) if large else value


def _public_card(card: dict[str, Any]) -> dict[str, Any]:
    """The card without the command line, which may contain private paths."""
    public = {key: value for key, value in card.items() if key != "command"}
    return public | {
        "license": "research, non-commercial",
        "precision": "16 bits, rounded after the tests",
        "version": __version__,
    }


def _put(root: Path, name: str, kind: str, summary: str, write: Callable[[Path], None]) -> Path:
    """Write a temporary folder, replace what was shipped under the name, update the index."""
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"Weights cannot be named {name!r}. Use letters, digits, dots, hyphens and "
            "underscores, and start with a letter or digit."
        )
    path, folder = root / INDEX_NAME, root / name
    index = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if folder.exists() and name not in index:
        raise CheckpointError(
            f"{folder} is not among the weights in {root}. Choose another --name or --root, or "
            "move that folder."
        )
    root.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=root, prefix=".shipping-") as temporary:
        new = Path(temporary) / name
        write(new)
        entry = describe_folder(new, kind, summary)
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    write_json(path, index | {name: entry})
    return folder
