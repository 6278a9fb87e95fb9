"""`synthesise`: writes a synthetic corpus into a folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from aver.errors import SettingsError
from aver.execution.atomic import write_atomically, write_json, write_text
from aver.execution.tasks import map_tasks
from aver.synthesis.clip_plan import ClipPlan, clips_csv, plan_clips
from aver.synthesis.settings import SynthesisSettings

_VERSION = 1  # raised whenever the same settings would give other clips


def synthesise(root: Path, settings: SynthesisSettings, workers: int = 1) -> Path:
    """Write a corpus of filmed emotional speech by people who do not exist.

    Stopped half-way, it keeps the clips that are whole; called again, it writes those that are
    missing. ``clips.csv`` appears last, when the corpus is complete.

    Parameters
    ----------
    root : Path
        Folder of the corpus; made where missing.
    settings : SynthesisSettings
    workers : int >= 1
        Processes; the clips do not depend on it.

    Returns
    -------
    Path
        `root`.

    Raises
    ------
    SettingsError
        If the folder holds a corpus of other settings, or files that are no synthetic corpus.
    StorageError
        If the disk is full or the folder cannot be written.
    """
    root = Path(root)
    _claim(root, settings)
    plans = plan_clips(settings)
    missing = [
        plan
        for plan in plans
        if not ((root / plan.file).is_file() and (root / plan.units).is_file())
    ]
    write = partial(_write_clip, root, settings)
    for outcome in map_tasks(write, missing, workers=workers, description="Synthesising clips"):
        if outcome.error is not None:
            raise outcome.error
    write_text(root / "clips.csv", clips_csv(plans))
    return root


def _claim(root: Path, settings: SynthesisSettings) -> None:
    description: dict[str, Any] = {
        "kind": "aver synthetic corpus",
        "version": _VERSION,
        "settings": json.loads(json.dumps(asdict(settings))),  # tuples as JSON has them
    }
    place = root / "synthesis.json"
    if place.exists():
        _compare(place, description)
    elif root.is_dir() and any(not path.name.startswith(".") for path in root.iterdir()):
        raise SettingsError(
            f"{root} holds files already, but no synthetic corpus (synthesis.json is missing). "
            "Choose an empty folder."
        )
    else:
        write_json(place, description)


def _compare(place: Path, description: dict[str, Any]) -> None:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        settings, version = dict(found["settings"]), found["version"]
    except (ValueError, KeyError, TypeError):
        raise SettingsError(
            f"{place} is not readable as the description of a synthetic corpus. "
            "Choose another folder, or delete this one."
        ) from None
    if version != description["version"]:
        raise SettingsError(
            f"{place.parent} was made by version {version} of the synthesis; this is version "
            f"{description['version']}. Choose another folder, or delete this one."
        )
    for name, wanted in description["settings"].items():
        if settings.get(name) != wanted:
            raise SettingsError(
                f"{place.parent} holds a synthetic corpus with {name} {settings.get(name)!r}, not "
                f"{wanted!r}. Choose another folder, or delete this one."
            )


def _write_clip(root: Path, settings: SynthesisSettings, plan: ClipPlan) -> None:
    # Imported here, since reading the settings must not cost the import of cv2, av and SciPy.
    from aver.synthesis.clip import render_clip

    media, units = render_clip(plan, settings)
    write_text(root / plan.units, units)
    with write_atomically(root / plan.file) as temporary:
        temporary.write_bytes(media)
